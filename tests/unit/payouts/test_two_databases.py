"""The control database on SQLite and on a real PostgreSQL: the same rules, and T13, the races."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import postgres_server
import pytest
import racer
from payout_world import (
    ANA,
    APPROVALS,
    BEN,
    CLOCK,
    DAN,
    World,
    make_payable,
    new_warehouse,
)

from payouts import events, schema
from payouts.delegation import delegate_role
from payouts.errors import BatchStaleError, ControlBusyError, DecisionRefusedError, StoreError
from payouts.holds import open_hold
from payouts.pausing import is_paused, pause
from payouts.records import list_batches
from payouts.store import SCHEMA_REVISION, open_store
from payouts.verify import verify

needs_postgresql = pytest.mark.skipif(
    postgres_server.missing() is not None, reason=postgres_server.missing() or "it is there"
)


@pytest.fixture(scope="session")
def server():
    with postgres_server.running_server() as running:
        yield running


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=needs_postgresql)])
def url(request) -> str:
    """The empty text means the file of the home."""
    if request.param == "sqlite":
        return ""
    return request.getfixturevalue("server").new_database()


@pytest.fixture
def home_world(tmp_path: Path, url: str) -> World:
    """Money to pay, its decisions in that database."""
    home = tmp_path / "home"
    world = World(home, open_store(home, url=url or None), new_warehouse())
    yield make_payable(world)
    world.store.close()


def _dialect(world: World) -> str:
    return world.store.engine.dialect.name


def test_migrations_give_the_tables_of_the_metadata(home_world):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with home_world.store.read() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, schema.metadata) == []
        assert connection.exec_driver_sql("select version_num from alembic_version").scalar() == (
            SCHEMA_REVISION
        )


@pytest.mark.parametrize("table", ["events", "batches", "payout_items", "exports", "export_files"])
def test_append_only_tables_refuse_every_change(home_world, table):
    _exported(home_world)
    column = schema.metadata.tables[table].columns.keys()[0]
    statements = [f"update {table} set {column} = {column}", f"delete from {table}"]
    if _dialect(home_world) == "postgresql":
        statements.append(f"truncate table {table} cascade")
    for statement in statements:
        with pytest.raises(StoreError, match="append-only"), home_world.store.write() as writer:
            writer.exec_driver_sql(statement)
    assert _faults(home_world) == []


def test_whole_way_of_a_batch_with_claims_and_chain(home_world):
    usd, jpy = sorted(home_world.propose(), key=lambda batch: batch.currency_code, reverse=True)
    # Everything is claimed: a second proposal finds nothing.
    assert home_world.propose(pay_date=usd.pay_date) == []
    home_world.approve(usd, ANA, "partnerships")
    with pytest.raises(DecisionRefusedError, match="another person"):
        home_world.approve(usd, ANA, "finance", rules=_everywhere())
    delegate_role(
        home_world.store, delegate="eve@acme.example", role="finance", reason="leave", actor=BEN,
        limit_amount_minor=15_000, currency_code="USD", from_at=CLOCK,
        to_at=CLOCK.replace(year=2027), rules=APPROVALS, recorded_at=CLOCK,
    )  # fmt: skip
    assert home_world.approve(usd, "eve@acme.example", "finance").state == "finance_approved"
    assert home_world.export(usd).is_new
    assert not home_world.export(usd).is_new
    home_world.approve_fully(jpy)
    open_hold(
        home_world.store, home_world.home, subject_type="partner", subject_id="p_1",
        reason="asked", actor=BEN, rules=APPROVALS, recorded_at=CLOCK,
    )  # fmt: skip
    pause(home_world.store, reason="odd", actor=BEN, rules=APPROVALS, recorded_at=CLOCK)
    with home_world.store.read() as connection:
        assert is_paused(connection).paused_by == "ben"
        states = {each.currency_code: each.state for each in list_batches(connection)}
    assert states == {"USD": "exported", "JPY": "stale"}
    assert _faults(home_world) == []


def test_entries_are_claimed_once(home_world):
    again = home_world.propose()
    assert len(again) == 2
    home_world.refresh()
    assert home_world.propose(pay_date=again[0].pay_date) == []
    with home_world.store.read() as connection:
        assert len(list_batches(connection)) == 2


def test_reader_sees_one_moment(home_world):
    """What is committed while somebody reads does not appear between two of their statements."""
    with home_world.store.read() as reader:
        before = events.head(reader)
        pause(home_world.store, reason="odd", actor=BEN, rules=APPROVALS, recorded_at=CLOCK)
        assert events.head(reader) == before
    with home_world.store.read() as reader:
        assert events.head(reader).seq == before.seq + 1


def test_second_writer_waits_and_then_is_told(home_world, monkeypatch):
    monkeypatch.setattr("payouts.store.BUSY_TIMEOUT_SECONDS", 0.2)
    url = home_world.store.engine.url.render_as_string(hide_password=False)
    other = open_store(home_world.home, url=url)
    with home_world.store.write(), pytest.raises(ControlBusyError, match="another writer"):
        with other.write():
            pass
    other.close()


def test_two_processes_create_the_database_once(tmp_path, url):
    script = (
        "import sys; from pathlib import Path; from payouts.store import open_store; "
        f"open_store(Path({str(tmp_path)!r}), url={url!r} or None).close()"
    )
    running = [subprocess.Popen([sys.executable, "-c", script]) for _ in range(2)]
    assert [process.wait() for process in running] == [0, 0]


@pytest.mark.parametrize("second", [DAN, BEN])
def test_two_processes_approve_at_once_and_one_wins(home_world, second):
    """T13: two people, and one person twice."""
    batch = home_world.propose()[0]
    home_world.approve(batch, ANA, "partnerships")
    results = _race(home_world, "approve", batch, (BEN, second))
    assert sorted(result["won"] for result in results) == [False, True]
    (lost,) = [result for result in results if not result["won"]]
    assert lost["error"] == "DecisionRefusedError", lost
    assert home_world.state(batch) == "finance_approved"
    with home_world.store.read() as connection:
        approvals = events.of_kinds(connection, ("batch_approved",))
    assert len(approvals) == 2
    assert _faults(home_world) == []


def test_two_processes_export_at_once_and_one_wins(home_world):
    """T13: one file, one posting; the other process finds the same bytes, or is told to wait."""
    batch = home_world.propose()[0]
    home_world.approve_fully(batch)
    home_world.warehouse.execute(f"attach '{home_world.home / racer.WAREHOUSE}' as kept")
    home_world.warehouse.execute("copy from database memory to kept")
    home_world.warehouse.execute("detach kept")
    results = _race(home_world, "export", batch, (BEN, DAN))
    assert sorted(result["won"] for result in results) == [False, True], results
    (lost,) = [result for result in results if not result["won"]]
    assert lost.get("error") in (None, "ControlBusyError"), lost
    with home_world.store.read() as connection:
        assert len(connection.execute(schema.exports.select()).all()) == 1
        assert len(connection.execute(schema.export_files.select()).all()) == 1
        assert len(events.of_kinds(connection, ("batch_exported",))) == 1
    assert _faults(home_world) == []


def test_hold_between_approval_and_export_stops_the_export(home_world):
    batch = home_world.propose()[0]
    home_world.approve_fully(batch)
    open_hold(
        home_world.store, home_world.home, subject_type="partner", subject_id="p_1",
        reason="asked", actor=BEN, rules=APPROVALS, recorded_at=CLOCK,
    )  # fmt: skip
    with pytest.raises((BatchStaleError, DecisionRefusedError), match="stale"):
        home_world.export(batch)


def _exported(world: World) -> None:
    batch = world.propose()[0]
    world.approve_fully(batch)
    world.export(batch)


def _everywhere():
    """Rules under which everybody has both roles."""
    both = frozenset().union(*APPROVALS.roles.values())
    return replace(APPROVALS, roles={"partnerships": both, "finance": both})


def _faults(world: World) -> list[str]:
    return [
        f"{finding.check}: {finding.detail}"
        for finding in verify(world.home, store=world.store)
        if not finding.ok
    ]


def _race(world: World, act: str, batch, actors: tuple[str, ...]) -> list[dict]:
    """What became of each process; all begin at the same moment."""
    url = ""
    if _dialect(world) == "postgresql":
        url = world.store.engine.url.render_as_string(hide_password=False)
    go = world.home / "go"
    readies = [world.home / f"ready-{number}" for number in range(len(actors))]
    running = [
        subprocess.Popen(
            [
                sys.executable, racer.__file__, str(world.home), url, act, batch.batch_id,
                batch.content_hash, actor, str(ready), str(go),
            ],
            stdout=subprocess.PIPE,
            text=True,
            env=_environment(),
        )
        for actor, ready in zip(actors, readies, strict=True)
    ]  # fmt: skip
    _wait_for(lambda: all(ready.exists() for ready in readies))
    go.touch()
    return [json.loads(process.communicate(timeout=120)[0]) for process in running]


def _environment() -> dict[str, str]:
    folders = [str(Path(racer.__file__).parent), str(Path(racer.__file__).parents[3])]
    inherited = os.environ.get("PYTHONPATH", "")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([*folders, *filter(None, [inherited])])}


def _wait_for(condition: Callable[[], bool], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the processes did not start"
        time.sleep(0.01)
