"""What was changed outside the product in outcomes, files and returns is found, and named."""

from __future__ import annotations

import pyarrow
import pytest
from bank_files import Move, camt, end_to_end, status_csv
from payout_world import BEN, CAT

from payouts import return_entries
from payouts.outcomes import all_item_states


@pytest.fixture
def settled(exported):
    """p_1 settled, p_2 settled and returned, p_3 failed: closed."""
    ids = exported.payouts
    exported.sent(actor=CAT)
    exported.read(
        camt([Move(end_to_end(ids["p_1"]), "150.00"), Move(end_to_end(ids["p_2"]), "70.00")])
    )
    exported.read(status_csv((ids["p_3"], "failed", 6000, "USD", "2026-03-17", "AC01", "")))
    exported.read(camt([Move(end_to_end(ids["p_2"]), "70.00", True, "AC04", "2026-03-19")], "02"))
    return exported


def _sql(world, statement: str) -> None:
    with world.store.write() as connection:
        for (name,) in connection.exec_driver_sql(
            "select name from sqlite_master where type = 'trigger'"
        ).all():
            connection.exec_driver_sql(f"drop trigger {name}")
        connection.exec_driver_sql("pragma defer_foreign_keys = on")
        connection.exec_driver_sql(statement)


def _checks(world) -> set[str]:
    return {finding.check for finding in world.broken()}


def test_untouched_home_verifies(settled):
    assert settled.state() == "closed"
    assert settled.broken() == []


@pytest.mark.parametrize(
    ("statement", "check"),
    [
        ("update settlement_files set file_sha256 = 'x' where lines = 2", "settlement_files"),
        ("update settlement_files set settlement_id = 'x' where lines = 2", "settlement_files"),
        ("update payout_outcomes set line = 9 where outcome = 'settled'", "outcomes"),
        ("update payout_outcomes set reason_code = 'AC02' where outcome = 'returned'", "outcomes"),
        ("delete from payout_outcomes where outcome = 'returned'", "returns"),
        ("update payout_outcomes set outcome = 'settled' where outcome = 'failed'", "returns"),
        ("update payout_outcomes set outcome = 'sent' where outcome = 'settled'", "item_states"),
        ("update payout_outcomes set outcome = 'failed' where outcome = 'returned'", "item_states"),
        (
            "update payout_outcomes set amount_minor = 1 where outcome = 'settled'",
            "settled_amounts",
        ),
        (
            "update payout_outcomes set return_entry_id = 'x' where outcome = 'failed'",
            "returns",
        ),
        ("update batch_states set state = 'sent'", "batch_states"),
    ],
)  # fmt: skip
def test_changed_row_is_found(settled, statement, check):
    _sql(settled, statement)
    assert check in _checks(settled)


def test_currency_of_an_item_is_that_of_its_batch(exported):
    """Nothing covers the item's own; a return is posted in the currency that was approved."""
    _sql(exported, "update payout_items set currency_code = 'EUR'")
    with exported.store.read() as connection:
        states = all_item_states(connection)
    assert {item.currency_code for item in states.values()} == {"USD"}
    assert {"batch_contents", "proposals"} <= _checks(exported)


def test_return_in_another_currency_than_its_payout_is_found(exported, monkeypatch):
    """Posted past the product: the journal itself is whole."""
    table = return_entries._table

    def in_euros(returns, last_closed):
        rows = table(returns, last_closed).to_pylist()
        return pyarrow.Table.from_pylist(
            [{**row, "currency_code": "EUR", "payout_currency_code": "EUR"} for row in rows],
            table(returns, last_closed).schema,
        )

    monkeypatch.setattr(return_entries, "_table", in_euros)
    exported.request_abort(BEN)
    exported.abort(CAT)
    (finding,) = [each for each in exported.broken() if each.check == "returns"]
    assert "return entries are not of what their payouts took" in finding.detail


def test_removed_file_record_is_found(settled):
    _sql(settled, "delete from settlement_files where lines = 2")
    assert "settlement_files" in _checks(settled)


def test_changed_outcome_of_an_abort_is_found(exported):
    exported.request_abort(BEN)
    exported.abort(CAT)
    assert exported.broken() == []
    _sql(exported, "delete from payout_outcomes where number = 1")
    assert "outcomes" in _checks(exported)
