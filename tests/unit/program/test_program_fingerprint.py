"""T1: whatever a version says is part of its hash, and how it is written is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from program.errors import TermsError
from program.fingerprint import plan_version_hashes
from program.load import Workspace

Load = Callable[..., Workspace]
ProgramWith = Callable[..., str]

COMPONENT = "          - id: recurring\n            kind: recurring\n            rate: 0.20\n"
KEY = ("plan", "standard", "2025-01-01")
TIERS = "tiers: {{metric: {0}, period: {1}, mode: {2}, bands: [{{from: 0, rate: 0.2}}, {3}]}}"
BAND = "{from: 10, rate: 0.3}"
BONUS = "{{id: b, kind: bonus, metric: {0}, period: {1}, threshold: {2}, amount: {{{3}}}}}"


def _hash(load: Load, program_with: ProgramWith, component: str) -> str:
    return plan_version_hashes(load(program_with(replace=(COMPONENT, component))))[KEY]


@pytest.mark.parametrize(
    "settings",
    [
        [
            "",
            TIERS.format("customers", "month", "marginal", BAND),
            TIERS.format("conversions", "month", "marginal", BAND),
            TIERS.format("customers", "year", "marginal", BAND),
            TIERS.format("customers", "month", "whole", BAND),
            TIERS.format("customers", "month", "marginal", "{from: 11, rate: 0.3}"),
            TIERS.format("customers", "month", "marginal", "{from: 10, rate: 0.31}"),
        ],
        [
            "",
            *(
                f"caps: {{{scope}: {{USD: 5}}}}"
                for scope in (
                    "per_invoice", "per_customer", "per_partner_month", "per_programme_month"
                )
            ),
            "caps: {per_invoice: {USD: 6}}",
            "caps: {per_invoice: {EUR: 5}}",
        ],
        ["", "first_payment_rate: 0.1", "first_payment_rate: 0.0"],
        ["", "product_rates: {a: 0.1}", "product_rates: {b: 0.1}", "product_rates: {a: 0.0}"],
        [
            "",
            "conditions: [{country: [DE], rate: 0.1}]",
            "conditions: [{country: [AT], rate: 0.1}]",
            "conditions: [{country: [AT, DE], rate: 0.1}]",
        ],
        ["", "minimum: {USD: 1}", "maximum: {USD: 1}", "maximum: {EUR: 1}"],
        [
            "",
            "reactivation: {mode: stop, gap_days: 60}",
            "reactivation: {mode: stop, gap_days: 61}",
        ],
        [
            "duration: {months: 9}",
            "duration: {months: 9}\n            reactivation: {mode: restart, gap_days: 60}",
        ],
    ],
)  # fmt: skip
def test_each_setting_of_a_recurring_component_counts(
    load: Load, program_with: ProgramWith, settings: list[str]
) -> None:
    hashes = {
        _hash(load, program_with, f"{COMPONENT}            {text}\n" if text else COMPONENT)
        for text in settings
    }
    assert len(hashes) == len(settings)


def test_each_setting_of_other_kinds_counts(load: Load, program_with: ProgramWith) -> None:
    components = [
        BONUS.format("customers", "month", 10, "USD: 5"),
        BONUS.format("conversions", "month", 10, "USD: 5"),
        BONUS.format("customers", "life", 10, "USD: 5"),
        BONUS.format("customers", "month", 11, "USD: 5"),
        BONUS.format("customers", "month", 10, "USD: 6"),
        "{id: r, kind: partner_referral, rate: 0.1, months: 12}",
        "{id: r, kind: partner_referral, rate: 0.2, months: 12}",
        "{id: r, kind: partner_referral, rate: 0.1, months: 13}",
    ]
    hashes = {_hash(load, program_with, f"          - {each}\n") for each in components}
    assert len(hashes) == len(components)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("conditions: [{country: [DE, AT], rate: 0.1}]",
         "conditions: [{country: [AT, DE, AT], rate: 0.10}]"),
        ("caps: {per_invoice: {USD: 5, EUR: 4}}", "caps: {per_invoice: {EUR: 4.00, USD: 5.0}}"),
        ("product_rates: {a: 0.1, b: 0.2}", "product_rates: {b: 0.20, a: 0.10}"),
        (TIERS.format("customers", "month", "marginal", BAND),
         "tiers: {period: month, metric: customers,\n"
         "              bands: [{rate: 0.20, from: 0}, {rate: 0.3, from: 10.0}]}"),
    ],
)  # fmt: skip
def test_how_it_is_written_does_not_count(
    load: Load, program_with: ProgramWith, one: str, other: str
) -> None:
    hashes = {
        _hash(load, program_with, f"{COMPONENT}            {text}\n") for text in (one, other)
    }
    assert len(hashes) == 1


def test_notices_are_no_terms(load: Load, program_with: ProgramWith) -> None:
    """Whether somebody is told moves no money; batches and acceptances keep their terms."""
    switched = load(f"{program_with()}\nnotices: {{enabled: true, weekly_statement: friday}}\n")
    assert switched.program.notices.enabled
    assert switched.terms_hash == load(program_with()).terms_hash
    with pytest.raises(TermsError, match="weekly_statement"):
        load(f"{program_with()}\nnotices: {{weekly_statement: someday}}\n")
