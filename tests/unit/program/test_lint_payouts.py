"""Rules and warnings across the settings of payouts and approvals, each with its line."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from payouts.terms import Caps, approval_rules, payout_rules
from program.load import Workspace

Load = Callable[..., Workspace]
Problems = Callable[..., list[str]]
ProgramWith = Callable[..., str]

ROLES = "roles: {{partnerships: [ana@x.example], finance: [{0}]}}\n"


def _only(lines: list[str], setting: str, expected: str) -> None:
    assert len(lines) == 1, lines
    assert lines[0].startswith(f"program.yml:17: {setting}: "), lines
    assert expected in lines[0], lines


@pytest.mark.parametrize(
    ("added", "setting", "expected"),
    [
        ("payouts: {rails: {EUR: nacha}}", "payouts.rails.EUR", "nacha pays USD only"),
        ("payouts: {rails: {default: sepa}}", "payouts.rails.default", "sepa pays EUR only"),
        (
            "payouts: {caps: {per_partner: {USD: 5.001}}}",
            "payouts.caps.per_partner.USD", "too many decimals",
        ),
        (
            "payouts: {caps: {per_batch: {USD: 0}}}",
            "payouts.caps.per_batch.USD", "is 0, so that every payout is over it",
        ),
        (
            "payouts: {minimum: {USD: 50}, caps: {per_partner: {USD: 49.99}}}",
            "payouts.caps.per_partner.USD", "is below payouts.minimum",
        ),
        (
            "payouts: {minimum: {USD: 50}, caps: {per_batch: {USD: 49.99}}}",
            "payouts.caps.per_batch.USD", "is below payouts.minimum",
        ),
        (
            "payouts: {caps: {times_average: 0.5}}",
            "payouts.caps.times_average", "must be 1 or more",
        ),
        (
            "payouts: {caps: {payouts_per_batch: 0}}",
            "payouts.caps.payouts_per_batch", "must be 1 or more",
        ),
        (
            "payouts: {disputes: {answer_days: 0}}",
            "payouts.disputes.answer_days", "must be 1 or more",
        ),
        (
            "approvals: {min_identity: oidc, tiers: [{min_identity: ssh_signed}]}",
            "approvals.tiers[0].min_identity", "ssh_signed is weaker than approvals.min_identity",
        ),
        (
            "approvals: {with_exceptions: {finance: 0}}",
            "approvals.with_exceptions.finance", "must be 1 or more",
        ),
    ],
)  # fmt: skip
def test_contradiction_is_refused_with_its_line(
    problems: Problems, program_with: ProgramWith, added: str, setting: str, expected: str
) -> None:
    _only(problems(program_with(added)), setting, expected)


@pytest.mark.parametrize(
    ("added", "setting", "expected"),
    [
        (
            "payouts: {caps: {per_partner: {USD: 500}, per_batch: {USD: 400}}}",
            "payouts.caps.per_partner.USD", "is above per_batch",
        ),
        (
            "approvals: {tiers: [{up_to: 9, finance: 2}, {finance: 1}]}",
            "approvals.tiers[1]", "asks for fewer people of finance",
        ),
        (
            "approvals: {tiers: [{up_to: 9, min_identity: oidc}, {finance: 1}]}",
            "approvals.tiers[1]", "a weaker proof of identity",
        ),
        (
            "approvals: {with_exceptions: {partnerships: 1, finance: 1}}",
            "approvals.with_exceptions", "changes nothing",
        ),
    ],
)  # fmt: skip
def test_what_may_not_be_meant_is_a_warning(
    load: Load, program_with: ProgramWith, added: str, setting: str, expected: str
) -> None:
    warnings = [str(problem) for problem in load(program_with(added)).warnings]
    _only([line for line in warnings if "plans" not in line], setting, expected)


@pytest.mark.parametrize(
    ("approvals", "finance", "setting", "expected"),
    [
        (
            "{tiers: [{up_to: 9}, {finance: 3}]}", "b@x.example, c@x.example",
            "approvals.tiers[1].finance",
            "asks for 3 people, and roles.finance names 2: such a batch is never approved",
        ),
        (
            "{with_exceptions: {finance: 2}}", "b@x.example, B@X.example",
            "approvals.with_exceptions.finance", "roles.finance names 1",
        ),
        (
            "{tiers: [{finance: 2}]}", "ana@x.example, b@x.example",
            "approvals.tiers[0]", "asks for 3 different people, and the roles name 2",
        ),
        ("{tiers: [{finance: 2}]}", "b@x.example, c@x.example", "", ""),
    ],
)  # fmt: skip
def test_more_people_than_the_roles_name_is_a_warning(
    load: Load,
    program_with: ProgramWith,
    approvals: str,
    finance: str,
    setting: str,
    expected: str,
) -> None:
    text = program_with(f"approvals: {approvals}\n{ROLES.format(finance)}")
    warnings = [str(problem) for problem in load(text).warnings]
    found = [line for line in warnings if "plans" not in line]
    if setting:
        _only(found, setting, expected)
    else:
        assert found == []


def test_terms_become_parameters_in_minor_units(load: Load, program_with: ProgramWith) -> None:
    workspace = load(
        program_with(
            "payouts: {offset_share: 0.5, cooling_off_days: 10, disputes: {answer_days: 3},\n"
            "  caps: {per_partner: {USD: 1.50, JPY: 7, KWD: 0.001}, per_batch: {USD: 2},\n"
            "         payouts_per_batch: 4, times_average: 2.5}}\n"
            "approvals: {with_exceptions: {finance: 2}, tiers: [{min_identity: oidc}]}\n"
            "roles: {admin: [Root@x.example]}\n"
        )
    )
    rules = payout_rules(workspace)
    assert (rules.offset_share, rules.cooling_off_days) == (Decimal("0.5"), 10)
    assert (rules.dispute_window_days, rules.dispute_answer_days) == (60, 3)
    assert rules.caps == Caps({"USD": 150, "JPY": 7, "KWD": 1}, {"USD": 200}, 4, Decimal("2.5"))
    approvals = approval_rules(workspace)
    assert approvals.with_exceptions == {"partnerships": 1, "finance": 2}
    assert approvals.identity_for(1, "USD") == "oidc"
    assert approvals.has_role("root@x.example", "admin")
    assert approvals.payouts == rules


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (
            "pay_day: 3",
            {"frequency": "monthly", "cutoff": "month_end", "pay_day": 3, "business_day": "next"},
        ),
        (
            "frequency: twice_monthly, pay_days: [20, 5], business_day: any",
            {"frequency": "twice_monthly", "pay_days": [5, 20], "business_day": "any"},
        ),
        (
            "frequency: weekly",
            {"frequency": "weekly", "pay_weekday": "friday", "business_day": "next"},
        ),
    ],
)
def test_schedule_is_what_its_frequency_reads(
    load: Load, program_with: ProgramWith, schedule: str, expected: dict
) -> None:
    workspace = load(program_with(f"payouts: {{schedule: {{{schedule}}}}}"))
    assert payout_rules(workspace).schedule == expected
