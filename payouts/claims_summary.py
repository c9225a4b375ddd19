"""What a batch pays, by payout and kind of entry: how its total comes about, for who approves.

What belongs here: adding up a claims file. What does not: proving it (``claims.check_claims``).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from payouts.claims import claims_path, claims_scan
from payouts.parquet import memory_connection


@dataclass(frozen=True)
class ClaimedKind:
    """Entries of one kind in one payout; the amount is signed from the partner's view."""

    payout_id: str
    partner_id: str
    entry_kind: str
    entries: int
    amount_minor: int


@dataclass(frozen=True)
class ClaimedLine:
    """One entry of a payout; less than the whole where a negative one is netted in part."""

    entry_id: str
    commission_id: str
    entry_kind: str
    customer_id: str | None
    lead_id: str | None
    amount_minor: int
    currency_code: str


def claimed_kinds(home: Path, batch_id: str) -> list[ClaimedKind]:
    """Sums per payout and kind of entry, in the order of both."""
    with memory_connection() as connection:
        rows = connection.execute(
            "select payout_id, partner_id, entry_kind, count(*), sum(payout_amount_minor)::bigint "
            f"from {claims_scan([claims_path(home, batch_id)])} group by 1, 2, 3 order by 1, 3"
        ).fetchall()
    return [ClaimedKind(*row) for row in rows]


def claimed_lines(home: Path, batch_id: str, payout_id: str) -> list[ClaimedLine]:
    """What one payout claims, largest first."""
    with memory_connection() as connection:
        rows = connection.execute(
            "select entry_id, commission_id, entry_kind, customer_id, lead_id, "
            "payout_amount_minor, payout_currency_code "
            f"from {claims_scan([claims_path(home, batch_id)])} where payout_id = $payout_id "
            "order by payout_amount_minor desc, entry_id",
            {"payout_id": payout_id},
        ).fetchall()
    return [ClaimedLine(*row) for row in rows]
