"""Shapes of HubSpot's API of version 2026-09 for its fake: bodies, refusals, what a filter means.

Does not belong here: endpoints and paging (`hubspot_server`). Nothing here imports the product.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tests.fakes.server import Fault

SINGULAR = {"contacts": "contact", "companies": "company", "deals": "deal", "meetings": "meeting"}
DAILY = {
    "status": "error",
    "message": "You have reached your daily limit.",
    "errorType": "RATE_LIMIT",
    "policyName": "DAILY",
}


def iso(instant: datetime) -> str:
    """An instant as HubSpot writes it: UTC, milliseconds."""
    return instant.strftime("%Y-%m-%dT%H:%M:%S.") + f"{instant.microsecond // 1000:03d}Z"


def milliseconds(instant: datetime) -> int:
    """Milliseconds since 1970 of a naive instant in UTC."""
    return int(instant.replace(tzinfo=UTC).timestamp() * 1000)


def error(category: str, message: str = "private words", **fields: Any) -> dict[str, Any]:
    """An error body in HubSpot's shape."""
    return {
        "status": "error",
        "message": message,
        "correlationId": "aeb5f871-7f07-4993-9211-075dc63e7cbf",
        "category": category,
        **fields,
    }


def refused(code: int, body: Mapping[str, Any] | None = None, **headers: str) -> Fault:
    """A refusal to put into `script`; header names are given with underscores."""
    content = error("RATE_LIMITS" if code == 429 else "VALIDATION_ERROR") if body is None else body
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Fault(status=code, body=json.dumps(content).encode(), headers=named)


def missing_scope(scope: str) -> Fault:
    """The refusal of a key without a scope."""
    context = {"requiredGranularScopes": [scope]}
    return refused(403, error("MISSING_SCOPES", errors=[{"message": "x", "context": context}]))


def shown(record: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """A record with the asked properties, and those that HubSpot always adds."""
    known = {**record["properties"], "hs_object_id": record["id"]}
    chosen = {name: known.get(name) for name in (*names, "hs_object_id") if name}
    return {**record, "properties": chosen}


def number(record: Mapping[str, Any], name: str) -> float | None:
    """A property as a number; instants in milliseconds."""
    if name == "hs_object_id":
        return int(record["id"])
    value = record["properties"].get(name)
    if value is None:
        return None
    if "T" in str(value):
        return datetime.fromisoformat(value).timestamp() * 1000
    return float(value)


def matches_any(record: Mapping[str, Any], groups: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a record passes a search: all filters of one group, or of another."""
    return not groups or any(all(matches(record, each) for each in g["filters"]) for g in groups)


def matches(record: Mapping[str, Any], condition: Mapping[str, str]) -> bool:
    """Whether a record passes one filter; one without the property passes none."""
    found, value = number(record, condition["propertyName"]), float(condition["value"])
    if found is None:
        return False
    compare = {
        "GT": found > value,
        "GTE": found >= value,
        "LT": found < value,
        "LTE": found <= value,
        "EQ": found == value,
    }
    return compare[condition["operator"]]


def associated(record_id: str) -> dict[str, Any]:
    """One end of an association in a batch."""
    kind = {"category": "HUBSPOT_DEFINED", "typeId": 5, "label": "Primary"}
    return {"toObjectId": record_id, "associationTypes": [kind]}


def without_associations(record_id: str, kind: str, target: str) -> dict[str, Any]:
    """How a batch tells that a record has no associations."""
    return {
        **error("OBJECT_NOT_FOUND"),
        "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
        "errors": [],
        "links": {},
        "context": {
            "fromObjectId": [record_id],
            "fromObjectType": [SINGULAR[kind]],
            "toObjectType": [SINGULAR[target]],
        },
    }
