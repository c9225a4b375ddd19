"""The control database: revisions, strictness, append-only tables, speed, portability."""

from __future__ import annotations

import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from unittest.mock import patch

import adjustment_world as adjustments
import lead_world as leads
import pytest
import sqlalchemy
from payout_world import CLOCK, World, new_warehouse, payable_world
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from payouts import events, schema
from payouts.errors import ChainBrokenError, StoreError
from payouts.migrations.append_only import statements
from payouts.records import BatchContent, list_batches
from payouts.store import FILE_NAME, SCHEMA_REVISION, open_store
from payouts.verify import verify


def _append(store, kind="noted", subject="a:1"):
    with store.write() as connection:
        return events.append(
            connection, kind=kind, subject=subject, actor="ana", recorded_at=CLOCK, payload={"n": 1}
        )


def test_schema_after_migrations_equals_metadata(world):
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with world.store.read() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, schema.metadata) == []


def test_schema_revision_is_the_newest_migration():
    import payouts.migrations.versions as versions

    names = sorted(path.stem for path in Path(versions.__file__).parent.glob("v*.py"))
    assert names[-1].startswith(f"v{SCHEMA_REVISION}_")


def test_open_store_when_current_is_quick_and_loads_no_alembic(world):
    started = time.perf_counter()
    open_store(world.home).close()
    assert time.perf_counter() - started < 0.15
    script = (
        "import sys; from pathlib import Path; from payouts.store import open_store; "
        f"open_store(Path({str(world.home)!r})); sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_importing_the_room_loads_nothing_heavy():
    script = (
        "import sys, payouts; heavy = {'duckdb', 'pyarrow', 'sqlalchemy', 'alembic', 'pandas', "
        "'dagster', 'dbt'} & set(sys.modules); sys.exit(bool(heavy))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def _older_revision(home, revision):
    """A control database as an earlier release wrote it: decisions, a posting, an export.

    Returns its tables with their columns.
    """
    from alembic import command
    from alembic.config import Config

    world = payable_world(home, synchronous="OFF")
    first_form = partial(BatchContent, content_version=1)
    with patch("payouts.batch_writing.BatchContent", first_form):
        batch = world.propose()[0]
    world.approve_fully(batch)
    world.export(batch)
    if revision > "0001":
        leads.decide(world, leads.submit(world).key)
        leads.post(world)
    if revision > "0002":
        adjustments.approved(world)
    world.store.close()
    current, old = home / FILE_NAME, home / "old.sqlite"
    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    engine = sqlalchemy.create_engine(f"sqlite:///{old}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"attach '{current}' as newer")
        names = connection.exec_driver_sql(
            "select name from main.sqlite_master where type = 'table' "
            "and name not in ('alembic_version', 'write_locks')"
        ).scalars().all()  # fmt: skip
        # Columns that the older revision has; those of today are more.
        kept = {
            name: connection.exec_driver_sql(
                f"select name from pragma_table_info('{name}', 'main')"
            ).scalars().all()
            for name in names
        }  # fmt: skip
        for name, columns in kept.items():
            listed = ", ".join(columns)
            connection.exec_driver_sql(
                f"insert into main.{name} ({listed}) select {listed} from newer.{name}"
            )
    engine.dispose()
    old.replace(current)
    for suffix in ("-wal", "-shm"):
        current.with_name(current.name + suffix).unlink(missing_ok=True)
    return kept


def _contents(home, names):
    """What these tables hold, and the revision. names: table → columns, of an older revision."""
    engine = sqlalchemy.create_engine(f"sqlite:///{home / FILE_NAME}")
    with engine.connect() as connection:
        contents = {
            name: connection.exec_driver_sql(
                f"select {', '.join(columns)} from {name} order by {', '.join(columns)}"
            ).all()
            for name, columns in names.items()
        }
        revision = connection.exec_driver_sql("select version_num from alembic_version").scalar()
    engine.dispose()
    return contents, revision


@pytest.mark.parametrize("older", ["0001", "0002", "0003", "0004", "0005"])
def test_older_revision_is_upgraded_and_keeps_everything(tmp_path, older):
    names = _older_revision(tmp_path, older)
    before, revision = _contents(tmp_path, names)
    assert revision == older and before["events"] and before["segments"]
    assert bool(before.get("lead_registrations")) == (older > "0001")
    assert bool(before.get("adjustments")) == (older > "0002")
    assert len(before["exports"]) == 1 and ("export_files" in before) == (older > "0003")
    assert ("web_sessions" in before) == (older > "0004")
    assert "outbox_messages" not in before
    store = open_store(tmp_path)
    after, revision = _contents(tmp_path, names)
    assert (after, revision) == (before, SCHEMA_REVISION)
    assert [finding for finding in verify(tmp_path, store=store) if not finding.ok] == []
    world = World(tmp_path, store, new_warehouse())
    _check_export_was_carried_over(world)
    _check_access_can_be_written(store)
    leads.post(world, "still there?")
    adjustment = adjustments.approved(world, amount_minor=1_234)
    world.refresh()
    assert (adjustment.adjustment_id,) in leads.raw(world, "control__adjustments", "adjustment_id")
    for table in ("lead_messages", "adjustments", "export_files"):
        for statement in (f"delete from {table}", f"update {table} set rowid = 0"):
            with pytest.raises(StoreError, match="append-only"), store.write() as connection:
                connection.exec_driver_sql(statement)
    with pytest.raises(StoreError, match="cannot store TEXT"), store.write() as connection:
        connection.exec_driver_sql(
            "insert into adjustments select seq - 1, 'adj_x', partner_id, 'much', currency_code, "
            "null, null, null, '' from adjustments"
        )
    store.close()


def _check_export_was_carried_over(world):
    """The one file of an export of an earlier release, which is then confirmed byte by byte."""
    with world.store.read() as connection:
        (batch,) = list_batches(connection, ("exported",))
        (file,) = connection.execute(schema.export_files.select()).all()
        (export,) = connection.execute(schema.exports.select()).all()
    assert (file.batch_id, file.part, file.items, file.total_amount_minor) == (
        batch.batch_id, 1, batch.items, batch.total_amount_minor,
    )  # fmt: skip
    assert (file.file_path, file.file_sha256, file.file_bytes) == (
        export.file_path, export.file_sha256, export.file_bytes,
    )  # fmt: skip
    again = world.export(batch)
    assert (again.is_new, again.file_sha256) == (False, export.file_sha256)


def _check_access_can_be_written(store):
    """Sessions, links and addresses are no decisions: their rows may be changed and removed."""
    access = (schema.web_sessions, schema.login_links, schema.portal_addresses)
    for table in access:
        with store.write() as connection:
            row = {column.name: "x" for column in table.columns}
            connection.execute(table.insert().values(**row))
            assert connection.execute(table.update().values(partner_id="p_1")).rowcount == 1
            assert connection.execute(table.delete()).rowcount == 1


@pytest.mark.parametrize("older", ["0002", "0005"])
def test_two_processes_upgrade_once(tmp_path, older):
    _older_revision(tmp_path, older)
    script = (
        "import sys; from pathlib import Path; from payouts.store import open_store; "
        f"open_store(Path({str(tmp_path)!r})).close()"
    )
    running = [subprocess.Popen([sys.executable, "-c", script]) for _ in range(2)]
    assert [process.wait() for process in running] == [0, 0]
    assert _contents(tmp_path, {"events": ["seq"]})[1] == SCHEMA_REVISION


def test_open_store_written_by_a_newer_version_is_refused(world):
    with world.store.write() as connection:
        connection.exec_driver_sql("update alembic_version set version_num = '9999'")
    with pytest.raises(StoreError, match="9999.*install the version"):
        open_store(world.home)


def test_open_store_with_unknown_url_is_refused(tmp_path):
    with pytest.raises(StoreError, match="PARTNERLEDGER_CONTROL_URL"):
        open_store(tmp_path, url="nonsense://x")
    with pytest.raises(StoreError, match="use SQLite or PostgreSQL|cannot be used"):
        open_store(tmp_path, url="mysql://x")


def test_environment_url_overrides_the_home(tmp_path, monkeypatch):
    monkeypatch.setenv("PARTNERLEDGER_CONTROL_URL", f"sqlite:///{tmp_path / 'other.sqlite'}")
    open_store(tmp_path / "home").close()
    assert (tmp_path / "other.sqlite").exists()
    assert not (tmp_path / "home" / "control.sqlite").exists()


def test_sqlite_pragmas_are_wal_full_and_foreign_keys(tmp_path):
    store = open_store(tmp_path)
    with store.read() as connection:
        pragmas = [
            connection.exec_driver_sql(f"pragma {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    assert pragmas == ["wal", 2, 1, 30_000]


def test_tables_are_strict(world):
    with world.store.read() as connection:
        rows = connection.exec_driver_sql("pragma table_list").all()
    strict = {row[1]: row[5] for row in rows}
    assert all(strict[table.name] for table in schema.metadata.sorted_tables)


@pytest.mark.parametrize("verb", ["update events set actor = 'x'", "delete from events"])
def test_event_table_change_is_refused(world, verb):
    _append(world.store)
    with pytest.raises(StoreError, match="append-only"), world.store.write() as connection:
        connection.exec_driver_sql(verb)


def test_every_append_only_table_has_its_triggers(world):
    with world.store.read() as connection:
        names = set(
            connection.exec_driver_sql("select name from sqlite_master where type = 'trigger'")
            .scalars()
        )  # fmt: skip
    assert names == {
        f"{table}_refuse_{verb}" for table in schema.APPEND_ONLY for verb in ("update", "delete")
    }


def test_schema_compiles_for_postgresql():
    dialect = postgresql.dialect()
    for table in schema.metadata.sorted_tables:
        text = str(CreateTable(table).compile(dialect=dialect))
        assert "STRICT" not in text and "SERIAL" not in text
    text = "\n".join(statements("postgresql", schema.APPEND_ONLY))
    assert "%" not in text
    assert text.count("refuse_change()") == 1 + 2 * len(schema.APPEND_ONLY)
    with pytest.raises(ValueError, match="not supported"):
        statements("oracle", schema.APPEND_ONLY)


def test_failed_write_leaves_nothing(world):
    class Stop(Exception):
        pass

    with pytest.raises(Stop), world.store.write() as connection:
        events.append(connection, kind="noted", subject="a:1", actor="ana", recorded_at=CLOCK)
        raise Stop
    with world.store.read() as connection:
        assert events.head(connection).seq == 0


def _tamper(world, statement):
    with world.store.write() as connection:
        for trigger in connection.exec_driver_sql(
            "select name from sqlite_master where type = 'trigger' and tbl_name = 'events'"
        ).scalars().all():  # fmt: skip
            connection.exec_driver_sql(f"drop trigger {trigger}")
        connection.exec_driver_sql(statement)


@pytest.mark.parametrize(
    ("statement", "event"),
    [
        ("update events set actor = 'eve' where seq = 2", 2),
        ("update events set payload = '{\"n\":2}' where seq = 1", 1),
        ("update events set recorded_at = '2020-01-01T00:00:00.000000Z' where seq = 3", 3),
        ("update events set hash_version = 2 where seq = 2", 2),
        ("delete from events where seq = 2", 2),
        ("update events set seq = seq + 10 where seq >= 2", 2),
    ],
)
def test_chain_changed_event_is_found(world, statement, event):
    for _ in range(3):
        _append(world.store)
    _tamper(world, statement)
    with world.store.read() as connection, pytest.raises(ChainBrokenError, match=f"event {event}"):
        events.check_chain(connection)


def test_chain_cut_tail_is_found_with_an_anchor_only(world):
    for _ in range(3):
        anchor = _append(world.store)
    _tamper(world, "delete from events where seq = 3")
    with world.store.read() as connection:
        assert events.check_chain(connection).seq == 2
        assert not events.contains(connection, anchor.seq, anchor.hash)
