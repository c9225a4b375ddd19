"""The schema accepts everything that interfaces name, refuses the rest with line and hint."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from program.errors import TermsError
from program.load import STAND_INS, Workspace, load_workspace
from program.schema import Program, Sources
from program.validation import validate
from program.yaml_lines import Document, parse_yaml

EVERYTHING = """\
program: {id: acme, name: Acme, legal_entity: Acme Inc, timezone: UTC, reporting_currency: USD}
lead:
  - effective_from: 2025-01-01
    valid_when: demo_booked
    scope: account
    protection_days: 90
    stale_days: 21
    existing_customer: reject
    open_opportunity: allow
    self_referral: reject
    self_referral_allowed: [p_7]
    own_domains: [acme.example]
    blocked_domains: []
attribution:
  - effective_from: 2025-01-01
    model: time_decay
    compare_models: [first_touch, linear, position_based, last_touch]
    touch_window_days: 90
    conversion_window_days: 365
    collapse_repeats: true
    priority: [manual_ruling, deal_registration, promotion_code, crm_field, form_field,
               referral_link]
    code_grace_hours: 0
    position_based: {first: 0.4, last: 0.4}
    time_decay: {half_life_days: 7}
    after_earning: recompute_until_paid
plans:
  - id: standard
    versions:
      - effective_from: 2025-01-01
        terms_follow: pinned
        components:
          - {id: demo-bounty, kind: event, trigger: demo_held, amount: {USD: 50.00, EUR: 45.00}}
          - {id: deal, kind: event, trigger: deal_won, rate: 0.05}
          - {id: b, kind: bonus, metric: revenue, period: life, threshold: 10, amount: {USD: 9}}
          - {id: pr, kind: partner_referral, rate: 0.10, months: 12}
          - id: recurring
            kind: recurring
            rate: 0.20
            duration: {months: null, basis: service_period}
            base: {discounts: ignore, one_off: exclude, usage: include, setup: exclude,
                   credits: exclude, shipping: include}
            products: {include: [], exclude: [prod_setup]}
            tiers: {metric: revenue, period: month, mode: whole,
                    bands: [{from: 0, rate: 0.20}, {from: 10.50, rate: 0.25}]}
            caps: {per_invoice: {USD: 1}, per_customer: {USD: 5000.00},
                   per_partner_month: {USD: 2}, per_programme_month: {USD: 3}}
            first_payment_rate: 0.5
            product_rates: {prod_x: 0.30}
            minimum: {USD: 1.00}
            maximum: {USD: 10.00}
            conditions: [{country: [DE, NO], rate: 0.25}]
            reactivation: {mode: restart, gap_days: 60}
        hold: {days: 30, after: month_end}
        clawback:
          refund: {mode: none}
          chargeback: {on_open: reverse, on_lost: none, on_won: release}
          churn: {window_days: 90, mode: table,
                  table: [{under_days: 30, share: 1.0}, {under_days: 60, share: 0.5}]}
          max_age_days: 365
groups: {default: standard, agency: standard}
overrides: [{partner_id: p_42, plan: standard, effective_from: 2025-06-01}]
payouts:
  schedule: {frequency: twice_monthly, cutoff: month_end, pay_days: [1, 15], business_day: any}
  minimum: {USD: 50.00, EUR: 50.00}
  rails: {USD: nacha, EUR: sepa, default: csv}
  offset_share: 0.5
  gates: [status, terms_accepted, payee_verified, tax_form, screening, cooling_off]
  cooling_off_days: 10
  caps: {per_partner: {USD: 5000.00}, per_batch: {USD: 90000.00}, payouts_per_batch: 500,
         times_average: 2.5}
  disputes: {window_days: 30, answer_days: 10}
approvals:
  tiers: [{up_to: 25000.00, partnerships: 1, finance: 1},
          {partnerships: 1, finance: 2, min_identity: oidc}]
  with_exceptions: {partnerships: 1, finance: 2}
  expire_days: 7
  min_identity: oidc
roles: {partnerships: [ana@acme.example], finance: [ben@acme.example], analyst: [], admin: []}
pilot: {enabled: false, partners: []}
"""

ALL_SOURCES = """\
sources:
  drop: {kind: files, path: drop}
  billing:
    kind: stripe
    base_url: http://127.0.0.1:8420/
    api_key_env: STRIPE_API_KEY
    api_version: 2025-02-24.acacia
    streams: [invoices, charges]
    overlap_hours: 2
    timeout_seconds: 10
    fields: {code: metadata.partner_code}
  crm: {kind: hubspot, token_env: HUBSPOT_TOKEN, fields: {contact_code: properties.code}}
  forms: {kind: typeform, base_url: https://api.typeform.com, forms: [f1]}
  demos: {kind: calendly, organization: https://api.calendly.com/organizations/acme}
  calendar: {kind: google_calendar, calendars: [sales], token_env: GOOGLE_TOKEN}
  rates: {kind: ecb}
"""


def _document(text: str) -> Document:
    document = Document("program.yml")
    parse_yaml(text, document)
    return document


def test_program_with_every_documented_setting_is_accepted_by_schema() -> None:
    document = _document(EVERYTHING)
    program = validate(document, Program, STAND_INS).value
    assert document.problems == []
    assert program is not None
    recurring = program.plans[0].versions[0].components[4]
    assert recurring.conditions[0].country == ("DE", "NO")
    assert recurring.duration.months is None
    assert recurring.tiers.bands[1].from_value == Decimal("10.50")


def test_sources_with_every_kind_are_accepted_by_schema_in_order_of_rank() -> None:
    document = _document(ALL_SOURCES)
    sources = validate(document, Sources).value
    assert document.problems == []
    assert sources.rank_of("drop") == 1
    assert sources.rank_of("rates") == 7
    assert sources.sources["billing"].base_url == "http://127.0.0.1:8420"


def test_program_without_optional_sections_uses_documented_defaults(
    load: Callable[..., Workspace],
) -> None:
    program = load().program
    version = program.plans[0].versions[0]
    assert (version.hold.days, version.hold.after) == (30, "paid")
    assert version.terms_follow == "pinned"
    assert version.components[0].duration.months is None
    assert version.components[0].duration.basis == "charge_start"
    assert version.components[0].base.shipping == "exclude"
    assert version.clawback.refund.mode == "proportional"
    assert version.clawback.chargeback.on_open == "hold"
    assert version.clawback.churn is None
    assert version.clawback.max_age_days is None
    assert (program.lead[0].valid_when, program.lead[0].protection_days) == ("demo_booked", 90)
    assert program.attribution[0].model == "last_touch"
    assert program.attribution[0].compare_models == ()
    assert program.attribution[0].priority[0] == "manual_ruling"
    assert len(program.payouts.gates) == 6
    assert program.payouts.schedule.pay_day == 15
    assert program.payouts.rail_for("EUR") == "csv"
    assert program.approvals.tiers[0].finance == 1
    assert program.approvals.expire_days == 7
    assert program.approvals.with_exceptions is None
    assert program.payouts.cooling_off_days == 7
    assert program.payouts.caps.times_average == 3
    assert (program.payouts.disputes.window_days, program.payouts.disputes.answer_days) == (60, 14)
    assert program.pilot.enabled is False


def test_clawback_given_without_chargeback_keeps_chargeback_default(
    load: Callable[..., Workspace], program_with: Callable[..., str]
) -> None:
    text = program_with(
        replace=("groups:", "        clawback: {refund: {mode: none}}\ngroups:"),
    )
    clawback = load(text).program.plans[0].versions[0].clawback
    assert clawback.refund.mode == "none"
    assert (clawback.chargeback.on_open, clawback.chargeback.on_lost) == ("hold", "reverse")


def test_rates_are_exact_decimals_and_never_floats(
    load: Callable[..., Workspace], program_with: Callable[..., str]
) -> None:
    program = load(program_with(replace=("0.20", "0.1"))).program
    rate = program.plans[0].versions[0].components[0].rate
    assert isinstance(rate, Decimal)
    assert rate * 3 == Decimal("0.3")


@pytest.mark.parametrize(
    ("found", "written", "expected"),
    [
        ("rate: 0.20", "rate: -0.20", "components[0].rate: must not be negative"),
        ("rate: 0.20", "rate: 20", "is a fraction from 0 to 1; write 20 % as 0.20"),
        ("rate: 0.20", "rate: 0.1234567", "has more than 6 decimals"),
        ("rate: 0.20", "rate: '0.20'", "must be a number"),
        ("rate: 0.20", "rate: true", "must be a number"),
        ("rate: 0.20", "rate:", "has no value"),
        ("rate: 0.20", "rates: 0.20", "rates: unknown setting; did you mean rate?"),
    ],
)
def test_rate_that_is_wrong_is_refused_on_its_line(
    problems: Callable[..., list[str]],
    program_with: Callable[..., str],
    found: str,
    written: str,
    expected: str,
) -> None:
    lines = problems(program_with(replace=(found, written)))
    assert any(line.startswith("program.yml:14: ") and expected in line for line in lines), lines


def test_recurring_without_rate_is_refused_on_line_of_component(
    problems: Callable[..., list[str]], program_with: Callable[..., str]
) -> None:
    assert problems(program_with(replace=("            rate: 0.20\n", ""))) == [
        "program.yml:12: plans[0].versions[0].components[0].rate: is missing; add rate here"
    ]


@pytest.mark.parametrize(
    ("added", "expected"),
    [
        ("leads: []\n", "program.yml:17: leads: unknown setting; did you mean lead?"),
        (
            "lead:\n  - effective_from: 2025-01-01\n    valid_wen: signup\n",
            "program.yml:19: lead[0].valid_wen: unknown setting; did you mean valid_when?",
        ),
        (
            "lead:\n  - effective_from: 2025-01-01\n    valid_when: demo_boked\n",
            "program.yml:19: lead[0].valid_when: 'demo_boked' is not one of demo_booked, signup, "
            "demo_held, deal_won; did you mean demo_booked?",
        ),
        (
            "lead:\n  - {effective_from: yesterday}\n",
            "program.yml:18: lead[0].effective_from: must be a day written as YYYY-MM-DD",
        ),
        (
            "lead:\n  - {effective_from: 2025-02-30}\n",
            "program.yml:18: lead[0].effective_from: 2025-02-30 is not a day of the calendar",
        ),
        (
            "attribution:\n  - effective_from: 2025-01-01\n    touch_window_days: 1.5\n",
            "program.yml:19: attribution[0].touch_window_days: must be a whole number",
        ),
        (
            "attribution:\n  - effective_from: 2025-01-01\n    collapse_repeats: yes\n",
            "program.yml:19: attribution[0].collapse_repeats: must be true or false",
        ),
        (
            "payouts:\n  schedule:\n    pay_day: 32\n",
            "program.yml:19: payouts.schedule.pay_day: must be 31 or less",
        ),
        (
            "payouts:\n  minimum:\n    USD: 1\n    EURO: 5\n",
            "program.yml:20: payouts.minimum.EURO: 'EURO' is not a known ISO 4217 currency code; "
            "write three capitals such as USD",
        ),
        (
            "payouts:\n  rails:\n    XQZ: csv\n",
            "program.yml:19: payouts.rails.XQZ: 'XQZ' is not a known ISO 4217 currency code; "
            "write three capitals such as USD",
        ),
        (
            "payouts: [1]\n",
            "program.yml:17: payouts: must be a mapping of settings; write name: value lines",
        ),
        (
            "approvals:\n  tiers:\n    - finance: 0\n",
            "program.yml:19: approvals.tiers[0].finance: must be 1 or more",
        ),
        ("overrides:\n", "program.yml:17: overrides: has no value; give it one, or remove the "
         "line to use the default"),
    ],
)  # fmt: skip
def test_setting_that_is_wrong_is_refused_with_line_and_hint(
    problems: Callable[..., list[str]],
    program_with: Callable[..., str],
    added: str,
    expected: str,
) -> None:
    assert problems(program_with(added)) == [expected]


def test_timezone_that_is_unknown_is_refused(
    problems: Callable[..., list[str]], program_with: Callable[..., str]
) -> None:
    lines = problems(program_with(replace=("America/New_York", "America/NewYork")))
    assert lines == [
        "program.yml:5: program.timezone: 'America/NewYork' is not an IANA time zone; "
        "write one such as America/New_York"
    ]


@pytest.mark.parametrize("zone", ["../../etc/passwd", "/etc/localtime", "America", "''"])
def test_timezone_that_is_a_path_is_refused(
    problems: Callable[..., list[str]], program_with: Callable[..., str], zone: str
) -> None:
    lines = problems(program_with(replace=("America/New_York", zone)))
    assert len(lines) == 1
    assert lines[0].startswith("program.yml:5: program.timezone: ")


def test_component_with_setting_of_another_kind_names_that_kind(
    problems: Callable[..., list[str]], program_with: Callable[..., str]
) -> None:
    text = program_with(
        replace=(
            "            rate: 0.20\n",
            "            rate: 0.20\n            trigger: signup\n",
        )
    )
    assert problems(text) == [
        "program.yml:15: plans[0].versions[0].components[0].trigger: belongs to kind event, "
        "not to recurring; remove it or change the kind"
    ]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("kind: recuring", "program.yml:13: plans[0].versions[0].components[0].kind: 'recuring' "
         "is not one of recurring, event, bonus, partner_referral; did you mean recurring?"),
        ("name: x", "program.yml:12: plans[0].versions[0].components[0].kind: is missing; "
         "add kind: recurring or event or bonus or partner_referral"),
    ],
)  # fmt: skip
def test_component_with_unknown_kind_is_refused(
    problems: Callable[..., list[str]],
    program_with: Callable[..., str],
    written: str,
    expected: str,
) -> None:
    assert problems(program_with(replace=("kind: recurring", written))) == [expected]


def test_all_problems_of_both_files_are_gathered_with_their_lines(
    problems: Callable[..., list[str]], program_with: Callable[..., str]
) -> None:
    text = program_with(
        "lead:\n"
        "  - valid_when: signup\n"
        "  - effective_from: 2025-01-01\n"
        "    stale: 1\n"
        "  - effective_from: 2025-01-01\n"
        "attribution:\n"
        "  - effective_from: 2025-01-01\n"
        "    model: newest\n"
        "overrides:\n"
        "  - {partner_id: p_1, plan: vip, effective_from: 2025-06-01}\n",
        replace=("name: Acme Partners", "nam: Acme Partners"),
    )
    assert problems(text, "sources:\n  Drop: {kind: files}\n  x: {kind: csv}\n") == [
        "program.yml:1: program.name: is missing; add name here",
        "program.yml:3: program.nam: unknown setting; did you mean name?",
        "program.yml:18: lead[0].effective_from: is missing; add effective_from here",
        "program.yml:20: lead[1].stale: unknown setting; did you mean stale_days?",
        "program.yml:21: lead[2].effective_from: there is a version from '2025-01-01' "
        "above already; give each its own",
        "program.yml:24: attribution[0].model: 'newest' is not one of last_touch, first_touch, "
        "linear, position_based, time_decay",
        "program.yml:26: overrides[0].plan: no plan is called 'vip'; plans here: standard",
        "sources.yml:2: sources.Drop: must be lower case letters, digits and '_', beginning with "
        "a letter",
        "sources.yml:3: sources.x.kind: 'csv' is not one of files, stripe, hubspot, "
        "typeform, calendly, google_calendar, ecb",
    ]


def test_group_of_plan_that_could_not_be_read_is_not_reported_as_unknown(
    problems: Callable[..., list[str]], program_with: Callable[..., str]
) -> None:
    lines = problems(program_with(replace=("effective_from: 2025-01-01", "effective_from: soon")))
    assert len(lines) == 1
    assert "plans[0].versions[0].effective_from" in lines[0]


def test_workspace_loaded_from_program_file_uses_sources_beside_it(
    load: Callable[..., Workspace], tmp_path: Path
) -> None:
    workspace = load()
    (tmp_path / "program.yml").rename(tmp_path / "other.yml")
    other = load_workspace(tmp_path / "other.yml")
    assert other.root == workspace.root == tmp_path.resolve()
    assert other.terms_hash == workspace.terms_hash
    assert other.program_path.name == "other.yml"


def test_workspace_that_does_not_exist_names_both_files_and_the_command(tmp_path: Path) -> None:
    with pytest.raises(TermsError) as caught:
        load_workspace(tmp_path / "nowhere")
    assert [problem.file for problem in caught.value.problems] == ["program.yml", "sources.yml"]
    assert "partnerledger init DIR" in str(caught.value)
    assert caught.value.is_transient is False


def test_loaded_terms_cannot_be_changed(load: Callable[..., Workspace]) -> None:
    with pytest.raises(Exception, match="frozen"):
        load().program.plans[0].id = "other"


def test_effective_from_is_a_date(load: Callable[..., Workspace]) -> None:
    assert load().program.plans[0].versions[0].effective_from == date(2025, 1, 1)


@pytest.mark.parametrize(
    ("found", "written", "expected"),
    [
        (
            "            rate: 0.20\n",
            "            rate: 0.20\n"
            "            tiers: {metric: customers, period: month, bands: []}\n",
            "tiers.bands: needs at least one entry under bands; write '- ' under bands and give it "
            "from and rate",
        ),
        (
            "            rate: 0.20\n",
            "            rate: 0.20\n            conditions: [{country: [], rate: 0.1}]\n",
            "conditions[0].country: needs at least one entry under country; "
            "write country: [...] with one of them",
        ),
        (
            "            kind: recurring\n            rate: 0.20\n",
            "            kind: bonus\n            metric: customers\n            period: month\n"
            "            threshold: 3\n            amount: {}\n",
            "amount: needs at least one entry under amount; write one under amount, such as "
            "USD: 50.00",
        ),
        (
            "groups:\n",
            "lead: []\ngroups:\n",
            "lead: needs at least one entry under lead; write '- ' under lead and give it "
            "effective_from, or remove lead to use the default",
        ),
        (
            "groups:\n",
            "payouts:\n  schedule: {frequency: twice_monthly, pay_days: [1]}\ngroups:\n",
            "pay_days: must have at least 2 entries; write 2 of them",
        ),
        (
            "groups:\n",
            "payouts:\n  schedule: {frequency: twice_monthly, pay_days: [1, 8, 15]}\ngroups:\n",
            "pay_days: must have at most 2 entries; write 2 of them",
        ),
    ],
)
def test_list_with_too_few_entries_says_which_and_what_to_write(
    problems: Callable[..., list[str]],
    program_with: Callable[..., str],
    found: str,
    written: str,
    expected: str,
) -> None:
    (line,) = problems(program_with(replace=(found, written)))
    assert line.endswith(expected)


def test_band_by_its_name_in_code_is_an_unknown_setting(
    problems: Callable[..., list[str]], program_with: Callable[..., str]
) -> None:
    band = "{from: 0, from_value: 5, rate: 0.1}"
    tiers = f"            tiers: {{metric: customers, period: month, bands: [{band}]}}\n"
    rate = "            rate: 0.20\n"
    (line,) = problems(program_with(replace=(rate, rate + tiers)))
    assert "tiers.bands[0].from_value: unknown setting" in line


@pytest.mark.parametrize(
    ("found", "written", "expected"),
    [
        (
            "            rate: 0.20\n",
            "            rate: 0.20\n            product_rates: {a: 0.1, ' a': 0.2, b: 0.3}\n",
            "product_rates: names a twice, with other spaces around it: keep one of them",
        ),
        (
            "groups:\n",
            "groups:\n  gold: standard\n  'gold ': standard\n",
            "groups: names gold twice, with other spaces around it: keep one of them",
        ),
    ],
)
def test_names_that_differ_in_spaces_only_are_refused(
    problems: Callable[..., list[str]],
    program_with: Callable[..., str],
    found: str,
    written: str,
    expected: str,
) -> None:
    lines = problems(program_with(replace=(found, written)))
    assert any(expected in line for line in lines), lines
