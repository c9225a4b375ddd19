"""A loopback server that speaks HubSpot's API of version 2026-09 and misbehaves on demand.

As documented: lists with `after` and `archived`; searches over live records with filters, one sort,
at most 200 records a page and 10,000 a query; batches of associations with pages inside a result
and status 207; owners; pipelines; the legacy forms endpoint, newest first, at most 50 a page.
Tests put records in with `put`, change, archive, erase and merge them, and put faults into
`script` by path. Nothing here imports the product.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.fakes.hubspot_shapes import (
    associated,
    error,
    iso,
    matches_any,
    milliseconds,
    number,
    shown,
    without_associations,
)
from tests.fakes.server import FakeServer, Reply, Request

VERSION = "2026-09"
TYPES = ("contacts", "companies", "deals", "meetings")
SEARCH_FIELDS = {
    "after": str,
    "filterGroups": list,
    "limit": int,
    "properties": list,
    "sorts": list,
}
FORMS = "/form-integrations/v1/submissions/forms/"


@dataclass
class FakeHubspot(FakeServer):
    """A running fake. Use as a context manager.

    records: by type and id. associations: by (from type, to type) and id, in order. submissions:
    by form, newest first. list_cap, search_cap, association_cap: upper bounds of a page, whatever
    is asked. query_cap: of one search. ignore_after, ignore_sort: not honoured.
    """

    request_id_header: str = "X-HubSpot-Correlation-Id"
    records: dict[str, dict[str, dict[str, Any]]] = field(
        default_factory=lambda: {each: {} for each in TYPES}
    )
    associations: dict[tuple[str, str], dict[str, list[str]]] = field(default_factory=dict)
    owners: list[dict[str, Any]] = field(default_factory=list)
    pipelines: list[dict[str, Any]] = field(default_factory=list)
    submissions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    batch_errors: dict[str, dict[str, Any]] = field(default_factory=dict)
    list_cap: int = 100
    search_cap: int = 200
    query_cap: int = 10_000
    association_cap: int = 500
    ignore_after: bool = False
    ignore_sort: bool = False

    def put(self, kind: str, record_id: str, at: datetime, **properties: Any) -> None:
        """Create a record, or change some of its properties at that instant (naive UTC)."""
        kept = self.records[kind].get(record_id, {"properties": {}, "createdAt": iso(at)})
        modified = "lastmodifieddate" if kind == "contacts" else "hs_lastmodifieddate"
        self.records[kind][record_id] = {
            "id": record_id,
            "properties": {**kept["properties"], **properties, modified: iso(at)},
            "createdAt": kept["createdAt"],
            "updatedAt": iso(at),
            "archived": False,
        }

    def archive(self, kind: str, record_id: str, at: datetime) -> None:
        """Put a record into the recycle bin."""
        self.records[kind][record_id].update(archived=True, archivedAt=iso(at))

    def erase(self, kind: str, record_id: str) -> None:
        """Delete a record for good, and its associations."""
        del self.records[kind][record_id]
        for (from_type, to_type), sets in self.associations.items():
            if from_type == kind:
                sets.pop(record_id, None)
            if to_type == kind:
                for targets in sets.values():
                    targets[:] = [each for each in targets if each != record_id]

    def merge(self, kind: str, ids: Sequence[str], into: str, at: datetime) -> None:
        """Make one new record of some: the old ones are in no list any more."""
        merged: dict[str, Any] = {}
        for each in ids:
            merged.update(self.records[kind][each]["properties"])
            self.erase(kind, each)
        self.put(kind, into, at, **{**merged, "hs_merged_object_ids": ";".join(ids)})

    def relate(self, kind: str, record_id: str, target: str, ids: Sequence[str]) -> None:
        """Set all associations of a record with records of another type."""
        self.associations.setdefault((kind, target), {})[record_id] = list(ids)

    def submit(self, form: str, submission_id: str, at: datetime, **values: str) -> None:
        """Send a form; the list is kept newest first."""
        listed = self.submissions.setdefault(form, [])
        listed.append(
            {
                "conversionId": submission_id,
                "submittedAt": milliseconds(at),
                "values": [{"name": name, "value": value} for name, value in values.items()],
                "pageUrl": "https://corp.example/demo?ref=ACME",
            }
        )
        listed.sort(key=lambda each: -each["submittedAt"])

    def add_pipeline(self, pipeline_id: str, *stages: tuple[str, bool, str]) -> None:
        """Add a pipeline of deals. stages: id, whether deals in it are closed, probability."""
        known = {"createdAt": iso(datetime(2025, 1, 1)), "updatedAt": iso(datetime(2025, 1, 1))}
        self.pipelines.append(
            {
                **known,
                "id": pipeline_id,
                "label": pipeline_id.title(),
                "displayOrder": len(self.pipelines),
                "archived": False,
                "stages": [
                    {
                        **known,
                        "id": stage,
                        "label": stage.title(),
                        "displayOrder": number,
                        "archived": False,
                        "metadata": {
                            "isClosed": str(is_closed).lower(),
                            "probability": probability,
                        },
                        "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
                    }
                    for number, (stage, is_closed, probability) in enumerate(stages)
                ],
            }
        )

    def searches(self) -> list[Request]:
        """The searches, in order."""
        return [each for each in self.log if each.path.endswith("/search")]

    def batches(self, relation: str = "") -> list[list[dict[str, str]]]:
        """The inputs of batches whose path has this in it, in order."""
        found = [each for each in self.log if each.path.endswith("/batch/read")]
        return [each.content["inputs"] for each in found if relation in each.path]

    def reply(self, request: Request) -> Reply:
        """The answer of the path's endpoint."""
        parts = request.path.strip("/").split("/")
        if request.path.startswith(FORMS):
            return self._forms(request, request.path.removeprefix(FORMS))
        if parts[0] != "crm" or len(parts) < 3 or parts[2] != VERSION:
            return Reply(error("OBJECT_NOT_FOUND"), 404)
        answers: dict[tuple[str, str], Callable[[Request, list[str]], Reply]] = {
            ("GET", "objects"): self._list,
            ("POST", "objects"): self._search,
            ("POST", "associations"): self._batch,
            ("GET", "owners"): self._owners,
            ("GET", "pipelines"): self._pipelines,
        }
        answer = answers.get((request.method, parts[1]))
        return answer(request, parts[3:]) if answer else Reply(error("OBJECT_NOT_FOUND"), 404)

    def _owners(self, request: Request, _: list[str]) -> Reply:
        archived = request.params.get("archived", "false") == "true"
        return self._page(request, [each for each in self.owners if each["archived"] == archived])

    def _pipelines(self, _: Request, rest: list[str]) -> Reply:
        return Reply({"results": self.pipelines if rest == ["deals"] else []})

    def _list(self, request: Request, rest: list[str]) -> Reply:
        archived = request.params.get("archived", "false") == "true"
        names = request.params.get("properties", "").split(",")
        listed = sorted(self.records[rest[0]].values(), key=lambda each: int(each["id"]))
        found = [shown(each, names) for each in listed if each["archived"] == archived]
        return self._page(request, found, lambda each: each["id"])

    def _page(
        self,
        request: Request,
        listed: Sequence[dict[str, Any]],
        key: Callable[[dict[str, Any]], str] | None = None,
    ) -> Reply:
        """A page of a list. key: the cursor is the last id seen; without it, a position."""
        size = min(int(request.params.get("limit", "10")), self.list_cap)
        after = None if self.ignore_after else request.params.get("after")
        if key and after:
            listed = [each for each in listed if int(key(each)) > int(after)]
            start = 0
        else:
            start = int(after or 0)
        page = list(listed[start : start + size])
        content: dict[str, Any] = {"results": page}
        if start + size < len(listed):
            following = key(page[-1]) if key else str(start + size)
            content["paging"] = {"next": {"after": following, "link": "?after=" + following}}
        return Reply(content)

    def _search(self, request: Request, rest: list[str]) -> Reply:
        kind, asked = rest[0], request.content
        if rest[1:] != ["search"]:
            return Reply(error("OBJECT_NOT_FOUND"), 404)
        if any(not isinstance(asked.get(name), each) for name, each in SEARCH_FIELDS.items()):
            return Reply(error("VALIDATION_ERROR"), 400)
        if not all(isinstance(each, str) for each in (*asked["sorts"], *asked["properties"])):
            return Reply(error("VALIDATION_ERROR"), 400)
        start = int(asked["after"] or 0)
        if asked["limit"] > 200 or start + asked["limit"] > self.query_cap:
            return Reply(error("VALIDATION_ERROR"), 400)
        live = [each for each in self.records[kind].values() if not each["archived"]]
        found = [each for each in live if matches_any(each, asked["filterGroups"])]
        if asked["sorts"] and not self.ignore_sort:
            name = asked["sorts"][0]
            found.sort(key=lambda each: number(each, name.removeprefix("-")) or 0)
            found = found[::-1] if name.startswith("-") else found
        size = min(asked["limit"], self.search_cap)
        page = [shown(each, asked["properties"]) for each in found[start : start + size]]
        content: dict[str, Any] = {"total": len(found), "results": page}
        if start + size < len(found):
            content["paging"] = {"next": {"after": str(start + size)}}
        return Reply(content)

    def _batch(self, request: Request, rest: list[str]) -> Reply:
        kind, target = rest[0], rest[1]
        if len(request.content["inputs"]) > 100:
            return Reply(error("VALIDATION_ERROR"), 400)
        sets = self.associations.get((kind, target), {})
        results, errors = [], []
        for asked in request.content["inputs"]:
            record_id, start = asked["id"], int(asked.get("after", "0"))
            ids = sets.get(record_id, [])
            if record_id in self.batch_errors:
                errors.append(self.batch_errors[record_id])
                continue
            if not ids:
                errors.append(without_associations(record_id, kind, target))
                continue
            size = self.association_cap
            targets = [associated(each) for each in ids[start : start + size]]
            result: dict[str, Any] = {"from": {"id": record_id}, "to": targets}
            if start + size < len(ids) or self.ignore_after:
                following = "0" if self.ignore_after else str(start + size)
                result["paging"] = {"next": {"after": following, "link": "deprecated"}}
            results.append(result)
        content: dict[str, Any] = {
            "status": "COMPLETE",
            "results": results,
            "startedAt": "2026-03-01T02:00:00.000Z",
            "completedAt": "2026-03-01T02:00:00.001Z",
        }
        if errors:
            content.update(numErrors=len(errors), errors=errors)
        return Reply(content, 207 if errors else 200)

    def _forms(self, request: Request, form: str) -> Reply:
        if form not in self.submissions:
            return Reply(error("OBJECT_NOT_FOUND"), 404)
        if int(request.params.get("limit", "20")) > 50:
            return Reply(error("VALIDATION_ERROR"), 400)
        return self._page(request, self.submissions[form])
