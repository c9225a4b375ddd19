"""Tables of rates, limits, bonuses and referrals: counts and minor units, spans of bands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest

from program.load import Workspace
from program.tables import terms_tables

COMPONENT = "          - id: recurring\n            kind: recurring\n            rate: 0.20\n"
RICH = """\
          - id: r
            kind: recurring
            rate: 0.20
            duration: {months: 12}
            tiers: {metric: revenue, period: quarter, mode: forward,
                    bands: [{from: 0, rate: 0.2}, {from: 1000.50, rate: 0.25}]}
            caps: {per_invoice: {USD: 9}, per_programme_month: {JPY: 900}}
            first_payment_rate: 0.5
            product_rates: {b: 0.1, a: 0.0}
            conditions: [{country: [NO, DE], rate: 0.1}, {country: [AT], rate: 0}]
            minimum: {USD: 0.01}
            maximum: {USD: 8}
            reactivation: {mode: restart, gap_days: 60}
          - {id: b, kind: bonus, metric: conversions, period: life, threshold: 10.0,
             amount: {USD: 5}}
          - {id: c, kind: bonus, metric: revenue, period: year, threshold: 10.5, amount: {EUR: 5}}
          - {id: p, kind: partner_referral, rate: 0.1, months: 12}
          - {id: plain, kind: recurring, rate: 0.3, products: {include: [x]}}
"""
Table = Callable[[str], list[dict[str, object]]]


@pytest.fixture
def table(load: Callable[..., Workspace], program_with: Callable[..., str]) -> Table:
    """Rows of one table, without plan and version."""
    made = terms_tables(load(program_with(replace=(COMPONENT, RICH))), date(2026, 1, 31), "r")
    return lambda name: [
        {key: value for key, value in row.items() if key not in ("plan_id", "plan_version")}
        for row in made[f"program__{name}"].to_pylist()
    ]


def test_bands_are_minor_units_and_the_last_is_open(table: Table) -> None:
    spans = [
        (row["component_id"], row["band_number"], row["from_value"], row["to_value"], row["rate"])
        for row in table("component_bands")
    ]
    assert spans == [
        ("r", 1, 0, 100050, Decimal("0.200000")),
        ("r", 2, 100050, None, Decimal("0.250000")),
    ]


def test_conditions_have_a_row_per_country_and_products_their_rates(table: Table) -> None:
    assert [
        (row["condition_order"], row["country"], row["rate"])
        for row in table("component_conditions")
    ] == [(1, "DE", Decimal("0.1")), (1, "NO", Decimal("0.1")), (2, "AT", Decimal(0))]
    rates = {row["product_id"]: row["rate"] for row in table("component_product_rates")}
    assert rates == {"a": Decimal(0), "b": Decimal("0.1")}


def test_limits_caps_and_amounts_have_their_roles(table: Table) -> None:
    amounts = {
        (row["component_id"], row["amount_role"], row["currency_code"]): row["amount_minor"]
        for row in table("component_amounts")
    }
    assert amounts == {
        ("r", "minimum", "USD"): 1,
        ("r", "maximum", "USD"): 800,
        ("r", "per_invoice", "USD"): 900,
        ("r", "per_programme_month", "JPY"): 900,
        ("b", "amount", "USD"): 500,
        ("c", "amount", "EUR"): 500,
    }


def test_components_carry_shapes_and_null_where_they_have_none(table: Table) -> None:
    recurring, bonus, of_revenue, referral, plain = table("components")
    assert (recurring["first_payment_rate"], recurring["tier_mode"]) == (Decimal("0.5"), "forward")
    assert (recurring["reactivation_mode"], recurring["reactivation_gap_days"]) == ("restart", 60)
    assert (bonus["bonus_metric"], bonus["bonus_period"]) == ("conversions", "life")
    assert (bonus["bonus_threshold"], of_revenue["bonus_threshold"]) == (10, 1050)
    assert (referral["rate"], referral["referral_months"]) == (Decimal("0.1"), 12)
    assert (plain["tier_metric"], plain["first_payment_rate"]) == (None, None)
    assert plain["reactivation_mode"] == "continue"
    assert (bonus["reactivation_mode"], plain["bonus_metric"]) == (None, None)
