"""J5: the accounts of a payout that came back do not change when its debit is read later."""

from __future__ import annotations

import re

import duckdb
import pytest

from orchestration.dbt_runner import PROJECT_DIR

pytestmark = pytest.mark.sql

MODEL = PROJECT_DIR / "models" / "marts" / "ledger" / "fct_journal_lines.sql"
ITEMS = """
    create table int_payouts__items as
    select * from (values
        ('debit_known', 'returned', date '2026-03-16', true, 100, 'EUR'),
        ('debit_told_late', 'returned', date '2026-03-16', false, 200, 'EUR'),
        ('never_debited', 'failed', null, false, 300, 'EUR'),
        ('paid', 'settled', date '2026-03-16', false, 500, 'EUR')
    ) as item (payout_id, state, settled_date, is_returned_after_settlement, amount_minor,
        currency_code)
"""
ENTRIES = """
    create table int_journal__entries as
    select
        kind || ':' || payout_id as entry_id, kind as entry_kind, 'payout' as source_type,
        payout_id as source_id, sign * amount_minor as payout_amount_minor,
        currency_code as payout_currency_code
    from int_payouts__items
    join (values ('payout', -1), ('payout_return', 1)) as entry (kind, sign)
        on kind = 'payout' or state <> 'settled'
"""


def _lines() -> list[tuple]:
    connection = duckdb.connect()
    connection.execute(ITEMS)
    connection.execute(ENTRIES)
    query = re.sub(r"\{\{\s*ref\('(\w+)'\)\s*\}\}", r"\1", MODEL.read_text(encoding="utf-8"))
    return connection.execute(
        f"select transaction_id, account, signed_amount_minor::bigint from ({query}) order by all"
    ).fetchall()


def test_return_comes_from_the_account_under_which_it_was_first_known():
    returns = {row[:2]: row[2] for row in _lines() if row[0].startswith("payout_return:")}
    assert {key: amount for key, amount in returns.items() if amount > 0} == {
        ("payout_return:debit_known", "cash:rail"): 100,
        ("payout_return:debit_told_late", "in_transit:partner"): 200,
        ("payout_return:never_debited", "in_transit:partner"): 300,
    }


def test_debit_that_is_told_late_posts_a_pair_of_its_own():
    late = [row for row in _lines() if row[0].startswith("debit_told_late:")]
    assert late == [
        ("debit_told_late:settled", "cash:rail", -200),
        ("debit_told_late:settled", "in_transit:partner", 200),
        ("debit_told_late:settled_late", "cash:rail", 200),
        ("debit_told_late:settled_late", "in_transit:partner", -200),
    ]


def test_nothing_stays_in_transit_once_every_payout_has_ended():
    sums: dict[str, int] = {}
    for _, account, amount in _lines():
        sums[account] = sums.get(account, 0) + amount
    assert sums == {"in_transit:partner": 0, "cash:rail": -500, "payable:partner": 500}
