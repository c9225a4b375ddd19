"""The Wise batch file for saved recipients.

What belongs here: columns and limits. What does not: the template for bank accounts, whose columns
differ by currency; with saved recipients no bank data is in the file at all.
Source: payouts reference 2.5. The header names must not change.
"""

from __future__ import annotations

import csv
import io

from program.currencies import format_minor

from payouts.files.payment import Payment, PaymentBatch, PayoutFile, in_file_order
from payouts.files.references import reference
from payouts.files.splitting import file_name, split

MAX_ROWS = 1_000
COLUMNS = (
    "recipientId", "name", "recipientEmail", "recipientDetail", "sourceCurrency",
    "targetCurrency", "amountCurrency", "amount", "paymentReference", "receiverType",
)  # fmt: skip
# The payee gets the exact amount; fees are the payer's.
AMOUNT_CURRENCY = "target"


def faults(batch: PaymentBatch) -> list[str]:
    """Nothing beyond what every rail checks: Wise says itself which currencies it has."""
    return []


def files(batch: PaymentBatch) -> list[PayoutFile]:
    """The files, in rows of at most 1,000."""
    runs = split(in_file_order(batch.payments), MAX_ROWS)
    return [
        PayoutFile(
            name=file_name("wise", part, len(runs), "csv"),
            content=_content(batch, run),
            items=len(run),
            total_amount_minor=sum(payment.amount_minor for payment in run),
        )
        for part, run in enumerate(runs, start=1)
    ]


def _content(batch: PaymentBatch, run: list[Payment]) -> bytes:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for payment in run:
        details = payment.details
        writer.writerow(
            (
                details.recipient_id,
                details.holder_name,
                details.recipient_email,
                "",
                details.source_currency or batch.payer.source_currency,
                batch.currency_code,
                AMOUNT_CURRENCY,
                format_minor(payment.amount_minor, batch.currency_code),
                reference("wise", payment.payout_id),
                details.receiver_type,
            )
        )
    return stream.getvalue().encode("utf-8")
