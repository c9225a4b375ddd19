"""How a payout is called inside a file: what its bank or provider hands back.

What belongs here: the references per rail, each made from the payout id alone. What does not:
finding a payout by one (settlement). Source: payouts reference 2.2 (EndToEndId = payout id).
"""

from __future__ import annotations

from datetime import date

_CHARACTERS = {
    "sepa": 32,  # EndToEndId takes 35
    "nacha": 15,  # individual identification number
    "paypal": 30,  # customer id, no spaces
    # What the narrowest of Wise's routes shows the payee (US dollars by ACH).
    "wise": 10,
}


def end_to_end_id(payout_id: str) -> str:
    """The payout id without hyphens, 32 characters."""
    return payout_id.replace("-", "")


def reference(rail: str, payout_id: str) -> str:
    """The payout's reference in a file of this rail: the start of ``end_to_end_id``.

    32 characters for sepa, 15 for nacha, 30 for paypal, 10 for wise. Unique inside a batch: a batch
    where two would be equal is refused.
    """
    return end_to_end_id(payout_id)[: _CHARACTERS[rail]]


def payee_reference(pay_date: date, payout_id: str) -> str:
    """What the payee sees: pay date and the start of the payout id, 17 characters."""
    return f"{pay_date:%Y%m%d}-{payout_id[:8]}"
