"""What a ruling would change: present credits of its lead beside the new ones, and what was earned.

What belongs here: putting both together from the published snapshot. What does not: computing what
entries will follow; the next night does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orchestration.lead_records import section
from orchestration.lead_references import present_lead_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from duckdb import DuckDBPyConnection

Record = dict[str, Any]


def comparison(
    connection: DuckDBPyConnection, lead_id: str, credits: Mapping[str, int]
) -> list[Record]:
    """One row per partner that is credited now or by the ruling, sorted by partner.

    lead_id: as the ruling names it, perhaps an older id. Rows have `partner_id`,
    `present_credit_ppm`, `ruled_credit_ppm` (0: nothing) and `earned`: what the partner has on
    this lead after take-backs, in minor units by currency.
    """
    lead_id = present_lead_id(connection, lead_id)
    present = {
        row["partner_id"]: row["credit_ppm"]
        for row in section(connection, "attributions", lead_id)
        if row["is_paying"]
    }
    earned = _earned(section(connection, "lines", lead_id))
    return [
        {
            "partner_id": partner_id,
            "present_credit_ppm": present.get(partner_id, 0),
            "ruled_credit_ppm": credits.get(partner_id, 0),
            "earned": earned.get(partner_id, {}),
        }
        for partner_id in sorted({*present, *credits, *earned})
    ]


def _earned(lines: list[Record]) -> dict[str, dict[str, int]]:
    sums: dict[str, dict[str, int]] = {}
    for line in lines:
        of_partner = sums.setdefault(line["partner_id"], {})
        code = line["payout_currency_code"]
        of_partner[code] = of_partner.get(code, 0) + (line["payout_amount_minor"] or 0)
    return sums
