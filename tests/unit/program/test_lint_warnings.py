"""What is valid and still may not be meant: reported with the line, and never an error."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from program import json_schema
from program.load import Workspace, load_workspace

Load = Callable[..., Workspace]
ProgramWith = Callable[..., str]

COMPONENT = "          - id: recurring\n            kind: recurring\n            rate: 0.20\n"
HOLD = "        hold: {days: 30, after: paid}\n"
COMPONENTS = "plans[0].versions[0].components"
EVENT = "          - {id: e, kind: event, trigger: signup, amount: {USD: 5}}\n"
TIERS = "tiers: {{metric: customers, period: month, bands: [{0}]}}"


def _warnings(load: Load, program: str, sources: str | None = None) -> list[str]:
    given = {} if sources is None else {"sources": sources}
    return [str(problem) for problem in load(program, **given).warnings]


def _only(lines: list[str], line: int, setting: str, expected: str) -> None:
    assert len(lines) == 1, lines
    assert lines[0].startswith(f"program.yml:{line}: {setting}: "), lines
    assert expected in lines[0], lines


def test_the_sample_programme_has_nothing_to_warn_of() -> None:
    assert load_workspace(Path(json_schema.__file__).parent).warnings == ()


@pytest.mark.parametrize(
    ("settings", "line", "setting", "expected"),
    [
        (
            [TIERS.format("{from: 0, rate: 0.20}")],
            15, ".tiers", "have one band only: nothing depends on them; write it as rate",
        ),
        (
            [TIERS.format("{from: 0, rate: 0.1}, {from: 5, rate: 0.2}")],
            14, ".rate", "0.20 is never used: the tiers give every line its rate; write 0.1",
        ),
        (["product_rates:", "  a: 0.3", "  b: 0.2"], 17, ".product_rates.b", "changes nothing"),
        (["conditions: [{country: [DE], rate: 0.20}]"], 15, ".conditions[0]", "changes nothing"),
        (["first_payment_rate: 0.2"], 15, ".first_payment_rate", "changes nothing"),
        (["duration: {basis: service_period}"], 15, ".duration.basis", "no window of months"),
        (
            ["duration: {months: 0, basis: service_period}"],
            15, ".duration.basis", "changes nothing",
        ),
        (
            ["reactivation: {gap_days: 60}"],
            15, ".reactivation.gap_days", "changes nothing with mode continue",
        ),
        (
            ["caps:", "  per_invoice: {USD: 50}", "  per_customer: {USD: 50}"],
            16, ".caps.per_invoice.USD", "is not below per_customer",
        ),
        (
            ["caps:", "  per_programme_month: {USD: 50}", "  per_partner_month: {USD: 51}"],
            17, ".caps.per_partner_month.USD", "is not below per_programme_month",
        ),
    ],
)  # fmt: skip
def test_setting_of_a_recurring_component_that_may_not_be_meant(
    load: Load,
    program_with: ProgramWith,
    settings: list[str],
    line: int,
    setting: str,
    expected: str,
) -> None:
    added = "".join(f"            {text}\n" for text in settings)
    text = program_with(replace=(COMPONENT, COMPONENT + added + HOLD))
    _only(_warnings(load, text), line, f"{COMPONENTS}[0]{setting}", expected)


@pytest.mark.parametrize(
    "settings",
    [
        [TIERS.format("{from: 0, rate: 0.20}, {from: 5, rate: 0.3}"), "product_rates: {a: 0.2}"],
        ["product_rates: {a: 0.3}", "conditions: [{country: [DE], rate: 0.2}]"],
        ["conditions: [{country: [DE], rate: 0.1}]", "first_payment_rate: 0.2"],
        ["duration: {months: 12, basis: service_period}"],
        ["caps: {per_invoice: {USD: 5, EUR: 50}, per_customer: {USD: 50, EUR: 60, JPY: 1}}"],
    ],
)
def test_setting_of_a_recurring_component_that_does_something(
    load: Load, program_with: ProgramWith, settings: list[str]
) -> None:
    added = "".join(f"            {text}\n" for text in settings)
    assert _warnings(load, program_with(replace=(COMPONENT, COMPONENT + added + HOLD))) == []


@pytest.mark.parametrize(
    "setting", ["first_payment_rate: 0.1", "product_rates: {a: 0.1}", "minimum: {USD: 1}",
                "conditions: [{country: [DE], rate: 0.1}]"],
)  # fmt: skip
def test_rate_of_0_is_warned_of_unless_something_else_earns(
    load: Load, program_with: ProgramWith, setting: str
) -> None:
    none = COMPONENT.replace("0.20", "0")
    lines = _warnings(load, program_with(replace=(COMPONENT, none + HOLD)))
    _only(lines, 14, f"{COMPONENTS}[0].rate", "is 0, so that nothing is earned")
    text = program_with(replace=(COMPONENT, f"{none}            {setting}\n{HOLD}"))
    assert _warnings(load, text) == []


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("", "products: {include: [a, b]}", "pays for a, b, as component one does"),
        ("products: {exclude: [a]}", "duration: {months: 3}", "pays for all products but a, as"),
        ("duration: {months: 3}", "duration: {months: 4}", "pays for all products, as"),
        ("products: {include: [a, b]}", "products: {include: [b, c]}", "pays for b, as"),
        (
            "", "first_payment_rate: 0.2",
            "pays in addition to component one for the same lines: both are paid; if that is not",
        ),
        (
            "products: {include: [a, b]}", "products: {include: [b, a], exclude: [c]}",
            "pays in addition to component one for the same lines",
        ),
    ],
)  # fmt: skip
def test_recurring_components_that_overlap_are_reported(
    load: Load, program_with: ProgramWith, first: str, second: str, expected: str
) -> None:
    components = "".join(
        f"          - {{id: {name}, kind: recurring, rate: 0.1, {setting}}}\n"
        for name, setting in (("one", first), ("two", second))
    ).replace(", }", "}")
    lines = _warnings(load, program_with(replace=(COMPONENT, components + HOLD)))
    _only(lines, 13, f"{COMPONENTS}[1]", expected)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (
            "amount: {EUR: 5, USD: 5, JPY: 5}", "amount: {USD: 6, GBP: 6, EUR: 6}",
            "pays in addition to component one for the same event, in EUR, USD: both are paid; if",
        ),
        (
            "rate: 0.1", "rate: 0.05",
            "pays in addition to component one for the same event, a share of the deal each",
        ),
        ("amount: {USD: 5}", "amount: {EUR: 5}", ""),
        ("amount: {USD: 5}", "rate: 0.1", ""),
    ],
)  # fmt: skip
def test_event_components_that_pay_the_same_event_are_reported(
    load: Load, program_with: ProgramWith, first: str, second: str, expected: str
) -> None:
    """Used versions have such pairs, and both were paid: they may not stop a night (T1)."""
    components = "".join(
        f"          - {{id: {name}, kind: event, trigger: {trigger}, {setting}}}\n"
        for name, trigger, setting in (
            ("one", "deal_won", first),
            ("other", "demo_held", first),
            ("two", "deal_won", second),
        )
    )
    lines = _warnings(load, program_with(replace=(COMPONENT, components + HOLD)))
    if expected:
        _only(lines, 14, f"{COMPONENTS}[2]", expected)
    else:
        assert lines == []


def test_recurring_components_of_different_products_do_not_overlap(
    load: Load, program_with: ProgramWith
) -> None:
    components = (
        "          - {id: one, kind: recurring, rate: 0.1, products: {exclude: [a]}}\n"
        "          - {id: two, kind: recurring, rate: 0.2, products: {include: [a]}}\n"
    )
    assert _warnings(load, program_with(replace=(COMPONENT, components + HOLD))) == []


@pytest.mark.parametrize(
    ("version", "line", "setting", "expected"),
    [
        ("", 10, "hold", "this version has no hold: 30 days after the payment count; write it"),
        (
            "        hold:\n          days: 0\n",
            14, "hold.days", "earnings are paid before the usual refunds",
        ),
        (
            HOLD + "        clawback:\n          max_age_days: 14\n",
            15, "clawback.max_age_days", "is less than the hold of 30 days",
        ),
        (
            HOLD + "        clawback:\n          max_age_days: 60\n          churn:\n"
            "            window_days: 61\n",
            17, "clawback.churn.window_days", "nothing is taken back later than 60 days",
        ),
        (
            HOLD + "        clawback:\n          churn:\n            window_days: 90\n"
            "            mode: table\n            table:\n"
            "              - {under_days: 30, share: 1.0}\n"
            "              - {under_days: 60, share: 0.5}\n",
            20, "clawback.churn.table[1].under_days", "leaves a gap: from day 60 to window_days 90",
        ),
        (
            HOLD + "        clawback:\n          churn:\n            window_days: 60\n"
            "            mode: table\n            table:\n"
            "              - {under_days: 30, share: 0.5}\n"
            "              - {under_days: 60, share: 1.0}\n",
            20, "clawback.churn.table[1].share", "who leaves later gives back more",
        ),
    ],
)  # fmt: skip
def test_hold_or_take_back_that_may_not_be_meant(
    load: Load, program_with: ProgramWith, version: str, line: int, setting: str, expected: str
) -> None:
    text = program_with(replace=(COMPONENT, EVENT + version))
    _only(_warnings(load, text), line, f"plans[0].versions[0].{setting}", expected)


def test_churn_without_event_components_is_reported(load: Load, program_with: ProgramWith) -> None:
    text = program_with(
        replace=(COMPONENT, f"{COMPONENT}{HOLD}        clawback: {{churn: {{window_days: 9}}}}\n")
    )
    _only(
        _warnings(load, text), 16, "plans[0].versions[0].clawback.churn", "has no event components"
    )


@pytest.mark.parametrize(
    "component",
    [
        "{id: e, kind: event, trigger: signup, amount: {USD: 5, EUR: 5}}",
        "{id: e, kind: bonus, metric: customers, period: life, threshold: 1, amount: {USD: 5}}",
    ],
)
def test_amount_that_lacks_a_currency_of_payouts_is_reported(
    load: Load, program_with: ProgramWith, component: str
) -> None:
    payouts = "payouts: {minimum: {USD: 1, JPY: 100}, rails: {EUR: csv, default: csv}}\n"
    text = program_with(payouts, replace=(COMPONENT, f"          - {component}\n{HOLD}"))
    lines = _warnings(load, text)
    _only(
        lines,
        12,
        f"{COMPONENTS}[0].amount",
        "JPY, which payouts names: partners who are paid in it would earn nothing",
    )


def test_event_amount_of_0_is_reported(load: Load, program_with: ProgramWith) -> None:
    text = program_with(replace=(COMPONENT, EVENT.replace("USD: 5", "USD: 0") + HOLD))
    _only(_warnings(load, text), 12, f"{COMPONENTS}[0].amount.USD", "is 0, so that nothing is")


def test_plan_that_nobody_has_is_reported(load: Load, program_with: ProgramWith) -> None:
    hold = "hold: {days: 30}"
    plan = f"  - {{id: old, versions: [{{effective_from: 2025-01-01, components: [], {hold}}}]}}\n"
    text = program_with(replace=(COMPONENT, COMPONENT + HOLD)).replace(
        "groups:\n", plan + "groups:\n"
    )
    _only(_warnings(load, text), 16, "plans[1]", "plan old has no group and no override")
    override = "overrides: [{partner_id: p, plan: old, effective_from: 2025-06-01}]\n"
    assert _warnings(load, text + override) == []


def test_days_on_which_partners_have_no_plan_are_reported(
    load: Load, program_with: ProgramWith
) -> None:
    text = program_with(
        "lead: [{effective_from: 2024-07-01}]\n", replace=(COMPONENT, COMPONENT + HOLD)
    )
    lines = _warnings(load, text)
    _only(lines, 17, "groups.default", "have no plan from 2024-07-01 to 2025-01-01 (exclusive)")
    assert _warnings(load, text.replace("2024-07-01", "2025-01-01")) == []


def test_days_without_attribution_terms_are_reported(load: Load, program_with: ProgramWith) -> None:
    text = program_with(
        "lead: [{effective_from: 2025-01-01}]\nattribution: [{effective_from: 2025-02-01}]\n",
        replace=(COMPONENT, COMPONENT + HOLD),
    )
    _only(_warnings(load, text), 19, "attribution", "leads of these days are nobody's")


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        ("billing: {kind: stripe}", "no source brings exchange rates, and the terms name EUR, USD"),
        ("rates: {kind: ecb}", ""),
        ("drop: {kind: files}", ""),
    ],
)
def test_currency_without_a_rate_source_is_reported(
    load: Load, program_with: ProgramWith, sources: str, expected: str
) -> None:
    text = program_with("payouts: {minimum: {EUR: 50}}\n", replace=(COMPONENT, COMPONENT + HOLD))
    lines = _warnings(load, text, f"sources:\n  {sources}\n")
    assert [line.partition("; ")[0] for line in lines] == (
        [f"sources.yml:1: sources: {expected}: what a partner of another currency earns would wait"]
        if expected
        else []
    )


def test_currency_that_the_central_bank_does_not_publish_is_reported(
    load: Load, program_with: ProgramWith
) -> None:
    event = EVENT.replace("USD: 5", "USD: 5, EUR: 5, BHD: 2")
    text = program_with(replace=(COMPONENT, event + HOLD))
    (line,) = _warnings(load, text, "sources:\n  rates: {kind: ecb}\n")
    assert "publishes no rate of BHD; add a files source" in line
