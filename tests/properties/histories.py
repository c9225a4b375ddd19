"""Random but joined histories for comparing the warehouse with the oracle.

A history is one company's story: touches, submissions, CRM, meetings, subscriptions, invoices in
parts, refunds, disputes, credit notes. Many independent histories share one warehouse build, so a
comparison covers hundreds of cases for the price of one. Does not belong here: any expected value.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from tests.oracle.facts import Facts
from tests.properties.edges import add_edge

PARTNERS = ("p_usd", "p_eur", "p_jpy", "p_agency", "p_current")
CURRENCIES = ("USD", "EUR", "JPY", "BHD")
SHARED_MAILBOX = "office@pays-for-many.test"
START = datetime(2025, 1, 10)


class History:
    """Builds the rows of one company; ids carry its number, so histories never touch."""

    def __init__(self, facts: Facts, number: int, chance: random.Random) -> None:
        self.facts = facts
        self.number = number
        self.chance = chance
        self.counter = 0
        # Free mail joins by person only, a business domain by account.
        self.domain = f"firm{number}.test" if chance.random() < 0.7 else "gmail.com"
        self.start = START + timedelta(days=chance.randrange(200), minutes=chance.randrange(1440))

    def identify(self, kind: str) -> str:
        """A new id such as `inv_17_3`."""
        self.counter += 1
        return f"{kind}_{self.number}_{self.counter}"

    def maybe(self, probability: float) -> bool:
        return self.chance.random() < probability

    def at(self, low_days: float, high_days: float) -> str:
        """An instant some days after the start; the form of the text varies."""
        moment = self.start + timedelta(
            seconds=self.chance.randrange(int(low_days * 86400), int(high_days * 86400) + 1)
        )
        form = self.chance.randrange(4)
        if form == 0:
            return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        if form == 1:
            return moment.strftime("%Y-%m-%dT%H:%M:%S+02:00")
        if form == 2:
            return moment.strftime("%Y-%m-%d %H:%M:%S")
        return moment.strftime("%Y-%m-%d")

    def add(self, entity: str, **row: object) -> None:
        self.facts.setdefault(entity, []).append(
            {name: str(value) for name, value in row.items() if value not in ("", None)}
        )

    def email(self) -> str:
        person = self.chance.choice(("joe", "ann"))
        if self.domain == "gmail.com":
            person = f"{person}.n{self.number}"
        plus = "+x" if self.maybe(0.2) else ""
        return f"{person}{plus}@{self.domain}"

    def code(self) -> str:
        partner = self.chance.choice(PARTNERS)
        kind = self.chance.choice(("link", "promo"))
        return f"{partner}-{kind}".upper() if self.maybe(0.5) else f"{partner}-{kind}"


def build(seed: int, histories: int, first: int = 0, *, many_touches: bool = False) -> Facts:
    """Facts of `histories` independent companies, in an order that tells nothing.

    first: the number of the first; one seed with another `first` tells the same under other ids.
    many_touches: more touches per lead, leads on the edges of the rules, and a device and a mailbox
    that too many share (F3).
    """
    chance = random.Random(seed)
    facts: Facts = {}
    _directory(facts)
    for number in range(first, first + histories):
        history = History(facts, number, chance)
        _touches(history)
        if many_touches:
            _more_touches(history)
        _crm(history)
        for _ in range(chance.choice((1, 1, 1, 2))):
            _customer(history)
        if many_touches:
            _share_what_joins_nobody(history)
            add_edge(history)
    return facts


def _directory(facts: Facts) -> None:
    currencies = {"p_eur": "EUR", "p_jpy": "JPY", "p_current": ""}
    for partner in PARTNERS:
        row = {
            "partner_id": partner,
            "name": partner,
            "email": f"me@{partner.replace('_', '-')}.test",
            "company_domain": f"{partner.replace('_', '-')}.test",
            "status": "active",
            "group": {"p_agency": "agency", "p_current": "current"}.get(partner, ""),
            "payout_currency": currencies.get(partner, "USD"),
        }
        facts.setdefault("partners", []).append({k: v for k, v in row.items() if v})
        for kind, code_type in (("link", "referral_link"), ("promo", "promotion_code")):
            facts.setdefault("partner_codes", []).append(
                {"code": f"{partner}-{kind}", "partner_id": partner, "code_type": code_type}
            )
    facts["partner_codes"][0]["valid_to"] = "2025-09-01"
    facts["products"] = [
        {"product_id": "prod_main", "name": "main", "kind": "recurring"},
        {"product_id": "prod_setup", "name": "setup", "kind": "setup"},
        {"product_id": "prod_ship", "name": "ship", "kind": "shipping"},
        {"product_id": "prod_use", "name": "use", "kind": "usage"},
    ]
    rates = {"USD": "1.0823", "JPY": "163.45", "BHD": "0.40781"}
    day = datetime(2025, 1, 1)
    while day < datetime(2026, 12, 31):
        # A gap longer than a week in one currency: what is earned then waits.
        for number, (currency, rate) in enumerate(rates.items()):
            in_gap = currency == "BHD" and datetime(2025, 8, 1) <= day < datetime(2025, 9, 1)
            if day.weekday() < 5 and not in_gap:
                facts.setdefault("fx_rates", []).append(
                    {
                        "rate_date": day.strftime("%Y-%m-%d"),
                        "currency_code": currency,
                        "rate": f"{float(rate) + (day.day + number) / 1000:.4f}",
                    }
                )
        day += timedelta(days=1)


def _touches(history: History) -> None:
    for _ in range(history.chance.randrange(4)):
        history.add(
            "touchpoints",
            touchpoint_id=history.identify("t"),
            occurred_at=history.at(0, 130),
            touch_type=history.chance.choice(("referral_link", "promotion_code", "crm_field")),
            code=history.code(),
            email=history.email(),
        )
    for _ in range(history.chance.choice((0, 1, 1, 2, 3))):
        own = history.maybe(0.05)
        history.add(
            "form_submissions",
            submission_id=history.identify("f"),
            form_id="form",
            submitted_at=history.at(0, 140),
            email="me@p-usd.test" if own else history.email(),
            code=history.code(),
        )
    for _ in range(history.chance.choice((0, 0, 1, 2))):
        status = history.chance.choice(("approved", "approved", "pending", "declined", "withdrawn"))
        history.add(
            "deal_registrations",
            registration_id=history.identify("r"),
            partner_id=history.chance.choice(PARTNERS),
            submitted_at=history.at(0, 140),
            status=status,
            expires_at=history.at(20, 200) if history.maybe(0.5) else "",
            email=history.email() if history.maybe(0.9) else "",
            company_domain=history.domain if history.maybe(0.3) else "",
        )


def _more_touches(history: History) -> None:
    """Touches of one type: partners in runs, some at one instant, some whole weeks apart."""
    touch_type = history.chance.choice(("referral_link", "promotion_code", "crm_field"))
    moment = history.start + timedelta(hours=history.chance.randrange(24 * 40))
    code = history.code()
    for _ in range(history.chance.randrange(2, 10)):
        step = history.chance.choice(("same instant", "weeks", "weeks", "any", "any", "any"))
        if step == "weeks":
            moment += timedelta(days=7 * history.chance.choice((-1, 1, 2)))
        elif step == "any":
            moment += timedelta(microseconds=history.chance.randrange(10**12))
        if history.maybe(0.6):
            code = history.code()
        history.add(
            "touchpoints",
            touchpoint_id=history.identify("t"),
            occurred_at=f"{moment.isoformat()}Z",
            touch_type=touch_type,
            code=code,
            email=history.email(),
        )


def _share_what_joins_nobody(history: History) -> None:
    """A device in a shop window, and an office that pays for many customers."""
    if history.maybe(0.2):
        history.add(
            "touchpoints",
            touchpoint_id=history.identify("t"),
            occurred_at=history.at(0, 100),
            touch_type="referral_link",
            code=history.code(),
            email=history.email(),
            anonymous_id="shop-window",
        )
    if history.maybe(0.1):
        history.facts["customers"][-1]["email"] = SHARED_MAILBOX


def _crm(history: History) -> None:
    contact = history.identify("c")
    history.add(
        "contacts",
        contact_id=contact,
        email=history.email(),
        created_at=history.at(0, 60),
        code=history.code() if history.maybe(0.2) else "",
    )
    for _ in range(history.chance.choice((0, 1, 1, 2))):
        history.add(
            "meetings",
            meeting_id=history.identify("m"),
            booked_at=history.at(5, 120),
            starts_at=history.at(10, 150),
            outcome=history.chance.choice(("held", "held", "scheduled", "no_show", "canceled")),
            contact_id=contact if history.maybe(0.7) else "",
            email=history.email() if history.maybe(0.5) else "",
        )
    if history.maybe(0.5):
        outcome = history.chance.choice(("won", "lost", "open"))
        history.add(
            "deals",
            deal_id=history.identify("d"),
            stage=history.chance.choice(("new", "qualified", "proposal")),
            created_at=history.at(0, 120),
            contact_id=contact,
            amount_minor=history.chance.randrange(1, 900000) if history.maybe(0.9) else "",
            currency_code=history.chance.choice(("USD", "EUR")) if history.maybe(0.9) else "",
            closed_at=history.at(100, 180) if history.maybe(0.8) else "",
            is_won="true" if outcome == "won" else "false",
            is_lost="true" if outcome == "lost" else "false",
            code=history.code() if history.maybe(0.2) else "",
        )
    if history.maybe(0.3):
        history.add(
            "product_events",
            event_id=history.identify("e"),
            name="signup",
            occurred_at=history.at(0, 120),
            email=history.email(),
            code=history.code() if history.maybe(0.3) else "",
        )


def _customer(history: History) -> None:
    customer = history.identify("cus")
    history.add(
        "customers",
        customer_id=customer,
        created_at=history.at(30, 150),
        email=history.email(),
        code=history.code() if history.maybe(0.1) else "",
    )
    first = history.chance.randrange(40, 160)
    subscription = history.identify("sub")
    history.add(
        "subscriptions",
        subscription_id=subscription,
        customer_id=customer,
        status="active",
        started_at=history.at(first, first + 2),
        ended_at=history.at(first + 3, first + 160) if history.maybe(0.4) else "",
    )
    currency = history.chance.choice(CURRENCIES)
    for month in range(history.chance.choice((0, 1, 2, 4, 14))):
        _invoice(history, customer, currency, first + 30 * month)


def _invoice(history: History, customer: str, currency: str, day: int) -> None:
    invoice = history.identify("inv")
    lines = []
    for number in range(history.chance.choice((1, 1, 2, 3))):
        amount = history.chance.randrange(1, 300000)
        is_negative = number > 0 and history.maybe(0.3)
        line = {
            "invoice_line_id": f"{invoice}_{number}",
            "invoice_id": invoice,
            "amount_minor": -amount // 3 if is_negative else amount,
            "is_proration": "true" if is_negative and history.maybe(0.5) else "",
            "discount_minor": amount // 10 if not is_negative and history.maybe(0.3) else "",
            "tax_minor": 0 if is_negative else amount // 5,
            "product_id": history.chance.choice(
                ("prod_main", "prod_main", "prod_setup", "prod_ship", "prod_use", "")
            ),
        }
        if history.maybe(0.8):
            line["period_start"] = history.at(day, day + 1)
            line["period_end"] = history.at(day + 20, day + 400)
        lines.append(line)
    total = sum(
        int(line["amount_minor"]) - int(line["discount_minor"] or 0) + int(line["tax_minor"])
        for line in lines
    )
    status = history.chance.choice(("paid",) * 8 + ("open", "void", "uncollectible", "draft"))
    has_rows = history.maybe(0.4)
    history.add(
        "invoices",
        invoice_id=invoice,
        customer_id=customer,
        status=status,
        currency_code=currency,
        issued_at=history.at(day, day + 1),
        paid_at=history.at(day + 2, day + 9) if status == "paid" and history.maybe(0.95) else "",
        total_minor=total if history.maybe(0.8) else "",
        code=history.code() if history.maybe(0.03) else "",
    )
    for line in lines:
        history.add("invoice_lines", **line)
    if has_rows and total > 3:
        add_payments(history, invoice, total, day)
    add_money_back(history, invoice, lines, total, day)


def add_payments(history: History, invoice: str, total: int, day: int) -> None:
    """Payments of parts, which may not add up to the total."""
    left = total
    for _ in range(history.chance.choice((1, 2, 3))):
        part = history.chance.choice((left, max(left // 2, 1), max(left // 3, 1)))
        history.add(
            "payments",
            payment_id=history.identify("pay"),
            invoice_id=invoice,
            amount_minor=part,
            paid_at=history.at(day + 2, day + 60),
        )
        left -= part
        if left <= 0:
            return


def add_money_back(history: History, invoice: str, lines: list[dict], total: int, day: int) -> None:
    """Refunds of invoices and of lines, a dispute, a credit note: as many as chance has it."""
    total = max(total, 2)
    for _ in range(history.chance.choice((0, 0, 0, 1, 2, 3))):
        names_line = history.maybe(0.3)
        history.add(
            "refunds",
            refund_id=history.identify("re"),
            invoice_id=invoice,
            amount_minor=history.chance.choice((total, max(total // 3, 1), max(total // 7, 1))),
            refunded_at=history.at(day + 3, day + 200),
            status=history.chance.choice(("succeeded", "succeeded", "", "pending", "failed")),
            invoice_line_id=history.chance.choice(lines)["invoice_line_id"] if names_line else "",
        )
    if history.maybe(0.1):
        status = history.chance.choice(("open", "won", "lost"))
        history.add(
            "disputes",
            dispute_id=history.identify("dp"),
            invoice_id=invoice,
            amount_minor=history.chance.choice((total, max(total // 2, 1))),
            opened_at=history.at(day + 10, day + 60),
            status=status,
            closed_at=history.at(day + 61, day + 400) if status != "open" else "",
        )
    if history.maybe(0.15):
        history.add(
            "credit_notes",
            credit_note_id=history.identify("cn"),
            invoice_id=invoice,
            amount_minor=max(total // 5, 1),
            issued_at=history.at(day, day + 40),
            kind=history.chance.choice(("", "pre_payment", "post_payment")),
            to_balance="true" if history.maybe(0.2) else "",
            voided_at=history.at(day + 41, day + 50) if history.maybe(0.1) else "",
        )
