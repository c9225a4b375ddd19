"""PayPal's report on payouts, as CSV: one row per payout item with its state.

What belongs here: columns and states. Source: payouts reference 2.4, PayPal's payouts API.
Headings differ between downloads, so that each column is known by several names; other columns,
with names and addresses of recipients, are never read.

BLOCKED says that PayPal stopped the item, not that the money came back: it stays open until
RETURNED, FAILED or REVERSED follows (decision 0051).
"""

from __future__ import annotations

import re
from datetime import date

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
    minor_units,
    payout_hex,
)

STATES = {
    "SUCCESS": SETTLED, "COMPLETED": SETTLED,
    "FAILED": FAILED, "DENIED": FAILED,
    "PENDING": SENT, "PROCESSING": SENT, "ONHOLD": SENT, "BLOCKED": SENT, "NEW": SENT,
    "UNCLAIMED": UNCLAIMED,
    "RETURNED": RETURNED, "REFUNDED": RETURNED, "REVERSED": RETURNED,
}  # fmt: skip
_HEADINGS = {
    "key": ("sender_item_id", "customer_id", "unique_id", "item_id"),
    "state": ("transaction_status", "payout_item_status", "item_status", "status"),
    "amount": ("amount", "gross_amount", "gross", "amount_value", "payout_amount"),
    "currency": ("currency", "currency_code", "amount_currency", "payout_currency"),
    "reference": ("transaction_id", "payout_item_id"),
    "day": ("time_processed", "processed_time", "date_processed", "completed_at", "date"),
    "reason": ("error_name", "errors_name", "error_code", "reason_code"),
}
_COLUMN_OF = {heading: column for column, names in _HEADINGS.items() for heading in names}
_NEEDED = ("key", "state", "amount", "currency")
# First line of PayPal's large batches, before the header.
_SUMMARY = "PAYOUT_SUMMARY"
_ISO_DAY = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})([T ].*)?")
_SLASHED_DAY = re.compile(r"([0-9]{1,2})[/.]([0-9]{1,2})[/.]([0-9]{4})( .*)?")
_FETCH = "Download the report of the payout from PayPal again, unchanged, as CSV."


def is_paypal_report(content: bytes) -> bool:
    """Whether the header names item, state, amount and currency as PayPal does."""
    found = {_COLUMN_OF.get(heading) for heading in headings(content, _SUMMARY)}
    return set(_NEEDED) <= found


def parse(content: bytes, file_name: str) -> list[Outcome]:
    """All items. Raises: SettlementFileError naming every faulty line."""
    found = headings(content, _SUMMARY)
    for column in _NEEDED:
        if not found & set(_HEADINGS[column]):
            raise file_error(
                file_name, [Fault(1, f"lacks a column such as {_HEADINGS[column][0]}")], _FETCH
            )
    # Of several names of one column the first that is there counts.
    chosen = {
        next(name for name in names if name in found): column
        for column, names in _HEADINGS.items()
        if found & set(names)
    }
    outcomes, faults = [], []
    for line, cells in rows(content, file_name, chosen, is_strict=False, skipped=_SUMMARY):
        try:
            outcomes.append(_outcome(line, cells))
        except ValueError as error:
            faults.append(Fault(line, str(error)))
    if faults:
        raise file_error(file_name, faults, _FETCH)
    return outcomes


def _outcome(line: int, cells: dict[str, str]) -> Outcome:
    state = "".join(character for character in cells["state"].upper() if character.isalpha())
    if state not in STATES:
        raise ValueError(f"the state is not one of {', '.join(STATES)}")
    currency_code = cells["currency"].upper()
    key = cells["key"]
    outcome = STATES[state]
    reason = clean_code(cells.get("reason"))
    return Outcome(
        key=key,
        # The web upload has room for 30 characters of the id; the API returns all of it.
        key_kind="payout_prefix" if 0 < len(payout_hex(key)) < 32 else "payout_id",
        outcome=outcome,
        amount_minor=read_amount(cells["amount"], currency_code),
        currency_code=currency_code,
        value_date=_day(cells.get("day", "")),
        reason_code=reason or (None if outcome == SETTLED else state),
        reference=clean_reference(cells.get("reference")),
        line=line,
    )


def read_amount(text: str, currency_code: str) -> int:
    """An amount with either decimal mark as positive minor units; a minus is the sender's view.

    What could be two amounts, such as ``1,234`` in a currency with three decimals, is refused.
    Raises: ValueError.
    """
    from program.currencies import exponent

    minor_units("0", currency_code)
    digits = exponent(currency_code)
    plain = text.replace("\u00a0", "").replace(" ", "").lstrip("+-")
    read = set()
    for mark, group in ((".", ","), (",", ".")):
        decimals = rf"(?:{re.escape(mark)}([0-9]{{1,{digits}}}))?" if digits else "()"
        whole = rf"([0-9]+|[0-9]{{1,3}}(?:{re.escape(group)}[0-9]{{3}})+)"
        match = re.fullmatch(whole + decimals, plain)
        if match:
            major = match[1].replace(group, "") + ("." + match[2] if match[2] else "")
            read.add(minor_units(major, currency_code))
    if len(read) != 1:
        raise ValueError("the amount cannot be read in one way only")
    (amount,) = read
    if amount == 0:
        raise ValueError("the amount is zero")
    return amount


def _day(text: str) -> date | None:
    """The day; None when day and month could be exchanged: the payout then counts when it is read.

    Raises: ValueError for a date that does not exist.
    """
    if not text:
        return None
    iso = _ISO_DAY.fullmatch(text)
    slashed = _SLASHED_DAY.fullmatch(text)
    try:
        if iso:
            return date.fromisoformat(iso[1])
        if slashed:
            first, second, year = (int(part) for part in slashed.groups()[:3])
            if first == second or second > 12:
                return date(year, first, second)
            return date(year, second, first) if first > 12 else None
    except ValueError:
        pass
    raise ValueError("the date cannot be read")
