"""The journal entries of an exported batch: one ``payout`` per item (J1).

What belongs here: turning items into entries. What does not: writing the segment (``export``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from payouts.hashing import canonical_json
from payouts.ids import commission_id, entry_id, natural_key
from payouts.periods import first_open_period
from payouts.records import BatchContent

if TYPE_CHECKING:
    import pyarrow

ENTRY_KIND = "payout"
SOURCE_TYPE = "payout"
CAUSE_TYPE = "batch"


def payout_key(payout_id: str, partner_id: str, batch_id: str) -> str:
    """Natural key of a payout entry (J2)."""
    return natural_key(ENTRY_KIND, "", SOURCE_TYPE, payout_id, partner_id, CAUSE_TYPE, batch_id)


def payout_entries_table(content: BatchContent, last_closed_period: str | None) -> pyarrow.Table:
    """One entry per item: minus the item's amount, in the payout currency, on the pay date.

    Signed from the partner's view: what is paid out lowers the balance.
    last_closed_period: see ``periods``; a pay date in a closed period is posted after it (J4).
    """
    import pyarrow

    text, whole, day = pyarrow.string(), pyarrow.int64(), pyarrow.date32()
    types: dict[str, Any] = {
        "amount_minor": whole,
        "payout_amount_minor": whole,
        "ordinal": whole,
        "effective_date": day,
        "available_date": day,
    }
    posting_period = first_open_period(content.pay_date, last_closed_period)
    rows = [_entry(content, item, posting_period) for item in content.items]
    return pyarrow.table(
        {
            name: pyarrow.array([row[name] for row in rows], types.get(name, text))
            for name in rows[0]
        }
    )


def _entry(content: BatchContent, item: Any, posting_period: str) -> dict[str, Any]:
    key = payout_key(item.payout_id, item.partner_id, content.batch_id)
    return {
        "entry_id": entry_id(key, 1),
        "commission_id": commission_id(key),
        "entry_kind": ENTRY_KIND,
        "partner_id": item.partner_id,
        "customer_id": None,
        "lead_id": None,
        "plan_id": None,
        "plan_version": None,
        "component_id": "",
        "source_type": SOURCE_TYPE,
        "source_id": item.payout_id,
        "cause_type": CAUSE_TYPE,
        "cause_id": content.batch_id,
        "amount_minor": -item.amount_minor,
        "currency_code": content.currency_code,
        "payout_amount_minor": -item.amount_minor,
        "payout_currency_code": content.currency_code,
        "effective_date": content.pay_date,
        "available_date": content.pay_date,
        "posting_period": posting_period,
        "ordinal": 1,
        "reverses_entry_id": None,
        "corrects_entry_id": None,
        "explanation": canonical_json(
            {
                "batch_id": content.batch_id,
                "payout_id": item.payout_id,
                "entries": item.entries,
                "entries_hash": item.entries_hash,
            }
        ),
    }
