"""The one door to all files that name accounts: render a batch, check the bytes.

What belongs here: which rails there are and what every rail refuses. What does not: the formats,
one module each, nor the generic CSV, which needs no details (``csv_file``).
Source: payouts reference 2.1, 4.3 (I5, I6, I16, I24) and 7.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import date
from types import ModuleType

from payouts.details import PAYEE_KINDS, PAYER_KINDS
from payouts.errors import ExportRefusedError
from payouts.files import (
    nacha,
    nacha_checks,
    paypal,
    paypal_checks,
    sepa,
    sepa_checks,
    wise,
    wise_checks,
)
from payouts.files.payment import PaymentBatch, PayoutFile
from payouts.files.references import end_to_end_id, reference

__all__ = ["RAILS", "check", "end_to_end_id", "needs_details", "reference", "render"]

RAILS = ("csv", "paypal", "wise", "sepa", "nacha")
_WRITERS: dict[str, ModuleType] = {"paypal": paypal, "wise": wise, "sepa": sepa, "nacha": nacha}
_CHECKS: dict[str, ModuleType] = {
    "paypal": paypal_checks,
    "wise": wise_checks,
    "sepa": sepa_checks,
    "nacha": nacha_checks,
}
_BATCH_ID = re.compile(r"[A-Za-z0-9]+(-[A-Za-z0-9]+)*")
_PAYOUT_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def needs_details(rail: str) -> bool:
    """Whether a file of this rail names accounts; the generic CSV does not."""
    return rail in _WRITERS


def render(rail: str, batch: PaymentBatch) -> list[PayoutFile]:
    """The files of a batch: the same batch gives the same names and bytes, in whatever order.

    Raises: ExportRefusedError with every fault of every payment, by payout and field, never with an
    account or a name; ValueError for a rail whose files name no account.
    """
    writer = _module(_WRITERS, rail)
    faults = _faults(rail, batch) + writer.faults(batch)
    if faults:
        raise ExportRefusedError(
            f"batch {batch.batch_id} cannot be written for the rail {rail}: {'; '.join(faults)}. "
            "Correct the details, reject the batch and propose again"
        )
    return writer.files(batch)


def check(rail: str, files: list[PayoutFile], batch: PaymentBatch, today: date) -> list[str]:
    """What is wrong with files' bytes, read again without the writer; empty when nothing is.

    today: the local day of the export. No fault repeats an account or a name.
    Raises: ValueError for a rail whose files name no account.
    """
    return _module(_CHECKS, rail).faults(files, batch, today)


def _module(modules: dict[str, ModuleType], rail: str) -> ModuleType:
    if rail not in modules:
        raise ValueError(f"the rail {rail!r} has no file with accounts")
    return modules[rail]


def _faults(rail: str, batch: PaymentBatch) -> list[str]:
    """What no rail takes."""
    faults = []
    if not _BATCH_ID.fullmatch(batch.batch_id):
        faults.append("the batch id holds something else than letters, digits and hyphens")
    if not batch.payments:
        faults.append("there is nothing to pay")
    if batch.total_amount_minor != sum(payment.amount_minor for payment in batch.payments):
        faults.append("the payments do not add up to the approved total (I6)")
    if not isinstance(batch.payer, PAYER_KINDS[rail]):
        faults.append(f"the payer's details are not of the rail {rail}")
    else:
        faults += [f"payer: {problem}" for problem in batch.payer.problems()]
    for payment in sorted(batch.payments, key=lambda payment: payment.payout_id):
        about = f"payout {payment.payout_id}"
        if not _PAYOUT_ID.fullmatch(payment.payout_id):
            faults.append("a payout id is not a uuid")
            continue
        if payment.amount_minor <= 0:
            faults.append(f"{about}: the amount is not positive (I16)")
        if not isinstance(payment.details, PAYEE_KINDS[rail]):
            faults.append(f"{about}: the details are not of the rail {rail}")
            continue
        faults += [f"{about}: {problem}" for problem in payment.details.problems()]
    references = Counter(reference(rail, payment.payout_id) for payment in batch.payments)
    faults += [
        f"{count} payouts have the reference {text} (I5)"
        for text, count in sorted(references.items())
        if count > 1
    ]
    return faults
