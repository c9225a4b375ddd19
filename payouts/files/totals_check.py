"""What every check of files compares once it has read the payments back: batch against bytes.

What belongs here: each payout in exactly one file, amounts, accounts, totals (I5, I6, P10). What
does not: reading a format.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta

from program.calendar import SATURDAY
from program.holidays import rail_holidays

from payouts.files.payment import FoundPayment, Payment, PaymentBatch, PayoutFile
from payouts.files.references import reference

MAX_DAYS_AHEAD = 60
"""Banks keep files for a future day, but not for long; a date further off is a mistake."""


def name_faults(rail: str, extension: str, files: list[PayoutFile]) -> list[str]:
    """The names number the files of the batch and nothing else."""
    pattern = re.compile(rf"{rail}-([1-9][0-9]*)-of-([1-9][0-9]*)\.{extension}")
    expected = [(part, len(files)) for part in range(1, len(files) + 1)]
    found = [pattern.fullmatch(file.name) for file in files]
    parts = [match and (int(match[1]), int(match[2])) for match in found]
    return [] if parts == expected else ["the file names do not number the files of the batch"]


def payment_faults(
    rail: str, batch: PaymentBatch, found: Mapping[str, list[FoundPayment]], files: list[PayoutFile]
) -> list[str]:
    """The payments of all files, by file name, against the approved batch."""
    faults = []
    expected = {reference(rail, payment.payout_id): payment for payment in batch.payments}
    seen: dict[str, str] = {}
    for file in files:
        payments = found.get(file.name, [])
        total_minor = sum(payment.amount_minor for payment in payments)
        if (len(payments), total_minor) != (file.items, file.total_amount_minor):
            faults.append(f"{file.name} does not pay the items and the total that are told of it")
        for position, payment in enumerate(payments, start=1):
            wanted = expected.get(payment.reference)
            if wanted is None:
                faults.append(f"{file.name}: payment {position} is not in the batch")
                continue
            if payment.reference in seen:
                faults.append(f"payout {wanted.payout_id} is paid more than once (P6, I5)")
            seen[payment.reference] = file.name
            faults += _differences(file.name, payment, wanted)
    faults += [
        f"payout {payment.payout_id} is in no file"
        for text, payment in sorted(expected.items())
        if text not in seen
    ]
    paid_minor = sum(payment.amount_minor for payments in found.values() for payment in payments)
    if paid_minor != batch.total_amount_minor:
        faults.append("the files do not add up to the approved total (P10)")
    return faults


def pay_date_faults(rail: str, pay_date: date, today: date) -> list[str]:
    """Whether banks move money on this day, and whether it is near enough (P8)."""
    faults = []
    if pay_date < today:
        faults.append("the pay date is over (P8)")
    elif pay_date > today + timedelta(days=MAX_DAYS_AHEAD):
        faults.append(f"the pay date is more than {MAX_DAYS_AHEAD} days ahead (P8)")
    if pay_date.weekday() >= SATURDAY or pay_date in rail_holidays(rail, pay_date, pay_date):
        faults.append("the pay date is no business day of the rail (P8)")
    return faults


def _differences(file_name: str, found: FoundPayment, wanted: Payment) -> list[str]:
    about = f"{file_name}: payout {wanted.payout_id}"
    faults = []
    if found.amount_minor != wanted.amount_minor:
        faults.append(f"{about} has another amount than approved (P10)")
    if found.account != wanted.details.account():
        faults.append(f"{about} goes to another account than approved")
    return faults
