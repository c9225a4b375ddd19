"""One programme fed by every kind of source at once, small enough to work out by hand.

20 % of every paid line for 12 months; 50.00 USD or 45.00 EUR once a demo was held. A lead is valid
when a demo is booked, or by its first payment. Partner p1 is paid in USD, p2 in EUR.

Alpha (p1). Alice answers a Typeform with the hidden code ANA on 5 January, books a demo in Calendly
on the 6th for the 8th (nobody marks a no-show: it counts as held), and pays a Stripe invoice on the
10th: 100.00 less 10.00 discount plus 9.00 tax = 99.00 USD. The billing export in the drop folder
holds the same invoice again. On 3 February 33.00 go back.
    bounty                                          50.00 USD
    recurring     20 % of 90.00                     18.00 USD
    refund        18.00 x 33 / 99                   -6.00 USD   (night 2)
Beta (p2). Bob fills a HubSpot form on a page with ?ref=ACME on 7 January; the CRM books his demo on
the 9th, held on the 12th. The company pays 100.00 USD on Saturday 17 January; Friday's reference
rate is 1 EUR = 1.25 USD. The payment is disputed on 10 February and lost on the 20th. In February
HubSpot merges Bob's contact with another.
    bounty                                          45.00 EUR
    recurring     20 % of 100.00 USD = 20.00 USD    16.00 EUR
    chargeback    all of it                        -16.00 EUR   (night 2)
Gamma (p1). Carol pays 50.00 less 5.00 = 45.00 USD on 20 January with the Stripe promotion code
ANA10, whose metadata names p1. On 5 February a credit note returns 11.25 outside of Stripe.
    recurring     20 % of 45.00                      9.00 USD
    credit note   9.00 x 11.25 / 45                 -2.25 USD   (night 2)
Delta (p2). Dana is invited through Google Calendar with the code ACME; in February it is cancelled.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.fakes import calendly_server, google_calendar_server, typeform_server
from tests.fakes.calendly_server import ORGANIZATION, FakeCalendly
from tests.fakes.ecb_server import FakeEcb
from tests.fakes.google_calendar_server import FakeGoogle
from tests.fakes.hubspot_server import FakeHubspot
from tests.fakes.stripe_server import PATHS, FakeStripe
from tests.fakes.typeform_server import FakeTypeform

FIRST_NIGHT = datetime(2026, 2, 1, 3, 0)
SECOND_NIGHT = datetime(2026, 2, 22, 3, 0)
SECRETS = ("STRIPE_API_KEY", "HUBSPOT_SERVICE_KEY", "TYPEFORM_TOKEN", "CALENDLY_TOKEN", "GOOGLE")
PROGRAM = """\
program: {id: every, name: Every, legal_entity: Every Inc, timezone: UTC, reporting_currency: USD}
lead:
  - {effective_from: 2025-01-01, valid_when: demo_booked, own_domains: [acme.example]}
attribution:
  - {effective_from: 2025-01-01, model: last_touch}
plans:
  - id: standard
    versions:
      - effective_from: 2025-01-01
        components:
          - {id: bounty, kind: event, trigger: demo_held, amount: {USD: 50.00, EUR: 45.00}}
          - id: recurring
            kind: recurring
            rate: 0.20
            duration: {months: 12, basis: charge_start}
        hold: {days: 30, after: paid}
groups: {default: standard}
payouts:
  schedule: {frequency: monthly, cutoff: month_end, pay_day: 15, business_day: next}
  rails: {default: csv}
roles: {partnerships: [ana@acme.example], finance: [ben@acme.example], analyst: [], admin: []}
"""
DROP = {
    "partners.csv": (
        "partner_id,name,email,payout_currency,status\n"
        "p1,Ana,ana@partner-one.example,USD,active\n"
        "p2,Acme Reviews,hello@partner-two.example,EUR,active\n"
    ),
    "partner_codes.csv": (
        "code,partner_id,code_type\nANA,p1,referral_link\nACME,p2,referral_link\n"
    ),
    "invoices.csv": (
        "invoice_id,customer_id,status,currency_code,issued_at,paid_at,total_minor,external_number\n"
        "export-1,cus_A,paid,USD,2026-01-10T11:59:00Z,2026-01-10T12:00:00Z,9900,A-0001\n"
    ),
    "invoice_lines.csv": (
        "invoice_line_id,invoice_id,amount_minor,discount_minor,tax_minor\n"
        "export-1-1,export-1,10000,1000,900\n"
    ),
}


def unix(text: str) -> int:
    """Unix seconds of an ISO instant in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@dataclass
class World:
    """Every vendor's server, and a workspace that names them."""

    stripe: FakeStripe
    hubspot: FakeHubspot
    typeform: FakeTypeform
    calendly: FakeCalendly
    google: FakeGoogle
    ecb: FakeEcb
    workspace: Path
    home: Path

    def february(self) -> None:
        """What happens after the first night."""
        stripe = self.stripe
        self._at("2026-02-03T10:00")
        charge = next(each for each in stripe.objects[PATHS["charge"]] if each["id"] == "ch_A")
        refund = {"id": "re_A", "object": "refund", "charge": "ch_A", "amount": 3300}
        stripe.put({**refund, "status": "succeeded", "payment_intent": "pi_A"}, "refund.created")
        stripe.put({**charge, "amount_refunded": 3300}, "charge.refunded")
        self._at("2026-02-05T10:00")
        note = {"id": "cn_C", "object": "credit_note", "invoice": "in_C", "type": "post_payment"}
        amounts = {"amount": 1125, "pre_payment_amount": 0, "post_payment_amount": 1125}
        parts = {"out_of_band_amount": 1125, "refunds": [], "status": "issued"}
        stripe.put({**note, **amounts, **parts}, "credit_note.created")
        self._at("2026-02-10T10:00")
        dispute = {"id": "dp_B", "object": "dispute", "charge": "ch_B", "amount": 10000}
        opened = stripe.put({**dispute, "status": "needs_response"}, "charge.dispute.created")
        self._at("2026-02-20T10:00")
        stripe.put({**opened, "status": "lost"}, "charge.dispute.closed")
        stripe.clock = unix(SECOND_NIGHT.isoformat())

        merged_at = datetime(2026, 2, 5, 10, 0)
        self.hubspot.put("contacts", "202", merged_at, email="robert@beta.example")
        self.hubspot.merge("contacts", ["201", "202"], "203", merged_at)
        self.hubspot.put("contacts", "203", merged_at, email="bob@beta.example")
        self.hubspot.relate("meetings", "401", "contacts", ["203"])
        self.hubspot.relate("deals", "301", "contacts", ["203"])
        self.google.calendars["demos@acme.example"].append(google_calendar_server.cancelled("g1"))

    def _at(self, text: str) -> None:
        self.stripe.clock = unix(text)


def start(stack: ExitStack, root: Path) -> World:
    """Start every server as January left it, and write the workspace."""
    world = World(
        stripe=stack.enter_context(FakeStripe(objects={path: [] for path in PATHS.values()})),
        hubspot=stack.enter_context(FakeHubspot()),
        typeform=stack.enter_context(FakeTypeform()),
        calendly=stack.enter_context(FakeCalendly()),
        google=stack.enter_context(FakeGoogle()),
        ecb=stack.enter_context(FakeEcb()),
        workspace=root / "workspace",
        home=root / "var",
    )
    world.stripe.objects["/v1/events"] = []
    _fill_stripe(world.stripe)
    _fill_hubspot(world.hubspot)
    answer = typeform_server.response(1, "2026-01-05T09:00:00Z", partner_code="ANA")
    answer["answers"][0]["email"] = "alice@alpha.example"
    world.typeform.forms["form"] = [answer]
    demo = calendly_server.event("E1", "2026-01-08", created_at="2026-01-06T09:00:00.000000Z")
    booked = {"created_at": "2026-01-06T09:00:00.000000Z", "email": "alice@alpha.example"}
    no_code: dict[str, Any] = {"tracking": {}, "questions_and_answers": []}
    world.calendly.events = [demo]
    world.calendly.invitees = {
        demo["uri"]: [calendly_server.invitee(demo, "I1", **booked, **no_code)]
    }
    guest = {"email": "dana@delta.example", "responseStatus": "accepted"}
    made = {"created": "2026-01-19T08:00:00.000Z", "updated": "2026-01-19T08:00:00.000Z"}
    world.google.calendars["demos@acme.example"] = [
        google_calendar_server.event("g1", "2026-02-15", attendees=[guest], **made)
    ]
    world.ecb.days = {
        "2026-01-15": {"USD": "1.3", "JPY": "180.1"},
        "2026-01-16": {"USD": "1.25", "JPY": "N/A"},
        "2026-01-19": {"USD": "1.1", "JPY": "179.9"},
    }
    _write_workspace(world)
    return world


def _fill_stripe(stripe: FakeStripe) -> None:
    def paid(
        name: str, at: str, amount: int, discount: int, tax: int, email: str, **more: Any
    ) -> None:
        """A customer with one paid invoice of one line, in the shape of 2025-11-17."""
        total = amount - discount + tax
        stripe.clock = unix(at)
        customer = {"id": f"cus_{name}", "object": "customer", "email": email, "metadata": {}}
        stripe.put(customer)
        line = {
            "id": f"il_{name}",
            "amount": amount,
            "currency": "usd",
            "discount_amounts": [{"amount": discount}] if discount else [],
            "taxes": [{"amount": tax, "tax_behavior": "exclusive"}] if tax else [],
            "period": {"start": stripe.clock, "end": stripe.clock + 30 * 86_400},
            "pricing": {"price_details": {"product": "prod_main", "price": "price_main"}},
            "parent": {"subscription_item_details": {"proration": False}},
            "quantity": 1,
        }
        stripe.put(
            {
                "id": f"in_{name}",
                "object": "invoice",
                "customer": f"cus_{name}",
                "status": "paid",
                "currency": "usd",
                "total": total,
                "number": f"{name}-0001",
                "status_transitions": {
                    "finalized_at": stripe.clock - 60,
                    "paid_at": stripe.clock,
                },
                "parent": {"subscription_details": {"subscription": f"sub_{name}"}},
                "lines": {"object": "list", "data": [line], "has_more": False},
                "discounts": [],
                **more,
            }
        )
        charge = {"id": f"ch_{name}", "object": "charge", "payment_intent": f"pi_{name}"}
        stripe.put({**charge, "amount": total, "amount_captured": total, "status": "succeeded"})
        stripe.put(
            {
                "id": f"inpay_{name}",
                "object": "invoice_payment",
                "invoice": f"in_{name}",
                "amount_paid": total,
                "status": "paid",
                "payment": {"type": "payment_intent", "payment_intent": f"pi_{name}"},
                "status_transitions": {"paid_at": stripe.clock},
            }
        )
        started = {"status": "active", "start_date": stripe.clock, "items": {"data": []}}
        subscription = {"id": f"sub_{name}", "object": "subscription", "customer": f"cus_{name}"}
        stripe.put({**subscription, **started})

    stripe.clock = unix("2025-12-01")
    stripe.put({"id": "prod_main", "object": "product", "name": "Team", "metadata": {}})
    recurring = {"type": "recurring", "recurring": {"usage_type": "licensed"}}
    stripe.put({"id": "price_main", "object": "price", "product": "prod_main", **recurring})
    stripe.put({"id": "K10", "object": "coupon", "metadata": {}})
    promotion = {"id": "promo_1", "object": "promotion_code", "code": "ANA10"}
    coupon = {"type": "coupon", "coupon": "K10"}
    stripe.put({**promotion, "metadata": {"partner_id": "p1"}, "promotion": coupon})
    discount = {"id": "di_1", "promotion_code": "promo_1", "source": coupon}
    paid("A", "2026-01-10T12:00", 10000, 1000, 900, "alice@alpha.example")
    paid("B", "2026-01-17T12:00", 10000, 0, 0, "billing@beta.example")
    paid("C", "2026-01-20T12:00", 5000, 500, 0, "carol@gmail.com", discounts=[discount])
    stripe.clock = unix(FIRST_NIGHT.isoformat())


def _fill_hubspot(hubspot: FakeHubspot) -> None:
    hubspot.add_pipeline("default", ("qualifiedtobuy", False, "0.4"), ("closedwon", True, "1.0"))
    made = datetime(2026, 1, 8, 10, 0)
    hubspot.put(
        "contacts", "201", made, email="bob@beta.example", createdate="2026-01-08T10:00:00Z"
    )
    hubspot.put(
        "deals",
        "301",
        datetime(2026, 1, 13, 10, 0),
        dealstage="closedwon",
        amount="1200.00",
        deal_currency_code="USD",
        createdate="2026-01-10T10:00:00Z",
        closedate="2026-01-13T10:00:00Z",
        hs_is_closed="true",
        hs_is_closed_won="true",
    )
    hubspot.put(
        "meetings",
        "401",
        datetime(2026, 1, 12, 12, 0),
        hs_createdate="2026-01-09T09:00:00Z",
        hs_meeting_start_time="2026-01-12T10:00:00Z",
        hs_meeting_end_time="2026-01-12T11:00:00Z",
        hs_meeting_outcome="COMPLETED",
    )
    hubspot.relate("meetings", "401", "contacts", ["201"])
    hubspot.relate("deals", "301", "contacts", ["201"])
    hubspot.submit("guid", "conv-1", datetime(2026, 1, 7, 9, 0), email="bob@beta.example")


def _write_workspace(world: World) -> None:
    sources = f"""\
sources:
  billing: {{kind: stripe, base_url: "{world.stripe.base_url}"}}
  drop: {{kind: files, path: drop}}
  crm: {{kind: hubspot, base_url: "{world.hubspot.base_url}", forms: [guid]}}
  forms: {{kind: typeform, base_url: "{world.typeform.base_url}", forms: [form]}}
  demos: {{kind: calendly, base_url: "{world.calendly.base_url}", organization: "{ORGANIZATION}"}}
  calendar:
    kind: google_calendar
    base_url: "{world.google.api_url}"
    token_env: GOOGLE
    calendars: [demos@acme.example]
  rates: {{kind: ecb, base_url: "{world.ecb.base_url}"}}
"""
    world.workspace.mkdir(parents=True)
    (world.workspace / "program.yml").write_text(PROGRAM, encoding="utf-8")
    (world.workspace / "sources.yml").write_text(sources, encoding="utf-8")
    (world.workspace / "drop").mkdir()
    for name, text in DROP.items():
        (world.workspace / "drop" / name).write_text(text, encoding="utf-8")
