"""Rules across settings (T3), each with the line of the file."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Problems = Callable[..., list[str]]
ProgramWith = Callable[..., str]

COMPONENT = "          - id: recurring\n            kind: recurring\n            rate: 0.20\n"
EVENT = "          - {{id: bounty, kind: event, trigger: first_payment{0}}}\n"


def _only(lines: list[str], line: int, setting: str, expected: str) -> None:
    assert len(lines) == 1, lines
    assert lines[0].startswith(f"program.yml:{line}: {setting}: "), lines
    assert expected in lines[0], lines


@pytest.mark.parametrize(
    ("added", "line", "setting", "expected"),
    [
        (
            "lead:\n  - effective_from: 2025-06-01\n  - effective_from: 2025-06-01\n",
            19, "lead[1].effective_from", "there is a version from '2025-06-01' above",
        ),
        (
            "attribution:\n  - effective_from: 2025-06-01\n  - effective_from: 2025-06-01\n",
            19, "attribution[1].effective_from", "there is a version from '2025-06-01' above",
        ),
        (
            "attribution:\n  - effective_from: 2025-01-01\n"
            "    priority: [manual_ruling, deal_registration, promotion_code, crm_field]\n",
            19, "attribution[0].priority", "lacks form_field, referral_link",
        ),
        (
            "attribution:\n  - effective_from: 2025-01-01\n"
            "    priority: [manual_ruling, deal_registration, promotion_code, crm_field,\n"
            "               form_field, referral_link, crm_field]\n",
            19, "attribution[0].priority", "names crm_field more than once",
        ),
        (
            "attribution:\n  - effective_from: 2025-01-01\n"
            "    compare_models: [first_touch, first_touch]\n",
            19, "attribution[0].compare_models", "names first_touch more than once",
        ),
        (
            "attribution:\n  - effective_from: 2025-01-01\n"
            "    position_based: {first: 0.6, last: 0.5}\n",
            19, "attribution[0].position_based", "add up to more than 1",
        ),
        (
            "  agency: agencies\n",
            17, "groups.agency", "no plan is called 'agencies'",
        ),
        (
            "overrides:\n  - {partner_id: p, plan: vip, effective_from: 2025-06-01}\n",
            18, "overrides[0].plan", "no plan is called 'vip'",
        ),
        (
            "overrides:\n"
            "  - {partner_id: p, plan: standard, effective_from: 2025-06-01}\n"
            "  - {partner_id: q, plan: standard, effective_from: 2025-06-01}\n"
            "  - {partner_id: p, plan: standard, effective_from: 2025-06-01}\n",
            20, "overrides[2].effective_from", "from this day above already",
        ),
        (
            "overrides:\n"
            "  - {partner_id: p, plan: standard, effective_from: 2025-09-01}\n"
            "  - {partner_id: q, plan: standard, effective_from: 2025-07-01}\n"
            "  - {partner_id: p, plan: standard, effective_from: 2025-06-01}\n",
            18, "overrides[0]", "changes nothing: partner p has plan standard from 2025-06-01 on",
        ),
        (
            "overrides:\n  - {partner_id: p, plan: standard, effective_from: 2024-12-31}\n",
            18, "overrides[0].effective_from", "earlier than the first version of plan standard",
        ),
        (
            "payouts:\n  minimum:\n    USD: 50.005\n",
            19, "payouts.minimum.USD", "USD has at most 2 decimals",
        ),
        (
            "payouts:\n  minimum:\n    USD: 50\n    JPY: 50.5\n",
            20, "payouts.minimum.JPY", "JPY has no decimals",
        ),
        (
            "payouts:\n  gates: [status, tax_form, status]\n",
            18, "payouts.gates", "names status more than once",
        ),
        (
            "payouts:\n  schedule: {frequency: weekly, pay_day: 15}\n",
            18, "payouts.schedule.pay_day", "is for frequency monthly",
        ),
        (
            "payouts:\n  schedule:\n    pay_weekday: friday\n",
            19, "payouts.schedule.pay_weekday", "is for frequency weekly",
        ),
        (
            "payouts:\n  schedule: {frequency: twice_monthly, pay_days: [1, 1]}\n",
            18, "payouts.schedule.pay_days", "names one day twice",
        ),
        (
            "approvals:\n  tiers:\n    - {finance: 1}\n    - {finance: 2}\n",
            19, "approvals.tiers[0]", "later tiers are never reached",
        ),
        (
            "approvals:\n  tiers:\n    - {up_to: 100}\n",
            19, "approvals.tiers[0].up_to", "leaves batches above it without a rule",
        ),
        (
            "approvals:\n  tiers:\n    - {up_to: 100}\n    - {up_to: 100}\n    - {finance: 2}\n",
            20, "approvals.tiers[1].up_to", "is not above the tier before",
        ),
        (
            "approvals:\n  tiers:\n    - {up_to: 100.001}\n    - {finance: 2}\n",
            19, "approvals.tiers[0].up_to", "USD has at most 2 decimals",
        ),
        (
            "pilot: {enabled: true}\n",
            17, "pilot.partners", "is empty while the pilot is enabled",
        ),
    ],
)  # fmt: skip
def test_rule_across_settings_is_refused_on_its_line(
    problems: Problems,
    program_with: ProgramWith,
    added: str,
    line: int,
    setting: str,
    expected: str,
) -> None:
    _only(problems(program_with(added)), line, setting, expected)


@pytest.mark.parametrize(
    ("written", "line", "setting", "expected"),
    [
        (EVENT.format(""), 12, "", "has neither amount nor rate"),
        (EVENT.format(", rate: 0.1, amount: {USD: 5}"), 12, "", "has both amount and rate"),
        (EVENT.format(", amount: {}"), 12, ".amount", "names no currency"),
        (EVENT.format(", amount: {JPY: 50.5}"), 12, ".amount.JPY", "JPY has no decimals"),
        (EVENT.format(", amount: {USD: -5}"), 12, ".amount.USD", "must not be negative"),
        (EVENT.format(", amount: {QQQ: 5}"), 12, ".amount.QQQ", "not a known ISO 4217"),
        (
            COMPONENT + "            products:\n              include: [a, b]\n"
            "              exclude: [b]\n",
            15, ".products", "b is both included and excluded",
        ),
    ],
)  # fmt: skip
def test_component_that_contradicts_itself_is_refused_on_its_line(
    problems: Problems,
    program_with: ProgramWith,
    written: str,
    line: int,
    setting: str,
    expected: str,
) -> None:
    lines = problems(program_with(replace=(COMPONENT, written)))
    _only(lines, line, f"plans[0].versions[0].components[0]{setting}", expected)


@pytest.mark.parametrize("trigger", ["signup", "demo_booked", "demo_held", "deal_won"])
@pytest.mark.parametrize("pay", ["rate: 0.05", "amount: {USD: 5.00, JPY: 500.00, BHD: 0.125}"])
def test_event_with_any_trigger_takes_rate_or_amount(
    problems: Problems, program_with: ProgramWith, trigger: str, pay: str
) -> None:
    event = f"          - {{id: e, kind: event, trigger: {trigger}, {pay}}}\n"
    assert problems(program_with(replace=(COMPONENT, event))) == []


def test_component_id_used_twice_is_refused(problems: Problems, program_with: ProgramWith) -> None:
    lines = problems(program_with(replace=(COMPONENT, COMPONENT + COMPONENT)))
    _only(
        lines, 15, "plans[0].versions[0].components[1].id", "there is a component 'recurring' above"
    )


def test_plan_id_used_twice_is_refused(problems: Problems, program_with: ProgramWith) -> None:
    plan = "  - {id: standard, versions: [{effective_from: 2025-01-01, components: []}]}\ngroups:\n"
    lines = problems(program_with(replace=("groups:\n", plan)))
    _only(lines, 15, "plans[1].id", "there is a plan 'standard' above")


def test_plan_versions_out_of_order_are_accepted_and_twice_the_same_day_refused(
    problems: Problems, program_with: ProgramWith
) -> None:
    earlier = "      - {effective_from: 2024-01-01, components: []}\n"
    assert problems(program_with(replace=("groups:\n", earlier + "groups:\n"))) == []
    lines = problems(program_with(replace=("groups:\n", earlier * 2 + "groups:\n")))
    _only(
        lines,
        16,
        "plans[0].versions[2].effective_from",
        "there is a version from '2024-01-01' above",
    )


def test_groups_without_default_are_refused(problems: Problems, program_with: ProgramWith) -> None:
    lines = problems(program_with(replace=("default: standard", "agency: standard")))
    _only(lines, 15, "groups", "has no default group")


@pytest.mark.parametrize(
    ("churn", "line", "setting", "expected"),
    [
        ("mode: table", 16, "", "mode table needs a table"),
        (
            "mode: full\n            table: [{under_days: 3, share: 1}]",
            18, ".table", "is not used by mode full",
        ),
        (
            "mode: table\n            table:\n"
            "              - {under_days: 30, share: 1.0}\n"
            "              - {under_days: 30, share: 0.5}",
            20, ".table[1].under_days", "is not above the 30 of the row before",
        ),
        (
            "mode: table\n            table:\n"
            "              - {under_days: 90, share: 1.0}\n"
            "              - {under_days: 120, share: 0.5}",
            20, ".table[1].under_days", "is never reached: window_days ends at 90",
        ),
        ("modes: full", 17, ".modes", "did you mean mode?"),
    ],
)  # fmt: skip
def test_churn_that_contradicts_itself_is_refused_on_its_line(
    problems: Problems,
    program_with: ProgramWith,
    churn: str,
    line: int,
    setting: str,
    expected: str,
) -> None:
    clawback = (
        "        clawback:\n          churn:\n"
        f"            {churn}\n            window_days: 90\ngroups:\n"
    )
    lines = problems(program_with(replace=("groups:\n", clawback)))
    _only(lines, line, f"plans[0].versions[0].clawback.churn{setting}", expected)


def test_two_files_sources_of_one_folder_are_refused(problems: Problems) -> None:
    sources = "sources:\n  a: {kind: files, path: drop}\n  b: {kind: files, path: drop/}\n"
    assert problems(sources=sources) == [
        "sources.yml:3: sources.b.path: is the folder of source a already; "
        "give each files source a folder of its own"
    ]


def test_fault_inside_a_component_hides_no_other_and_causes_no_second(
    problems: Problems, program_with: ProgramWith
) -> None:
    event = EVENT.format(", amount: {USD: many}") + EVENT.format("").replace("bounty", "other")
    lines = problems(program_with(replace=(COMPONENT, event)))
    assert len(lines) == 2
    assert "components[0].amount.USD: must be a number" in lines[0]
    assert "components[1]: has neither amount nor rate" in lines[1]
