"""Hashes of terms by meaning: comments, layout and order of versions change nothing.

A setting that equals its default counts as not written, so that naming a default, or a release
that adds a setting with a default, leaves the hashes of used versions alone (T1). The other side
of that promise: the default of a released setting never changes. Does not belong here: comparing
hashes with what was used, which needs the control database.
"""

from __future__ import annotations

import hashlib
import json
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from program.schema import Program, Sources

if TYPE_CHECKING:
    from program.load import Workspace

VersionKey = tuple[str, str, str]
"""Kind (`plan`, `lead`, `attribution`), id (the plan's; else the kind again), effective_from."""


def terms_hash(program: Program, sources: Sources) -> str:
    """sha256, in hex, over the canonical JSON of both files' meaning.

    The order of sources counts: it is their rank (F2). `notices` does not: who is told moves no
    money, and switching it on must not look like other terms.
    """
    terms = _plain(program)
    terms.pop("notices", None)
    for versions in [terms.get("lead"), terms.get("attribution")]:
        _sort(versions, "effective_from")
    for plan in terms["plans"]:
        _sort(plan["versions"], "effective_from")
    _sort(terms["plans"], "id")
    _sort(terms.get("overrides"), "partner_id", "effective_from")
    ranked = [[name, _plain(source)] for name, source in sources.sources.items()]
    return _sha256({"program": terms, "sources": ranked})


def plan_version_hashes(workspace: Workspace) -> dict[VersionKey, str]:
    """sha256, in hex, of the content of each version of plans, lead and attribution terms (T1).

    A version that has been used must keep its hash; the caller knows which have been.
    """
    program = workspace.program
    hashes: dict[VersionKey, str] = {}
    for plan in program.plans:
        for plan_version in plan.versions:
            key = ("plan", plan.id, plan_version.effective_from.isoformat())
            hashes[key] = _sha256(_plain(plan_version))
    for lead_version in program.lead:
        key = ("lead", "lead", lead_version.effective_from.isoformat())
        hashes[key] = _sha256(_plain(lead_version))
    for attribution_version in program.attribution:
        key = ("attribution", "attribution", attribution_version.effective_from.isoformat())
        hashes[key] = _sha256(_plain(attribution_version))
    return hashes


def _plain(model: BaseModel) -> Any:
    return model.model_dump(mode="python", by_alias=True, exclude_defaults=True)


def _sort(items: Any, *settings: str) -> None:
    if isinstance(items, list):
        items.sort(key=lambda item: [item[setting] for setting in settings])


def _sha256(value: Any) -> str:
    text = json.dumps(_canonical(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _canonical(value: Any) -> Any:
    """JSON values; a Decimal by its value, so that 0.2 and 0.20 are the same rate."""
    if isinstance(value, dict):
        return {str(key): _canonical(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_canonical(item) for item in value]
    if isinstance(value, Decimal):
        return format(value.normalize(), "f") if value else "0"
    if isinstance(value, date):
        return value.isoformat()
    return value
