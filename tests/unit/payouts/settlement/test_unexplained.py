"""What a bank says and the books do not show: in the match until it is cleared up."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import pytest
from bank_files import (
    Move,
    batch_entry,
    camt,
    end_to_end,
    nacha,
    nacha_notice,
    pain002,
    statement,
    status_csv,
)
from payout_world import ANA, APPROVALS, BEN, CAT, CLOCK, DAN, RULES, entry
from settled_world import AMOUNTS, READ

from payouts.closing import close_period
from payouts.errors import DecisionRefusedError
from payouts.holds import PAYEE_DETAILS, load_holds, release_hold
from payouts.payees import load_payees
from payouts.payout_findings import finding_rows
from payouts.settlement.open_lines import acknowledge_lines


def _debits(world, *partners: str, day: str = "2026-03-17", kind: str = "053") -> bytes:
    return camt(
        [
            Move(end_to_end(world.payouts[each]), f"{AMOUNTS[each] // 100}.00", day=day)
            for each in partners or AMOUNTS
        ],
        kind=kind,
    )


def _row(world, partner: str, status: str, amount: int | None = None, day: str = "2026-03-17"):
    amount = AMOUNTS[partner] if amount is None else amount
    return (world.payouts[partner], status, amount, "USD", day, "", "")


def _kinds(result) -> list[str]:
    return [each.kind for each in result.discrepancies]


def _found(world) -> list[str]:
    with world.store.read() as connection:
        return [
            row["detail"].partition(":")[0]
            for row in finding_rows(connection)
            if row["kind"] == "settlement_line_not_applied"
        ]


def _acknowledge(world, settlement: str, *lines: int, **options):
    arguments = {
        "reason": "the bank gave it back, ticket 7", "actor": BEN, "rules": APPROVALS,
        "recorded_at": READ, **options,
    }  # fmt: skip
    return acknowledge_lines(world.store, settlement, lines, **arguments)


def _open_holds(world) -> list[tuple[str, str]]:
    with world.store.read() as connection:
        return [(hold.subject_id, hold.reason) for hold in load_holds(connection) if hold.is_open]


# A debit that the bank makes twice on two days ------------------------------------------------


def test_debit_of_another_day_in_a_second_statement_is_booked_twice(exported):
    exported.read(_debits(exported))
    assert exported.match().is_matched
    second = exported.read(_debits(exported, day="2026-03-19"), "uploaded-twice.xml")
    assert (_kinds(second), second.outcomes, second.known) == (["booked_twice"] * 3, {}, 0)
    assert "value date 2026-03-19, and before with 2026-03-17" in second.discrepancies[0].detail
    assert not exported.match().is_matched
    assert exported.balances() == {"p_1": 0, "p_2": 0, "p_3": 0}
    assert exported.broken() == []


def test_same_value_date_in_advice_and_statement_is_one_debit(exported):
    exported.read(_debits(exported, kind="054"))
    again = exported.read(_debits(exported), "053.xml")
    assert (again.known, again.discrepancies) == (3, ())
    assert exported.match().is_matched


def test_second_debit_is_reported_once_in_advice_and_statement(exported):
    exported.read(_debits(exported, "p_1"))
    assert _kinds(exported.read(_debits(exported, "p_1", day="2026-03-19", kind="054"))) == [
        "booked_twice"
    ]
    assert exported.read(_debits(exported, "p_1", day="2026-03-19"), "053.xml").known == 1
    assert _found(exported) == ["booked_twice"]


def test_whole_file_booked_twice_in_one_sum(exported):
    batch_id = exported.batch.batch_id
    exported.read(statement(batch_entry(batch_id, "280.00")))
    second = exported.read(statement(batch_entry(batch_id, "280.00", day="2026-03-18")))
    assert _kinds(second) == ["booked_twice"] * 3
    assert not exported.match().is_matched


@pytest.mark.parametrize("day", ["", "2026-03-16"])
def test_day_of_a_status_csv_is_no_debit_of_a_statement(exported, day):
    exported.read(status_csv(*(_row(exported, each, "settled", day=day) for each in AMOUNTS)))
    statement_read = exported.read(_debits(exported))
    assert (statement_read.known, statement_read.discrepancies) == (3, ())
    second = exported.read(_debits(exported, day="2026-03-19"), "second.xml")
    assert _kinds(second) == ["booked_twice"] * 3


# Open lines and the match ----------------------------------------------------------------------


def test_batch_does_not_match_while_a_line_contradicts(exported):
    exported.sent(actor=CAT)
    exported.read(status_csv(_row(exported, "p_1", "failed", day="2026-03-16")))
    result = exported.read(_debits(exported))
    assert _kinds(result) == ["contradicts"]
    match = exported.match()
    assert (match.state, match.bank_residual_minor, match.is_matched) == ("closed", 0, False)
    _acknowledge(exported, result.settlement_id, result.discrepancies[0].line)
    match = exported.match()
    assert match.is_matched
    assert match.discrepancies == ()
    assert _found(exported) == []
    assert exported.broken() == []


def test_line_that_a_later_file_settles_is_open_no_more(exported):
    exported.read(status_csv(_row(exported, "p_1", "settled", 14999)), "a.csv")
    assert _found(exported) == ["amount_differs"]
    exported.read(status_csv(_row(exported, "p_1", "settled")), "b.csv")
    assert _found(exported) == []
    assert exported.match().discrepancies == ()


def test_two_lines_of_one_file_do_not_explain_each_other(exported):
    exported.read(
        status_csv(_row(exported, "p_1", "settled", 14999), _row(exported, "p_1", "settled"))
    )
    assert exported.states()["p_1"] == "settled"
    assert _found(exported) == ["amount_differs"]


def test_acknowledging_needs_finance_a_reason_and_an_open_line(exported):
    result = exported.read(status_csv(_row(exported, "p_1", "settled", 14999)))
    known = result.settlement_id
    with pytest.raises(DecisionRefusedError, match="may not acknowledge"):
        _acknowledge(exported, known, 2, actor=ANA)
    with pytest.raises(DecisionRefusedError, match="reason"):
        _acknowledge(exported, known, 2, reason=" ")
    for settlement, lines in ((known, (2, 3)), (known, ()), ("set-none", (2,))):
        with pytest.raises(DecisionRefusedError, match="has no open line"):
            _acknowledge(exported, settlement, *lines)
    assert _found(exported) == ["amount_differs"]
    (line,) = exported.match().discrepancies
    assert [each.payout_id for each in _acknowledge(exported, line["settlement"], 2)] == [
        exported.payouts["p_1"]
    ]
    assert _found(exported) == []


# Days --------------------------------------------------------------------------------------------


def _item(world) -> tuple:
    world.world.refresh()
    return world.world.warehouse.execute(
        "select state, settled_date, is_returned_after_settlement from raw.control__payout_items "
        "where partner_id = 'p_1'"
    ).fetchone()


def test_debit_without_a_value_date_counts_on_the_local_day_it_was_read(exported):
    # Half past one in UTC is still the day before in New York.
    exported.read(
        status_csv(_row(exported, "p_1", "settled", day="")), read_at=datetime(2026, 3, 21, 1, 30)
    )
    assert _item(exported) == ("settled", date(2026, 3, 20), False)
    assert exported.broken() == []


def test_debit_without_a_date_that_is_read_after_its_return_is_not_later_than_it(exported):
    exported.sent(actor=CAT)
    exported.read(status_csv(_row(exported, "p_1", "returned", day="2026-03-18")))
    exported.read(status_csv(_row(exported, "p_1", "settled", day="")))
    assert _item(exported) == ("returned", date(2026, 3, 18), False)
    assert exported.broken() == []


@pytest.mark.parametrize(("order", "is_after"), [((0, 1), True), ((1, 0), False)])
def test_return_keeps_the_account_under_which_it_was_first_known(exported, order, is_after):
    exported.sent(actor=CAT)
    files = [
        status_csv(_row(exported, "p_1", "settled", day="2026-03-16")),
        status_csv(_row(exported, "p_1", "returned")),
    ]
    for number in order:
        exported.read(files[number])
    assert _item(exported) == ("returned", date(2026, 3, 16), is_after)


# Giving back by hand -----------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["failed", "returned"])
def test_one_person_alone_gives_nothing_back_by_a_status_csv(exported, status):
    content = status_csv(*(_row(exported, each, status) for each in AMOUNTS))
    for _ in range(2):
        result = exported.read(content)
        assert (_kinds(result), result.returned_amount_minor) == (["not_confirmed"] * 3, {})
    assert exported.state() == "exported"
    exported.sent(actor=BEN)
    assert _kinds(exported.read(content)) == ["not_confirmed"] * 3
    assert exported.balances() == {"p_1": 0, "p_2": 0, "p_3": 0}
    # Ben has confirmed, so that another person's reading counts.
    assert exported.read(content, actor=CAT).returned_amount_minor == {"USD": 28000}
    assert _found(exported) == []
    assert exported.broken() == []


def test_own_file_of_the_bank_does_not_confirm_for_oneself(exported):
    exported.read(_debits(exported, "p_1"))
    content = status_csv(_row(exported, "p_2", "failed"))
    assert _kinds(exported.read(content)) == ["not_confirmed"]
    assert exported.read(content, actor=DAN).outcomes == {"failed": 1}


def test_banks_own_formats_need_no_confirmation(exported):
    exported.goes_out_by("sepa")
    result = exported.read(pain002([(end_to_end(exported.payouts["p_1"]), "RJCT", "AC01")]))
    assert result.returned_amount_minor == {"USD": 15000}


# Not paid again to a doubtful account ------------------------------------------------------------


def _returned(world) -> bytes:
    return camt([Move(end_to_end(world.payouts["p_2"]), "70.00", True, "AC04", "2026-03-19")])


def test_returned_payout_is_not_retried_where_no_gate_looks_at_details(exported):
    """The batch of the next month would pay the same account again."""
    rules = replace(RULES, gates=("status", "terms_accepted"))
    exported.read(_returned(exported))
    assert _open_holds(exported) == [("p_2", PAYEE_DETAILS)]
    world = exported.world
    world.post(as_of=date(2026, 3, 31))
    assert world.propose(as_of=date(2026, 3, 31), rules=rules) == []
    world.ready_payee("p_2")
    assert _open_holds(exported) == []
    (batch,) = world.propose(as_of=date(2026, 3, 31), rules=rules, pay_date=date(2026, 4, 15))
    assert batch.total_amount_minor == 7000


def test_person_releases_the_hold_of_a_return(exported):
    exported.read(_returned(exported))
    with exported.store.read() as connection:
        (hold,) = load_holds(connection)
    release_hold(
        exported.store, hold.hold_id, reason="the account is right, the bank erred", actor=CAT,
        rules=APPROVALS, recorded_at=READ,
    )  # fmt: skip
    assert _open_holds(exported) == []
    # The same return in another file holds nobody again.
    exported.read(_returned(exported).replace(b"bank-1", b"bank-2"))
    assert _open_holds(exported) == []


def test_live_batch_of_the_partner_goes_stale_with_the_return(exported):
    world = exported.world
    world.desire(entry("il_9", 9000, partner_id="p_2", available_date=date(2026, 3, 10)))
    world.post(as_of=date(2026, 3, 31))
    (waiting,) = world.propose(as_of=date(2026, 3, 31))
    world.approve_fully(waiting)
    assert exported.read(_returned(exported)).stale_batches == (waiting.batch_id,)
    assert world.state(waiting) == "stale"
    assert exported.broken() == []


def test_notice_of_change_blocks_the_next_payment(exported):
    exported.goes_out_by("nacha")
    content = nacha([nacha_notice(end_to_end(exported.payouts["p_2"]), "C01")], "COR")
    assert exported.read(content).asked_partners == ("p_2",)
    with exported.store.read() as connection:
        assert not load_payees(connection)["p_2"].payee_verified
    assert _open_holds(exported) == [("p_2", PAYEE_DETAILS)]
    assert exported.states()["p_2"] == "sent"


@pytest.mark.parametrize("status", ["RVNM", "RVMC"])
def test_name_that_differs_holds_the_partner(exported, status):
    exported.goes_out_by("sepa")
    exported.read(pain002([(end_to_end(exported.payouts["p_2"]), status, "")]))
    assert _open_holds(exported) == [("p_2", PAYEE_DETAILS)]
    with exported.store.read() as connection:
        assert load_payees(connection)["p_2"].payee_verified
    assert exported.balances()["p_2"] == 0


# Closing a month ---------------------------------------------------------------------------------


def _close(world, period: str, at: datetime, **options):
    return close_period(
        world.store, world.home, period=period, actor=BEN, rules=APPROVALS, recorded_at=at,
        **options,
    )  # fmt: skip


def test_month_does_not_close_over_payouts_that_nobody_explained(exported):
    """Exported on 2 March: March may not close in April while the bank has said nothing."""
    exported.world.post(as_of=date(2026, 3, 31))
    for period in ("2026-01", "2026-02"):
        _close(exported, period, CLOCK)
    april = datetime(2026, 4, 3, 9)
    with pytest.raises(DecisionRefusedError, match="exported on 2026-03-02 and has 3 open payouts"):
        _close(exported, "2026-03", april)
    result = exported.read(_debits(exported))
    second = exported.read(_debits(exported, "p_1", day="2026-03-19"), "second.xml")
    with pytest.raises(DecisionRefusedError, match=r"line \d+ of file \w+ is open .booked_twice"):
        _close(exported, "2026-03", april)
    assert result.discrepancies == ()
    _acknowledge(exported, second.settlement_id, second.discrepancies[0].line)
    assert _close(exported, "2026-03", april).period == "2026-03"
    assert exported.broken() == []


def test_month_closes_despite_open_payouts_with_a_reason(exported):
    exported.world.post(as_of=date(2026, 3, 31))
    for period in ("2026-01", "2026-02"):
        _close(exported, period, CLOCK)
    april = datetime(2026, 4, 3, 9)
    with pytest.raises(DecisionRefusedError, match="reason"):
        _close(exported, "2026-03", april, is_despite_open=True)
    assert _close(
        exported, "2026-03", april, is_despite_open=True, reason="PayPal reviews it"
    ).period == "2026-03"  # fmt: skip
