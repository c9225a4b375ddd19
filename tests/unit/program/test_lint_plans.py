"""Rules across the components of a version (T3), each with the line of the file."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Problems = Callable[..., list[str]]
ProgramWith = Callable[..., str]

COMPONENT = "          - id: recurring\n            kind: recurring\n            rate: 0.20\n"
START = "plans[0].versions[0].components"
BONUS = "{{id: {0}, kind: bonus, metric: {1}, period: {2}, threshold: {3}, amount: {{{4}: 500}}}}"
REFERRAL = "{{id: {0}, kind: partner_referral, rate: {1}, months: 12}}"


def _components(*components: str) -> tuple[str, str]:
    """A version of these components; the first stands on line 12, each on one line."""
    return COMPONENT, "".join(f"          - {component}\n" for component in components)


@pytest.mark.parametrize(
    ("components", "line", "path", "expected"),
    [
        (
            [BONUS.format("b", "customers", "month", 2.5, "USD")],
            12, "[0].threshold", "2.5 is no whole number; customers are counted",
        ),
        (
            [BONUS.format("b", "revenue", "year", 0.001, "USD")],
            12, "[0].threshold", "USD has at most 2 decimals; revenue is summed up in",
        ),
        (
            [BONUS.format("b", "revenue", "year", 0, "USD")],
            12, "[0].threshold", "is 0, which nobody has to reach; write 1 or more",
        ),
        (
            ["{id: b, kind: bonus, metric: customers, period: life, threshold: 1,\n"
             "             amount: {EUR: 5, USD: 0}}"],
            13, "[0].amount.USD", "is 0, so that nothing would be earned",
        ),
        (
            ["{id: b, kind: bonus, metric: customers, period: life, threshold: 1,\n"
             "             amount: {JPY: 0.5}}"],
            13, "[0].amount.JPY", "JPY has no decimals",
        ),
        (
            [BONUS.format("b", "customers", "month", 10, "USD"),
             BONUS.format("c", "customers", "month", 10, "USD")],
            13, "[1]", "pays for the same as component b above: both would be paid; keep one",
        ),
        ([REFERRAL.format("r", 0)], 12, "[0].rate", "is 0, so that nothing would be earned"),
        (
            [REFERRAL.format("r", 0.1), REFERRAL.format("s", 0.2)],
            13, "[1]", "pays for the same as component r above",
        ),
    ],
)  # fmt: skip
def test_components_that_tie_or_earn_nothing_are_refused_on_their_line(
    problems: Problems,
    program_with: ProgramWith,
    components: list[str],
    line: int,
    path: str,
    expected: str,
) -> None:
    lines = problems(program_with(replace=_components(*components)))
    assert len(lines) == 1, lines
    assert lines[0].startswith(f"program.yml:{line}: {START}{path}: "), lines
    assert expected in lines[0]
    assert "; " in lines[0], "says what to do"


@pytest.mark.parametrize(
    "components",
    [
        [BONUS.format("b", "customers", "month", 10, "USD"),
         BONUS.format("c", "customers", "month", 20, "USD"),
         BONUS.format("d", "customers", "month", 10, "EUR"),
         BONUS.format("e", "customers", "year", 10, "USD"),
         BONUS.format("f", "conversions", "month", 10, "USD")],
        ["{id: a, kind: event, trigger: signup, amount: {USD: 5}}",
         "{id: b, kind: event, trigger: signup, amount: {EUR: 5}}",
         "{id: c, kind: event, trigger: deal_won, amount: {USD: 5}}",
         "{id: d, kind: event, trigger: deal_won, rate: 0.1}"],
        # An earlier release paid both of these: warned of, never refused.
        ["{id: a, kind: event, trigger: signup, amount: {USD: 5}}",
         "{id: b, kind: event, trigger: signup, amount: {USD: 2}}"],
        ["{id: a, kind: recurring, rate: 0.1}", "{id: b, kind: recurring, rate: 0.05}"],
        ["{id: a, kind: recurring, rate: 0.1, products: {include: [x]}}",
         "{id: b, kind: recurring, rate: 0.1, products: {include: [y]}}"],
        ["{id: a, kind: recurring, rate: 0.15, duration: {months: 12}}",
         "{id: b, kind: recurring, rate: 0.05}"],
        ["{id: a, kind: recurring, rate: 0.1}",
         "{id: b, kind: recurring, rate: 0.1, caps: {per_customer: {USD: 100}}}"],
    ],
)  # fmt: skip
def test_components_that_pay_for_different_things_are_accepted(
    problems: Problems, program_with: ProgramWith, components: list[str]
) -> None:
    assert problems(program_with(replace=_components(*components))) == []


def test_override_back_to_an_earlier_plan_is_accepted(
    problems: Problems, program_with: ProgramWith
) -> None:
    vip = "  - {id: vip, versions: [{effective_from: 2025-01-01, components: []}]}\ngroups:\n"
    overrides = (
        "overrides:\n"
        "  - {partner_id: p, plan: standard, effective_from: 2025-06-01}\n"
        "  - {partner_id: p, plan: vip, effective_from: 2025-07-01}\n"
        "  - {partner_id: p, plan: standard, effective_from: 2025-08-01}\n"
    )
    assert problems(program_with(overrides, replace=("groups:\n", vip))) == []
