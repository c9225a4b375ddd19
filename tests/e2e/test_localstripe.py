"""Real input: billing from a Stripe-compatible server filled by the official SDK, else files.

The programme: 20 % of every paid line for 12 months, and 50.00 USD once a demo was held. Lead valid
when a demo is booked; a first payment makes any lead valid. Partners are paid in USD.

What happens, and what must come out, worked out by hand (no amount depends on the day):

Ann's link is clicked by amy@alpha.example, who books and holds a demo and subscribes for 100.00 USD
a month; 25.00 are refunded.
    bounty                                                            50.00
    recurring     20 % of 100.00                                      20.00
    refund        25 of 100 went back: 20.00 x 25 / 100               -5.00
Bob's code BOB20 stands on the Stripe customer beta, who pays 1,200.00 EUR for a year without any
demo. 300.00 and then 100.00 are refunded. 1 EUR = 1.25 USD.
    recurring     20 % of 1,200.00 = 240.00 EUR x 1.25               300.00
    refunds       240.00 x 300/1200 = 60.00 EUR x 1.25               -75.00
                  240.00 x 100/1200 = 20.00 EUR x 1.25               -25.00
Ann's form is filled by dan@delta.example. His Stripe customer has no e-mail: customers.csv maps it
to his contact. He pays 33.33 USD, all of which is refunded in three parts of 11.11.
    recurring     20 % of 33.33 = 6.666                                6.67
    refunds       cumulated 6.67 x 1/3, 2/3, 3/3 = 2.22, 4.45, 6.67   -6.67
Nobody brought gamma, who pays 100.00 USD: no commission, and the reason is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from localstripe_peer import API_KEY, Billing, running_localstripe

from dashboards.snapshot import open_snapshot
from orchestration.night import run_night
from orchestration.result import NightResult
from tests.compiled import run_compiled_night

pytestmark = pytest.mark.e2e

KEY_VARIABLE = "LOCALSTRIPE_API_KEY"
PROGRAM = """\
program: {id: real, name: Real, legal_entity: Real Inc, timezone: UTC, reporting_currency: USD}
lead:
  - {effective_from: 2020-01-01, valid_when: demo_booked, own_domains: [real.example]}
attribution:
  - {effective_from: 2020-01-01, model: last_touch}
plans:
  - id: standard
    versions:
      - effective_from: 2020-01-01
        components:
          - {id: demo-bounty, kind: event, trigger: demo_held, amount: {USD: 50.00}}
          - id: recurring
            kind: recurring
            rate: 0.20
            duration: {months: 12, basis: charge_start}
        hold: {days: 30, after: paid}
groups: {default: standard}
payouts:
  schedule: {frequency: monthly, cutoff: month_end, pay_day: 15, business_day: next}
  minimum: {USD: 50.00}
  rails: {default: csv}
roles: {partnerships: [ana@real.example], finance: [ben@real.example], analyst: [], admin: []}
"""
SOURCES = """\
sources:
  drop: {{kind: files, path: drop}}
  billing:
    kind: stripe
    base_url: "{base_url}"
    api_key_env: {key_variable}
    # The server's objects have the shape of an older version, its event feed has gaps, and its
    # lists know no filter by creation.
    api_version: 2025-02-24.acacia
    changes: full_list
    created_windows: false
    streams:
      - customers
      - subscriptions
      - products
      - coupons
      - invoices
      - charges
      - refunds
      - balance_transactions
"""


@dataclass(frozen=True)
class Story:
    """The programme after its first night. Lines are the ids of the invoices' only lines."""

    workspace: Path
    home: Path
    billing: Billing
    as_of: date
    alpha_invoice: str
    alpha_line: str
    beta_line: str
    delta_line: str
    gamma_line: str
    first: NightResult


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """Fill both sources, then run one night over them."""
    root = tmp_path_factory.mktemp("localstripe")
    workspace, home = root / "workspace", root / "var"
    with pytest.MonkeyPatch.context() as patch, running_localstripe(root) as base_url:
        patch.setenv(KEY_VARIABLE, API_KEY)
        billing = Billing(base_url)
        monthly = billing.plan("Team", 10000, "usd", "month")
        yearly = billing.plan("Team, yearly", 120000, "eur", "year")
        odd = billing.plan("Single", 3333, "usd", "month")
        alpha, beta = billing.customer("amy@alpha.example"), billing.customer(code="BOB20")
        gamma, delta = billing.customer("gus@gamma.example"), billing.customer()
        alpha_invoice = billing.subscribe(alpha, monthly)
        beta_invoice = billing.subscribe(beta, yearly)
        gamma_invoice = billing.subscribe(gamma, monthly)
        delta_invoice = billing.subscribe(delta, odd)
        billing.refund(alpha_invoice, 2500)
        for amount_minor in (30000, 10000):
            billing.refund(beta_invoice, amount_minor)
        for _ in range(3):
            billing.refund(delta_invoice, 1111)
        now = datetime.now(UTC).replace(microsecond=0)
        _write_workspace(workspace, base_url, now, delta)
        yield Story(
            workspace=workspace,
            home=home,
            billing=billing,
            as_of=now.date(),
            alpha_invoice=alpha_invoice,
            alpha_line=billing.line_of(alpha_invoice),
            beta_line=billing.line_of(beta_invoice),
            delta_line=billing.line_of(delta_invoice),
            gamma_line=billing.line_of(gamma_invoice),
            first=run_night(workspace, home, now.date()),
        )


def _write_workspace(workspace: Path, base_url: str, now: datetime, delta: str) -> None:
    def at(days_before: int) -> str:
        return (now - timedelta(days=days_before)).isoformat()

    files = {
        "partners.csv": f"""\
partner_id,name,email,status,payout_currency,joined_at
p_ann,Ann Partner,ann@ann-partners.example,active,USD,{at(400)}
p_bob,Bob Partner,bob@bob-partners.example,active,USD,{at(400)}
""",
        "partner_codes.csv": """\
code,partner_id,code_type
ann,p_ann,referral_link
BOB20,p_bob,promotion_code
""",
        "touchpoints.csv": f"""\
touchpoint_id,occurred_at,touch_type,code,email
t_amy,{at(10)},referral_link,ann,amy@alpha.example
""",
        "form_submissions.csv": f"""\
submission_id,form_id,submitted_at,email,code
f_dan,contact,{at(9)},dan@delta.example,ann
""",
        "contacts.csv": f"""\
contact_id,email,created_at
ct_amy,amy@alpha.example,{at(8)}
ct_dan,dan@delta.example,{at(8)}
""",
        "meetings.csv": f"""\
meeting_id,booked_at,starts_at,outcome,contact_id
m_amy,{at(7)},{at(5)},held,ct_amy
m_dan,{at(7)},{at(2)},scheduled,ct_dan
""",
        "customers.csv": f"""\
customer_id,created_at,contact_id
{delta},{at(1)},ct_dan
""",
        "fx_rates.csv": f"""\
rate_date,currency_code,rate
{(now - timedelta(days=2)).date()},USD,1.25
""",
    }
    drop = workspace / "drop"
    drop.mkdir(parents=True)
    for name, text in files.items():
        (drop / name).write_text(text, encoding="utf-8")
    (workspace / "program.yml").write_text(PROGRAM, encoding="utf-8")
    (workspace / "sources.yml").write_text(
        SOURCES.format(base_url=base_url, key_variable=KEY_VARIABLE), encoding="utf-8"
    )


def _payouts(story: Story, source_id: str) -> list[tuple[str, str, int]]:
    """(partner, kind, payout amount) of every journal entry about one source record."""
    with open_snapshot(story.home) as snapshot:
        return snapshot.execute(
            "select partner_id, entry_kind, payout_amount_minor "
            "from marts.fct_commission_entries where source_id = ? order by 2, 3",
            [source_id],
        ).fetchall()


def test_night_both_sources_are_landed_whole(story):
    failed = [stream for stream in story.first.streams if stream.status == "failed"]
    assert failed == []
    assert story.first.rows_rejected == 0
    landed = {
        stream.stream: stream.rows_landed
        for stream in story.first.streams
        if stream.source == "billing"
    }
    assert landed["customers"] == 4
    assert landed["invoices"] == 4
    assert landed["refunds"] == 6


def test_link_demo_and_partial_refund_earn_what_was_worked_out(story):
    assert _payouts(story, "m_amy") == [("p_ann", "earning", 5000)]
    assert _payouts(story, story.alpha_line) == [
        ("p_ann", "earning", 2000),
        ("p_ann", "refund", -500),
    ]


def test_code_on_stripe_customer_earns_in_payout_currency(story):
    assert _payouts(story, story.beta_line) == [
        ("p_bob", "earning", 30000),
        ("p_bob", "refund", -7500),
        ("p_bob", "refund", -2500),
    ]
    with open_snapshot(story.home) as snapshot:
        native = snapshot.execute(
            "select amount_minor, currency_code from marts.fct_commission_entries "
            "where source_id = ? order by 1",
            [story.beta_line],
        ).fetchall()
    assert native == [(-6000, "EUR"), (-2000, "EUR"), (24000, "EUR")]


def test_customer_mapped_by_file_and_refunded_whole_leaves_exactly_nothing(story):
    entries = _payouts(story, story.delta_line)
    assert entries == [
        ("p_ann", "earning", 667),
        ("p_ann", "refund", -223),
        ("p_ann", "refund", -222),
        ("p_ann", "refund", -222),
    ]
    assert sum(amount for _, _, amount in entries) == 0


def test_customer_nobody_brought_earns_nothing_with_a_reason(story):
    assert _payouts(story, story.gamma_line) == []
    with open_snapshot(story.home) as snapshot:
        reasons = snapshot.execute(
            "select reason from marts.fct_unpaid_lines where invoice_line_id = ?",
            [story.gamma_line],
        ).fetchall()
    assert len(reasons) == 1


def test_balances_and_journal_sum_to_the_hand_worked_totals(story):
    with open_snapshot(story.home) as snapshot:
        balances = snapshot.execute(
            "select partner_id, payout_currency_code, earned_amount_minor, "
            "reversed_amount_minor, balance_amount_minor from marts.fct_partner_balances "
            "order by 1"
        ).fetchall()
    # Ann: 50.00 + 20.00 + 6.67 earned, 5.00 + 6.67 taken back. Bob: 300.00 and 100.00.
    assert balances == [
        ("p_ann", "USD", 7667, -1167, 6500),
        ("p_bob", "USD", 30000, -10000, 20000),
    ]
    assert story.first.posted_rows == 10


def test_nothing_new_posts_nothing_and_a_late_refund_posts_its_difference(story):
    again = run_compiled_night(story.workspace, story.home, story.as_of)
    assert (again.posted_rows, again.posted_segment) == (0, None)

    # 10.00 more of 100.00: 20.00 x 35/100 = 7.00 in all, of which 5.00 were taken already.
    story.billing.refund(story.alpha_invoice, 1000)
    late_as_of = max(story.as_of, datetime.now(UTC).date())
    late = run_compiled_night(story.workspace, story.home, late_as_of)
    assert late.posted_rows == 1
    assert _payouts(story, story.alpha_line) == [
        ("p_ann", "earning", 2000),
        ("p_ann", "refund", -500),
        ("p_ann", "refund", -200),
    ]
