"""Batches with invented payees for the tests of payout files. Accounts are published examples."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import date, datetime

from payouts.details import (
    Details,
    NachaDetails,
    NachaPayer,
    PaypalDetails,
    PaypalPayer,
    SepaDetails,
    SepaPayer,
    WiseDetails,
    WisePayer,
)
from payouts.files import rails
from payouts.files.payment import Payment, PaymentBatch, PayoutFile

PAY_DATE = date(2026, 3, 31)
TODAY = date(2026, 3, 27)
CREATED_AT = datetime(2026, 3, 27, 6, 15, 42)
CURRENCIES = {"sepa": "EUR", "nacha": "USD", "paypal": "USD", "wise": "GBP"}

SEPA_PAYER = SepaPayer(
    name="Müller & Söhne GmbH",
    iban="DE89 3704 0044 0532 0130 00",
    bic="COBADEFFXXX",
    country="DE",
    town="Köln",
)
SEPA_PAYEES = (
    SepaDetails("Åsa Łukasiewicz-Straße", "NL91ABNA0417164300", "ABNANL2A", "NL", "Den Haag"),
    SepaDetails("O'Brien & Partners Ltd.", "IE29 AIBK 9311 5212 3456 78"),
    SepaDetails(
        "Søren Bø", "NO9386011117947", country="NO", town="Tromsø", street="Storgata 1 (østre)"
    ),
)
NACHA_PAYER = NachaPayer(
    name="Acme Analytics",
    origin_id="1234567890",
    origin_name="Acme Analytics Inc",
    destination_routing="091000019",
    destination_name="Wells Fargo",
    company_id="1234567890",
    odfi_routing="091000019",
)
NACHA_PAYEES = (
    NachaDetails("Zoë O'Hara", "021000021", "123456789", "checking", "individual"),
    NachaDetails("Smith & Daughters LLC", "121042882", "00-9876543", "savings", "business"),
    NachaDetails(
        "The Very Long Named Referral Company of Ohio", "011401533", "55 66 77", "checking",
        "business",
    ),
)  # fmt: skip
PAYPAL_PAYEES = (
    PaypalDetails("Ana Díaz", "ana.diaz+pay@example.com", "email", "PAYPAL"),
    PaypalDetails("Bo Li", "bo@example.org", "email", "PAYPAL"),
    PaypalDetails("Cy Poe", "WX3YZ7ABCDEF9", "paypal_id", "PAYPAL"),
    PaypalDetails("Di Roe", "+15551234567", "phone", "VENMO"),
)
WISE_PAYEES = (
    WiseDetails("Ana Díaz", "148149706", "ana@example.com", "PERSON"),
    WiseDetails('Bo, "B" Li', "3f1c9a52-7a51-4a0b-9a46-0d3f6f6e1c11", "", "INSTITUTION", "USD"),
    WiseDetails("נועה כהן", "148149708"),
)
PAYERS: dict[str, Details] = {
    "sepa": SEPA_PAYER,
    "nacha": NACHA_PAYER,
    "paypal": PaypalPayer("."),
    "wise": WisePayer("EUR"),
}
PAYEES: dict[str, tuple[Details, ...]] = {
    "sepa": SEPA_PAYEES,
    "nacha": NACHA_PAYEES,
    "paypal": PAYPAL_PAYEES,
    "wise": WISE_PAYEES,
}
RAILS_WITH_DETAILS = tuple(PAYERS)


def payout_id(number: int) -> str:
    """The same id for the same number."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"https://example.com/payout/{number}"))


def batch_of(
    rail: str,
    payees: tuple[Details, ...] | None = None,
    amounts_minor: tuple[int, ...] | None = None,
    **changes: object,
) -> PaymentBatch:
    """A batch with one payment per payee: 1 234.56, 2 234.56 … unless amounts are given."""
    payees = PAYEES[rail] if payees is None else payees
    amounts_minor = amounts_minor or tuple(123456 + 100000 * n for n in range(len(payees)))
    payments = tuple(
        Payment(payout_id(number), f"partner_{number:05}", amount_minor, details)
        for number, (details, amount_minor) in enumerate(
            zip(payees, amounts_minor, strict=True), start=1
        )
    )
    batch = PaymentBatch(
        batch_id=f"b-20260228-{CURRENCIES[rail]}-{rail}-1-3f2a9c01",
        currency_code=CURRENCIES[rail],
        pay_date=PAY_DATE,
        created_at=CREATED_AT,
        total_amount_minor=sum(amounts_minor),
        payments=payments,
        payer=PAYERS[rail],
    )
    return replace(batch, **changes)


def with_content(file: PayoutFile, content: bytes) -> PayoutFile:
    """The same file with other bytes."""
    return replace(file, content=content)


def faults_of(rail: str, content: bytes, batch: PaymentBatch | None = None) -> list[str]:
    """What the checks say when the bytes of a one-file batch are replaced."""
    batch = batch or batch_of(rail)
    (file,) = rails.render(rail, batch)
    return rails.check(rail, [with_content(file, content)], batch, TODAY)
