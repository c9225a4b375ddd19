"""Leads as their partner may see them: found by the partner's own records, masked, with a reason.

What does not belong here: what people wrote about them (`conversation`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dashboards.errors import NotFoundError
from dashboards.portal.masking import customer
from dashboards.portal.recorded import local_day
from dashboards.portal.words import lead_reason

if TYPE_CHECKING:
    from dashboards.visit import Visit


@dataclass(frozen=True)
class Lead:
    """One lead of the partner that asks. rows: one per currency in which it brings something.

    known_ids: the present one and those before it joined others. is_alone: nobody else ever had to
    do with it; not shown.
    """

    lead_id: str
    known_ids: tuple[str, ...]
    rows: tuple[dict[str, Any], ...]

    @property
    def facts(self) -> dict[str, Any]:
        """What does not depend on the currency."""
        return self.rows[0]

    @property
    def is_alone(self) -> bool:
        """Whether what staff write on the lead can only be for this partner."""
        return bool(self.facts["is_alone"])


@dataclass(frozen=True)
class Met:
    """A lead that the partner has to do with, by its present id.

    is_spoken_to: staff who name no partner mean this one; not shown.
    """

    lead_id: str
    is_spoken_to: bool


def lead_rows(
    visit: Visit,
    *,
    lead_ids: Sequence[str] = (),
    outcome: str = "",
    stage: str = "",
    limit: int | None = None,
    offset: int | None = 0,
) -> list[dict[str, Any]]:
    """Rows of portal/leads.sql of the partner that asks, with ``who`` (masked) and ``why``."""
    rows = visit.rows(
        "portal/leads",
        partner_id=visit.partner_id,
        lead_ids=list(lead_ids),
        outcome=outcome,
        stage=stage,
        limit=limit,
        offset=offset,
    )
    return [
        {
            **row,
            "who": customer(row),
            "since_on": local_day(visit, row["since_at"]) if row["since_at"] else None,
            "why": lead_reason(
                row["outcome"], row["losing_rule"], row["submission_key"] is not None
            ),
        }
        for row in rows
    ]


def find_lead(visit: Visit, reference: str) -> Lead:
    """A lead of the partner that asks, by its present or an older id.

    Raises: NotFoundError, the same for a lead that does not exist and for one of others.
    """
    known = visit.rows("portal/lead_id", lead_id=reference)
    if known:
        rows = lead_rows(visit, lead_ids=[known[0]["lead_id"]])
        if rows:
            return Lead(rows[0]["lead_id"], tuple(row["known_id"] for row in known), tuple(rows))
    raise NotFoundError("there is no such lead among yours")


def met_leads(visit: Visit, lead_ids: Iterable[str]) -> dict[str, Met]:
    """Those of the ids whose leads this partner has to do with, present and older ones alike."""
    present: dict[str, str] = {}
    for reference in set(lead_ids):
        known = visit.rows("portal/lead_id", lead_id=reference)
        if known:
            present[reference] = known[0]["lead_id"]
    if not present:
        return {}
    met = {
        row["lead_id"]: Met(row["lead_id"], row["is_spoken_to"])
        for row in lead_rows(visit, lead_ids=sorted(set(present.values())))
    }
    return {reference: met[lead_id] for reference, lead_id in present.items() if lead_id in met}
