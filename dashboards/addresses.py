"""Addresses of the programme's pages: one place, so that every id leads to its page.

What does not belong here: the pages' handlers (`pages`) and menus (`navigation`).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode


def _below(base: str, name: str | None) -> str | None:
    return f"{base}/{quote(name, safe='')}" if name else None


def lead(lead_id: str | None) -> str | None:
    """The page of a lead; any of its ids leads there."""
    return _below("/leads", lead_id)


def registration(key: str | None) -> str | None:
    """The page of a deal registration or entered lead."""
    return _below("/registrations", key)


def commission(commission_id: str | None) -> str | None:
    """The page of a commission."""
    return _below("/commissions", commission_id)


def partner(partner_id: str | None) -> str | None:
    """The page of a partner."""
    return _below("/partners", partner_id)


def batch(batch_id: str | None) -> str | None:
    """The page of a payout batch."""
    return _below("/approvals", batch_id)


def explain(reference: str | None) -> str | None:
    """The chain of evidence of an id."""
    return f"/explain?{urlencode({'ref': reference})}" if reference else None


def ledger(**filters: Any) -> str:
    """The commission ledger, filtered. Days as dates or text; empty values are left out."""
    return _filtered("/commissions", filters)


def entries(**filters: Any) -> str:
    """The entries of the journal, filtered."""
    return _filtered("/entries", filters)


def unearned(**filters: Any) -> str:
    """Paid invoice lines that earn nothing, filtered."""
    return _filtered("/unearned", filters)


def leads(**filters: Any) -> str:
    """The leads, filtered."""
    return _filtered("/leads", filters)


def _filtered(path: str, filters: dict[str, Any]) -> str:
    # A word that Python keeps for itself is written with a line behind it.
    asked = {name.rstrip("_"): str(value) for name, value in filters.items() if value}
    return f"{path}?{urlencode(asked)}" if asked else path
