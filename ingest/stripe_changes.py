"""Which objects of Stripe changed, and asking for them: by landed events, by creation, or all.

Belongs here: the two kinds of object streams, when each lists everything, which ids the events
name. Does not belong here: the event feed itself (`stripe_events`), paging (`stripe_lists`).
Source: sources.md section 4.1.

Events only say which ids changed: their payload has the shape of the API version in force when
they happened. Each object is retrieved with the pinned version instead. Every stream remembers
which arrivals of the feeds it has consumed; a stream that was killed, or failed for weeks,
consumes them when it runs again. A full list remembers the arrivals that were there before it
began, so that nothing falls between the list and the feed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ingest.objects import Records
from ingest.pull import Plan, Pull, StreamHistory, plan_of
from ingest.stripe_api import MISSING, Questions
from ingest.stripe_lists import (
    Chain,
    Embedded,
    fetch_chains,
    fetch_embedded,
    month_chains,
    seconds,
)
from ingest.stripe_named import Named, NamedByParent, named_ids

FEEDS = ("events", "webhooks")
"""Streams whose rows are events."""
EXPANDED_SINCE = "2025-03-31"
"""From this API version on an object names its discounts by id only, and no endpoint reads a
discount. Before it, the object embeds its one discount."""
SETTLING = timedelta(days=3)
"""How far a list by creation reaches back: a balance transaction appears, and settles, late."""


@dataclass(frozen=True)
class ObjectStream:
    """One list of Stripe.

    variants: parameters under which it is asked for, one after the other. expand: a member that
    is asked for whole instead of its ids. created_since: the API version from which on the list
    can be filtered by `created`. named, by_parent: how events name
    the objects; a stream without them is append-only and is asked for by creation. keeps_vanished:
    what a full list no longer has is gone.
    """

    name: str
    path: str
    subject: str
    variants: tuple[Chain, ...] = ({},)
    expand: str = ""
    created_since: str = ""
    keeps_vanished: bool = False
    embedded: Embedded | None = None
    embedded_relation: str = ""
    named: tuple[Named, ...] = ()
    by_parent: NamedByParent | None = None
    needs: tuple[str, ...] = ()

    @property
    def records(self) -> Sequence[Records]:
        """Pages of the list, single objects, and what long objects do not embed."""
        found = [
            Records(
                "list",
                self.name,
                items="data",
                is_listing=True,
                keeps_vanished=self.keeps_vanished,
            ),
            Records("object", self.name),
        ]
        if self.embedded:
            found.append(
                Records(
                    self.embedded.kind,
                    self.embedded_relation,
                    items="data",
                    parent="envelope",
                    is_set=True,
                )
            )
        return found

    def fingerprint(self, settings: Any) -> Mapping[str, Any]:
        """What decides the shape of answers, and the kind of plan."""
        return {
            "base_url": settings.base_url,
            "api_version": settings.api_version,
            "changes": settings.changes,
            "created_windows": settings.created_windows,
        }

    def plan(self, history: StreamHistory) -> Plan:
        """Everything when it must be, else what changed since the last pull."""
        state = {"upper": seconds(history.now)}
        if self.named:
            state = {f"{feed}_arrival": _newest(history, feed) for feed in FEEDS}
        if history.settings.changes == "full_list":
            return self._full(history, state, "")
        reason = self._why_full(history)
        if reason:
            return self._full(history, state, reason)
        if self.named:
            after = {key: history.state.get(key, 0) for key in state}
            return Plan("changes", {"after": after, "state": state})
        reach = max(SETTLING, timedelta(hours=history.settings.overlap_hours))
        lower = history.state["upper"] - int(reach.total_seconds())
        chain = {"created[gte]": str(lower), "created[lte]": str(state["upper"])}
        return Plan("changes", {"chains": [chain], "state": state})

    def _full(self, history: StreamHistory, state: Mapping[str, Any], reason: str) -> Plan:
        expanded = self._expanded(history.settings, "data.")
        chains = [{**each, **expanded} for each in self.variants]
        if self._can_filter(history.settings):
            chains = month_chains(history.now, chains)
        return Plan("full", {"chains": chains, "state": state}, reason)

    def _expanded(self, settings: Any, inside: str) -> dict[str, str]:
        """The parameter that asks for the whole member. inside: where the object is."""
        if not self.expand or settings.api_version < EXPANDED_SINCE:
            return {}
        return {"expand[]": inside + self.expand}

    def _can_filter(self, settings: Any) -> bool:
        return settings.created_windows and settings.api_version >= self.created_since

    def _why_full(self, history: StreamHistory) -> str:
        """Why everything must be listed; empty when what changed is enough."""
        settings = history.settings
        if not history.visible:
            return "everything listed: first pull"
        if self.named and not history.state.get("events_arrival"):
            return "everything listed: the last pull did not follow the event feed"
        if not self.named and "upper" not in history.state:
            return "everything listed: the last pull did not say how far it reached"
        if not self.named and not self._can_filter(settings):
            return "everything listed: without created_windows nothing less can be asked for"
        broken = [
            plan_of(each)
            for each in history.of_stream("events")
            if each.arrival > history.state.get("events_arrival", 0)
            and plan_of(each).bounds["is_reset"]
        ]
        if self.named and broken:
            return f"everything listed: {broken[-1].reason}"
        full = history.last_full
        if full is None:
            return "everything listed: it never was"
        # By date: the night begins a little earlier or later each day.
        age_days = (history.now.date() - full.started_at.date()).days
        if settings.full_scan_days and age_days >= settings.full_scan_days:
            return f"everything listed: the last full list is {age_days} days old"
        return ""

    def fetch(self, pull: Pull) -> Mapping[str, Any]:
        """Page the lists, or ask for each object that the events name."""
        questions = Questions(pull, self.subject)
        if "chains" in pull.plan.bounds:
            fetch_chains(pull, questions, self.path, self.embedded)
        else:
            self._fetch_named(pull, questions)
        return pull.plan.bounds["state"]

    def _fetch_named(self, pull: Pull, questions: Questions) -> None:
        """Ask for what landed events name, in an order that is the same after a kill."""
        parents, objects = named_ids(_event_files(pull), self.named, self.by_parent)
        done = pull.cursor["done"] if pull.cursor else 0
        asked = [("parent", each) for each in parents] + [("object", each) for each in objects]
        for number, (kind, object_id) in enumerate(asked[done:], start=done + 1):
            if kind == "parent" and self.by_parent:
                for answer in questions.pages(
                    self.path, {self.by_parent.param: object_id}, accept=MISSING
                ):
                    pull.add("list", self.path, answer)
            else:
                self._fetch_one(pull, questions, object_id)
            pull.advance({"done": number})

    def _fetch_one(self, pull: Pull, questions: Questions, object_id: str) -> None:
        answer = questions.one(self.path, object_id, self._expanded(pull.settings, ""))
        pull.add("object", self.path, answer, asked_ids=[object_id])
        if answer.content is not None:
            fetch_embedded(pull, questions, answer.content, self.embedded)


def _newest(history: StreamHistory, feed: str) -> int:
    landings = history.of_stream(feed)
    return landings[-1].arrival if landings else 0


def _event_files(pull: Pull) -> list[str]:
    """Files with the rows of events that this pull consumes, by arrival."""
    bounds = pull.plan.bounds
    return [
        str(path)
        for feed in FEEDS
        for landing in pull.history.of_stream(feed)
        if bounds["after"][f"{feed}_arrival"]
        < landing.arrival
        <= bounds["state"][f"{feed}_arrival"]
        for path in landing.part_paths("rows:events")
    ]
