"""Closed periods: who closes what and when, and that nothing is posted in one (J4)."""

from __future__ import annotations

from datetime import date, datetime

import duckdb
import pytest
from adjustment_world import (
    EVE,
    adjustment_entry,
    approve,
    as_posted,
    close,
    in_period,
    propose,
    race,
    reopen,
)
from lead_world import raw, recorded
from payout_world import ANA, BEN, CLOCK, DAN, World, entry

from payouts import events, periods
from payouts.closing import load_periods
from payouts.control import load_control_tables
from payouts.errors import ChainBrokenError, DecisionRefusedError, PostingRefusedError
from payouts.journal import segment_paths
from payouts.journal_schema import ControlTotal
from payouts.periods import closed_periods, first_open_period, next_period
from payouts.segments import SegmentFile, register
from payouts.verify import verify

JANUARY, FEBRUARY, MARCH = "2026-01", "2026-02", "2026-03"
ENDS = {JANUARY: date(2026, 1, 31), FEBRUARY: date(2026, 2, 28), MARCH: date(2026, 3, 31)}


@pytest.fixture
def booked(world):
    """One entry in January and one in February, posted by the nights that end these months."""
    for number, (period, day) in enumerate(list(ENDS.items())[:2]):
        world.desire(in_period(entry(f"il_{number}", 1000), period))
        world.post(as_of=day)
    return world


def _closed(world):
    with world.store.read() as connection:
        return [each.period for each in closed_periods(connection)]


def _periods(world):
    with world.store.read() as connection:
        return [(each.period, each.state, each.entries) for each in load_periods(connection,
                world.home)]  # fmt: skip


def _broken(world, **options):
    return {f.check: f.detail for f in verify(world.home, store=world.store, **options) if not f.ok}


def _posted_in(world):
    return raw(world, "journal__entries", "effective_date::varchar, posting_period, amount_minor")


@pytest.mark.parametrize(
    ("day", "last_closed", "expected"),
    [
        (date(2026, 1, 31), None, "2026-01"),
        (date(2026, 1, 31), "2025-12", "2026-01"),
        (date(2026, 1, 31), "2026-01", "2026-02"),
        (date(2026, 2, 1), "2026-01", "2026-02"),
        (date(2026, 1, 1), "2026-03", "2026-04"),
        (date(2024, 5, 1), "2025-12", "2026-01"),
        (date(2025, 12, 31), "2025-12", "2026-01"),
    ],
)
def test_first_open_period(day, last_closed, expected):
    assert first_open_period(day, last_closed) == expected


def test_periods_follow_each_other_over_the_year():
    found, period = [], "2025-11"
    for _ in range(4):
        found.append(period)
        period = next_period(period)
    assert found == ["2025-11", "2025-12", "2026-01", "2026-02"]
    assert [periods.last_day(each).day for each in ("2024-02", "2026-02", "2026-12")] == [
        29, 28, 31,
    ]  # fmt: skip


def test_close_and_reopen_are_read_back(booked):
    closed = close(booked, JANUARY)
    assert (closed.period, closed.closed_by, closed.closed_after_segment) == (JANUARY, "dan", 2)
    assert _closed(booked) == [JANUARY]
    assert raw(booked, "control__closed_periods") == [(JANUARY, CLOCK, 2)]
    close(booked, FEBRUARY)
    assert _closed(booked) == [JANUARY, FEBRUARY]
    assert reopen(booked, FEBRUARY) == FEBRUARY
    assert raw(booked, "control__closed_periods", "period") == [(JANUARY,)]
    close(booked, FEBRUARY)
    assert _closed(booked) == [JANUARY, FEBRUARY]
    assert _broken(booked, warehouse=booked.warehouse) == {}


def test_raw_table_of_a_fresh_home_is_typed_and_empty(world):
    assert raw(world, "control__closed_periods") == []
    described = world.warehouse.execute("describe raw.control__closed_periods").fetchall()
    assert [row[1] for row in described] == ["VARCHAR", "TIMESTAMP", "BIGINT"]


def test_list_holds_every_month_up_to_the_last_night(booked):
    booked.desire(in_period(entry("il_9", 5), "2026-04"))
    booked.post(as_of=date(2026, 5, 2))
    close(booked, JANUARY)
    assert _periods(booked) == [
        ("2026-01", "closed", 1), ("2026-02", "open", 1), ("2026-03", "open", 0),
        ("2026-04", "open", 1), ("2026-05", "open", 0),
    ]  # fmt: skip


def test_list_of_a_fresh_home_is_empty(world):
    assert _periods(world) == []


@pytest.mark.parametrize(
    "period", ["2026", "2026-13", "2026-1", "January", "2026-01-01", "0000-01"]
)
def test_what_is_no_month_is_refused(booked, period):
    with pytest.raises(DecisionRefusedError, match="not a period"):
        close(booked, period)
    with pytest.raises(DecisionRefusedError, match="not a period"):
        reopen(booked, period)


@pytest.mark.parametrize("actor", [ANA, EVE])
def test_only_finance_closes_and_reopens(booked, actor):
    with pytest.raises(DecisionRefusedError, match="may not close a period: roles.finance"):
        close(booked, JANUARY, actor=actor)
    close(booked, JANUARY, actor=" BEN@acme.example")
    with pytest.raises(DecisionRefusedError, match="may not reopen a period"):
        reopen(booked, JANUARY, actor=actor)
    assert _closed(booked) == [JANUARY]


def test_period_is_closed_after_a_night_of_its_last_day(world):
    with pytest.raises(DecisionRefusedError, match="none was posted"):
        close(world, JANUARY)
    world.post(as_of=date(2026, 1, 30))
    with pytest.raises(DecisionRefusedError, match="2026-01-31 or later.*that of 2026-01-30"):
        close(world, JANUARY)
    world.post(as_of=date(2026, 1, 31))
    assert close(world, JANUARY).closed_after_segment == 0


def test_first_closing_names_the_earliest_open_month_with_entries(booked):
    with pytest.raises(DecisionRefusedError, match="2026-01 has entries.*close 2026-01 first"):
        close(booked, FEBRUARY)
    close(booked, JANUARY)
    close(booked, FEBRUARY)


def test_month_before_all_entries_may_be_the_first(booked):
    assert close(booked, "2025-10").period == "2025-10"
    with pytest.raises(DecisionRefusedError, match="2025-11 is open.*close 2025-11 first"):
        close(booked, JANUARY)


def test_wrong_order_and_closing_twice_are_refused(booked):
    booked.post(as_of=ENDS[MARCH])
    close(booked, JANUARY)
    for period in (JANUARY, "2025-12"):
        with pytest.raises(DecisionRefusedError, match="closed already: the last closed one is"):
            close(booked, period)
    with pytest.raises(DecisionRefusedError, match="close 2026-02 first"):
        close(booked, MARCH)
    close(booked, FEBRUARY)
    with pytest.raises(DecisionRefusedError, match="only the last.*2026-02; reopen that one"):
        reopen(booked, JANUARY)
    with pytest.raises(DecisionRefusedError, match="2026-03 is not closed"):
        reopen(booked, MARCH)
    with pytest.raises(DecisionRefusedError, match="reason is missing"):
        reopen(booked, FEBRUARY, reason=" ")
    assert _closed(booked) == [JANUARY, FEBRUARY]


def test_reopening_when_nothing_is_closed_is_refused(booked):
    with pytest.raises(DecisionRefusedError, match="not closed"):
        reopen(booked, JANUARY)


def test_entry_for_a_closed_period_is_refused_and_nothing_is_posted(booked):
    close(booked, JANUARY)
    booked.desire(
        in_period(entry("il_8", 5), JANUARY), in_period(entry("il_9", 7), FEBRUARY)
    )  # fmt: skip
    before = recorded(booked), sorted((booked.home / "journal").iterdir())
    with pytest.raises(PostingRefusedError, match="2026-01 receives no entries.*posted in 2026-02"):
        booked.post(as_of=ENDS[FEBRUARY])
    assert (recorded(booked), sorted((booked.home / "journal").iterdir())) == before
    assert len(segment_paths(booked.store, booked.home)) == 2


def test_entry_older_than_the_first_closed_period_is_refused_too(booked):
    close(booked, JANUARY)
    booked.desire(in_period(entry("il_8", 5), "2025-06"))
    with pytest.raises(PostingRefusedError, match="2025-06 receives no entries"):
        booked.post()


def test_late_difference_keeps_its_date_in_the_first_open_period(booked):
    """Decision 0042: a refund of 30 January that arrives when January is closed."""
    close(booked, JANUARY)
    original = entry("il_0", 1000)
    refund = entry(
        "il_0", -1000, entry_kind="refund", cause_id="re_1", reverses_entry_id=original["entry_id"]
    )
    booked.desire(as_posted(booked, {**refund, "effective_date": date(2026, 1, 30)}))
    booked.post(as_of=date(2026, 2, 28))
    assert _posted_in(booked) == [
        ("2026-01-15", "2026-01", 1000),
        ("2026-01-30", "2026-02", -1000),
        ("2026-02-15", "2026-02", 1000),
    ]
    assert _broken(booked, warehouse=booked.warehouse) == {}


def test_registering_looks_again_whether_a_period_was_closed_meanwhile(booked):
    """A file was written while the period was open; the close came before its registration."""
    totals = (ControlTotal("earning", "USD", "USD", 1, 1, 1),)
    file = SegmentFile(3, "journal/x", "0", 1, totals, (FEBRUARY, JANUARY))
    close(booked, JANUARY)
    before = recorded(booked)
    with (
        pytest.raises(PostingRefusedError, match="2026-01 receives"),
        booked.store.write() as open_,
    ):
        register(
            open_, file, origin="night", origin_id="r", actor="system:night", recorded_at=CLOCK,
            registered_at=CLOCK,
        )  # fmt: skip
    assert recorded(booked) == before


def test_period_closed_while_a_night_writes_is_refused(booked, monkeypatch):
    """Between reading the closed periods and the registration stands the writing of the file."""
    from payouts import checkpoints

    def observe(point):
        if point == "segment_renamed":
            checkpoints.observer = None
            close(booked, JANUARY)

    monkeypatch.setattr(checkpoints, "observer", observe)
    booked.desire(in_period(entry("il_8", 5), JANUARY))
    with pytest.raises(PostingRefusedError, match="perhaps since this run began.*Run it again"):
        booked.post(as_of=ENDS[FEBRUARY])
    assert len(segment_paths(booked.store, booked.home)) == 2
    booked.warehouse.execute(
        "update intermediate.desired set posting_period = '2026-02' where source_id = 'il_8'"
    )
    assert booked.post(as_of=ENDS[FEBRUARY]).segment == 3
    assert _broken(booked, warehouse=booked.warehouse) == {}


@pytest.fixture
def paying(payable):
    """Exported after its pay date's month was closed: the pay date is 15 March 2026."""
    batch = next(each for each in payable.propose() if each.currency_code == "USD")
    payable.approve_fully(batch)
    return payable, batch


def test_payout_of_a_closed_month_is_posted_in_the_next(paying):
    world, batch = paying
    world.post(as_of=ENDS[MARCH])
    for period in (JANUARY, FEBRUARY, MARCH):
        close(world, period)
    result = world.export(batch)
    assert duckdb.execute(
        "select effective_date::varchar, posting_period from "
        f"'{segment_paths(world.store, world.home)[result.segment - 1]}'"
    ).fetchall() == [("2026-03-15", "2026-04")]
    world.refresh()
    assert _broken(world, warehouse=world.warehouse) == {}


def test_payout_of_an_open_month_keeps_it(paying):
    world, batch = paying
    close(world, JANUARY)
    result = world.export(batch)
    path = segment_paths(world.store, world.home)[result.segment - 1]
    assert duckdb.execute(f"select distinct posting_period from '{path}'").fetchall() == [
        ("2026-03",)
    ]
    assert world.export(batch).is_new is False


def test_adjustment_approved_in_a_closed_month_is_posted_after_it(booked):
    """Approved on 31 January, after that day's night; January was closed before the next one."""
    adjustment = approve(booked, propose(booked), recorded_at=datetime(2026, 1, 31, 20))
    close(booked, JANUARY)
    booked.desire(adjustment_entry(booked, adjustment))
    booked.post()
    assert ("2026-01-31", "2026-02", 2500) in _posted_in(booked)


def test_entry_recorded_in_a_closed_period_is_found_by_its_segment(booked):
    """Posted past the guards, with a true register: verify alone can see it."""
    close(booked, JANUARY)
    turns = _without_periods(booked)
    booked.desire(in_period(entry("il_7", 5), JANUARY), in_period(entry("il_8", 5), JANUARY))
    booked.post(as_of=ENDS[FEBRUARY])
    _with_periods(booked, turns)
    broken = _broken(booked)
    assert "2 entries of segment 3 are in period 2026-01" in broken["closed_periods"]


def test_entry_posted_between_a_reopening_and_the_next_closing_is_no_fault(booked):
    close(booked, JANUARY)
    reopen(booked, JANUARY)
    booked.desire(in_period(entry("il_7", 5), JANUARY))
    booked.post(as_of=ENDS[FEBRUARY])
    close(booked, JANUARY)
    assert _broken(booked, warehouse=booked.warehouse) == {}
    booked.desire(in_period(entry("il_8", 5), FEBRUARY))
    booked.post(as_of=ENDS[FEBRUARY])
    proved = {f.check: f.detail for f in verify(booked.home, store=booked.store)}
    assert (
        proved["closed_periods"] == "1 closed periods, no entry posted in one while it was closed"
    )


@pytest.mark.parametrize(
    ("kind", "period", "after_segment", "message"),
    [
        ("period_closed", "2026-03", 2, "2026-03 was closed out of order"),
        ("period_closed", "2026-01", 2, "2026-01 was closed out of order"),
        ("period_closed", "2026-02", 1, "names another segment than the last"),
        ("period_reopened", "2025-12", 2, "2025-12 was reopened out of order"),
    ],
)
def test_turn_written_past_the_product_is_found(booked, kind, period, after_segment, message):
    close(booked, JANUARY)
    with booked.store.write() as connection:
        events.append(
            connection, kind=kind, subject=f"period:{period}", actor=DAN, recorded_at=CLOCK,
            payload={"after_segment": after_segment},
        )  # fmt: skip
    assert message in _broken(booked)["closed_periods"]


def test_reopening_of_an_open_period_stops_a_night(booked):
    with booked.store.write() as connection:
        events.append(
            connection, kind="period_reopened", subject="period:2026-01", actor=DAN,
            recorded_at=CLOCK, payload={"after_segment": 2},
        )  # fmt: skip
    with pytest.raises(ChainBrokenError, match="event .* reopens period 2026-01.*backup"):
        load_control_tables(booked.store, booked.home, booked.warehouse)


@pytest.mark.parametrize("attempt", range(3))
def test_two_processes_close_and_one_wins(tmp_path, attempt):
    world = World.create(tmp_path / "home")
    world.desire(in_period(entry("il_1", 1000), JANUARY))
    world.post(as_of=ENDS[JANUARY])
    calls = [f"close(world, {JANUARY!r}, actor={actor!r}).period" for actor in (BEN, DAN)]
    assert sorted(race(world.home, tmp_path, *calls)) == ["2026-01", "DecisionRefusedError"]
    assert _closed(world) == [JANUARY]


def test_closing_and_reopening_at_once_leave_one_order_of_events(tmp_path):
    world = World.create(tmp_path / "home")
    world.post(as_of=ENDS[FEBRUARY])
    close(world, JANUARY)
    said = race(
        world.home, tmp_path, f"close(world, {FEBRUARY!r}).period", f"reopen(world, {JANUARY!r})"
    )
    assert said in (["2026-02", "DecisionRefusedError"], ["2026-02", "2026-01"])
    assert _broken(world) == {}


def _without_periods(world):
    """Take the events of periods away, as somebody would who posts into a closed month."""
    with world.store.write() as connection:
        for trigger in connection.exec_driver_sql(
            "select name from sqlite_master where type = 'trigger'"
        ).scalars().all():  # fmt: skip
            connection.exec_driver_sql(f"drop trigger {trigger}")
        turns = connection.exec_driver_sql(
            "select seq, kind from events where kind like 'period%'"
        ).all()
        connection.exec_driver_sql("update events set kind = 'x' where kind like 'period%'")
    return turns


def _with_periods(world, turns):
    with world.store.write() as connection:
        for seq, kind in turns:
            connection.exec_driver_sql(f"update events set kind = '{kind}' where seq = {seq}")
