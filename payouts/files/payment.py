"""What a file is made from and what it becomes: plain records, no behaviour.

What belongs here: the shapes between the exporter, the writers and their checks. What does not:
choosing the payments (the batch was approved) or resolving their details (the vault).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime

from payouts.details import PayeeDetails, PayerDetails


@dataclass(frozen=True)
class Payment:
    """One partner's payout with the account it goes to. payout_id: a uuid as text."""

    payout_id: str
    partner_id: str
    amount_minor: int
    details: PayeeDetails


@dataclass(frozen=True)
class PaymentBatch:
    """An approved batch, its details resolved.

    created_at: naive UTC instant of the batch's record; every timestamp in a file comes from it, so
    that the same batch gives the same bytes at any time on any machine.
    """

    batch_id: str
    currency_code: str
    pay_date: date
    created_at: datetime
    total_amount_minor: int
    payments: tuple[Payment, ...]
    payer: PayerDetails


@dataclass(frozen=True)
class PayoutFile:
    """One file to upload. items and total_amount_minor: what it pays, for the manifest."""

    name: str
    content: bytes = field(repr=False)
    items: int
    total_amount_minor: int


@dataclass(frozen=True)
class FoundPayment:
    """One payment as a check read it back from a file's bytes. account: in ``account()``'s form."""

    reference: str
    amount_minor: int
    account: str = field(repr=False)


def in_file_order(payments: tuple[Payment, ...]) -> list[Payment]:
    """By partner and payout: the order does not depend on how the batch was read."""
    return sorted(payments, key=lambda payment: (payment.partner_id, payment.payout_id))
