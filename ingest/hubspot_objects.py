"""The records of HubSpot: contacts, companies, deals and meetings.

Belongs here: when everything is listed and when only changes are searched for. Does not belong
here: paging (`hubspot_api`, `hubspot_search`), what belongs together (`hubspot_associations`).

The first pull, and one every `sweep_days`, lists all records, archived ones too: an id that no
list has any more (deleted for good, or merged into another one) becomes a tombstone. Between them
a search tells what changed, and the archived records, which no search finds, are listed each time.
Merged records carry the ids of those that they were made of in properties of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ingest.hubspot_api import PAGE_LIMIT, Questions, objects_path
from ingest.hubspot_properties import properties_of
from ingest.hubspot_search import changed_pages
from ingest.objects import Records
from ingest.pull import Plan, Pull, StreamHistory

LATE_START = timedelta(hours=6)
"""Nights do not begin at the same second: what is due in a few hours is due now."""


def is_sweep_due(history: StreamHistory) -> str:
    """Why everything is read again by now, empty if it is not: the last time is long ago."""
    days = history.settings.sweep_days
    if not days or history.last_full is None:
        return ""
    passed = history.now - history.last_full.started_at + LATE_START
    return f"everything is read every {days} days" if passed >= timedelta(days=days) else ""


@dataclass(frozen=True)
class ObjectStream:
    """All records of one type.

    modified_property: which property tells when a record was last changed. scope: what the
    service key needs.
    """

    name: str
    modified_property: str
    scope: str
    needs: tuple[str, ...] = ()

    @property
    def records(self) -> Sequence[Records]:
        """Rows of the lists (what vanishes from them is gone) and of the search."""
        return (
            Records("list", self.name, items="results", is_listing=True, keeps_vanished=True),
            Records("search", self.name, items="results", is_listing=True, keeps_vanished=True),
        )

    def fingerprint(self, settings: Any) -> Mapping[str, Any]:
        """The version and the properties: records landed with others lack something."""
        return {
            "api_version": settings.api_version,
            "properties": properties_of(self.name, settings),
        }

    def plan(self, history: StreamHistory) -> Plan:
        """Everything if it is due, else a window that ends now and overlaps the last one."""
        bounds = {"upper": history.now.isoformat()}
        reason = self._reason_for_all(history)
        if reason:
            return Plan("full", bounds, reason)
        last_upper = datetime.fromisoformat(history.state["upper"])
        lower = last_upper - timedelta(hours=history.settings.overlap_hours)
        return Plan("changes", {**bounds, "lower": lower.isoformat()})

    def _reason_for_all(self, history: StreamHistory) -> str:
        if history.last is None or history.last_full is None:
            return "first pull"
        if history.last.settings["fingerprint"] != self.fingerprint(history.settings):
            return "other properties or another version"
        return is_sweep_due(history)

    def fetch(self, pull: Pull) -> Mapping[str, Any]:
        """The lists or the search, then the archived records."""
        questions = Questions(pull, self.scope)
        cursor = pull.cursor or {"step": "live"}
        if cursor["step"] == "live" and pull.plan.mode == "full":
            self._list(pull, questions, "live", cursor, {"step": "archived"})
            cursor = {"step": "archived"}
        elif cursor["step"] == "live":
            self._search(pull, questions, cursor)
            cursor = {"step": "archived"}
        if cursor["step"] == "archived":
            self._list(pull, questions, "archived", cursor, {"step": "done"})
        return {"upper": pull.plan.bounds["upper"]}

    def _list(
        self,
        pull: Pull,
        questions: Questions,
        step: str,
        cursor: Mapping[str, Any],
        following: Mapping[str, Any],
    ) -> None:
        """Page the live or the archived records from the cursor on."""
        path = objects_path(pull.settings, self.name)
        properties = properties_of(self.name, pull.settings)
        params = {
            "limit": str(PAGE_LIMIT),
            "archived": "true" if step == "archived" else "false",
            "properties": ",".join(properties),
        }
        for answer, after in questions.pages(path, params, cursor.get("after")):
            pull.add("list", path, answer)
            pull.advance(following if after is None else {"step": step, "after": after})

    def _search(self, pull: Pull, questions: Questions, cursor: Mapping[str, Any]) -> None:
        """Page what changed in the window from the cursor on."""
        path = objects_path(pull.settings, self.name)
        bounds = pull.plan.bounds
        window = (datetime.fromisoformat(bounds["lower"]), datetime.fromisoformat(bounds["upper"]))
        properties = properties_of(self.name, pull.settings)
        pages = changed_pages(
            questions, path, self.modified_property, window, properties, cursor.get("above", "0")
        )
        for answer, above_id in pages:
            pull.add("search", path, answer)
            is_complete = above_id is None
            pull.advance(
                {"step": "archived"} if is_complete else {"step": "live", "above": above_id}
            )
