"""Reads PayPal files back and says what is wrong with them, knowing nothing of the writer.

What belongs here: columns, patterns, limits of the format. What does not: writing.
Source: payouts reference 2.4 and 7 (machine-facing CSV: positive patterns).
"""

from __future__ import annotations

import re
from datetime import date

from program.currencies import exponent

from payouts.files.csv_cells import begins_like_a_formula, rows_of
from payouts.files.payment import FoundPayment, PaymentBatch, PayoutFile
from payouts.files.totals_check import name_faults, payment_faults

_ROW_LIMIT = 5000
_RECIPIENTS = {
    "email": re.compile(r"[A-Za-z0-9][^\s@,;\"'=<>()]{0,253}@[A-Za-z0-9.-]+\.[A-Za-z]{2,}"),
    "phone": re.compile(r"\+[0-9]{7,15}"),
    "paypal_id": re.compile(r"[A-Z0-9]{13}"),
}
_CUSTOMER_ID = re.compile(r"[0-9a-f]{30}")
_NOTE = re.compile(r"Commission [0-9]{8}-[0-9a-f]{8}")
_NO_DECIMALS = ("HUF", "JPY", "TWD")


def faults(files: list[PayoutFile], batch: PaymentBatch, today: date) -> list[str]:
    """What is wrong, by file and row. today is of no matter: the file names no day."""
    found: dict[str, list[FoundPayment]] = {}
    faults = name_faults("paypal", "csv", files)
    for file in files:
        found[file.name] = []
        rows, broken = rows_of(file.content)
        faults += [f"{file.name} {fault}" for fault in broken]
        if len(rows) > _ROW_LIMIT:
            faults.append(f"{file.name} has more than {_ROW_LIMIT} rows")
        kinds = set()
        for number, row in enumerate(rows, start=1):
            about = f"{file.name}: row {number}"
            row_faults, kind, payment = _read(row, batch)
            faults += [f"{about} {fault}" for fault in row_faults]
            kinds.add(kind)
            if payment:
                found[file.name].append(payment)
        if len(kinds) > 1:
            faults.append(f"{file.name} mixes wallets or kinds of recipient")
    return faults + payment_faults("paypal", batch, found, files)


def _read(
    row: list[str], batch: PaymentBatch
) -> tuple[list[str], tuple[str, str], FoundPayment | None]:
    """Faults of a row, its wallet and kind of recipient, and the payment if one can be read."""
    if len(row) not in (6, 7):
        return [f"has {len(row)} columns"], ("", ""), None
    recipient, amount, currency, customer_id, note, wallet = row[:6]
    kind = next((name for name, shape in _RECIPIENTS.items() if shape.fullmatch(recipient)), "")
    faults = []
    if not kind:
        faults.append("has a recipient that PayPal does not know")
    if any(begins_like_a_formula(cell) for cell in row[1 if kind == "phone" else 0 :]):
        faults.append("has a cell that a spreadsheet would run")
    if currency != batch.currency_code:
        faults.append("has another currency than the batch")
    if not _CUSTOMER_ID.fullmatch(customer_id):
        faults.append("has a customer id that is no payout")
    if not _NOTE.fullmatch(note) or not note.endswith(f"{batch.pay_date:%Y%m%d}-{customer_id[:8]}"):
        faults.append("has a note that is not the payout's")
    if wallet not in ("PAYPAL", "VENMO"):
        faults.append("has no wallet of PayPal's")
    if row[6:] != (["PRIVATE"] if wallet == "VENMO" else []):
        faults.append("must have the privacy column for VENMO, and only then")
    if wallet == "VENMO" and (currency != "USD" or kind == "paypal_id"):
        faults.append("has a VENMO wallet that is paid in another currency or by id")
    amount_minor = _minor(amount, batch)
    if amount_minor is None:
        faults.append("has an amount in another form than the sender's country writes")
        return faults, (wallet, kind), None
    account = recipient.lower() if kind == "email" else recipient
    payment = FoundPayment(customer_id, amount_minor, f"{wallet}/{account}")
    return faults, (wallet, kind), payment


def _minor(text: str, batch: PaymentBatch) -> int | None:
    """Minor units of a positive amount with exactly the currency's decimals, else None."""
    digits = exponent(batch.currency_code)
    shown = 0 if batch.currency_code in _NO_DECIMALS else digits
    decimals = rf"{re.escape(batch.payer.decimal_mark)}([0-9]{{{shown}}})" if shown else "()"
    match = re.fullmatch(rf"(0|[1-9][0-9]{{0,15}}){decimals}", text)
    if not match or not int(match[1] + match[2]):
        return None
    return int(match[1] + match[2]) * 10 ** (digits - shown)
