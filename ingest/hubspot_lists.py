"""Short lists of HubSpot that are read as a whole each time: pipelines of deals, and owners.

Does not belong here: records (`hubspot_objects`). A pipeline or an owner that is gone keeps its
last version: records of the past still name it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ingest.hubspot_api import PAGE_LIMIT, Questions
from ingest.objects import Records
from ingest.pull import Plan, Pull, StreamHistory


@dataclass(frozen=True)
class ShortListStream:
    """A list of a few pages at most.

    path: with the version left open. archived: the values of the parameter to ask for; none: the
    endpoint has neither that parameter nor pages.
    """

    name: str
    path: str
    scope: str
    archived: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()

    @property
    def records(self) -> Sequence[Records]:
        """The objects of the list."""
        return (Records("list", self.name, items="results"),)

    def fingerprint(self, settings: Any) -> Mapping[str, Any]:
        """The version, which decides the shape of answers."""
        return {"api_version": settings.api_version}

    def plan(self, history: StreamHistory) -> Plan:
        """Everything."""
        return Plan("full")

    def fetch(self, pull: Pull) -> Mapping[str, Any]:
        """All pages. They are so few that a pull that was killed among them starts again."""
        if pull.cursor:
            return {}
        questions = Questions(pull, self.scope)
        path = self.path.format(version=pull.settings.api_version)
        asked = [{"limit": str(PAGE_LIMIT), "archived": each} for each in self.archived] or [{}]
        for params in asked:
            for answer, _ in questions.pages(path, params):
                pull.add("list", path, answer)
        # What was read to its end is not read again: its rows may have been made already.
        pull.advance({"is_complete": True})
        return {}


PIPELINES = ShortListStream(
    "pipelines", "/crm/pipelines/{version}/deals", scope="crm.objects.deals.read"
)
OWNERS = ShortListStream(
    "owners",
    "/crm/owners/{version}",
    scope="crm.objects.owners.read",
    archived=("false", "true"),
)
