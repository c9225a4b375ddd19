"""Whom staff write to about a lead: themselves, or one of the partners that have to do with it.

What belongs here: the choices of the forms and what came back from them. What does not: recording
(`payouts.lead_updates`) and what the portal shows (`portal.conversation`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dashboards.errors import BadInputError

if TYPE_CHECKING:
    from dashboards.visit import Visit

OWNER, PARTNER = "owner", "partner"
Choice = tuple[str, str]


def readers(visit: Visit, partner_ids: Sequence[str]) -> list[Choice]:
    """Who may read a message: staff alone, or one partner as well."""
    return [("", "Staff only"), *_named(visit, partner_ids)]


def asked_ones(visit: Visit, partner_ids: Sequence[str]) -> list[Choice]:
    """Who may be asked for an update: the owner, or one partner."""
    return [(OWNER, "The owner"), *_named(visit, partner_ids)]


def chosen_reader(visit: Visit, partner_ids: Sequence[str]) -> str | None:
    """The partner that a message is for; None for staff alone. Raises: BadInputError."""
    chosen = visit.field("reader", 200)
    return _known("reader", chosen, partner_ids) if chosen else None


def chosen_asked(visit: Visit, partner_ids: Sequence[str]) -> tuple[str, str | None]:
    """Who is asked: the owner, or the partner and which one. Raises: BadInputError."""
    chosen = visit.required("asked_of")
    if chosen == OWNER:
        return OWNER, None
    return PARTNER, _known("asked_of", chosen, partner_ids)


def _known(field: str, partner_id: str, partner_ids: Sequence[str]) -> str:
    if partner_id not in partner_ids:
        raise BadInputError(
            f"{field}={partner_id[:40]}: no partner that has to do with this lead; choose one of "
            "the list"
        )
    return partner_id


def _named(visit: Visit, partner_ids: Sequence[str]) -> list[Choice]:
    names = {row["partner_id"]: row["name"] for row in visit.rows("programme/partner_names")}
    return [(each, f"{names[each]} ({each})" if names.get(each) else each) for each in partner_ids]
