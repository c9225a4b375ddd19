"""The generic CSV payout file: one row per payout, bytes that depend on the batch alone.

What belongs here: columns and rendering. What does not: where the file goes (``export``).
Source: payouts reference 2.1 (generic CSV) and 7 (machine-facing class: validate and reject).
"""

from __future__ import annotations

import csv
import io
import re

from payouts.errors import ExportRefusedError
from payouts.files.plain_text import plain_text_fault
from payouts.records import BatchContent

FILE_NAME = "payouts.csv"
COLUMNS = (
    "payout_id", "batch_id", "partner_id", "partner_name", "amount", "amount_minor",
    "currency_code", "pay_date", "reference", "entries",
)  # fmt: skip
_MAJOR_UNITS = re.compile(r"[0-9]+(\.[0-9]+)?")


def payout_reference(content: BatchContent, payout_id: str) -> str:
    """Reference that the payee sees: pay date and the start of the payout id, 17 characters."""
    return f"{content.pay_date:%Y%m%d}-{payout_id[:8]}"


def render(content: BatchContent) -> bytes:
    """The file as UTF-8 without byte-order mark, header first, rows by partner, ``\\n`` line ends.

    ``amount`` is in major units, exact, with the currency's own decimals and a point.
    Raises: ExportRefusedError naming every cell that may not leave; a text is never altered.
    """
    from program.currencies import format_minor

    faults: list[str] = []
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for item in sorted(content.items, key=lambda item: (item.partner_id, item.payout_id)):
        for name in ("partner_id", "partner_name"):
            fault = plain_text_fault(getattr(item, name))
            if fault:
                faults.append(f"{name} of payout {item.payout_id} {fault}")
        amount = format_minor(item.amount_minor, content.currency_code)
        if item.amount_minor <= 0 or not _MAJOR_UNITS.fullmatch(amount):
            faults.append(f"the amount of payout {item.payout_id} is not positive (I16)")
        writer.writerow(
            (item.payout_id, content.batch_id, item.partner_id, item.partner_name, amount,
             item.amount_minor, content.currency_code, content.pay_date.isoformat(),
             payout_reference(content, item.payout_id), item.entries)
        )  # fmt: skip
    if faults:
        raise ExportRefusedError(
            f"batch {content.batch_id} cannot be written as CSV: {'; '.join(faults)}. Correct the "
            "partner's record, reject the batch and propose again"
        )
    return stream.getvalue().encode("utf-8")
