"""Leads whose facts lie on the edges of the rules, where random instants never fall.

Belongs here: facts a microsecond before, at and after the ends of windows, and invoices paid in
crumbs. Does not belong here: any expected value.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.properties.histories import History

MICROSECOND = timedelta(microseconds=1)


def add_edge(history: History) -> None:
    """One person beside the company, with a demo held and one story told about it."""
    email = f"edge.n{history.number}@gmail.com"
    chance = history.chance
    held_at = history.start + timedelta(days=chance.randrange(90, 170), minutes=chance.random())
    meeting = {"booked_at": _text(held_at), "starts_at": _text(held_at), "outcome": "held"}
    history.add("meetings", meeting_id=history.identify("m"), email=email, **meeting)
    story = chance.choice((_ends_of_window, _ends_of_grace, _ends_of_protection, _paid_in_crumbs))
    story(history, email, held_at)


def _ends_of_window(history: History, email: str, held_at: datetime) -> None:
    for _ in range(4):
        days = history.chance.choice((0, 60, 90))
        _touch(history, email, "referral_link", held_at - timedelta(days=days) + _beside(history))


def _ends_of_grace(history: History, email: str, held_at: datetime) -> None:
    """Links around the moment at which codes lose to them, and what competes next."""
    entered_at = held_at - timedelta(days=5)
    _touch(history, email, "promotion_code", entered_at)
    for _ in range(2):
        hours = history.chance.choice((0, 24, 48))
        clicked_at = entered_at - timedelta(hours=hours) + _beside(history)
        _touch(history, email, "referral_link", clicked_at)
    _touch(history, email, "crm_field", held_at - timedelta(days=9))


def _ends_of_protection(history: History, email: str, held_at: datetime) -> None:
    days = history.chance.choice((45, 60))
    first = held_at - timedelta(days=days + history.chance.randrange(1, 10))
    renewed = first + timedelta(days=days) + _beside(history)
    for submitted_at in (first, first + timedelta(days=2), renewed):
        history.add(
            "form_submissions",
            submission_id=history.identify("f"),
            form_id="form",
            submitted_at=_text(submitted_at),
            email=email,
            code=history.code(),
        )


def _paid_in_crumbs(history: History, email: str, held_at: datetime) -> None:
    """Shares so uneven, and payments so small, that a step may be a cent against the others."""
    codes = history.chance.sample(
        ("p_usd-promo", "p_eur-promo", "p_jpy-promo", "p_agency-promo"), 3
    )
    for hour, who in enumerate((0, 1, 0, 1, 0, 1, 2)):
        _touch(history, email, "referral_link", held_at - timedelta(hours=9 - hour), codes[who])
    customer, invoice = history.identify("cus"), history.identify("inv")
    history.add("customers", customer_id=customer, created_at=_text(held_at), email=email)
    paid = [history.chance.randrange(2, 9) for _ in range(8)]
    history.add(
        "invoices",
        invoice_id=invoice,
        customer_id=customer,
        status="open",
        currency_code="USD",
        issued_at=_text(held_at),
        total_minor=sum(paid),
    )
    line = {"invoice_id": invoice, "amount_minor": sum(paid), "product_id": "prod_main"}
    history.add("invoice_lines", invoice_line_id=f"{invoice}_0", **line)
    for day, amount in enumerate(paid):
        paid_at = _text(held_at + timedelta(days=day + 1))
        row = {"invoice_id": invoice, "amount_minor": amount, "paid_at": paid_at}
        history.add("payments", payment_id=history.identify("pay"), **row)
    for part, days in ((3, 6), (2, 12)):
        refund = {"invoice_id": invoice, "amount_minor": sum(paid) // part}
        refunded_at = _text(held_at + timedelta(days=days))
        history.add("refunds", refund_id=history.identify("re"), refunded_at=refunded_at, **refund)


def _touch(history: History, email: str, touch_type: str, at: datetime, code: str = "") -> None:
    history.add(
        "touchpoints",
        touchpoint_id=history.identify("t"),
        occurred_at=_text(at),
        touch_type=touch_type,
        code=code or history.code(),
        email=email,
    )


def _beside(history: History) -> timedelta:
    return history.chance.choice((-1, 0, 1)) * MICROSECOND


def _text(at: datetime) -> str:
    return f"{at.isoformat()}Z"
