"""Reads Wise files back and says what is wrong with them, knowing nothing of the writer.

What belongs here: header, patterns, limits of the format. What does not: writing.
Source: payouts reference 2.5 and 7 (machine-facing CSV: positive patterns).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from program.currencies import exponent

from payouts.details import WiseDetails
from payouts.files.csv_cells import begins_like_a_formula, rows_of
from payouts.files.payment import FoundPayment, Payment, PaymentBatch, PayoutFile
from payouts.files.plain_text import plain_text_fault
from payouts.files.references import reference
from payouts.files.totals_check import name_faults, payment_faults

_HEADER = (
    "recipientId,name,recipientEmail,recipientDetail,sourceCurrency,targetCurrency,amountCurrency,"
    "amount,paymentReference,receiverType"
).split(",")
_ROW_LIMIT = 1000
_RECIPIENT_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,35}")
_EMAIL = re.compile(r"[A-Za-z0-9][^\s@,;\"'=<>()]{0,253}@[A-Za-z0-9.-]+\.[A-Za-z]{2,}")
_REFERENCE = re.compile(r"[0-9a-f]{10}")


def faults(files: list[PayoutFile], batch: PaymentBatch, today: date) -> list[str]:
    """What is wrong, by file and row. today is of no matter: the file names no day."""
    found: dict[str, list[FoundPayment]] = {}
    approved = {reference("wise", payment.payout_id): payment for payment in batch.payments}
    faults = name_faults("wise", "csv", files)
    for file in files:
        found[file.name] = []
        rows, broken = rows_of(file.content)
        faults += [f"{file.name} {fault}" for fault in broken]
        if rows and rows[0] != _HEADER:
            faults.append(f"{file.name} has another header than Wise's template")
        if len(rows) - 1 > _ROW_LIMIT:
            faults.append(f"{file.name} has more than {_ROW_LIMIT} rows")
        for number, row in enumerate(rows[1:], start=2):
            row_faults, payment = _read(row, batch, approved)
            faults += [f"{file.name}: row {number} {fault}" for fault in row_faults]
            if payment:
                found[file.name].append(payment)
    return faults + payment_faults("wise", batch, found, files)


def _read(
    row: list[str], batch: PaymentBatch, approved: Mapping[str, Payment]
) -> tuple[list[str], FoundPayment | None]:
    """Faults of a row and the payment if one can be read."""
    if len(row) != len(_HEADER):
        return [f"has {len(row)} columns, not {len(_HEADER)}"], None
    cells = dict(zip(_HEADER, row, strict=True))
    wanted = approved.get(cells["paymentReference"])
    faults = []
    if any(begins_like_a_formula(cell) for cell in row):
        faults.append("has a cell that a spreadsheet would run")
    if not _RECIPIENT_ID.fullmatch(cells["recipientId"]):
        faults.append("has a recipientId that Wise did not give")
    name_fault = plain_text_fault(cells["name"])
    if name_fault:
        faults.append(f"has a name that {name_fault}")
    if cells["recipientEmail"] and not _EMAIL.fullmatch(cells["recipientEmail"]):
        faults.append("has a recipientEmail that is no address")
    if cells["recipientDetail"]:
        faults.append("has a recipientDetail; it may hold account data and stays empty")
    if cells["targetCurrency"] != batch.currency_code:
        faults.append("has another targetCurrency than the batch")
    if cells["amountCurrency"] != "target":
        faults.append("would take the fee off what the payee gets: amountCurrency is not target")
    if not _REFERENCE.fullmatch(cells["paymentReference"]):
        faults.append("has a paymentReference that is no payout")
    if wanted:
        details: WiseDetails = wanted.details
        told = {
            "name": details.holder_name,
            "recipientEmail": details.recipient_email,
            "sourceCurrency": details.source_currency or batch.payer.source_currency,
            "receiverType": details.receiver_type,
        }
        faults += [
            f"has another {name} than approved" for name in told if cells[name] != told[name]
        ]
    amount_minor = _minor(cells["amount"], batch.currency_code)
    if amount_minor is None:
        return [*faults, "has an amount that is not plain figures with a point"], None
    return faults, FoundPayment(cells["paymentReference"], amount_minor, cells["recipientId"])


def _minor(text: str, currency_code: str) -> int | None:
    """Minor units of a positive amount with exactly the currency's decimals, else None."""
    digits = exponent(currency_code)
    decimals = rf"\.([0-9]{{{digits}}})" if digits else "()"
    match = re.fullmatch(rf"(0|[1-9][0-9]{{0,15}}){decimals}", text)
    return int(match[1] + match[2]) or None if match else None
