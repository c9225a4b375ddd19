"""A loopback server that speaks Stripe's reading API and misbehaves on demand.

As Stripe documents it: lists are newest first with `limit`, `starting_after` and `has_more`; they
can be filtered by `created`, events also by type, some lists by what their objects belong to.
Lists of prices hold active ones and lists of subscriptions running ones unless others are asked
for. Discounts are ids unless they are expanded. An object is retrieved by its id; a deleted
customer is a stub, anything else that is gone a 404. Events older than 30 days are gone.

Tests put objects into `objects` and faults into `script`, or let something happen with `put`,
`delete` and `tell`; every request is recorded. Nothing here imports the product.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from tests.fakes.server import FakeServer, Fault, Reply, Request

__all__ = ["DAY", "FakeStripe", "Fault", "status"]

DAY = 86_400
EVENTS = "/v1/events"
EVENT_LIFE = 30 * DAY
BELONGING = {
    "/v1/subscription_items": "subscription",
    "/v1/invoice_payments": "invoice",
    "/v1/refunds": "charge",
}
"""By list path: the field of its objects by which the list can be asked for."""
PATHS = {
    "customer": "/v1/customers",
    "subscription": "/v1/subscriptions",
    "subscription_item": "/v1/subscription_items",
    "product": "/v1/products",
    "price": "/v1/prices",
    "coupon": "/v1/coupons",
    "promotion_code": "/v1/promotion_codes",
    "invoice": "/v1/invoices",
    "charge": "/v1/charges",
    "invoice_payment": "/v1/invoice_payments",
    "refund": "/v1/refunds",
    "dispute": "/v1/disputes",
    "credit_note": "/v1/credit_notes",
    "balance_transaction": "/v1/balance_transactions",
}
EXPANDABLE = "discounts"
PLAIN = {"limit", "starting_after", "status", "active", "type", "types[]", "expand[]"}
COMPARISONS = {
    "created[gte]": lambda created, bound: created >= bound,
    "created[gt]": lambda created, bound: created > bound,
    "created[lte]": lambda created, bound: created <= bound,
    "created[lt]": lambda created, bound: created < bound,
}


def error(code: str, **details: str) -> dict[str, Any]:
    """The body of a refusal."""
    told = {"type": "invalid_request_error", "message": "secret sk_live_1", **details}
    return {"error": {**told, "code": code} if code else told}


def shown(found: dict[str, Any], expanded: bool) -> dict[str, Any]:
    """An object as an answer shows it."""
    if expanded or EXPANDABLE not in found:
        return found
    return {**found, EXPANDABLE: [each["id"] for each in found[EXPANDABLE]]}


def status(code: int, **headers: str) -> Fault:
    """An error answer in Stripe's shape; header names are given with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Fault(status=code, body=json.dumps(error("")).encode(), headers=named)


@dataclass
class FakeStripe(FakeServer):
    """A running fake. Use as a context manager.

    objects: by list path, newest first. page_cap: upper bound of a page whatever `limit` asks.
    ignore_cursor: list paths that answer page 1 for ever. ignore_created: list paths that do not
    filter by creation. repeat_rows: list paths whose pages begin with the last row of the page
    before. clock: the server's time in Unix seconds.
    """

    objects: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    page_cap: int = 100
    ignore_cursor: set[str] = field(default_factory=set)
    ignore_created: set[str] = field(default_factory=set)
    repeat_rows: set[str] = field(default_factory=set)
    clock: int = 0
    deleted: set[str] = field(default_factory=set)

    @property
    def requests(self) -> list[tuple[str, dict[str, str]]]:
        """Path and parameters of every request, in order."""
        return [(each.path, each.params) for each in self.log]

    @property
    def request_headers(self) -> list[dict[str, str]]:
        """Headers of every request, in order."""
        return [each.headers for each in self.log]

    def put(self, found: dict[str, Any], event_type: str = "") -> dict[str, Any]:
        """Make or replace an object at the clock's time, with an event of it if a type is given."""
        found = {"created": self.clock, **found}
        listed = self.objects.setdefault(PATHS[found["object"]], [])
        at = [each["id"] for each in listed]
        if found["id"] in at:
            listed[at.index(found["id"])] = found
        else:
            listed.insert(0, found)
        if event_type:
            self.tell(event_type, found)
        return found

    def delete(self, found: dict[str, Any], event_type: str = "") -> None:
        """Take an object away."""
        listed = self.objects[PATHS[found["object"]]]
        listed[:] = [each for each in listed if each["id"] != found["id"]]
        self.deleted.add(found["id"])
        if event_type:
            self.tell(event_type, found)

    def tell(self, event_type: str, found: dict[str, Any], **fields: Any) -> dict[str, Any]:
        """An event at the clock's time. Its object is in an older shape, as Stripe's can be."""
        events = self.objects.setdefault(EVENTS, [])
        event = {
            "id": f"evt_{len(events) + 1:04d}",
            "object": "event",
            "api_version": "2017-08-15",
            "created": self.clock,
            "type": event_type,
            "data": {"object": {**found, "shape_of": "2017-08-15"}},
            **fields,
        }
        events.append(event)
        events.sort(key=lambda each: each["created"], reverse=True)
        return event

    def reply(self, request: Request) -> Reply:
        """A page of the path's list, or one object."""
        if request.path in self.objects:
            return self._list(request)
        parent, _, name = request.path.rpartition("/")
        if parent in self.objects:
            expanded = request.params.get("expand[]") == EXPANDABLE
            return self._one(parent, unquote(name), expanded)
        return Reply(error(""), 404)

    def _one(self, path: str, object_id: str, expanded: bool) -> Reply:
        for each in self.objects[path]:
            if each["id"] == object_id:
                return Reply(shown(each, expanded))
        if path == PATHS["customer"] and object_id in self.deleted:
            return Reply({"id": object_id, "object": "customer", "deleted": True})
        return Reply(error("resource_missing", param="id"), 404)

    def _list(self, request: Request) -> Reply:
        belonging = BELONGING.get(request.path, "")
        known = PLAIN | set(COMPARISONS) | {belonging}
        unknown = set(request.params) - known
        if unknown:
            return Reply(error("parameter_unknown", param=sorted(unknown)[0]), 400)
        listed = self._filtered(request, belonging)
        start = 0
        after = request.params.get("starting_after")
        if after and request.path not in self.ignore_cursor:
            ids = [each["id"] for each in listed]
            if after not in ids:
                return Reply(error("resource_missing", param="starting_after"), 400)
            start = ids.index(after) + (request.path not in self.repeat_rows)
        size = min(int(request.params.get("limit", "10")), self.page_cap)
        page = {
            "object": "list",
            "url": request.path,
            "data": [
                shown(each, request.params.get("expand[]") == f"data.{EXPANDABLE}")
                for each in listed[start : start + size]
            ],
            "has_more": start + size < len(listed),
        }
        return Reply(page)

    def _filtered(self, request: Request, belonging: str) -> list[dict[str, Any]]:
        """The objects of a list that the parameters ask for."""
        params = request.params
        listed = self.objects[request.path]
        if request.path == EVENTS and self.clock:
            listed = [each for each in listed if each["created"] > self.clock - EVENT_LIFE]
        if request.path == PATHS["price"]:
            asked = params.get("active", "true") == "true"
            listed = [each for each in listed if each.get("active", True) == asked]
        if request.path == PATHS["subscription"] and params.get("status") != "all":
            listed = [each for each in listed if each.get("status") != "canceled"]
        if request.path not in self.ignore_created:
            for name in COMPARISONS.keys() & params.keys():
                compare, bound = COMPARISONS[name], int(params[name])
                listed = [each for each in listed if compare(each["created"], bound)]
        types = request.all_params.get("types[]", []) + request.all_params.get("type", [])
        if types:
            listed = [each for each in listed if each["type"] in types]
        if belonging in params:
            listed = [each for each in listed if each.get(belonging) == params[belonging]]
        return listed
