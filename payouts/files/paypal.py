"""The PayPal Payouts file that is uploaded on the web.

What belongs here: columns, grouping, limits. What does not: the API.
Source: payouts reference 2.4. One currency, one kind of recipient and one wallet per file, no
header; columns recipient, amount, currency, customer id, note, wallet, and for Venmo the privacy.
"""

from __future__ import annotations

import csv
import io
from itertools import groupby

from program.currencies import exponent, format_minor

from payouts.details import PaypalDetails
from payouts.files.payment import Payment, PaymentBatch, PayoutFile, in_file_order
from payouts.files.references import payee_reference, reference
from payouts.files.splitting import file_name, split

MAX_ROWS = 5_000
CURRENCIES = frozenset(
    """
    AUD BRL CAD CHF CZK DKK EUR GBP HKD HUF ILS JPY MXN MYR NOK NZD PHP PLN SEK SGD THB TWD USD
    """.split()
)
"""What PayPal pays out."""
WHOLE_UNITS = frozenset({"HUF", "JPY", "TWD"})
"""Currencies that PayPal takes without decimals, whatever ISO 4217 says."""


def faults(batch: PaymentBatch) -> list[str]:
    """What PayPal would refuse, each with the payout it is about."""
    currency = batch.currency_code
    if currency not in CURRENCIES:
        return [f"PayPal does not pay out {currency}"]
    found = []
    for payment in batch.payments:
        details = payment.details
        if currency in WHOLE_UNITS and payment.amount_minor % 10 ** exponent(currency):
            found.append(
                f"payout {payment.payout_id}: PayPal takes whole {currency} only, the amount has "
                "decimals"
            )
        if isinstance(details, PaypalDetails) and details.wallet == "VENMO" and currency != "USD":
            found.append(f"payout {payment.payout_id}: a VENMO wallet takes USD only")
    return found


def files(batch: PaymentBatch) -> list[PayoutFile]:
    """The files, by wallet and kind of recipient, then in rows of at most 5,000."""
    ordered = sorted(in_file_order(batch.payments), key=_group)
    runs = [
        run for _, group in groupby(ordered, key=_group) for run in split(list(group), MAX_ROWS)
    ]
    return [
        PayoutFile(
            name=file_name("paypal", part, len(runs), "csv"),
            content=_content(batch, run),
            items=len(run),
            total_amount_minor=sum(payment.amount_minor for payment in run),
        )
        for part, run in enumerate(runs, start=1)
    ]


def _group(payment: Payment) -> tuple[str, str]:
    return payment.details.wallet, payment.details.recipient_type


def _content(batch: PaymentBatch, run: list[Payment]) -> bytes:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    for payment in run:
        row = [
            payment.details.recipient,
            _amount(batch, payment.amount_minor),
            batch.currency_code,
            reference("paypal", payment.payout_id),
            f"Commission {payee_reference(batch.pay_date, payment.payout_id)}",
            payment.details.wallet,
        ]
        if payment.details.wallet == "VENMO":
            # Without it a payment could show in the payee's public feed.
            row.append("PRIVATE")
        writer.writerow(row)
    return stream.getvalue().encode("utf-8")


def _amount(batch: PaymentBatch, amount_minor: int) -> str:
    text = format_minor(amount_minor, batch.currency_code)
    if batch.currency_code in WHOLE_UNITS:
        text = text.partition(".")[0]
    return text.replace(".", batch.payer.decimal_mark)
