"""The words of a plan: each setting has its sentence, each example its numbers."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
import yaml

from orchestration.docs_plan import span_text, version_lines, version_spans
from program.schema_plans import Plan, PlanVersion


class _ExactLoader(yaml.SafeLoader):
    """Decimals as written."""


_ExactLoader.add_constructor(
    "tag:yaml.org,2002:float", lambda loader, node: Decimal(loader.construct_scalar(node))
)


def _version(settings: str) -> PlanVersion:
    read: dict[str, Any] = yaml.load(settings, _ExactLoader)  # noqa: S506 a SafeLoader
    return PlanVersion.model_validate({"effective_from": "2025-01-01", "components": [], **read})


def _lines(settings: str, payout_currency: str | None = None) -> list[str]:
    return list(version_lines(_version(settings), "USD", payout_currency))


def _component(settings: str, payout_currency: str | None = None) -> list[str]:
    """What one component says, without its first indentation."""
    lines = _lines(f"components: [{{{settings}}}]", payout_currency)
    return [line.strip().removeprefix("- ") for line in lines]


RECURRING = "id: r, kind: recurring, rate: 0.2"


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        ("{months: null}", "20 % of each paid invoice line, without tax, for as long as the"),
        ("{months: 0}", "of the customer's first payment only"),
        ("{months: 1}", "for everything that starts in the first 1 month from the start of"),
        ("{months: 12, basis: service_period}", "for the days of service that lie in the first 12"),
    ],
)
def test_duration_is_said(duration: str, expected: str) -> None:
    assert expected in _component(f"{RECURRING}, duration: {duration}")[0]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("base: {discounts: ignore}", "Discounts do not lower what you earn (C2)."),
        ("base: {usage: exclude, credits: exclude}", "Not counted: usage, credits, shipping (C2)."),
        ("products: {include: [b, a]}", "Only products a, b (C2)."),
        ("products: {exclude: [a]}", "Without products a (C2)."),
        (
            "first_payment_rate: 0.5, product_rates: {x: 0.3, z: 0}, "
            "conditions: [{country: [DE, AT], rate: 0.25}]",
            "The first that fits is the rate of a line: 50 % for the customer's first payment; "
            "25 % for customers in AT or DE; 30 % for product x; 0 % for product z; else 20 % "
            "(C7).",
        ),
        (
            "product_rates: {x: 0.3}, tiers: {metric: customers, period: year, "
            "bands: [{from: 0, rate: 0.2}, {from: 3, rate: 0.25}]}",
            "The first that fits is the rate of a line: 30 % for product x; else by tier (C7).",
        ),
        (
            "minimum: {USD: 1}, maximum: {USD: 10, EUR: 9}",
            "At least 1.00 USD and at most 10.00 USD or 9.00 EUR for each invoice line, before it "
            "is shared or capped (C7).",
        ),
        ("maximum: {JPY: 900}", "At most 900 JPY for each invoice line, before it is shared or "
         "capped (C7)."),
        (
            "caps: {per_programme_month: {USD: 9}, per_invoice: {USD: 1, EUR: 2}, "
            "per_customer: {USD: 3}, per_partner_month: {USD: 4}}",
            "At most 1.00 USD or 2.00 EUR for one invoice; 3.00 USD for one customer; 4.00 USD for "
            "one partner in a calendar month; 9.00 USD for all partners together in a calendar "
            "month. What lies above is cut, and shown as cut (C6).",
        ),
        (
            "duration: {months: 12}, reactivation: {mode: restart, gap_days: 60}",
            "If the customer comes back after 60 days or more without paid service, the 12 months "
            "begin anew (C4).",
        ),
        (
            "duration: {months: 0}, reactivation: {mode: restart, gap_days: 60}",
            "If the customer comes back after 60 days or more without paid service, the first "
            "payment after it counts again (C4).",
        ),
        (
            "reactivation: {mode: stop, gap_days: 60}",
            "If the customer comes back after 60 days or more without paid service, nothing more "
            "is earned (C4).",
        ),
        ("duration: {months: 3}", "A pause of the customer does not stop the months (C4)."),
    ],
)  # fmt: skip
def test_setting_of_a_recurring_component_is_said(settings: str, expected: str) -> None:
    assert expected in _component(f"{RECURRING}, {settings}")


def _tiers(metric: str, mode: str, bands: str, period: str = "month") -> list[str]:
    tiers = f"{{metric: {metric}, period: {period}, mode: {mode}, bands: {bands}}}"
    lines = _component(f"{RECURRING}, tiers: {tiers}")
    start = next(number for number, line in enumerate(lines) if line.startswith("Tier"))
    end = next(number for number, line in enumerate(lines) if line.startswith("Payable"))
    return lines[start:end]


TWO = "[{from: 0, rate: 0.2}, {from: 2, rate: 0.25}]"
THOUSAND = "[{from: 0, rate: 0.2}, {from: 1000, rate: 0.25}]"


@pytest.mark.parametrize(
    ("metric", "mode", "expected"),
    [
        # Decision 0037: the further payment of the first customer has its place, the end of the
        # month, or what came before it.
        ("customers", "marginal", "20.00 USD each for numbers 1 to 2, 25.00 USD for number 3 and "
         "20.00 USD for the last payment, together 85.00 USD."),
        ("customers", "whole", "25.00 USD for each of these payments, together 100.00 USD."),
        ("customers", "forward", "20.00 USD each for numbers 1 to 2, 25.00 USD for number 3 and "
         "25.00 USD for the last payment, together 90.00 USD."),
        ("conversions", "marginal", "20.00 USD each for numbers 1 to 2, 25.00 USD for number 3 and "
         "20.00 USD for the last payment, together 85.00 USD."),
        # A lead is valid before it pays, so the second has reached two by itself.
        ("conversions", "forward", "20.00 USD for number 1, 25.00 USD each for numbers 2 to 3 and "
         "25.00 USD for the last payment, together 95.00 USD."),
    ],
)  # fmt: skip
def test_example_of_a_tier_by_count(metric: str, mode: str, expected: str) -> None:
    example = _tiers(metric, mode, TWO)[-1]
    assert example.startswith("Example, in one month: 3 ")
    assert example.endswith(f"100.00 USD more. You earn {expected}")


@pytest.mark.parametrize(
    ("mode", "bands", "expected"),
    [
        ("marginal", THOUSAND, "160.00 USD, 90.00 USD and 100.00 USD (the second counts 200.00 USD "
         "at 20 % and 200.00 USD at 25 %)."),
        ("whole", THOUSAND, "200.00 USD, 100.00 USD and 100.00 USD."),
        ("forward", THOUSAND, "160.00 USD, 80.00 USD and 100.00 USD."),
        ("marginal", "[{from: 0, rate: 0}, {from: 1000, rate: 0.1}, {from: 1300, rate: 0.2}]",
         "0.00 USD, 20.00 USD and 70.00 USD (the second counts 200.00 USD at 0 % and 200.00 USD at "
         "10 %; the third counts 100.00 USD at 10 % and 300.00 USD at 20 %)."),
    ],
)  # fmt: skip
def test_example_of_a_tier_by_revenue(mode: str, bands: str, expected: str) -> None:
    example = _tiers("revenue", mode, bands, "quarter")[-1]
    assert example == (
        "Example, in one quarter: your customers pay 800.00 USD, 400.00 USD and 400.00 USD. "
        f"You earn {expected}"
    )


def test_tiers_say_bands_mode_and_places() -> None:
    assert _tiers("customers", "marginal", "[{from: 0, rate: 0.2}, {from: 10, rate: 0.25}]")[
        :3
    ] == [
        "Tier, by the number of new customers that you bring in a calendar month: 20 % below 10, "
        "25 % from 10 on (C5).",
        "Each customer has the rate of its place: number 10 still 20 %, number 11 25 % (C5).",
        "A customer of an earlier period has the rate that is reached when it pays (C5).",
    ]
    assert _tiers("revenue", "whole", THOUSAND, "life")[:2] == [
        "Tier, by the amount of the lines that earn here, without tax, in all: 20 % below "
        "1000.00 USD, 25 % from 1000.00 USD on (C5).",
        "The tier that is reached counts for the whole period: earlier payments get the difference "
        "(C5).",
    ]
    assert "place" not in " ".join(_tiers("conversions", "forward", TWO, "year"))


def test_rates_of_tiers_stand_in_the_first_sentence() -> None:
    text = _component(f"{RECURRING}, tiers: {{metric: customers, period: life, bands: {TWO}}}")[0]
    assert text.startswith("**r**: 20 % to 25 % of each paid invoice line")


@pytest.mark.parametrize(
    ("settings", "currency", "expected"),
    [
        (
            "id: e, kind: event, trigger: demo_held, amount: {USD: 50, EUR: 45}", None,
            "**e**: 50.00 USD or 45.00 EUR, once per lead when a demo was held and the lead is "
            "valid (C1).",
        ),
        (
            "id: e, kind: event, trigger: signup, amount: {USD: 50, EUR: 45}", "EUR",
            "**e**: 45.00 EUR, once per lead when somebody signs up and the lead is valid (C1).",
        ),
        (
            "id: e, kind: event, trigger: signup, amount: {USD: 50}", "JPY",
            "**e**: an amount that is not set for JPY yet, once per lead when somebody signs up "
            "and the lead is valid (C1).",
        ),
        (
            "id: e, kind: event, trigger: deal_won, rate: 0.05", "JPY",
            "**e**: 5 % of the first won deal, once per lead when a deal is won and the lead is "
            "valid (C1).",
        ),
        (
            "id: e, kind: event, trigger: demo_booked, rate: 0.0525", None,
            "**e**: 5.25 % of the first won deal, once per lead when a demo is booked and the lead "
            "is valid (C1), and not before the deal is won.",
        ),
        (
            "id: b, kind: bonus, metric: customers, period: month, threshold: 10, "
            "amount: {USD: 500}", "USD",
            "**b**: 500.00 USD, once in a calendar month when 10 customers of yours have paid for "
            "the first time in it. The terms of that day count, and it is never taken back "
            "(C1, C7).",
        ),
        (
            "id: b, kind: bonus, metric: conversions, period: life, threshold: 1, "
            "amount: {USD: 500}", None,
            "**b**: 500.00 USD, once, when 1 lead of yours has become valid. The terms of that day "
            "count, and it is never taken back (C1, C7).",
        ),
        (
            "id: b, kind: bonus, metric: revenue, period: quarter, threshold: 10000.50, "
            "amount: {USD: 500}", None,
            "**b**: 500.00 USD, once in a calendar quarter when your customers have paid "
            "10000.50 USD or more, after discounts and without tax in it. The terms of that day "
            "count, and it is never taken back (C1, C7).",
        ),
        (
            "id: p, kind: partner_referral, rate: 0.1, months: 12", None,
            "**p**: 10 % of what partners that you referred earn, without their bonuses, in the "
            "first 12 months from the day on which they joined. What is taken back from them takes "
            "back the same share here (C7).",
        ),
    ],
)  # fmt: skip
def test_component_of_another_kind_is_said(
    settings: str, currency: str | None, expected: str
) -> None:
    assert _component(settings, currency)[0] == expected


EVENT = "{id: e, kind: event, trigger: signup, amount: {USD: 5}}"


@pytest.mark.parametrize(
    ("components", "hold", "expected"),
    [
        ("{id: r, kind: recurring, rate: 0.1}", "{days: 30}", "30 days after the payment"),
        (EVENT, "{days: 1, after: event}", "1 day after the event"),
        (f"{{id: r, kind: recurring, rate: 0.1}}, {EVENT}", "{days: 3}", "3 days after the payment "
         "or event"),
        (EVENT, "{days: 3, after: month_end}", "3 days after the end of the month of the event"),
        ("{id: r, kind: recurring, rate: 0.1}", "{days: 0}", "from the payment on"),
    ],
)  # fmt: skip
def test_hold_is_said(components: str, hold: str, expected: str) -> None:
    assert f"- Payable {expected} (P1)." in _lines(f"{{components: [{components}], hold: {hold}}}")


@pytest.mark.parametrize(
    ("clawback", "expected"),
    [
        ("{refund: {mode: none}}", "Refunds take nothing back (R1)."),
        ("{refund: {mode: proportional}}", "a full refund leaves exactly nothing (R1, M4)."),
        ("{chargeback: {on_open: reverse}}", "A chargeback takes back what was earned at once;"),
        ("{chargeback: {on_open: none, on_lost: none}}", "What was earned stays payable; lost, it "
         "stays; won, it is released (R2)."),
        ("{churn: {window_days: 90, mode: full}}", "e is taken back in full (R5)."),
        ("{churn: {window_days: 90, mode: prorated}}", "Example: access ends on day 30, so 60 of "
         "90 days are missing; of 100.00 USD 66.67 USD is taken back."),
        (
            "{churn: {window_days: 90, mode: table, table: [{under_days: 30, share: 1.0}, "
            "{under_days: 60, share: 0.5}]}}",
            "e is taken back: 100 % under 30 days, 50 % under 60 days, later nothing (R5).",
        ),
        ("{max_age_days: 365}", "Nothing is taken back later than 365 days after it was earned"),
    ],
)  # fmt: skip
def test_take_back_is_said(clawback: str, expected: str) -> None:
    assert expected in "\n".join(_lines(f"{{components: [{EVENT}], clawback: {clawback}}}"))


def test_churn_is_left_out_where_no_event_could_be_taken_back() -> None:
    version = (
        "{components: [{id: r, kind: recurring, rate: 0.1}], clawback: {churn: {window_days: 9}}}"
    )
    assert "access ends" not in "\n".join(_lines(version))


def test_version_without_components_earns_nothing() -> None:
    assert _lines("{components: []}")[0] == "- Nothing is earned."


def test_versions_have_their_days_in_order_of_time() -> None:
    plan = Plan.model_validate(
        {
            "id": "p",
            "versions": [
                {"effective_from": "2026-01-01", "components": []},
                {"effective_from": "2025-01-01", "components": []},
            ],
        }
    )
    texts = [span_text(start, end) for _, start, end in version_spans(plan)]
    assert texts == ["from 2025-01-01 to 2025-12-31", "from 2026-01-01"]
    assert version_spans(plan)[0][2] == date(2026, 1, 1)
