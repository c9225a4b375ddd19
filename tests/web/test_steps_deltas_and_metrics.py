"""Steps of charts, words for changes, and the file of metrics: pure parts of the pages."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.deltas import delta, shown
from dashboards.filters import Span
from dashboards.metrics import metric, metrics, read_metrics
from dashboards.payable import payable_of
from dashboards.steps import beside, steps_of
from payouts.payee_state import Payee
from payouts.terms import PayoutRules

GOOD = {"id": "m", "label": "M", "definition": "D", "table": "t", "unit": "money", "better": "up"}
SPACE = "\N{NARROW NO-BREAK SPACE}"
days = st.dates(date(2000, 1, 1), date(2100, 1, 1))


@given(days, st.integers(0, 3000))
def test_steps_cover_the_span_without_gap(start, length):
    span = Span(start, start + timedelta(days=length))
    steps = steps_of(span)
    assert (steps.starts[0], steps.ends[-1]) == (span.start, span.end)
    for end, following in zip(steps.ends, steps.starts[1:], strict=False):
        assert following == end + timedelta(days=1)
    assert all(first <= last for first, last in zip(steps.starts, steps.ends, strict=True))
    assert len(steps.labels) == len(set(steps.labels)) <= 101
    assert steps.partial in (0, 1)


@pytest.mark.parametrize(
    ("start", "end", "unit", "places", "partial"),
    [
        (date(2026, 2, 28), date(2026, 2, 28), "day", 1, 0),
        (date(2026, 1, 1), date(2026, 1, 31), "day", 31, 0),
        (date(2026, 1, 1), date(2026, 2, 1), "week", 5, 1),
        (date(2026, 1, 1), date(2026, 2, 4), "week", 5, 0),
        (date(2025, 3, 1), date(2026, 2, 28), "month", 12, 0),
        (date(2025, 3, 1), date(2026, 2, 27), "month", 12, 1),
        (date(2025, 3, 15), date(2026, 2, 28), "month", 12, 0),
    ],
)
def test_unit_and_cut_follow_the_length(start, end, unit, places, partial):
    steps = steps_of(Span(start, end))
    assert (steps.unit, len(steps.starts), steps.partial) == (unit, places, partial)


def test_month_that_begins_late_says_so():
    assert steps_of(Span(date(2025, 3, 15), date(2026, 2, 28))).labels[:2] == [
        "2025-03 from 15",
        "2025-04",
    ]


def test_values_compared_with_stand_at_the_same_places():
    assert beside([1, 2, 3], 2) == [1, 2]
    assert beside([1], 3) == [1, None, None]


@pytest.mark.parametrize(
    ("metric_id", "now", "before", "text", "tone"),
    [
        ("revenue", 150, 100, "+50.0 % against 1.00 USD", "good"),
        ("revenue", 50, 100, "−50.0 % against 1.00 USD", "bad"),
        ("taken_back", 150, 100, "+50.0 % against 1.00 USD", "bad"),
        ("taken_back", 50, 100, "−50.0 % against 1.00 USD", "good"),
        ("net", 50, -100, "+150.0 % against −1.00 USD", "neutral"),
        ("revenue", 5, 0, "nothing before", "good"),
        ("taken_back", 5, 0, "nothing before", "bad"),
        ("revenue", 100, 100, "as before: 1.00 USD", "neutral"),
        ("new_customers", 5, 2, "+3 against 2", "good"),
        ("days_to_deal", 5, 2, "+3 against 2 days", "bad"),
        ("clawback_rate", (1, 4), (1, 2), "−25.0 points against 50.0 %", "good"),
        ("clawback_rate", (2, 4), (1, 2), "as before: 50.0 %", "neutral"),
        ("clawback_rate", (1, 4), (0, 0), "", "neutral"),
        ("lead_to_deal", (0, 0), (1, 2), "", "neutral"),
        ("new_customers", 5, None, "", "neutral"),
    ],
)
def test_change_is_told_and_a_cost_is_bad_news(metric_id, now, before, text, tone):
    change = delta(metric(metric_id), now, before, "USD")
    assert (change.text.replace(SPACE, " "), change.tone) == (text, tone)


def test_values_are_shown_in_their_unit():
    assert shown(metric("days_to_deal"), 1) == "1 day"
    assert shown(metric("net"), 123456, "JPY").replace(SPACE, " ") == "123 456 JPY"
    assert shown(metric("clawback_rate"), (0, 0)) == shown(metric("net"), None) == ""


def test_metrics_are_each_defined_once_and_whole():
    assert len(metrics()) > 15
    assert len({each.label for each in metrics().values()}) == len(metrics())
    for each in metrics().values():
        assert each.definition.endswith("."), each.metric_id


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([GOOD, GOOD], "m twice"),
        ([{**GOOD, "unit": "euros"}], "unit euros"),
        ([{**GOOD, "better": "sideways"}], "not sideways"),
        ([{**GOOD, "label": " "}], "label is empty"),
        ([{**GOOD, "extra": 1}], "metric 1: give exactly"),
        ([{"id": "m"}], "metric 1: give exactly"),
        (["m"], "metric 1: give exactly"),
    ],
)
def test_metric_that_cannot_be_one_is_refused(records, message):
    with pytest.raises(ValueError, match=message):
        read_metrics(records)


def test_unknown_metric_is_named():
    with pytest.raises(KeyError, match="'nix'"):
        metric("nix")


def row(partner_id, available, balance, status="active", currency="USD", **more):
    return {
        "partner_id": partner_id, "name": partner_id, "status": status, "is_pilot": False,
        "currency_code": currency, "available_amount_minor": available,
        "balance_amount_minor": balance, **more,
    }  # fmt: skip


def payee(partner_id, **changes):
    known = {"terms_accepted": True, "payee_verified": True, "tax_form": True, "screening": True}
    return Payee(partner_id, **{**known, **changes})


def test_payable_now_asks_minimum_and_every_gate():
    rules = PayoutRules("Acme", "0" * 64, minimums_minor={"USD": 5000})
    payees = {
        name: payee(name, **changes)
        for name, changes in (
            ("enough", {}), ("below", {}), ("paused", {}), ("two", {}),
            ("unverified", {"payee_verified": False}),
            ("no_form", {"tax_form": False}),
            ("cooling", {"cooling_off_until": date(2026, 3, 2)}),
            ("cooled", {"cooling_off_until": date(2026, 3, 1)}),
        )
    }  # fmt: skip
    found = payable_of(
        [
            row("enough", 5000, 9000),
            row("below", 4999, 4999),
            row("paused", 9000, 9000, status="paused"),
            row("two", 8000, 8000),
            row("two", 300, 300, currency="EUR"),
            row("unverified", 6000, 6000),
            row("no_form", 0, 100),
            row("cooling", 7000, 7000),
            row("cooled", 5001, 5001),
            row("stranger", 6000, 6000),
            row("owes", 0, -5),
        ],
        payees,
        rules,
        date(2026, 3, 1),
    )
    # 5,000 + 8,000 + 5,001; no minimum is set in EUR.
    assert found.amounts_minor == {"USD": 18_001, "EUR": 300}
    assert found.partners == {"USD": 3, "EUR": 1}
    assert found.without_details == 1
    # Who is unknown has not accepted the terms either.
    assert found.shut_out == {"tax_form": 1, "cooling_off": 1, "terms_accepted": 1}


def test_rail_that_names_accounts_needs_details():
    rules = PayoutRules("Acme", "0" * 64, rails={"USD": "nacha", "default": "csv"})
    found = payable_of([row("p", 100, 100)], {"p": payee("p")}, rules, date(2026, 3, 1))
    assert (found.amounts_minor, found.without_details) == ({}, 1)
    known = {"p": payee("p", details_id="d", rail="nacha")}
    found = payable_of([row("p", 100, 100)], known, rules, date(2026, 3, 1))
    assert (found.amounts_minor, found.without_details) == ({"USD": 100}, 0)
