"""What the terms can say is accepted, in every documented form."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Problems = Callable[..., list[str]]
ProgramWith = Callable[..., str]

COMPONENT = "          - id: recurring\n            kind: recurring\n            rate: 0.20\n"
VERSION = "groups:\n"


@pytest.mark.parametrize(
    "setting",
    [
        "tiers: {metric: customers, period: year, bands: [{from: 0, rate: 0.1}]}",
        "caps: {per_customer: {USD: 5000.00}, per_programme_month: {USD: 9000.00}}",
        "first_payment_rate: 0.5",
        "product_rates: {prod_x: 0.30}",
        "conditions: [{country: [NO], rate: 0.25}]",
        "minimum: {USD: 1.00}",
        "maximum: {USD: 1.00}",
        "duration: {months: 6}\n            reactivation: {mode: restart, gap_days: 60}",
        "reactivation: {mode: stop, gap_days: 60}",
    ],
)
def test_recurring_setting_is_accepted(
    problems: Problems, program_with: ProgramWith, setting: str
) -> None:
    text = program_with(replace=(COMPONENT, f"{COMPONENT}            {setting}\n"))
    assert problems(text) == []


@pytest.mark.parametrize(
    "component",
    [
        "{id: b, kind: bonus, metric: customers, period: month, threshold: 10, amount: {USD: 5}}",
        "{id: b, kind: bonus, metric: revenue, period: life, threshold: 0.05, amount: {USD: 5}}",
        "{id: r, kind: partner_referral, rate: 0.10, months: 12}",
    ],
)
def test_component_of_every_kind_is_accepted(
    problems: Problems, program_with: ProgramWith, component: str
) -> None:
    assert (
        problems(program_with(replace=(COMPONENT, f"{COMPONENT}          - {component}\n"))) == []
    )


@pytest.mark.parametrize(
    "added",
    [
        "attribution: [{effective_from: 2025-01-01, model: first_touch, after_earning: recompute, "
        "compare_models: [last_touch, first_touch], position_based: {first: 0.3, last: 0.3}, "
        "time_decay: {half_life_days: 14}, code_grace_hours: 24, collapse_repeats: false}]\n",
        "attribution: [{effective_from: 2025-01-01, model: time_decay, compare_models: [linear, "
        "position_based], after_earning: recompute_until_paid}]\n",
        "risk: {hold_from: never, burst_leads: 5}\n",
        "lead: [{effective_from: 2025-01-01, scope: person, valid_when: deal_won, "
        "self_referral: allow, self_referral_allowed: [p_1]}]\n",
        "payouts: {schedule: {frequency: weekly, cutoff: month_end, pay_weekday: monday}}\n",
        "payouts: {schedule: {frequency: twice_monthly, pay_days: [31, 15], "
        "business_day: previous}, gates: [], offset_share: 0.5}\n",
        "payouts: {rails: {EUR: sepa, USD: nacha, JPY: wise, GBP: paypal, default: csv}}\n",
        "payouts: {cooling_off_days: 0, caps: {per_partner: {USD: 5000.00}, payouts_per_batch: 9, "
        "per_batch: {USD: 90000.00}, times_average: null}, disputes: {window_days: 30}}\n",
        "approvals: {tiers: [{up_to: 5.00}, {min_identity: oidc}], min_identity: ssh_signed, "
        "with_exceptions: {finance: 2}}\n",
        "approvals: {tiers: [{up_to: 1000.00}, {partnerships: 2, finance: 2}], expire_days: 3}\n",
        "pilot: {enabled: true, partners: [p_1]}\n",
        "overrides: [{partner_id: p_1, plan: standard, effective_from: 2025-06-01}]\n",
    ],
)
def test_setting_is_accepted(problems: Problems, program_with: ProgramWith, added: str) -> None:
    assert problems(program_with(added)) == []


@pytest.mark.parametrize(
    "churn",
    [
        "{window_days: 90, mode: full}",
        "{window_days: 90, mode: prorated}",
        "{window_days: 90, mode: table, table: [{under_days: 30, share: 1.0}]}",
    ],
)
def test_clawback_is_accepted(problems: Problems, program_with: ProgramWith, churn: str) -> None:
    version = (
        "        terms_follow: current\n"
        "        hold: {days: 0, after: event}\n"
        f"        clawback: {{refund: {{mode: none}}, churn: {churn}, max_age_days: 0,\n"
        "                   chargeback: {on_open: none, on_lost: none}}\n"
    )
    assert problems(program_with(replace=(VERSION, version + VERSION))) == []


@pytest.mark.parametrize("duration", ["{months: 0}", "{months: null}", "{basis: service_period}"])
def test_duration_is_accepted(problems: Problems, program_with: ProgramWith, duration: str) -> None:
    text = program_with(replace=(COMPONENT, f"{COMPONENT}            duration: {duration}\n"))
    assert problems(text) == []
