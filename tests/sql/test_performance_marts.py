"""Revenue and leads by day, against rows worked out by hand: payments in parts, shares, days."""

from __future__ import annotations

from datetime import date

import duckdb
import pytest

from orchestration.phases import PAYOUTS
from orchestration.warehouse import DATABASE
from tests.compiled import compiled_nodes

pytestmark = pytest.mark.sql

HALVES = (
    "[{'partner_id': 'p_1', 'credit_ppm': 500000}, {'partner_id': 'p_2', 'credit_ppm': 500000}]"
)
WHOLE = "[{'partner_id': 'p_3', 'credit_ppm': 1000000}]"
LISTS = "struct(partner_id varchar, credit_ppm integer)[]"
INPUTS = f"""
create schema staging; create schema intermediate; create schema marts;
create table staging.stg_program__run as select 'America/New_York' as timezone;
create table intermediate.int_billing__paid_lines as
select * from (values
    ('shared', 'i_1', 'c_shared', 'paid', 'USD', 101),
    ('later', 'i_2', 'c_shared', 'open', 'USD', 200),
    ('negative', 'i_3', 'c_one', 'paid', 'EUR', -50),
    ('voided', 'i_4', 'c_one', 'void', 'EUR', 900),
    ('nobodys', 'i_5', 'c_nobody', 'paid', 'EUR', 700)
) as line (invoice_line_id, invoice_id, customer_id, invoice_status, currency_code,
    net_amount_minor);
create table intermediate.int_billing__payments as
select * from (values
    -- Two halves of 202 with tax; the first one at ten in the evening of 31 December in New York.
    ('i_1', timestamp '2026-01-01 03:00:00', 0, 101, 202),
    ('i_1', timestamp '2026-02-01 12:00:00', 101, 202, 202),
    ('i_2', timestamp '2026-02-01 12:00:00', 0, 25, 100),
    ('i_3', timestamp '2026-02-03 12:00:00', 0, 1, 1),
    ('i_4', timestamp '2026-02-03 12:00:00', 0, 1, 1),
    ('i_5', timestamp '2026-02-03 12:00:00', 0, 1, 1)
) as payment (invoice_id, paid_at, paid_before, paid_after, total_share);
create table intermediate.int_attribution__customer_credits as
select 'c_shared' as customer_id, 'p_1' as partner_id, 500000 as credit_ppm,
    {HALVES}::{LISTS} as credits
union all select 'c_shared', 'p_2', 500000, {HALVES}::{LISTS}
union all select 'c_one', 'p_3', 1000000, {WHOLE}::{LISTS};
create table intermediate.int_billing__anchors as
select 'c_shared' as customer_id, 'i_1' as anchor_invoice_id;
create table intermediate.int_adjustment__returned_lines as
select * from (values
    ('shared', timestamp '2026-03-01 12:00:00', 0, 51),
    ('shared', timestamp '2026-03-05 12:00:00', 51, 101),
    ('negative', timestamp '2026-03-05 12:00:00', 0, -20),
    ('nobodys', timestamp '2026-03-05 12:00:00', 0, 700)
) as returned (invoice_line_id, event_at, before_amount_minor, after_amount_minor);
create table intermediate.int_journal__entries as
select * from (values
    ('earning', 'p_1', date '2026-02-01', 'USD', 20),
    ('refund', 'p_1', date '2026-03-05', 'USD', -20),
    ('payout', 'p_1', date '2026-03-16', 'USD', -99),
    ('payout_return', 'p_1', date '2026-03-17', 'USD', 99),
    ('bonus', 'p_3', date '2026-03-31', 'GBP', 70)
) as entry (entry_kind, partner_id, effective_date, currency_code, amount_minor);
create table intermediate.int_attribution__credits as
select * from (values
    ('l_1', 'p_2', 600000, date '2026-01-05'),
    ('l_1', 'p_1', 400000, date '2026-01-05'),
    ('l_2', 'p_2', 500000, date '2026-01-05'),
    ('l_2', 'p_1', 500000, date '2026-01-05'),
    ('l_3', 'p_2', 1000000, date '2026-01-06')
) as credit (lead_id, partner_id, credit_ppm, valid_date);
create table intermediate.int_leads__first_events as
select * from (values
    ('l_1', 'signup', date '2026-01-01'),
    ('l_1', 'demo_held', date '2026-01-08'),
    ('l_1', 'deal_won', date '2026-01-25'),
    ('l_1', 'first_payment', date '2026-01-30'),
    -- Won on the day before the demo that made it valid was booked.
    ('l_2', 'deal_won', date '2026-01-04'),
    ('l_9', 'deal_won', date '2026-01-04')
) as event (lead_id, stage, occurred_date);
"""


@pytest.fixture(scope="module")
def marts(tmp_path_factory):
    """The three marts over these rows."""
    file = tmp_path_factory.mktemp("marts") / f"{DATABASE}.duckdb"
    nodes = {node.name: node for node in compiled_nodes(PAYOUTS)}
    with duckdb.connect(str(file)) as connection:
        connection.execute(INPUTS)
        for name in ("fct_partner_revenue_daily", "fct_lead_journeys", "fct_lead_daily"):
            nodes[name].run(connection)
        yield connection


def rows(marts, query):
    return set(marts.execute(query).fetchall())


def test_shared_line_is_revenue_of_each_partner_to_the_cent_and_of_none_twice(marts):
    found = rows(
        marts,
        "select partner_id, activity_date, collected_amount_minor, first_invoice_amount_minor, "
        "returned_amount_minor, revenue_amount_minor, commission_amount_minor "
        "from marts.fct_partner_revenue_daily where currency_code = 'USD'",
    )
    # 101 × 101 ÷ 202 = 50.5 → 51, of which p_1, first of equals, has 26; then 101: 51 and 50.
    # A quarter of 200 is 50: 25 each, on another invoice than the first.
    assert found == {
        ("p_1", date(2025, 12, 31), 26, 26, 0, 26, 0),
        ("p_2", date(2025, 12, 31), 25, 25, 0, 25, 0),
        ("p_1", date(2026, 2, 1), 50, 25, 0, 50, 20),
        ("p_2", date(2026, 2, 1), 50, 25, 0, 50, 0),
        ("p_1", date(2026, 3, 1), 0, 0, -26, -26, 0),
        ("p_2", date(2026, 3, 1), 0, 0, -25, -25, 0),
        ("p_1", date(2026, 3, 5), 0, 0, -25, -25, -20),
        ("p_2", date(2026, 3, 5), 0, 0, -25, -25, 0),
    }


def test_negative_lines_count_and_voided_ones_and_those_of_nobody_do_not(marts):
    found = rows(
        marts,
        "select partner_id, activity_date, currency_code, collected_amount_minor, "
        "returned_amount_minor, commission_amount_minor "
        "from marts.fct_partner_revenue_daily where currency_code <> 'USD'",
    )
    assert found == {
        ("p_3", date(2026, 2, 3), "EUR", -50, 0, 0),
        ("p_3", date(2026, 3, 5), "EUR", 0, 20, 0),
        ("p_3", date(2026, 3, 31), "GBP", 0, 0, 70),
    }


def test_lead_has_one_main_partner_of_all_that_are_credited(marts):
    found = rows(marts, "select lead_id, partner_id, is_main from marts.fct_lead_journeys")
    assert found == {
        ("l_1", "p_2", True),
        ("l_1", "p_1", False),
        # Equal credit: the first by id.
        ("l_2", "p_1", True),
        ("l_2", "p_2", False),
        ("l_3", "p_2", True),
    }


def test_leads_by_day_count_each_once_on_its_day_and_in_its_cohort(marts):
    found = rows(
        marts,
        "select partner_id, activity_date, valid_leads, signups, demos_held, deals_won, "
        "new_customers, cohort_signups, cohort_demos_held, cohort_deals_won, "
        "cohort_new_customers, cohort_days_to_deal from marts.fct_lead_daily",
    )
    assert found == {
        ("p_2", date(2026, 1, 1), 0, 1, 0, 0, 0, 0, 0, 0, 0, 0),
        # l_1: won twenty days after it became valid.
        ("p_2", date(2026, 1, 5), 1, 0, 0, 0, 0, 1, 1, 1, 1, 20),
        ("p_2", date(2026, 1, 6), 1, 0, 0, 0, 0, 0, 0, 0, 0, 0),
        ("p_2", date(2026, 1, 8), 0, 0, 1, 0, 0, 0, 0, 0, 0, 0),
        ("p_2", date(2026, 1, 25), 0, 0, 0, 1, 0, 0, 0, 0, 0, 0),
        ("p_2", date(2026, 1, 30), 0, 0, 0, 0, 1, 0, 0, 0, 0, 0),
        ("p_1", date(2026, 1, 4), 0, 0, 0, 1, 0, 0, 0, 0, 0, 0),
        # l_2: not less than no days.
        ("p_1", date(2026, 1, 5), 1, 0, 0, 0, 0, 0, 0, 1, 0, 0),
    }
