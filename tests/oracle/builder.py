"""Small worlds for the oracle's tests: rows by keyword, and a programme to start from.

Belongs here: conveniences that make a test readable. Does not belong here: any rule.
"""

from copy import deepcopy
from datetime import date
from decimal import Decimal
from typing import Any

from .desired import DesiredLine
from .engine import Result, compute
from .facts import Row
from .rulings import Ruling

PARTNER_A, PARTNER_B = "p_a", "p_b"


def recurring(**changes: Any) -> dict[str, Any]:
    """A recurring component: 20 % for 12 months from the first charge."""
    return {
        "id": "recurring",
        "kind": "recurring",
        "rate": Decimal("0.20"),
        "duration": {"months": 12, "basis": "charge_start"},
    } | changes


def bounty(trigger: str = "demo_held", **changes: Any) -> dict[str, Any]:
    """An event component: 50.00 USD or 45.00 EUR."""
    amount = {"USD": Decimal("50.00"), "EUR": Decimal("45.00")}
    return {"id": "bounty", "kind": "event", "trigger": trigger, "amount": amount} | changes


def version(*components: dict[str, Any], since: str = "2020-01-01", **changes: Any) -> dict:
    """A plan version holding 30 days after payment, refunds proportional, no churn rule."""
    return {
        "effective_from": since,
        "components": list(components) or [recurring()],
        "hold": {"days": 30, "after": "paid"},
    } | changes


def programme(
    *versions: dict[str, Any],
    timezone: str = "UTC",
    lead: dict[str, Any] | None = None,
    attribution: dict[str, Any] | None = None,
    **changes: Any,
) -> dict[str, Any]:
    """A programme reporting in USD with one plan, `standard`, for everybody."""
    return {
        "program": {"id": "t", "timezone": timezone, "reporting_currency": "USD"},
        "lead": [{"effective_from": "2020-01-01"} | (lead or {})],
        "attribution": [{"effective_from": "2020-01-01"} | (attribution or {})],
        "plans": [{"id": "standard", "versions": list(versions) or [version()]}],
        "groups": {"default": "standard"},
    } | changes


class World:
    """Facts under construction; partners A and B have a link and a promotion code each."""

    def __init__(self, **program: Any) -> None:
        self.facts: dict[str, list[Row]] = {}
        self.rulings: list[Ruling] = []
        self.payees: dict[str, str] = {}
        self.program = programme(*program.pop("versions", ()), **program)
        for partner_id, name in ((PARTNER_A, "ana"), (PARTNER_B, "bob")):
            self.partner(partner_id, name)

    def partner(self, partner_id: str, name: str) -> "World":
        """A partner with a link `<name>-link` and a promotion code `<name>10`."""
        self.add("partners", partner_id=partner_id, name=name, email=f"{name}@partner.test")
        link = {"code": f"{name}-link", "code_type": "referral_link"}
        promotion = {"code": f"{name}10", "code_type": "promotion_code"}
        self.add("partner_codes", partner_id=partner_id, **link)
        return self.add("partner_codes", partner_id=partner_id, **promotion)

    def add(self, entity: str, **row: object) -> "World":
        """One row; True and False become text."""
        texts = {
            column: str(value).lower() if isinstance(value, bool) else str(value)
            for column, value in row.items()
        }
        self.facts.setdefault(entity, []).append(texts)
        return self

    def click(self, touch_id: str, at: str, partner_id: str = PARTNER_A, **row: object) -> "World":
        """A referral link clicked by ann@acme.test unless the row says otherwise."""
        known = {"touch_type": "referral_link", "email": "ann@acme.test"} | row
        return self.add(
            "touchpoints", touchpoint_id=touch_id, occurred_at=at, partner_id=partner_id, **known
        )

    def form(self, form_id: str, at: str, code: str = "ana-link", **row: object) -> "World":
        """A form filled by ann@acme.test with a partner's code."""
        known = {"email": "ann@acme.test"} | row
        return self.add(
            "form_submissions",
            submission_id=form_id,
            form_id="demo",
            submitted_at=at,
            code=code,
            **known,
        )

    def registration(self, key: str, at: str, partner_id: str, **row: object) -> "World":
        """A deal registration for acme.test, approved unless the row says otherwise."""
        known = {"status": "approved", "company_domain": "acme.test"} | row
        return self.add(
            "deal_registrations",
            registration_id=key,
            submitted_at=at,
            partner_id=partner_id,
            **known,
        )

    def entry(self, key: str, at: str, partner_id: str, **row: object) -> "World":
        """A lead entered by a partner or staff: ann@acme.test unless the row says otherwise."""
        known = {"email": "ann@acme.test"} | row
        return self.add(
            "lead_entries", entry_id=key, submitted_at=at, partner_id=partner_id, **known
        )

    def rule(self, record: str, **credits_ppm: int) -> "World":
        """An approved ruling on the lead that holds a record; without credits: for nobody."""
        self.rulings.append(Ruling(record, credits_ppm))
        return self

    def booked(self, meeting_id: str, at: str, outcome: str = "scheduled", **row: object):
        """A demo booked by ann@acme.test, starting when booked unless the row says otherwise."""
        known = {"starts_at": at, "email": "ann@acme.test"} | row
        return self.add("meetings", meeting_id=meeting_id, booked_at=at, outcome=outcome, **known)

    def customer(self, customer_id: str = "cus_1", **row: object) -> "World":
        """A customer whose e-mail is ann@acme.test."""
        known = {"created_at": "2020-01-01", "email": "ann@acme.test"} | row
        return self.add("customers", customer_id=customer_id, **known)

    def invoice(self, invoice_id: str, at: str, *lines: dict[str, object], **row: object):
        """An invoice of cus_1, issued and started at `at`; lines are named `<invoice>-1`, ..."""
        known = {"customer_id": "cus_1", "status": "paid", "currency_code": "USD"} | row
        self.add("invoices", invoice_id=invoice_id, issued_at=at, **known)
        for number, line in enumerate(lines, start=1):
            named = {"invoice_line_id": f"{invoice_id}-{number}", "invoice_id": invoice_id}
            self.add("invoice_lines", **(named | line))
        return self

    def pay(self, payment_id: str, invoice_id: str, at: str, amount_minor: int) -> "World":
        """A customer payment."""
        return self.add(
            "payments",
            payment_id=payment_id,
            invoice_id=invoice_id,
            paid_at=at,
            amount_minor=amount_minor,
        )

    def refund(self, refund_id: str, invoice_id: str, at: str, amount_minor: int, **row: object):
        """Money back on an invoice, or on one of its lines."""
        return self.add(
            "refunds",
            refund_id=refund_id,
            invoice_id=invoice_id,
            refunded_at=at,
            amount_minor=amount_minor,
            **row,
        )

    def sale(self, amount_minor: int, paid_at: str = "2026-01-20", **row: object) -> "World":
        """Ann clicks A's link on 5 Jan 2026 and pays one invoice, `i1`, without tax."""
        self.click("t1", "2026-01-05").customer()
        return self.invoice("i1", paid_at, {"amount_minor": amount_minor}, paid_at=paid_at, **row)

    def buyer(self, name: str, clicked_at: str, partner_id: str = PARTNER_A, **row: object):
        """A customer `cus_<name>`, a lead of its own, after a click."""
        email = f"{name}@{name}.test"
        self.click(f"t_{name}", clicked_at, partner_id, email=email)
        return self.customer(f"cus_{name}", email=email, **row)

    def bill(self, invoice_id: str, name: str, paid_at: str, *amounts_minor: int, **row: object):
        """An invoice of `cus_<name>` with a line per amount, paid in full unless told otherwise."""
        lines = [{"amount_minor": amount, "is_proration": amount < 0} for amount in amounts_minor]
        known = {"customer_id": f"cus_{name}", "paid_at": paid_at} | row
        return self.invoice(invoice_id, paid_at, *lines, **known)

    def night(self, as_of: str = "2026-12-31", after: Result | None = None) -> Result:
        """What the oracle says on the evening of that day, after an earlier night if given."""
        return compute(
            deepcopy(self.facts),
            self.program,
            date.fromisoformat(as_of),
            rulings=tuple(self.rulings),
            payees=dict(self.payees),
            pins=after.pins if after else (),
            posted=after.posted if after else None,
        )


def amounts(result: Result, kind: str = "earning") -> dict[str, int]:
    """source_id (and `source_id<cause_id` where there is a cause) -> amount of lines of a kind."""
    return {
        row.source_id + (f"<{row.cause_id}" if row.cause_id else ""): row.amount_minor
        for row in result.lines
        if row.kind == kind
    }


def only(result: Result, kind: str = "earning") -> DesiredLine:
    """The single line of a kind."""
    (line,) = [row for row in result.lines if row.kind == kind]
    return line


def verdict(result: Result, record: str, source: str = "drop") -> str:
    """The verdict on `form_submissions:f1` or `deal_registrations:r1`."""
    return result.submissions[f"{source}:{record}"][1]
