"""The journal entries of payouts that did not arrive: one ``payout_return`` each (J1, I17).

What belongs here: the entry that puts a failed, returned or aborted payout back on the balance,
and writing it as a segment. What does not: when one is due (``outcomes``).
Decision 0052.

The payout's own entry stays, and so do the claims of its batch: the return is what a later batch
claims. Its key holds the payout alone, so that the journal refuses a second one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from payouts import journal
from payouts.hashing import canonical_json
from payouts.ids import commission_id, entry_id, natural_key
from payouts.payout_entries import SOURCE_TYPE, payout_key
from payouts.periods import first_open_period
from payouts.segments import SegmentFile, SegmentRecord

if TYPE_CHECKING:
    import pyarrow

ENTRY_KIND = "payout_return"
CAUSE_TYPE = "payout_outcome"
_VIEW = "payout_returns"


@dataclass(frozen=True)
class PayoutReturn:
    """One payout that goes back. ``amount_minor`` is what was exported, positive.

    evidence_sha256: of the file that says so, or of the text by which an abort was decided.
    available_date: from when it may be paid again; None is from the effective date on.
    """

    payout_id: str
    partner_id: str
    batch_id: str
    amount_minor: int
    currency_code: str
    effective_date: date
    outcome: str
    reason_code: str | None
    evidence_sha256: str
    available_date: date | None = None

    @property
    def key(self) -> str:
        """Natural key of the entry (J2)."""
        return return_key(self.payout_id, self.partner_id)

    @property
    def entry_id(self) -> str:
        """Id of the entry: there is one per payout, ever."""
        return entry_id(self.key, 1)


def return_key(payout_id: str, partner_id: str) -> str:
    """Natural key of the return of a payout (J2)."""
    return natural_key(ENTRY_KIND, "", SOURCE_TYPE, payout_id, partner_id, CAUSE_TYPE, payout_id)


def write_return_segment(
    home: Path,
    returns: list[PayoutReturn],
    registered: list[SegmentRecord],
    recorded_at: datetime,
    last_closed: str | None,
) -> SegmentFile:
    """Write and publish the segment of these returns; it is not registered yet.

    The caller holds the files lock. recorded_at: the ledger's time (J3). last_closed: see
    ``periods``. Raises: PostingRefusedError when one was posted before, StorageError.
    """
    from payouts.parquet import memory_connection

    connection = memory_connection()
    try:
        connection.register(_VIEW, _table(returns, last_closed))
        return journal.write_segment(connection, home, _VIEW, registered, recorded_at, last_closed)
    finally:
        connection.close()


def _table(returns: list[PayoutReturn], last_closed: str | None) -> pyarrow.Table:
    import pyarrow

    text, whole, day = pyarrow.string(), pyarrow.int64(), pyarrow.date32()
    types: dict[str, Any] = {
        "amount_minor": whole,
        "payout_amount_minor": whole,
        "ordinal": whole,
        "effective_date": day,
        "available_date": day,
    }
    rows = [_entry(each, last_closed) for each in returns]
    return pyarrow.table(
        {
            name: pyarrow.array([row[name] for row in rows], types.get(name, text))
            for name in rows[0]
        }
    )


def _entry(each: PayoutReturn, last_closed: str | None) -> dict[str, Any]:
    return {
        "entry_id": each.entry_id,
        "commission_id": commission_id(each.key),
        "entry_kind": ENTRY_KIND,
        "partner_id": each.partner_id,
        "customer_id": None,
        "lead_id": None,
        "plan_id": None,
        "plan_version": None,
        "component_id": "",
        "source_type": SOURCE_TYPE,
        "source_id": each.payout_id,
        "cause_type": CAUSE_TYPE,
        "cause_id": each.payout_id,
        "amount_minor": each.amount_minor,
        "currency_code": each.currency_code,
        "payout_amount_minor": each.amount_minor,
        "payout_currency_code": each.currency_code,
        "effective_date": each.effective_date,
        "available_date": each.available_date or each.effective_date,
        "posting_period": first_open_period(each.effective_date, last_closed),
        "ordinal": 1,
        "reverses_entry_id": entry_id(
            payout_key(each.payout_id, each.partner_id, each.batch_id), 1
        ),
        "corrects_entry_id": None,
        "explanation": canonical_json(
            {
                "batch_id": each.batch_id,
                "payout_id": each.payout_id,
                "outcome": each.outcome,
                "reason_code": each.reason_code,
                "evidence_sha256": each.evidence_sha256,
            }
        ),
    }
