"""Random histories for programmes of every shape: subscribers with a history of service.

To the companies of `histories` come many subscribers of few partners, close enough in time that
tiers and caps are reached: trials, gaps, upgrades, annual prepay, free invoices, money of several
currencies, partners that referred each other. Does not belong here: any expected value.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from tests.oracle.facts import Facts
from tests.properties.histories import History, add_money_back, add_payments, build

PARTNERS = ("p_usd", "p_usd", "p_eur", "p_jpy", "p_agency", "p_current", "p_kwd", "p_new")
SUBSCRIBERS = 5000  # the number of the first
FIRST_DAY = datetime(2025, 2, 1)
# Roughly ten dollars in minor units.
TEN = {"USD": 1000, "EUR": 900, "JPY": 1500, "KWD": 3000, "BHD": 4000}
CURRENCIES = ("USD", "USD", "USD", "EUR", "EUR", "JPY", "KWD", "BHD")
# Who referred whom, and since when: one level only counts, nobody earns on itself, p_kwd lacks its
# day, and the day of p_eur is another one in UTC.
REFERRED = {
    "p_eur": ("p_usd", "2025-02-03T23:30:00-05:00"),
    "p_agency": ("p_eur", "2025-03-01"),
    "p_jpy": ("p_agency", "2025-06-15T12:00:00Z"),
    "p_current": ("p_current", "2025-01-01"),
    "p_kwd": ("p_usd", ""),
    "p_new": ("p_kwd", "2025-05-31"),
}


def build_shapes(seed: int, companies: int, subscribers: int) -> Facts:
    """Facts of so many companies of `histories`, and of subscribers beside them."""
    facts = build(seed, companies)
    _more_partners(facts)
    chance = random.Random(seed + 1)
    for number in range(SUBSCRIBERS, SUBSCRIBERS + subscribers):
        history = History(facts, number, chance)
        history.domain = f"sub{number}.test"
        history.start = FIRST_DAY + timedelta(minutes=chance.randrange(330 * 1440))
        _subscriber(history)
    return facts


def _more_partners(facts: Facts) -> None:
    for partner_id, currency_code in (("p_kwd", "KWD"), ("p_new", "BHD")):
        row = {"partner_id": partner_id, "name": partner_id, "status": "active"}
        address = f"me@{partner_id.replace('_', '-')}.test"
        facts["partners"].append(row | {"email": address, "payout_currency": currency_code})
        code = {"code": f"{partner_id}-link", "code_type": "referral_link"}
        facts["partner_codes"].append(code | {"partner_id": partner_id})
    for row in facts["partners"]:
        referred_by, joined_at = REFERRED.get(row["partner_id"], ("", ""))
        known = {"referred_by": referred_by, "joined_at": joined_at}
        row.update({name: value for name, value in known.items() if value})
    dinars = [row for row in facts["fx_rates"] if row["currency_code"] == "BHD"]
    for row in dinars:
        if row["rate_date"][8:] < "27":  # some days of each month lie within reach, some not
            rate = f"{float(row['rate']) * 0.8:.5f}"
            facts["fx_rates"].append(row | {"currency_code": "KWD", "rate": rate})


def _subscriber(history: History) -> None:
    """Clicks, perhaps a demo and a deal, and invoices of one customer."""
    email = f"joe@{history.domain}"
    main = history.chance.choice(PARTNERS)
    others = [history.chance.choice(PARTNERS) for _ in range(history.chance.choice((0, 0, 1, 2)))]
    for partner_id in (*others, main):
        history.add(
            "touchpoints",
            touchpoint_id=history.identify("t"),
            occurred_at=_instant(history, -40, -1),
            touch_type="referral_link",
            partner_id=partner_id,
            email=email,
        )
    if history.maybe(0.5):
        booked_at = _instant(history, -1, 20)
        history.add(
            "meetings",
            meeting_id=history.identify("m"),
            booked_at=booked_at,
            starts_at=booked_at,
            outcome=history.chance.choice(("held", "held", "scheduled", "canceled")),
            email=email,
        )
    if history.maybe(0.15):
        history.add(
            "deals",
            deal_id=history.identify("d"),
            stage="won",
            created_at=_instant(history, -1, 1),
            closed_at=_instant(history, 2, 30),
            contact_id=_contact(history, email),
            amount_minor=history.chance.randrange(1, 500_000),
            currency_code=history.chance.choice(("USD", "EUR", "JPY")),
            is_won="true",
            is_lost="false",
        )
    customer = history.identify("cus")
    history.add(
        "customers",
        customer_id=customer,
        created_at=_instant(history, -1, 0),
        email=email,
        country=history.chance.choice(("", "DE", "DE", "FR", "AT", "US", "de")),
    )
    history.add(
        "subscriptions",
        subscription_id=history.identify("sub"),
        customer_id=customer,
        status="active",
        started_at=_instant(history, 0, 1),
        ended_at=_instant(history, 20, 200) if history.maybe(0.4) else "",
    )
    _service(history, customer)


def _contact(history: History, email: str) -> str:
    contact = history.identify("c")
    history.add("contacts", contact_id=contact, email=email, created_at=_instant(history, -1, 0))
    return contact


def _service(history: History, customer: str) -> None:
    """A chain of periods: a trial, months, years, gaps, upgrades in the middle."""
    currency = history.chance.choice(CURRENCIES)
    price = history.chance.randrange(TEN[currency] // 4, TEN[currency] * 30)
    day = 0
    if history.maybe(0.2):
        _invoice(history, customer, currency, [_line(history, 0, 0, 14)], 0)
        day = 14
    for number in range(history.chance.choice((1, 2, 3, 5, 8))):
        if number and history.maybe(0.2):
            day += history.chance.choice((19, 20, 21, 45, 90, 91))  # without service
        length = 365 if history.maybe(0.08) else history.chance.choice((28, 30, 31))
        amount = price * (10 if length == 365 else 1)
        lines = [_line(history, amount, day, day + length)]
        if number == 0 and history.maybe(0.3):
            lines.append(_line(history, price // 3, None, None, "prod_setup"))
        if history.maybe(0.25):
            lines.append(_line(history, price // 5 + 1, day, day + length, "prod_use"))
        if history.maybe(0.1):
            lines.append(_line(history, price // 9 + 1, None, None, "prod_ship"))
        if history.maybe(0.1):
            lines.append(_line(history, -price // 4, day, day + length))  # a credit
        if history.maybe(0.06):
            lines[0]["discount_minor"] = lines[0]["amount_minor"]  # free for a month
        _invoice(history, customer, currency, lines, day)
        if history.maybe(0.15):
            middle = day + length // 2
            rest = [
                _line(history, -amount // 2, middle, day + length) | {"is_proration": "true"},
                _line(history, amount, middle, day + length) | {"is_proration": "true"},
            ]
            upgrade = rest if history.maybe(0.7) else rest[:1]
            _invoice(history, customer, currency, upgrade, middle)
        day += length


def _line(
    history: History, amount: int, start: int | None, end: int | None, product_id: str = ""
) -> dict[str, object]:
    """A line over local days from the history's start; without days it has no period."""
    line: dict[str, object] = {
        "amount_minor": amount,
        "discount_minor": amount // 10 if amount > 0 and history.maybe(0.15) else 0,
        "tax_minor": amount // 5 if history.maybe(0.7) else 0,
        "product_id": product_id or history.chance.choice(("prod_main", "prod_main", "")),
    }
    if start is not None:
        line["period_start"] = _day(history, start)
        line["period_end"] = _day(history, end)
    return line


def _invoice(
    history: History, customer: str, currency: str, lines: list[dict[str, object]], day: int
) -> None:
    invoice = history.identify("inv")
    for number, line in enumerate(lines):
        line |= {"invoice_line_id": f"{invoice}_{number}", "invoice_id": invoice}
        history.add("invoice_lines", **line)
    total = sum(line["amount_minor"] - line["discount_minor"] + line["tax_minor"] for line in lines)
    status = history.chance.choice(("paid",) * 16 + ("open", "void", "uncollectible", "draft"))
    paid_after = 60 if history.maybe(0.1) else 3  # one in ten is paid late
    history.add(
        "invoices",
        invoice_id=invoice,
        customer_id=customer,
        status=status,
        currency_code=currency,
        issued_at=_day(history, day),
        paid_at=_instant(history, day, day + paid_after) if status in ("paid", "void") else "",
        total_minor=total if history.maybe(0.8) else "",
    )
    if total > 3 and history.maybe(0.3):
        add_payments(history, invoice, total, day)
    if history.maybe(0.3):
        add_money_back(history, invoice, lines, total, day)


def _instant(history: History, low_days: float, high_days: float) -> str:
    """A random instant some days after the start; one in eight at midnight, as others are."""
    seconds = history.chance.randrange(int(low_days * 86400), int(high_days * 86400) + 1)
    moment = history.start + timedelta(seconds=seconds)
    return f"{moment:%Y-%m-%d}" if history.maybe(1 / 8) else f"{moment.isoformat()}Z"


def _day(history: History, days: int) -> str:
    """A local day so many days after the start, as a bare date."""
    return f"{history.start + timedelta(days=days):%Y-%m-%d}"
