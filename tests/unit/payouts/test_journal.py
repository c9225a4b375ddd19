"""Posting: what is appended, what is refused, and that the same rows give the same bytes."""

from __future__ import annotations

import hashlib
import random
from datetime import date

import duckdb
import pytest
from payout_world import NIGHT, NIGHT_END, World, create_models, entry, new_warehouse

from payouts.control import load_control_tables
from payouts.errors import (
    ChainBrokenError,
    NightOrderError,
    PostingRefusedError,
    StorageError,
    TermsChangedError,
)
from payouts.journal import segment_paths
from payouts.journal_schema import (
    REGISTERED_COLUMNS,
    ControlTotal,
    check_against_registered,
    check_entries,
)
from payouts.parquet import write_part

PLAN = ("plan", "standard", "2025-01-01")


def _nights(world):
    with world.store.read() as connection:
        return connection.exec_driver_sql("select run_id, as_of, segment from nights").all()


def test_posting_differences_registers_one_segment_with_totals(world):
    world.desire(entry("il_1", 1000), entry("il_2", 500), entry("il_3", 700, currency_code="JPY"))
    result = world.post(run_id="r1")
    assert (result.segment, result.rows) == (1, 3)
    assert result.totals == (
        ControlTotal("earning", "JPY", "JPY", 1, 700, 700),
        ControlTotal("earning", "USD", "USD", 2, 1500, 1500),
    )
    (path,) = segment_paths(world.store, world.home)
    assert path.name == "segment-00000001.parquet"
    rows = duckdb.execute(f"select entry_id, recorded_at, segment from '{path}'").fetchall()
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    assert {row[1:] for row in rows} == {(NIGHT_END, 1)}
    described = duckdb.execute(f"describe from '{path}'").fetchall()
    assert [(row[0], row[1].lower()) for row in described] == list(REGISTERED_COLUMNS)


def test_posting_without_differences_records_the_night_and_no_segment(world):
    world.desire(entry("il_1", 1000))
    world.post(run_id="r1")
    assert world.post(run_id="r2").segment is None
    assert _nights(world) == [("r1", "2026-02-28", 1), ("r2", "2026-02-28", None)]
    assert len(segment_paths(world.store, world.home)) == 1


def test_same_run_posting_again_returns_what_it_posted(world):
    world.desire(entry("il_1", 1000))
    first = world.post(run_id="r1")
    world.desire(entry("il_2", 1000))
    assert world.post(run_id="r1") == first
    with pytest.raises(PostingRefusedError, match="start a new run"):
        world.post(run_id="r1", as_of=date(2026, 3, 1))


def test_later_difference_gets_the_next_ordinal_and_segment(world):
    world.desire(entry("il_1", 1000))
    world.post()
    world.desire(entry("il_1", -400, ordinal=2))
    assert world.post().segment == 2
    total = world.warehouse.execute("select sum(amount_minor) from raw.journal__entries").fetchone()
    assert total == (600,)


def test_night_before_the_last_one_is_refused(world):
    world.post(as_of=date(2026, 2, 28))
    world.desire(entry("il_1", 1000))
    with pytest.raises(NightOrderError, match="2026-02-27 cannot be posted.*J7.*--home"):
        world.post(as_of=date(2026, 2, 27))
    assert segment_paths(world.store, world.home) == []
    assert world.post(as_of=date(2026, 2, 28)).rows == 1


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"entry_kind": "gift"}, "entry_kind is not one of"),
        ({"amount_minor": 0, "payout_amount_minor": 0}, "both amounts are zero"),
        ({"currency_code": "usd"}, "three capital letters"),
        ({"posting_period": "2026-13"}, "YYYY-MM"),
        ({"source_id": None}, "null"),
        ({"cause_type": None}, "null"),
        ({"available_date": None}, "null"),
        ({"commission_id": "x"}, "commission_id is not the uuid5"),
        ({"entry_id": "x"}, "entry_id is not the uuid5"),
        ({"reverses_entry_id": "nowhere"}, "points at no entry"),
    ],
)
def test_entry_that_breaks_a_rule_is_refused_and_nothing_is_posted(world, changes, rule):
    world.desire({**entry("il_1", 1000), **changes}, entry("il_2", 10))
    with pytest.raises(PostingRefusedError, match=f"{rule}.*nothing was posted"):
        world.post()
    assert segment_paths(world.store, world.home) == []
    assert list((world.home / "journal").glob("segment*")) == []
    assert _nights(world) == []


@pytest.mark.parametrize("kind", ["bonus", "adjustment"])
def test_entry_without_lead_customer_and_plan_has_the_shape_of_an_entry(world, kind):
    """J1: a bonus belongs to no lead; an adjustment to no plan either, and may correct an entry."""
    corrected = entry("il_1", 1)
    absent = dict.fromkeys(("lead_id", "customer_id", "plan_id", "plan_version"))
    correcting = {**entry("2026-01", 500, entry_kind=kind), **absent}
    world.desire({**correcting, "corrects_entry_id": corrected["entry_id"]}, corrected)
    differences = "intermediate.int_journal__differences"
    check_entries(world.warehouse, differences)
    check_against_registered(world.warehouse, differences, [])


def test_ordinal_with_a_gap_is_refused(world):
    world.desire(entry("il_1", 1000, ordinal=2))
    with pytest.raises(PostingRefusedError, match="ordinals do not continue"):
        world.post()


def test_stale_differences_posted_by_another_run_are_refused(world):
    """The relation was computed before another run posted the same entries."""
    world.desire(entry("il_1", 1000))
    world.warehouse.execute("create table old as from intermediate.int_journal__differences")
    world.post()
    with pytest.raises(PostingRefusedError, match="another journal"):
        world.post(relation="old")
    assert len(segment_paths(world.store, world.home)) == 1


def test_repeated_entry_is_refused(world):
    world.desire(entry("il_1", 1000), entry("il_1", 1000))
    with pytest.raises(PostingRefusedError, match="entry_id is not unique"):
        world.post()


def test_missing_relation_is_refused_with_its_name(world):
    with pytest.raises(PostingRefusedError, match="nowhere cannot be read.*Build the models"):
        world.post(relation="nowhere")


def test_reversal_of_an_entry_in_an_earlier_segment_is_accepted(world):
    original = entry("il_1", 1000)
    world.desire(original)
    world.post()
    world.desire(
        entry(
            "il_1", -1000, entry_kind="refund", cause_id="re_1",
            reverses_entry_id=original["entry_id"],
        )
    )  # fmt: skip
    assert world.post().rows == 1


def test_segment_bytes_do_not_depend_on_order_threads_or_home(tmp_path):
    rows = [entry(f"il_{n}", 100 + n) for n in range(300)]
    digests = set()
    for number, threads in enumerate((1, 2, 4)):
        random.Random(number).shuffle(rows)
        world = World.create(tmp_path / str(number), synchronous="OFF")
        world.warehouse.execute(f"set threads = {threads}")
        world.desire(*rows)
        world.post()
        (path,) = segment_paths(world.store, world.home)
        digests.add(hashlib.sha256(path.read_bytes()).hexdigest())
    assert len(digests) == 1


def test_large_parquet_bytes_do_not_depend_on_threads(tmp_path):
    """Several row groups, written from shuffled rows."""
    digests = set()
    for threads in (1, 4):
        connection = duckdb.connect()
        connection.execute(f"set threads = {threads}")
        connection.execute("select setseed(0.5)")
        connection.execute(
            "create table shuffled as select sha1(n::varchar) as entry_id, n as amount_minor "
            f"from range(300000) as numbers(n) order by hash(n + {threads})"
        )
        part = write_part(
            connection, "select * from shuffled order by entry_id", tmp_path / "x.parquet"
        )
        digests.add(hashlib.sha256(part.read_bytes()).hexdigest())
    assert len(digests) == 1


def test_unregistered_files_are_ignored_then_set_aside(world):
    folder = world.home / "journal"
    folder.mkdir(exist_ok=True)
    (folder / "segment-00000001.parquet").write_bytes(b"left by a crash")
    (folder / "segment-00000001.parquet.77.part").write_bytes(b"half")
    assert segment_paths(world.store, world.home) == []
    world.desire(entry("il_1", 1000))
    assert world.post().segment == 1
    (orphan,) = (folder / "orphans").iterdir()
    assert orphan.read_bytes() == b"left by a crash"
    assert sorted(path.name for path in folder.glob("segment*")) == ["segment-00000001.parquet"]


def test_missing_registered_segment_is_named(world):
    world.desire(entry("il_1", 1000))
    world.post()
    (path,) = segment_paths(world.store, world.home)
    path.unlink()
    with pytest.raises(ChainBrokenError, match="segment-00000001.parquet is registered but miss"):
        segment_paths(world.store, world.home)


def test_segment_that_was_changed_by_hand_stops_the_posting(world):
    world.desire(entry("il_1", 1000))
    world.post(run_id="r1")
    world.desire(entry("il_1", 1000), entry("il_2", 500))
    (path,) = segment_paths(world.store, world.home)
    path.chmod(0o600)
    other = path.with_name("other.parquet")
    duckdb.sql(f"copy (select * replace (0::bigint as amount_minor) from '{path}') to '{other}'")
    other.replace(path)
    with pytest.raises(ChainBrokenError, match="not what was registered as segment 1.*backup"):
        world.post(run_id="r2")
    assert len(_nights(world)) == 1


def test_journal_folder_that_cannot_be_written_posts_nothing(world):
    world.desire(entry("il_1", 1000))
    (world.home / "journal").rmdir() if (world.home / "journal").exists() else None
    (world.home / "journal").write_bytes(b"a file where the folder should be")
    with pytest.raises(StorageError, match="run the same command again"):
        world.post()
    assert _nights(world) == []


def test_deleted_warehouse_rebuilds_and_posts_nothing(world):
    rows = [entry("il_1", 1000), entry("il_2", 2000)]
    world.desire(*rows)
    world.post()
    world.warehouse = new_warehouse()
    load_control_tables(world.store, world.home, world.warehouse)
    create_models(world.warehouse)
    world.desire(*rows)
    assert world.post().rows == 0


def test_used_plan_version_that_changed_is_refused(world):
    """T1: the version was used on the first night; on the second its content differs."""
    world.desire(entry("il_1", 1000))
    world.post(term_hashes={PLAN: "a", ("lead", "lead", "2025-01-01"): "l"})
    world.desire(entry("il_2", 1000))
    with pytest.raises(TermsChangedError, match="plan standard version 2025-01-01 was changed.*T1"):
        world.post(term_hashes={PLAN: "b", ("lead", "lead", "2025-01-01"): "l"})
    with pytest.raises(TermsChangedError, match="lead version 2025-01-01 was removed"):
        world.post(term_hashes={PLAN: "a"})
    later = ("plan", "standard", "2026-06-01")
    hashes = {PLAN: "a", ("lead", "lead", "2025-01-01"): "l", later: "c"}
    assert world.post(term_hashes=hashes).rows == 1


def test_unused_version_may_change(world):
    other = ("plan", "other", "2025-01-01")
    world.desire(entry("il_1", 1000))
    world.post(term_hashes={PLAN: "a", other: "x"})
    world.desire(entry("il_2", 1000))
    assert world.post(term_hashes={PLAN: "a", other: "y"}).rows == 1


def test_entry_under_an_unknown_version_is_refused(world):
    world.desire(entry("il_1", 1000, plan_version="2024-01-01"))
    with pytest.raises(TermsChangedError, match="versions that the terms do not have"):
        world.post(term_hashes={PLAN: "a"})
    assert segment_paths(world.store, world.home) == []


def test_control_tables_of_a_fresh_home_are_typed_and_empty(world):
    load_control_tables(world.store, world.home, world.warehouse)
    for table in ("journal__entries", "journal__segments", "control__batches", "control__claims",
                  "control__payout_items", "control__holds", "control__payees",
                  "control__closed_periods", "control__adjustments"):  # fmt: skip
        assert world.warehouse.execute(f"select count(*) from raw.{table}").fetchone() == (0,)
    described = world.warehouse.execute("describe raw.journal__entries").fetchall()
    types = {row[0]: row[1] for row in described}
    assert (types["amount_minor"], types["recorded_at"]) == ("BIGINT", "TIMESTAMP")
    assert NIGHT == date(2026, 2, 28)
