"""T29–T31: files applied to an exported batch: partial, duplicate, unknown, late, to the cent."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from bank_files import (
    Move,
    batch_entry,
    camt,
    end_to_end,
    nacha,
    nacha_notice,
    nacha_return,
    pain002,
    paypal,
    statement,
    status_csv,
)
from payout_world import ANA, APPROVALS, BEN, CAT, CLOCK, DAN, RULES, entry
from settled_world import AMOUNTS, READ

from payouts import events
from payouts.closing import close_period
from payouts.errors import BatchNotFoundError, DecisionRefusedError, SettlementFileError
from payouts.export import export_batch
from payouts.holds import PAYEE_DETAILS, load_holds
from payouts.ids import batch_id, payout_id
from payouts.payees import load_payees
from payouts.periods import last_closed
from payouts.settlement import applying
from payouts.settlement.applying import shown_file_name
from payouts.settlement.asking import CHANGE_REQUESTED
from payouts.settlement.open_lines import open_lines


def _settled(world, *partners: str, day: str = "2026-03-17", **options) -> bytes:
    return camt(
        [
            Move(
                end_to_end(world.payouts[each]),
                f"{AMOUNTS[each] // 100}.{AMOUNTS[each] % 100:02}",
                day=day,
            )
            for each in partners
        ],
        **options,
    )


def _returned(world, partner: str, kind: str = "054", day: str = "2026-03-19") -> bytes:
    amount = f"{AMOUNTS[partner] // 100}.{AMOUNTS[partner] % 100:02}"
    return camt([Move(end_to_end(world.payouts[partner]), amount, True, "AC04", day)], "02", kind)


def _kinds(result) -> list[str]:
    return [each.kind for each in result.discrepancies]


def _count(world, table: str) -> int:
    with world.store.read() as connection:
        return connection.exec_driver_sql(f"select count(*) from {table}").scalar()


def test_whole_batch_settles_and_closes(exported):
    result = exported.read(_settled(exported, *AMOUNTS))
    assert (result.file_format, result.outcomes, result.segment) == (
        "camt.053", {"settled": 3}, None,
    )  # fmt: skip
    assert exported.state() == "closed"
    assert exported.balances() == {"p_1": 0, "p_2": 0, "p_3": 0}
    match = exported.match()
    assert match.is_matched
    assert (match.settled_amount_minor, match.bank_total_minor) == (28000, 28000)
    assert match.reasons == ()
    assert exported.broken() == []


def test_part_of_a_batch_leaves_it_sent(exported):
    result = exported.read(_settled(exported, "p_1"))
    assert [(each.state, each.open_payouts) for each in result.batches] == [("sent", 2)]
    assert exported.states() == {"p_1": "settled", "p_2": "sent", "p_3": "sent"}
    match = exported.match()
    assert not match.is_matched
    assert match.open_amount_minor == 13000
    assert {each.clearing_age_days for each in match.open_payouts} == {18}
    assert exported.broken() == []


def test_same_file_again_changes_nothing(exported):
    first = exported.read(_settled(exported, "p_1"))
    rows = [_count(exported, name) for name in ("events", "payout_outcomes", "segments")]
    again = exported.read(_settled(exported, "p_1"), "copy-of-bank.xml")
    assert (again.is_new, again.settlement_id, again.known, again.outcomes) == (
        False, first.settlement_id, 1, {},
    )  # fmt: skip
    assert rows == [_count(exported, name) for name in ("events", "payout_outcomes", "segments")]


def test_same_outcome_in_another_format_is_known(exported):
    exported.read(_settled(exported, *AMOUNTS))
    again = exported.read(_settled(exported, *AMOUNTS, kind="054", version="02"))
    assert (again.is_new, again.known, again.outcomes, again.batches) == (True, 3, {}, ())
    assert exported.broken() == []


@pytest.mark.parametrize(
    ("rail", "build"),
    [
        ("csv", lambda key, _: camt([Move(key, "70.00", True, "AC04", "2026-03-19")])),
        ("csv", lambda key, _: camt([Move(key, "70.00", True, "AC04", "2026-03-19")], "02")),
        ("nacha", lambda key, amount: nacha([nacha_return(key, amount, "R03")])),
        ("paypal", lambda key, _: paypal((key, "RETURNED", "70.00", "USD", "2026-03-19", ""))),
        ("csv", lambda key, amount: status_csv((key, "returned", amount, "USD", "", "X1", ""))),
        ("csv", lambda key, amount: status_csv((key, "failed", amount, "USD", "", "X1", ""))),
        ("sepa", lambda key, _: pain002([(key, "RJCT", "AC01")])),
    ],
)
def test_every_format_puts_the_amount_back_and_asks_the_partner(exported, rail, build):
    exported.goes_out_by(rail)
    key = end_to_end(exported.payouts["p_2"])
    exported.sent(actor=CAT)
    result = exported.read(build(key, 7000))
    assert (result.returned_amount_minor, result.asked_partners) == ({"USD": 7000}, ("p_2",))
    assert exported.balances() == {"p_1": 0, "p_2": 7000, "p_3": 0}
    with exported.store.read() as connection:
        payees = load_payees(connection)
    assert not payees["p_2"].payee_verified
    assert payees["p_1"].payee_verified
    assert exported.broken() == []


def test_same_return_in_several_formats_gives_back_once(exported):
    key = end_to_end(exported.payouts["p_2"])
    exported.read(_settled(exported, "p_2"))
    exported.read(_returned(exported, "p_2"))
    for content in (
        _returned(exported, "p_2", "053"),
        nacha([nacha_return(key, 7000, "R02")]),
        status_csv((key, "returned", 7000, "USD", "2026-03-20", "", "")),
        _returned(exported, "p_2", "053", "2026-03-20"),
    ):
        again = exported.read(content)
        assert (again.returned_amount_minor, again.outcomes) == ({}, {})
    assert exported.balances()["p_2"] == 7000
    assert exported.broken() == []


def test_failed_then_returned_is_one_incident(exported):
    exported.goes_out_by("sepa")
    key = end_to_end(exported.payouts["p_2"])
    exported.read(pain002([(key, "RJCT", "AC01")]))
    again = exported.read(_returned(exported, "p_2"))
    assert (again.known, again.returned_amount_minor) == (1, {})
    assert exported.balances()["p_2"] == 7000


def test_late_return_after_close_restores_the_balance_and_leaves_it_closed(exported):
    exported.read(_settled(exported, *AMOUNTS))
    result = exported.read(_returned(exported, "p_3", day="2026-03-30"), "late.xml")
    assert [(each.state, each.applied) for each in result.batches] == [("closed", 1)]
    assert exported.states()["p_3"] == "returned"
    assert exported.balances()["p_3"] == 6000
    match = exported.match()
    assert match.is_matched
    assert (match.bank_total_minor, match.returned_amount_minor) == (22000, 6000)
    assert exported.broken() == []


def test_return_read_before_its_debit_ends_in_the_same_state(exported):
    exported.read(_returned(exported, "p_3"))
    match = exported.match()
    assert match.bank_residual_minor == 0
    assert any("before a file showed their debit" in reason for reason in match.reasons)
    result = exported.read(_settled(exported, "p_3"), "older.xml")
    assert result.outcomes == {"settled": 1}
    item = exported.items()[exported.payouts["p_3"]]
    assert (item.state, item.settled_date) == ("returned", date(2026, 3, 17))
    assert exported.balances()["p_3"] == 6000
    assert exported.broken() == []


def test_return_entry_reverses_the_payout_on_its_value_date(exported):
    exported.read(_returned(exported, "p_2"))
    exported.balances()
    rows = exported.world.warehouse.execute(
        "select back.amount_minor, back.effective_date, back.available_date, back.posting_period, "
        "back.source_type, back.source_id, back.cause_type, back.cause_id, paid.entry_kind, "
        "paid.source_id from raw.journal__entries as back join raw.journal__entries as paid on "
        "paid.entry_id = back.reverses_entry_id where back.entry_kind = 'payout_return'"
    ).fetchall()
    payout = exported.payouts["p_2"]
    day = date(2026, 3, 19)
    assert rows == [
        (7000, day, day, "2026-03", "payout", payout, "payout_outcome", payout, "payout", payout)
    ]


def test_return_without_value_date_counts_on_the_local_day_it_was_read(exported):
    # Half past one in UTC is still the day before in New York.
    row = (exported.payouts["p_2"], "failed", 7000, "USD", "", "", "")
    exported.sent(actor=CAT)
    exported.read(status_csv(row), read_at=datetime(2026, 3, 21, 1, 30))
    exported.balances()
    days = exported.world.warehouse.execute(
        "select effective_date from raw.journal__entries where entry_kind = 'payout_return'"
    ).fetchall()
    assert days == [(date(2026, 3, 20),)]


def test_return_into_a_closed_period_is_posted_in_the_next(exported):
    for period in ("2026-01", "2026-02"):
        close_period(
            exported.store, exported.home, period=period, reason="reported", actor=BEN,
            rules=APPROVALS, recorded_at=READ,
        )  # fmt: skip
    with exported.store.read() as connection:
        assert last_closed(connection) == "2026-02"
    exported.sent(actor=CAT)
    exported.read(
        status_csv((exported.payouts["p_2"], "failed", 7000, "USD", "2026-02-28", "", ""))
    )
    exported.balances()
    rows = exported.world.warehouse.execute(
        "select effective_date, posting_period from raw.journal__entries "
        "where entry_kind = 'payout_return'"
    ).fetchall()
    assert rows == [(date(2026, 2, 28), "2026-03")]
    assert exported.broken() == []


def test_returned_payout_is_paid_by_a_later_batch_after_the_check(exported):
    exported.read(_settled(exported, "p_1", "p_3"))
    exported.read(_returned(exported, "p_2", day="2026-03-19"))
    world = exported.world
    world.post(as_of=date(2026, 3, 31))
    options = {"as_of": date(2026, 3, 31)}
    assert world.propose(**options) == []
    with exported.store.read() as connection:
        (hold,) = load_holds(connection)
    assert (hold.subject_id, hold.reason, hold.is_open) == ("p_2", PAYEE_DETAILS, True)
    world.ready_payee("p_2")
    (batch,) = world.propose(pay_date=date(2026, 4, 15), **options)
    assert (batch.items, batch.total_amount_minor) == (1, 7000)
    world.approve_fully(batch)
    export_batch(
        world.store, world.home, batch.batch_id, warehouse=world.warehouse,
        as_of=date(2026, 3, 31), rules=RULES, approval_rules=APPROVALS, exported_at=CLOCK,
    )  # fmt: skip
    assert exported.balances() == {"p_1": 0, "p_2": 0, "p_3": 0}
    assert exported.states()["p_2"] == "returned"
    assert exported.broken() == []


def test_unclaimed_stays_open_until_it_is_claimed_or_comes_back(exported):
    exported.goes_out_by("paypal")
    payouts = exported.payouts
    exported.read(
        paypal(
            (payouts["p_1"], "SUCCESS", "150.00", "USD", "2026-03-17", ""),
            (payouts["p_2"], "UNCLAIMED", "70.00", "USD", "2026-03-17", ""),
            (payouts["p_3"], "ONHOLD", "60.00", "USD", "2026-03-17", ""),
        )
    )
    assert exported.states() == {"p_1": "settled", "p_2": "unclaimed", "p_3": "sent"}
    assert exported.state() == "sent"
    assert any("have not claimed" in reason for reason in exported.match().reasons)
    result = exported.read(
        paypal(
            (payouts["p_2"], "RETURNED", "70.00", "USD", "2026-04-16", ""),
            (payouts["p_3"], "SUCCESS", "60.00", "USD", "2026-03-18", ""),
        )
    )
    assert result.outcomes == {"returned": 1, "settled": 1}
    assert exported.state() == "closed"
    assert exported.balances() == {"p_1": 0, "p_2": 7000, "p_3": 0}


def test_paypal_ids_cut_to_30_characters_are_found(exported):
    exported.goes_out_by("paypal")
    short = end_to_end(exported.payouts["p_1"])[:30]
    result = exported.read(paypal((short, "SUCCESS", "150.00", "USD", "2026-03-17", "")))
    assert result.outcomes == {"settled": 1}


@pytest.mark.parametrize(
    ("row", "kind"),
    [
        (("{p_1}", "settled", 14999, "USD", "2026-03-17", "", ""), "amount_differs"),
        (("{p_1}", "returned", 15001, "USD", "2026-03-17", "", ""), "amount_differs"),
        (("{p_1}", "settled", 15000, "EUR", "2026-03-17", "", ""), "wrong_currency"),
        (("{p_1}", "settled", 15000, "USD", "2062-03-17", "", ""), "value_date"),
        (("{p_1}", "settled", 15000, "USD", "2026-02-27", "", ""), "value_date"),
        (("not-ours", "settled", 15000, "USD", "2026-03-17", "", ""), "unknown_payout"),
        (("b-other", "settled", 15000, "USD", "2026-03-17", "", ""), "unknown_payout"),
    ],
)
def test_doubtful_line_is_reported_and_the_others_count(exported, row, kind):
    good = (exported.payouts["p_2"], "settled", 7000, "USD", "2026-03-17", "", "")
    bad = (row[0].replace("{p_1}", exported.payouts["p_1"]), *row[1:])
    result = exported.read(status_csv(bad, good))
    assert (_kinds(result), result.outcomes) == ([kind], {"settled": 1})
    assert result.discrepancies[0].line == 2
    assert exported.states() == {"p_1": "sent", "p_2": "settled", "p_3": "sent"}
    assert exported.balances() == {"p_1": 0, "p_2": 0, "p_3": 0}
    assert exported.broken() == []


def test_contradictions_change_nothing(exported):
    key = exported.payouts["p_1"]
    exported.sent(actor=CAT)
    exported.read(_settled(exported, "p_1"))
    result = exported.read(status_csv((key, "failed", 15000, "USD", "", "AC01", "")))
    assert _kinds(result) == ["contradicts"]
    assert exported.states()["p_1"] == "settled"
    rejected = exported.payouts["p_2"]
    exported.read(status_csv((rejected, "failed", 7000, "USD", "2026-03-17", "AC01", "")))
    result = exported.read(_settled(exported, "p_2"), "second.xml")
    assert _kinds(result) == ["contradicts"]
    assert exported.balances() == {"p_1": 0, "p_2": 7000, "p_3": 0}
    assert any("contradicts" in reason for reason in exported.match().reasons)


def test_debit_booked_twice_in_one_statement_is_reported(exported):
    result = exported.read(_settled(exported, "p_1", "p_1"))
    assert (_kinds(result), result.outcomes) == (["booked_twice"], {"settled": 1})


@pytest.mark.parametrize(
    "second",
    [("15000", "2026-03-17", "REF 1"), ("15000", "2026-03-19", ""), ("15000", "", "REF 2")],
)
def test_second_row_of_a_status_csv_is_booked_twice(exported, second):
    """Equal rows, and rows that say the same of one payout with another day or reference."""
    payout = exported.payouts["p_1"]
    amount, day, reference = second
    rows = [
        (payout, "settled", 15000, "USD", "2026-03-17", "", "REF 1"),
        (payout, "settled", amount, "USD", day, "", reference),
        (payout, "settled", amount, "USD", day, "", reference),
    ]
    result = exported.read(status_csv(*rows), "status.csv")
    assert result.outcomes == {"settled": 1}
    assert [(each.kind, each.line) for each in result.discrepancies] == [
        ("booked_twice", 3), ("booked_twice", 4),
    ]  # fmt: skip
    assert result.discrepancies[0].detail == (
        "the file says settled of this payout in line 2 already"
    )
    with exported.store.read() as connection:
        assert [line.line for line in open_lines(connection)] == [3, 4]
    assert not exported.match().is_matched
    again = exported.read(status_csv(*rows), "status.csv")
    assert (again.is_new, again.outcomes, _kinds(again)) == (False, {}, ["booked_twice"] * 2)
    assert exported.broken() == []


def test_copied_row_of_a_return_gives_money_back_once(exported):
    exported.sent(actor=DAN)
    row = (exported.payouts["p_2"], "returned", 7000, "USD", "2026-03-19", "R03", "")
    result = exported.read(status_csv(row, row), "status.csv")
    assert (result.outcomes, _kinds(result)) == ({"returned": 1}, ["booked_twice"])
    assert result.returned_amount_minor == {"USD": 7000}
    assert exported.balances()["p_2"] == 7000


def test_total_of_a_batch_beside_a_row_of_its_payout_is_booked_twice(exported):
    result = exported.read(
        status_csv(
            (exported.payouts["p_1"], "settled", 15000, "USD", "2026-03-17", "", ""),
            (exported.batch.batch_id, "settled", 28000, "USD", "2026-03-17", "", ""),
        ),
        "status.csv",
    )
    assert (result.outcomes, _kinds(result)) == ({"settled": 3}, ["booked_twice"])


def test_rows_of_a_status_csv_that_end_nothing_may_repeat(exported):
    payout = exported.payouts["p_1"]
    rows = [(payout, status, 15000, "USD", "", "", "") for status in ("sent", "sent", "settled")]
    result = exported.read(status_csv(*rows), "status.csv")
    assert (result.outcomes, result.known, result.discrepancies) == (
        {"sent": 1, "settled": 1}, 1, (),
    )  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_file_in_another_encoding_stores_nothing(exported, encoding):
    row = (exported.payouts["p_1"], "settled", 15000, "USD", "2026-03-17", "", "")
    content = status_csv(row).decode().encode(encoding)
    with exported.store.read() as connection:
        before = events.head(connection)
    with pytest.raises(SettlementFileError, match="status.csv: is UTF-16 text"):
        exported.read(content, "status.csv")
    with exported.store.read() as connection:
        assert events.head(connection) == before
    assert exported.states()["p_1"] == "exported"


def test_rest_of_the_account_is_not_ours(exported):
    moves = [Move("INVOICE-7", "12.00"), Move("NOTPROVIDED", "9.00"), Move("x", "5.00", True, "R1")]
    result = exported.read(camt(moves))
    assert (result.unrelated, result.discrepancies, result.outcomes) == (2, (), {})
    assert exported.state() == "exported"


def test_unknown_payout_in_our_form_is_reported_from_a_statement(exported):
    stranger = end_to_end(payout_id("b-somewhere-else", "p_9"))
    assert _kinds(exported.read(camt([Move(stranger, "12.00")]))) == ["unknown_payout"]


def test_file_that_came_too_early_applies_when_it_is_read_again(exported):
    """The statement was read before the second batch existed; its line is not lost."""
    world = exported.world
    later = batch_id("Acme Inc", "USD", "csv", date(2026, 3, 31), 1)
    key = payout_id(later, "p_1")
    content = camt([Move(end_to_end(key), "90.00", day="2026-04-16")])
    assert _kinds(exported.read(content)) == ["unknown_payout"]
    world.desire(entry("il_9", 9000, available_date=date(2026, 3, 10)))
    world.post(as_of=date(2026, 3, 31))
    (batch,) = world.propose(as_of=date(2026, 3, 31))
    assert batch.batch_id == later
    world.approve_fully(batch)
    world.export(batch, as_of=date(2026, 3, 31))
    again = exported.read(content)
    assert (again.is_new, again.outcomes) == (False, {"settled": 1})
    assert world.state(batch) == "closed"
    assert exported.broken() == []


def test_lines_of_other_batches_wait_when_one_is_named(exported):
    content = _settled(exported, *AMOUNTS)
    with pytest.raises(BatchNotFoundError, match="there is no batch 'b-other'"):
        exported.read(content, only_batch="b-other")
    result = exported.read(content, only_batch=exported.batch.batch_id)
    assert result.outcomes == {"settled": 3}


def test_batch_booked_at_once_by_batch_id_settles_all(exported):
    result = exported.read(statement(batch_entry(exported.batch.batch_id, "280.00")))
    assert result.outcomes == {"settled": 3}
    assert exported.state() == "closed"
    assert exported.match().is_matched


def test_batch_booked_at_once_without_the_rejected_ones(exported):
    exported.goes_out_by("sepa")
    exported.read(pain002([(end_to_end(exported.payouts["p_3"]), "RJCT", "AC01")]))
    result = exported.read(statement(batch_entry(exported.batch.batch_id, "220.00")))
    assert result.outcomes == {"settled": 2}
    assert exported.states()["p_3"] == "failed"
    assert exported.match().is_matched


def test_batch_total_that_differs_settles_nothing_and_says_why(exported):
    exported.goes_out_by("sepa")
    exported.read(pain002([(end_to_end(exported.payouts["p_3"]), "RJCT", "AC01")]))
    result = exported.read(statement(batch_entry(exported.batch.batch_id, "280.00")))
    assert _kinds(result) == ["total_differs"]
    assert "also booked 1 that it had rejected" in result.discrepancies[0].detail
    assert exported.states()["p_1"] == "sent"


def test_status_csv_settles_a_whole_batch_by_its_total(exported):
    row = (exported.batch.batch_id, "settled", 28000, "USD", "2026-03-17", "", "STMT 4")
    assert exported.read(status_csv(row)).outcomes == {"settled": 3}


def test_rejected_file_of_pain002_gives_everything_back(exported):
    exported.goes_out_by("sepa")
    content = pain002(group="RJCT", reason="AM10", message_id=exported.batch.batch_id)
    content = content.replace(b"<OrgnlPmtInfId>PMT-1", b"<OrgnlPmtInfId>ignored")
    result = exported.read(content)
    assert result.outcomes == {"failed": 3}
    assert exported.state() == "closed"
    assert exported.balances() == AMOUNTS
    assert exported.broken() == []


def test_pain002_items_count_before_the_file(exported):
    exported.goes_out_by("sepa")
    content = pain002(
        [(end_to_end(exported.payouts["p_2"]), "RJCT", "AC01")],
        group="ACSC", message_id=exported.batch.batch_id,
    )  # fmt: skip
    result = exported.read(content)
    assert (result.outcomes, result.discrepancies) == ({"failed": 1, "settled": 2}, ())


def test_notice_of_change_asks_for_a_change_and_edits_nothing(exported):
    exported.goes_out_by("nacha")
    key = end_to_end(exported.payouts["p_2"])
    content = nacha([nacha_notice(key, "C01")], "COR")
    result = exported.read(content, "noc.ach")
    assert (result.outcomes, result.asked_partners, result.segment) == (
        {"notice": 1}, ("p_2",), None,
    )  # fmt: skip
    with exported.store.read() as connection:
        (event,) = events.of_kinds(connection, (CHANGE_REQUESTED,))
        payees = load_payees(connection)
    assert (event.subject, event.payload["code"]) == ("partner:p_2", "C01")
    assert not payees["p_2"].payee_verified
    assert exported.states()["p_2"] == "sent"
    assert exported.read(nacha([nacha_notice(key, "C01")], "PPD")).known == 1
    assert exported.broken() == []


def test_bad_line_stops_the_whole_file(exported):
    before = _count(exported, "events")
    with pytest.raises(SettlementFileError, match="bank.csv: line 3: the status"):
        exported.read(
            status_csv(
                (exported.payouts["p_1"], "settled", 15000, "USD", "", "", ""),
                (exported.payouts["p_2"], "paid", 7000, "USD", "", "", ""),
            ),
            "bank.csv",
        )
    assert _count(exported, "events") == before
    assert exported.state() == "exported"


def test_settling_needs_the_role_finance(exported):
    for actor in (ANA, "eve@acme.example"):
        with pytest.raises(DecisionRefusedError, match="may not settle payouts"):
            exported.read(_settled(exported, "p_1"), actor=actor)
        with pytest.raises(DecisionRefusedError, match="may not settle payouts"):
            exported.sent(actor=actor)


def test_confirmed_sent_once(exported):
    assert exported.sent() == "sent"
    assert set(exported.states().values()) == {"sent"}
    with pytest.raises(DecisionRefusedError, match="the bank has its file"):
        exported.sent()
    exported.read(_settled(exported, *AMOUNTS))
    assert exported.state() == "closed"
    assert exported.broken() == []


@pytest.mark.parametrize("reference", ["", "x" * 101, "DE89 3704 0044 0532 0130 00"])
def test_reference_that_is_none_is_refused(exported, reference):
    with pytest.raises(DecisionRefusedError, match="reference is missing, too long, or an account"):
        exported.sent(reference=reference)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("/tmp/in/camt 053.xml", "camt 053.xml"),
        ("DE89370400440532013000_20260317.xml", "…_20260317.xml"),
        ("acct-000123456789-ret.ach", "acct-…6789-ret.ach"),
        ("DE89 3704 0044 0532 0130 00.xml", "….xml"),
        ("card 4111 1111 1111 1111.csv", "card …1111.csv"),
        ("de89370400440532013000 march.xml", "….xml"),
        ("camt053 2026-03-17 12345678.xml", "camt053 2026-03-17 12345678.xml"),
        ("a\x1b[31m.xml", "a[31m.xml"),
    ],
)
def test_file_names_are_kept_without_account_numbers(name, shown):
    assert shown_file_name(name) == shown


def test_nothing_personal_reaches_the_control_database(exported):
    exported.read(_returned(exported, "p_2"), "DE89370400440532013000.xml")
    exported.read(nacha([nacha_notice(end_to_end(exported.payouts["p_1"]))], "COR"))
    exported.read(paypal((exported.payouts["p_3"], "FAILED", "60.00", "USD", "", "E")))
    with exported.store.read() as connection:
        text = "\n".join(connection.connection.iterdump())
    for word in (
        "Mustermann",
        "DE8937",
        "KONTO",
        "987654321",
        "JANE",
        "jane@",
        "12345678901234567",
    ):
        assert word not in text


def test_a_decision_in_between_is_planned_again(exported, monkeypatch):
    prepare, calls = applying._prepare, []

    def slow(*arguments):
        prepared = prepare(*arguments)
        if not calls:
            exported.world.ready_payee("p_9")
        calls.append(1)
        return prepared

    monkeypatch.setattr(applying, "_prepare", slow)
    result = exported.read(_returned(exported, "p_2"))
    assert (len(calls), result.returned_amount_minor) == (2, {"USD": 7000})
    assert exported.balances()["p_2"] == 7000
    assert exported.broken() == []
