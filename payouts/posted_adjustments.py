"""Adjustments that a night posts: each is exactly what was approved, once (J1, J2).

What belongs here: holding entries of kind ``adjustment`` against what people approved, recording
that they were posted, and the relation from which the models build them. What does not: deciding
(``adjustments``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from payouts import events
from payouts.adjustments import APPROVED, POSTED, Adjustment, load_adjustments, subject
from payouts.errors import PostingRefusedError
from payouts.hashing import parse_instant

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ENTRY_KIND = "adjustment"
ADJUSTMENT_COLUMNS: tuple[tuple[str, str], ...] = (
    ("adjustment_id", "varchar"), ("partner_id", "varchar"), ("amount_minor", "bigint"),
    ("currency_code", "varchar"), ("effective_date", "date"), ("available_date", "date"),
    ("lead_id", "varchar"), ("corrects_entry_id", "varchar"), ("decided_at", "timestamp"),
    ("decided_by", "varchar"), ("state", "varchar"),
)  # fmt: skip


@dataclass(frozen=True)
class AdjustmentEntry:
    """What the journal says of an adjustment; amounts in minor units."""

    entry_id: str
    adjustment_id: str
    partner_id: str
    amount_minor: int
    currency_code: str
    payout_amount_minor: int
    payout_currency_code: str

    def is_what_was_approved(self, adjustment: Adjustment) -> bool:
        """Whether partner, amount and currency are the approved ones, without a conversion."""
        approved = (adjustment.amount_minor, adjustment.currency_code)
        return (
            self.partner_id == adjustment.partner_id
            and (self.amount_minor, self.currency_code) == approved
            and (self.payout_amount_minor, self.payout_currency_code) == approved
        )


def adjustment_rows(connection: Connection) -> list[dict[str, Any]]:
    """Approved adjustments, posted or not, for the models; in this relation all are `approved`."""
    return [
        {
            **{name: getattr(each, name) for name, _ in ADJUSTMENT_COLUMNS},
            "decided_at": parse_instant(each.decided_at or ""),
            "state": APPROVED,
        }
        for each in load_adjustments(connection)
        if each.state in (APPROVED, POSTED)
    ]


def entries_of(connection: DuckDBPyConnection, relation: str) -> list[AdjustmentEntry]:
    """The entries of kind ``adjustment`` in a relation, in the order of their adjustments."""
    rows = connection.execute(
        "select entry_id, source_id, partner_id, amount_minor, currency_code, payout_amount_minor, "
        f"payout_currency_code from {relation} where entry_kind = '{ENTRY_KIND}' order by 2, 1"
    ).fetchall()
    return [AdjustmentEntry(*row) for row in rows]


def record_posted(
    connection: Connection,
    entries: Iterable[AdjustmentEntry],
    *,
    segment: int,
    actor: str,
    recorded_at: datetime,
) -> None:
    """Record in the caller's write transaction that these entries post approved adjustments.

    Raises: PostingRefusedError for an adjustment that is not approved now, was posted before, or
    has another partner, amount or currency.
    """
    entries = list(entries)
    if not entries:
        return
    known = {each.adjustment_id: each for each in load_adjustments(connection)}
    for entry in entries:
        # Each is posted once: the second entry of one adjustment finds no approved one any more.
        adjustment = known.pop(entry.adjustment_id, None)
        state = adjustment.state if adjustment else "unknown, or posted twice"
        if adjustment is None or state != APPROVED:
            raise PostingRefusedError(
                f"entry {entry.entry_id} posts adjustment {entry.adjustment_id}, which is {state}, "
                "perhaps since this night began; nothing was posted. Run the night again"
            )
        if not entry.is_what_was_approved(adjustment):
            raise PostingRefusedError(
                f"entry {entry.entry_id} is not what was approved as adjustment "
                f"{entry.adjustment_id}; nothing was posted. Run partnerledger verify, then the "
                "night again"
            )
        events.append(
            connection,
            kind=f"adjustment_{POSTED}",
            subject=subject(entry.adjustment_id),
            actor=actor,
            recorded_at=recorded_at,
            payload={"entry_id": entry.entry_id, "segment": segment},
        )
