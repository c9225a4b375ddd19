"""Reconciliation on tables small enough to add up by hand."""

import duckdb
import pytest

from orchestration.reconciliation import reconcile


@pytest.fixture
def connection():
    with duckdb.connect() as opened:
        opened.execute("create schema raw")
        opened.execute("create schema marts")
        opened.execute(
            "create table raw.journal__entries as select * from (values "
            "('e1', 'c1', 'earning', 'p1', 'USD', 'USD', 1000, 1000), "
            "('e2', 'c2', 'refund', 'p1', 'USD', 'USD', -300, -300), "
            "('e3', 'c3', 'earning', 'p2', 'USD', 'EUR', 500, 450)) as entries (entry_id, "
            "commission_id, entry_kind, partner_id, currency_code, payout_currency_code, "
            "amount_minor, payout_amount_minor)"
        )
        opened.execute("create schema intermediate")
        opened.execute(
            "create table intermediate.int_journal__desired as from raw.journal__entries"
        )
        opened.execute(
            "create table intermediate.int_billing__landed_invoices as select * from (values "
            "('crm', 'i1', 'USD'), ('crm', 'i2', 'USD'), ('old', 'o1', 'USD')) as invoices "
            "(source, invoice_id, currency_code)"
        )
        opened.execute(
            "create table intermediate.int_billing__landed_lines as select * from (values "
            "('crm', 'i1', 'l1', 1000, 0), ('crm', 'i1', 'l2', 500, 100), "
            "('crm', 'i2', 'l3', 700, 0), ('old', 'o1', 'x1', 1000, 0)) as lines "
            "(source, invoice_id, invoice_line_id, amount_minor, discount_amount_minor)"
        )
        opened.execute(
            "create table intermediate.int_billing__payments as select * from "
            "(values ('i1'), ('o1')) as payments (invoice_id)"
        )
        opened.execute(
            "create table intermediate.int_billing__duplicate_invoices as "
            "select 'old' as source, 'o1' as invoice_id"
        )
        opened.execute(
            "create table intermediate.int_journal__computed as select * from (values "
            "('earning', 'invoice_line', 'l1'), ('refund', 'invoice_line', 'l1'), "
            "('earning', 'meeting', 'l2')) as computed (kind, source_type, source_id)"
        )
        opened.execute(
            "create table marts.fct_unpaid_lines as select 'l2' as invoice_line_id, "
            "'USD' as currency_code, 400 as amount_minor"
        )
        opened.execute("create table marts.fct_commission_entries as from raw.journal__entries")
        opened.execute(
            "create table marts.fct_partner_balances as select * from (values "
            "('p1', 'USD', 700), ('p2', 'EUR', 450)) as balances "
            "(partner_id, payout_currency_code, balance_amount_minor)"
        )
        opened.execute(
            "create table marts.fct_payout_batches as select 'b1' as batch_id, 1 as items, "
            "700 as total_amount_minor"
        )
        opened.execute(
            "create table marts.fct_payout_items as select * from (values "
            "('b1', 700, null), ('b1', 20, 'below_minimum')) as items "
            "(batch_id, amount_minor, left_out_reason)"
        )
        yield opened


def failed(connection):
    return {check.name: check for check in reconcile(connection) if not check.is_passed}


def test_tables_that_tie_pass(connection):
    assert failed(connection) == {}


def test_missing_entry_blocks_and_names_its_currency(connection):
    connection.execute("delete from marts.fct_commission_entries where entry_id = 'e3'")
    check = failed(connection)["reconcile__entries_tie_to_journal"]
    assert check.is_blocking
    assert check.failing_keys == ("USD",)


@pytest.mark.parametrize(
    "fault",
    [
        "delete from marts.fct_unpaid_lines",
        "update marts.fct_unpaid_lines set amount_minor = 401",
        "insert into marts.fct_unpaid_lines values ('l1', 'USD', 1000)",
        "delete from intermediate.int_journal__computed where source_id = 'l1'",
    ],
)
def test_paid_line_that_is_lost_counted_twice_or_another_amount_blocks(connection, fault):
    connection.execute(fault)
    check = failed(connection)["reconcile__paid_lines_tie_to_landed_lines"]
    assert check.failing_keys == ("USD",)


def test_balance_off_by_one_cent_names_the_partner(connection):
    connection.execute(
        "update marts.fct_partner_balances set balance_amount_minor = 701 where partner_id = 'p1'"
    )
    check = failed(connection)["reconcile__balances_tie_to_journal"]
    assert check.failing_keys == ("p1",)
    assert "p1" in check.describe()


def test_batch_that_is_not_the_sum_of_its_items_blocks(connection):
    connection.execute("update marts.fct_payout_batches set total_amount_minor = 720")
    assert "reconcile__batches_tie_to_items" in failed(connection)


def test_key_that_misses_its_desired_amount_blocks(connection):
    connection.execute(
        "update intermediate.int_journal__desired set amount_minor = 1001 "
        "where commission_id = 'c1'"
    )
    check = failed(connection)["reconcile__journal_ties_to_desired"]
    assert check.failing_keys == ("c1",)
