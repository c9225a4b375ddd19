"""Hand-placed odd cases about money: refunds, chargebacks, credit notes, churn, part payments.

Same rules as in `stories`: records only, no consequences. Amounts are minor units.
"""

from collections.abc import Callable

from ingest.sample.story_book import Book, Line


def _referred(book: Book, key: str, email: str, code: str, day: int) -> None:
    """A form with a partner's code, a contact, and a demo that is held three days later."""
    book.form(key, day, email, code=code)
    book.person(key, day, email)
    book.meeting(key, day + 1, day + 3)


def _first_sale_then_refund(book: Book) -> None:
    """Three monthly invoices of 490.00; the second is refunded in two parts."""
    email = "lena.exampleton@firstsale.example"
    _referred(book, "first", email, "northpeak", 5)
    book.deal("first", 8, 588_000, **book.won(14))
    book.customer("first", 14, email)
    for number, day in ((1, 15), (2, 46), (3, 74)):
        book.invoice("first", number, day, [Line(49_000, "prod_business", day)])
    book.refund("first", 2, 1, 55, 20_000)
    book.refund("first", 2, 2, 68, 29_000)


def _annual_prepay_with_refunded_line(book: Book) -> None:
    """A year in euros with setup, shipping and tax; the setup is refunded by line."""
    email = "amara.fablewright@annualprepay.example"
    _referred(book, "annual", email, "bluefinch", 20)
    book.deal("annual", 23, 499_000, currency_code="EUR", **book.won(30))
    book.customer("annual", 30, email, country="DE")
    book.invoice(
        "annual", 1, 31,
        [
            Line(499_000, "prod_business", 31, months=12, tax_minor=94_810),
            Line(25_000, "prod_setup", tax_minor=4750),
            Line(1990, "prod_shipping", tax_minor=378),
        ],
        currency="EUR", payments=[(49, 625_928)],
    )  # fmt: skip
    book.refund("annual", 1, 1, 80, 29_750, invoice_line_id="il_annual_1_2")


def _chargebacks(book: Book) -> None:
    """A lost, a won and an open dispute on one invoice each; the lost one was refunded in part."""
    for key, status, opened, closed in (
        ("lost", "lost", 60, 100),
        ("won", "won", 62, 110),
        ("open", "open", book.sizes.days - 20, None),
    ):
        email = f"dario.specimeni@dispute-{key}.example"
        _referred(book, f"dispute_{key}", email, "northpeak", 30)
        book.customer(f"dispute_{key}", 36, email)
        day = 37 if closed else book.sizes.days - 40
        book.invoice(f"dispute_{key}", 1, day, [Line(99_900, "prod_business", day)])
        book.add(
            "disputes", dispute_id=f"dp_{key}", invoice_id=f"in_dispute_{key}_1",
            amount_minor=99_900 if status != "lost" else 60_000, opened_at=book.at(opened),
            status=status, closed_at=closed and book.at(closed),
        )  # fmt: skip
    book.refund("dispute_lost", 1, 1, 50, 39_900)


def _credit_notes(book: Book) -> None:
    """Before payment, after it, to the balance, and one that was voided."""
    email = "nadia.ipsumdale@creditnotes.example"
    _referred(book, "credit", email, "bluefinch", 25)
    book.customer("credit", 30, email)
    lines = [Line(80_000, "prod_business", 31)]
    book.invoice("credit", 1, 31, lines, payments=[(40, 60_000)])
    for number, day in ((2, 60), (3, 90), (4, 121)):
        book.invoice("credit", number, day, [Line(80_000, "prod_business", day)])
    for number, day, amount_minor, kind, to_balance, voided in (
        (1, 35, 20_000, "pre_payment", False, None),
        (2, 66, 15_000, "post_payment", False, None),
        (3, 97, 30_000, "post_payment", True, None),
        (4, 125, 10_000, "post_payment", False, 130),
    ):
        book.add(
            "credit_notes", credit_note_id=f"cn_credit_{number}",
            invoice_id=f"in_credit_{number}", amount_minor=amount_minor, issued_at=book.at(day),
            kind=kind, to_balance=to_balance, voided_at=voided and book.at(voided),
        )  # fmt: skip


def _gone_after_seven_weeks(book: Book) -> None:
    """Two paid months, then the subscription ends 49 days after the first charge."""
    email = "taro.protohara@earlychurn.example"
    _referred(book, "churn", email, "northpeak", 40)
    book.customer("churn", 45, email, ended=95)
    for number, day in ((1, 46), (2, 77)):
        book.invoice("churn", number, day, [Line(24_900, "prod_team", day)])


def _void_and_uncollectible(book: Book) -> None:
    """A void invoice replaced by a smaller one, and a bad debt of which a part was paid."""
    email = "olga.dummond@baddebt.example"
    _referred(book, "debt", email, "bluefinch", 48)
    book.customer("debt", 54, email)
    book.invoice("debt", 1, 55, [Line(99_900, "prod_business", 55)], payments=[], status="void")
    book.invoice("debt", 2, 56, [Line(49_900, "prod_business", 55)])
    book.invoice(
        "debt", 3, 86, [Line(49_900, "prod_business", 86)],
        payments=[(90, 20_000)], status="uncollectible", paid_at=None,
    )  # fmt: skip


def _upgrade_and_negative_invoice(book: Book) -> None:
    """A proration with both signs, then an invoice below zero after a large downgrade."""
    email = "petra.inventson@upgraded.example"
    _referred(book, "upgrade", email, "rivermark", 33)
    book.customer("upgrade", 40, email)
    book.invoice("upgrade", 1, 41, [Line(24_900, "prod_team", 41)])
    book.invoice(
        "upgrade", 2, 72,
        [
            Line(99_900, "prod_business", 72),
            Line(-8300, "prod_team", 62, is_proration=True),
            Line(33_300, "prod_business", 62, is_proration=True),
        ],
    )  # fmt: skip
    book.invoice(
        "upgrade", 3, 85,
        [
            Line(-66_600, "prod_business", 85, is_proration=True),
            Line(16_600, "prod_team", 85, is_proration=True),
        ],
        payments=[], paid_at=book.at(85, 15, 31),
    )  # fmt: skip


def _month_end_anchor_and_local_midnight(book: Book) -> None:
    """First charge on the last day of the first month; instants without an offset near midnight."""
    email = "ida.modelkamp@monthend.example"
    last = book.day_of(book.later(0, 1)) - 1
    _referred(book, "monthend", email, "northpeak", 18)
    book.customer("monthend", 28, email)
    for number in range(1, 5):
        day = book.day_of(book.later(last, number - 1))
        naive = f"{book.day(day).isoformat()}T23:30:00"
        book.invoice(
            "monthend", number, day, [Line(14_900, "prod_team", day)],
            payments=[], issued_at=naive, paid_at=naive.replace("30:00", "45:00"),
        )  # fmt: skip


def _yen_with_refunds_that_fail(book: Book) -> None:
    """Odd yen amounts: a failed refund, its second try, one still pending."""
    email = "sana.demoyama@oddyen.example"
    _referred(book, "yen", email, "kumogaki", 22)
    book.customer("yen", 30, email, country="JP")
    for number, day in ((1, 31), (2, 61)):
        book.invoice(
            "yen", number, day, [Line(14_333, "prod_team", day, tax_minor=1433)], currency="JPY"
        )
    book.refund("yen", 1, 1, 40, 5001, status="failed")
    book.refund("yen", 1, 2, 44, 5001)
    book.refund("yen", 2, 1, book.sizes.days - 3, 7777, status="pending")


def _paid_on_a_weekend_in_parts(book: Book) -> None:
    """Three payments, two of them on a weekend; a line without product, a one-off discount."""
    email = "noor.madeupwell@threeparts.example"
    _referred(book, "parts", email, "cedarline", 26)
    book.customer("parts", 32, email, country="NL")
    saturday = 33 + (5 - book.day(33).weekday()) % 7
    book.invoice(
        "parts", 1, saturday - 1,
        [Line(100_001, None, saturday - 1, discount_minor=10_000, tax_minor=18_900)],
        currency="EUR",
        payments=[(saturday, 33_333), (saturday + 1, 33_333), (saturday + 9, 42_235)],
    )  # fmt: skip


def _two_subscriptions_of_one_lead(book: Book) -> None:
    """One of two subscriptions ends early; the other goes on."""
    email = "fenja.unrealli@twosubs.example"
    _referred(book, "twosubs", email, "northpeak", 50)
    book.customer("twosubs", 56, email, ended=90)
    book.invoice("twosubs", 1, 57, [Line(9900, "prod_starter", 57)])
    book.add(
        "subscriptions", subscription_id="sub_twosubs_2", customer_id="cus_twosubs",
        status="active", started_at=book.at(70, 20),
    )  # fmt: skip
    for number, day in ((2, 71), (3, 99)):
        book.invoice(
            "twosubs", number, day, [Line(24_900, "prod_team", day)],
            subscription_id="sub_twosubs_2",
        )  # fmt: skip


def _money_without_attribution(book: Book) -> None:
    """A paying customer whose invoice carries a code that expired before it was used."""
    book.add(
        "partner_codes", code="SPRINGSALE", partner_id="p_8", code_type="promotion_code",
        valid_from=book.day(0).isoformat(), valid_to=book.day(31).isoformat(),
    )  # fmt: skip
    book.customer("expired", 64, "quinn.pseudonim@expiredcode.example")
    book.invoice("expired", 1, 65, [Line(49_900, "prod_business", 65)], code="SPRINGSALE")


BILLING_STORIES: tuple[Callable[[Book], None], ...] = (
    _first_sale_then_refund,
    _annual_prepay_with_refunded_line,
    _chargebacks,
    _credit_notes,
    _gone_after_seven_weeks,
    _void_and_uncollectible,
    _upgrade_and_negative_invoice,
    _month_end_anchor_and_local_midnight,
    _yen_with_refunds_that_fail,
    _paid_on_a_weekend_in_parts,
    _two_subscriptions_of_one_lead,
    _money_without_attribution,
)
