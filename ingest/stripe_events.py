"""The event feed of Stripe: what happened since the last pull, for streams that follow it.

Belongs here: how far the feed was read, and when its memory was too short. Does not belong here:
what an event changes (`stripe_named`), bodies that a receiver dropped (`stripe_webhooks`).
Source: sources.md section 4.1.

Stripe guarantees events for 30 days. The first pull only finds where the feed stands: everything
that exists is listed by the other streams, which begin after it.

Clocks: the upper bound is ours, the events' are Stripe's. The next pull begins at the newest event
that was seen, or at our upper bound if that is earlier, less the overlap. So a clock of ours that
is ahead leaves out nothing, and what is later than one that is behind comes the next night.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ingest.http import UnusableAnswerError
from ingest.objects import Records
from ingest.pull import Plan, Pull, StreamHistory
from ingest.stripe_api import Questions, check_list
from ingest.stripe_lists import seconds

PATH = "/v1/events"
READABLE = timedelta(days=25)
"""How old the last pull may be: Stripe keeps events for 30 days, a few are left for late ones."""


def check_events(content: Any) -> None:
    """Whether the content is a page of events. Raises: UnusableAnswerError."""
    check_list(content)
    for each in content["data"]:
        if not isinstance(each.get("created"), int):
            raise UnusableAnswerError("an event of the answer has no created")


@dataclass(frozen=True)
class EventStream:
    """`/v1/events`. state: upper (ours) and newest (the newest event's `created`, None while no
    event was ever seen), Unix seconds."""

    name: str = "events"
    needs: tuple[str, ...] = ()

    @property
    def records(self) -> Sequence[Records]:
        """Events never change."""
        return [Records("list", "events", items="data", is_immutable=True, is_listing=True)]

    def fingerprint(self, settings: Any) -> Mapping[str, Any]:
        """Which server."""
        return {"base_url": settings.base_url, "api_version": settings.api_version}

    def plan(self, history: StreamHistory) -> Plan:
        """From the last pull's reach to now; only where the feed stands if that is too long ago.

        bounds: is_reset (what happened before is not read), gte (None: from the beginning), lte.
        """
        upper = seconds(history.now)
        bounds = {"is_reset": True, "gte": None, "lte": upper}
        if not history.state:
            return Plan("changes", bounds, "the feed is followed from here on")
        age_seconds = upper - history.state["upper"]
        if age_seconds > READABLE.total_seconds():
            days = age_seconds // 86400
            reason = f"the event feed was last read {days} days ago and is not kept that long"
            return Plan("changes", bounds, reason)
        newest = history.state["newest"]
        if newest is not None:
            reached = min(newest, history.state["upper"])
            bounds["gte"] = reached - history.settings.overlap_hours * 3600
        return Plan("changes", {**bounds, "is_reset": False})

    def fetch(self, pull: Pull) -> Mapping[str, Any]:
        """Page the feed, newest first; after a reset only its newest event."""
        bounds = pull.plan.bounds
        questions = Questions(pull, "events")
        if bounds["is_reset"]:
            answer = questions.get(PATH, {"limit": "1"}, check_events)
            pull.add("list", PATH, answer)
            return {"upper": bounds["lte"], "newest": _newest(answer.content["data"], None)}
        params = {"created[lte]": str(bounds["lte"])}
        if bounds["gte"] is not None:
            params["created[gte]"] = str(bounds["gte"])
        cursor = pull.cursor or {"after": None, "newest": pull.history.state["newest"]}
        newest = cursor["newest"]
        if cursor.get("is_complete"):
            return {"upper": bounds["lte"], "newest": newest}
        for answer in questions.pages(PATH, params, cursor["after"], check_events):
            events = answer.content["data"]
            newest = _newest(events, newest)
            pull.add("list", PATH, answer)
            pull.advance(
                {
                    "after": events[-1]["id"] if events else cursor["after"],
                    "newest": newest,
                    "is_complete": not answer.content["has_more"],
                }
            )
        return {"upper": bounds["lte"], "newest": newest}


def _newest(events: Sequence[Mapping[str, Any]], before: int | None) -> int | None:
    """The latest `created` among the events and the one known before."""
    return max(
        [each["created"] for each in events] + ([] if before is None else [before]), default=None
    )
