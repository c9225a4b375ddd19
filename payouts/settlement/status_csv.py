"""The generic status file: one row per payout, for every bank and provider without a format here.

Columns: ``payout_id`` (or a batch id, for a total that was booked at once, or the reference that
the exported file carried, where it is shorter, as on Wise), ``status`` (sent, settled, failed,
returned, unclaimed), ``amount_minor`` or ``amount`` (major units, decimal point),
``currency_code``, and, where known, ``value_date`` (ISO 8601), ``reason_code``, ``reference``.
"""

from __future__ import annotations

import re

from payouts.settlement.csv_rows import headings, rows
from payouts.settlement.outcome import (
    FAILED,
    RETURNED,
    SENT,
    SETTLED,
    UNCLAIMED,
    Fault,
    Outcome,
    clean_code,
    clean_reference,
    file_error,
    iso_day,
    minor_units,
    payout_hex,
)

COLUMNS = (
    "payout_id", "status", "amount_minor", "amount", "currency_code", "value_date", "reason_code",
    "reference",
)  # fmt: skip
STATUSES = (SENT, SETTLED, FAILED, RETURNED, UNCLAIMED)
_REQUIRED = {"payout_id", "status", "currency_code"}
_AMOUNT = re.compile(r"[0-9]+(\.[0-9]+)?")
_MINOR_DIGITS = 15
_CORRECT = "Correct the line and read the file again."


def is_status_csv(content: bytes) -> bool:
    """Whether the header is the one of this format."""
    found = headings(content)
    return "payout_id" in found and "status" in found


def parse(content: bytes, file_name: str) -> list[Outcome]:
    """All rows. Raises: SettlementFileError naming every faulty line."""
    missing = _REQUIRED - headings(content)
    if missing or not {"amount_minor", "amount"} & headings(content):
        wanted = sorted(missing) or ["amount_minor or amount"]
        raise file_error(
            file_name, [Fault(1, f"lacks the column {', '.join(wanted)}")], "Add it and read again."
        )
    outcomes, faults = [], []
    for line, cells in rows(content, file_name, {name: name for name in COLUMNS}, is_strict=True):
        try:
            outcomes.append(_outcome(line, cells))
        except ValueError as error:
            faults.append(Fault(line, str(error)))
    if not faults and not outcomes:
        faults.append(Fault(0, "has a header and no row"))
    if faults:
        raise file_error(file_name, faults, _CORRECT)
    return outcomes


def _outcome(line: int, cells: dict[str, str]) -> Outcome:
    key, status = cells["payout_id"], cells["status"].lower()
    if not key:
        raise ValueError("the payout_id is missing")
    if status not in STATUSES:
        raise ValueError(f"the status is not one of {', '.join(STATUSES)}")
    currency_code = cells["currency_code"].upper()
    return Outcome(
        key=key,
        key_kind=_key_kind(key),
        outcome=status,
        amount_minor=_amount(cells, currency_code),
        currency_code=currency_code,
        value_date=iso_day(cells.get("value_date", "")),
        reason_code=clean_code(cells.get("reason_code")),
        reference=clean_reference(cells.get("reference")),
        line=line,
    )


def _key_kind(key: str) -> str:
    # A batch id begins so (`ids.batch_id`); a payout id never does.
    if key.startswith("b-"):
        return "batch_total"
    return "payout_id" if payout_hex(key) else "reference"


def _amount(cells: dict[str, str], currency_code: str) -> int:
    minor, major = cells.get("amount_minor", ""), cells.get("amount", "")
    if not minor and not major:
        raise ValueError("the amount is missing")
    if major and not _AMOUNT.fullmatch(major):
        raise ValueError("the amount is not plain digits with a decimal point")
    if minor and not (minor.isascii() and minor.isdecimal()):
        raise ValueError("the amount_minor is not a whole number above zero")
    if len(minor) > _MINOR_DIGITS:
        raise ValueError(f"the amount_minor has more than {_MINOR_DIGITS} digits")
    # Major units are read in any case, because that checks the currency.
    read = minor_units(major or "0", currency_code)
    amounts = {read} if major else set()
    if minor:
        amounts.add(int(minor))
    if len(amounts) > 1:
        raise ValueError("amount and amount_minor differ")
    (amount,) = amounts
    if amount <= 0:
        raise ValueError("the amount is not positive")
    return amount
