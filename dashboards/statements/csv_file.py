"""A statement as CSV for spreadsheets: opening balance, every line, closing balance, by currency.

Opening balance and lines of a currency add up to its closing balance.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

from payouts.files.csv_cells import begins_like_a_formula

Record = Mapping[str, Any]
COLUMNS = (
    "row", "partner_id", "period", "effective_date", "movement", "entry_kind", "component_id",
    "source_type", "source_id", "cause_type", "cause_id", "customer_id", "payout_amount",
    "payout_amount_minor", "payout_currency_code", "amount", "amount_minor", "currency_code",
    "state", "available_date", "expected_pay_date", "paid_date", "batch_id", "entry_id", "segment",
)  # fmt: skip
_NUMBERS = ("payout_amount", "payout_amount_minor", "amount", "amount_minor", "segment")


def render_csv(statement: Record) -> bytes:
    """The file: UTF-8 with a mark and ``\\r\\n``, as spreadsheets read it; days are ISO 8601.

    Amounts stand twice: whole minor units, and major units with a point and the currency's own
    decimals. A text that a spreadsheet would take for a formula begins with an apostrophe.
    """
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in _rows(statement):
        writer.writerow([_cell(name, row.get(name)) for name in COLUMNS])
    return b"\xef\xbb\xbf" + stream.getvalue().encode("utf-8", "replace")


def _rows(statement: Record) -> Iterator[dict[str, Any]]:
    of_all = {"partner_id": statement["partner_id"], "period": statement["period"]}
    for each in statement["currencies"]:
        currency = each["payout_currency_code"]
        for kind in ("opening_balance", "line", "closing_balance"):
            if kind == "line":
                yield from ({"row": kind, **of_all, **_amounts(line)} for line in each["lines"])
                continue
            amount = each[f"{kind.removesuffix('_balance')}_amount_minor"]
            balance = {"payout_amount_minor": amount, "payout_currency_code": currency}
            yield {"row": kind, **of_all, **_amounts(balance)}


def _amounts(row: Record) -> dict[str, Any]:
    """The row with its amounts in major units beside them."""
    from program.currencies import format_minor

    found = dict(row)
    for name in ("payout_amount", "amount"):
        currency = row.get(name.replace("amount", "currency_code"))
        if currency:
            found[name] = format_minor(row[f"{name}_minor"], currency)
    return found


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name in _NUMBERS:
        return str(value)
    text = " ".join(str(value).replace("\0", " ").split())
    return f"'{text}" if begins_like_a_formula(text) else text
