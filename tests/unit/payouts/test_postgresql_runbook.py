"""The roles of the runbook on a real PostgreSQL: its own statements, a batch from end to end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import postgres_server
import pytest
from payout_world import APPROVALS, BEN, CLOCK, World, make_payable, new_warehouse

from payouts import events, schema
from payouts.aborting import abort, request_abort
from payouts.errors import StoreError
from payouts.holds import open_hold, release_hold
from payouts.pausing import is_paused, pause
from payouts.store import Store, open_store
from payouts.verify import verify

pytestmark = pytest.mark.skipif(
    postgres_server.missing() is not None, reason=postgres_server.missing() or "it is there"
)
REPOSITORY = Path(__file__).resolve().parents[3]
RUNBOOK = REPOSITORY / "docs" / "runbooks" / "postgresql.md"
OWNER, APP, AUDIT = "partnerledger_owner", "partnerledger_app", "partnerledger_audit"
DATABASE = "partnerledger"


@dataclass(frozen=True)
class Runbook:
    """A server on which the runbook was followed."""

    server: postgres_server.Server

    def url(self, role: str) -> str:
        """The URL of one of its roles."""
        return f"postgresql+psycopg://{role}@/{DATABASE}?host={self.server.socket_folder}"

    def run(self, statements: list[str], role: str, database: str = DATABASE) -> list[tuple]:
        """Each statement by itself; the rows of the last one, if it has any."""
        import psycopg

        with psycopg.connect(
            host=str(self.server.socket_folder), user=role, dbname=database, autocommit=True
        ) as connection:
            for statement in statements:
                found = connection.execute(statement)
            return found.fetchall() if found.description else []


@pytest.fixture(scope="module")
def followed(tmp_path_factory) -> Iterator[Runbook]:
    """The three blocks of SQL, and between the last two the owner's first command."""
    blocks = [
        [statement.strip() for statement in block.split(";") if statement.strip()]
        for block in re.findall(r"```sql\n(.*?)```", RUNBOOK.read_text(encoding="utf-8"), re.S)
    ]
    of_server, of_database, of_owner = blocks
    with postgres_server.running_server() as server:
        runbook = Runbook(server)
        superuser = "partnerledger"
        runbook.run(of_server, superuser, "postgres")
        runbook.run(of_database, superuser)
        open_store(tmp_path_factory.mktemp("owner"), url=runbook.url(OWNER)).close()
        runbook.run(of_owner, OWNER)
        # An upgrade runs them again.
        runbook.run(of_owner, OWNER)
        yield runbook


@pytest.fixture(scope="module")
def paid(followed, tmp_path_factory) -> World:
    """A home whose batch was proposed, approved and exported by the application's role."""
    home = tmp_path_factory.mktemp("paid") / "home"
    world = make_payable(World(home, open_store(home, url=followed.url(APP)), new_warehouse()))
    batch, other = sorted(world.propose(), key=lambda each: each.currency_code, reverse=True)
    world.approve_fully(batch)
    assert world.export(batch).is_new
    world.approve_fully(other)
    yield world
    world.store.close()


def test_application_pays_holds_stops_and_takes_back(paid):
    store, home = paid.store, paid.home
    said = {"actor": BEN, "rules": APPROVALS, "recorded_at": CLOCK, "reason": "asked"}
    with store.read() as connection:
        (exported,) = events.of_kinds(connection, ("batch_exported",))
    batch_id = exported.subject.removeprefix("batch:")
    hold, stale = open_hold(store, home, subject_type="partner", subject_id="p_1", **said)
    assert len(stale) == 1
    release_hold(store, hold.hold_id, **said)
    request_abort(store, batch_id, evidence="never uploaded", **said)
    done = abort(
        store, home, batch_id, evidence="ticket 12", timezone="UTC",
        **{**said, "actor": "dan@acme.example"},
    )  # fmt: skip
    assert (done.state, done.returned_amount_minor) == ("aborted", 15000)
    pause(store, **said)
    with store.read() as connection:
        assert is_paused(connection).paused_by == "ben"
    assert _faults(home, store) == []


def test_auditor_proves_everything_and_records_nothing(paid, followed):
    auditor = open_store(paid.home, url=followed.url(AUDIT))
    assert _faults(paid.home, auditor) == []
    with pytest.raises(StoreError, match="may not do that: permission denied for table write_lo"):
        pause(auditor, reason="odd", actor=BEN, rules=APPROVALS, recorded_at=CLOCK)
    auditor.close()


@pytest.mark.parametrize("table", schema.APPEND_ONLY)
def test_application_is_refused_every_change_of_what_was_decided(paid, table):
    column = schema.metadata.tables[table].columns.keys()[0]
    for statement in (
        f"update {table} set {column} = {column}",
        f"delete from {table}",
        f"truncate table {table} cascade",
        f"alter table {table} disable trigger all",
        f"drop table {table} cascade",
    ):
        with (
            pytest.raises(StoreError, match="may not do that: (permission denied|must be owner)"),
            paid.store.write() as writer,
        ):
            writer.exec_driver_sql(statement)


def test_owner_too_is_refused_by_the_triggers(followed, paid):
    import psycopg

    with pytest.raises(psycopg.errors.RaiseException, match="events is append-only"):
        followed.run(["delete from events"], OWNER)


def test_grants_are_exactly_what_the_program_does(followed):
    """A table that a later revision adds, or that begins to be changed, belongs in the runbook."""
    tables = {*schema.metadata.tables, "alembic_version"}
    rows = followed.run(
        [
            "select table_name, privilege_type from information_schema.role_table_grants "
            f"where grantee = '{APP}'"
        ],
        OWNER,
    )
    granted: dict[str, set[str]] = {}
    for table, privilege in rows:
        granted.setdefault(table, set()).add(privilege)
    changed = _changes()
    assert not {table for table, _ in changed} & set(schema.APPEND_ONLY)
    wanted = {table: {"SELECT", "INSERT"} for table in tables}
    wanted["alembic_version"] = wanted["write_locks"] = {"SELECT"}
    for table, verb in changed | {("write_locks", "UPDATE")}:
        wanted[table] = wanted[table] | {verb}
    assert granted == wanted


def test_application_does_not_upgrade_and_is_told_who_does(followed, tmp_path):
    (version,) = followed.run(["select version_num from alembic_version"], OWNER)[0]
    followed.run(["update alembic_version set version_num = '0001'"], OWNER)
    try:
        with pytest.raises(StoreError, match="may not do that: .*runbooks/postgresql.md"):
            open_store(tmp_path, url=followed.url(APP))
    finally:
        followed.run([f"update alembic_version set version_num = '{version}'"], OWNER)


def _changes() -> set[tuple[str, str]]:
    """Tables that the source updates or deletes from, with the verb."""
    found = re.compile(r"\b(update|delete)\(\s*(\w+)\s*\)")
    return {
        (table, verb.upper())
        for folder in ("payouts", "orchestration", "dashboards")
        for path in (REPOSITORY / folder).rglob("*.py")
        for verb, table in found.findall(path.read_text(encoding="utf-8"))
        if table in schema.metadata.tables
    }


def _faults(home: Path, store: Store) -> list[str]:
    return [
        f"{finding.check}: {finding.detail}"
        for finding in verify(home, store=store)
        if not finding.ok
    ]
