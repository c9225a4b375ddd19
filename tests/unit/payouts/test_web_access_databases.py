"""Signing in on SQLite and on a real PostgreSQL: the tables, an upgrade in place, and the races."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import postgres_server
import pytest
import sqlalchemy
from sqlalchemy import select

from payouts import events, schema
from payouts.login_links import find_link, issue_link, use_link
from payouts.portal_addresses import list_addresses, take_over_directory
from payouts.store import SCHEMA_REVISION, open_store
from payouts.verify import verify
from payouts.web_sessions import find_session, open_session

needs_postgresql = pytest.mark.skipif(
    postgres_server.missing() is not None, reason=postgres_server.missing() or "it is there"
)
NOW = datetime(2026, 3, 1, 9, 0)
# What a process does with a link, as a page of the app would: the session in the same transaction.
USE = """
import sys, time
from datetime import datetime
from pathlib import Path
from payouts.login_links import use_link
from payouts.store import open_store
from payouts.web_sessions import open_session
home, url, name = Path(sys.argv[1]), sys.argv[2] or None, sys.argv[3]
now = datetime(2026, 3, 1, 9, 0)
store = open_store(home, url=url)
(home / f"ready-{name}").touch()
while not (home / "go").exists():
    time.sleep(0.001)
with store.write() as connection:
    link = use_link(connection, "token", now)
    if link is not None:
        open_session(
            connection, f"session-{name}", subject="partner:p_4", kind="partner",
            identity_level="os_user", partner_id="p_4", now=now,
        )
print("won" if link else "lost")
store.close()
"""


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
def store(tmp_path, url):
    opened = open_store(tmp_path / "home", url=url or None)
    yield opened
    opened.close()


def test_rows_are_written_found_and_removed(store):
    with store.write() as connection:
        take_over_directory(connection, [("p_4", "mia@x.example")], NOW)
        take_over_directory(connection, [("p_4", "max@x.example")], NOW)
        issue_link(connection, "token", email="max@x.example", partner_id="p_4", now=NOW)
        issue_link(connection, "other", email="max@x.example", partner_id="p_4", now=NOW)
        assert use_link(connection, "token", NOW)
        assert find_link(connection, "other", NOW) is None
        open_session(
            connection, "s", subject="ana@acme.example", kind="staff", identity_level="oidc",
            now=NOW,
        )  # fmt: skip
    with store.read() as connection:
        assert [each.email for each in list_addresses(connection)] == ["max@x.example"]
        assert find_session(connection, "s", NOW).identity_level == "oidc"


def test_link_that_two_processes_use_at_once_signs_in_one(tmp_path, url, store):
    with store.write() as connection:
        issue_link(connection, "token", email="mia@x.example", partner_id="p_4", now=NOW)
    home, names = tmp_path / "home", ("a", "b", "c")
    running = [
        subprocess.Popen(
            [sys.executable, "-c", USE, str(home), url, name], stdout=subprocess.PIPE, text=True
        )
        for name in names
    ]
    _wait_for(home, names)
    (home / "go").touch()
    said = [process.communicate(timeout=60)[0].strip() for process in running]
    assert sorted(said) == ["lost", "lost", "won"]
    with store.read() as connection:
        (row,) = connection.execute(select(schema.web_sessions)).all()
    assert row.subject == "partner:p_4"


def test_database_before_signing_in_is_upgraded_in_place(tmp_path, url):
    """Revision 0004 with a decision in it, as an earlier release wrote it."""
    home = tmp_path / "home"
    home.mkdir()
    engine = sqlalchemy.create_engine(url or f"sqlite:///{home / 'control.sqlite'}")
    _migrate(engine, "0004")
    with engine.begin() as connection:
        event = events.append(connection, kind="noted", subject="a:1", actor="ana", recorded_at=NOW)
    assert "web_sessions" not in sqlalchemy.inspect(engine).get_table_names()
    engine.dispose()
    store = open_store(home, url=url or None)
    with store.write() as connection:
        assert events.head(connection).hash == event.hash
        version = connection.exec_driver_sql("select version_num from alembic_version").scalar()
        assert version == SCHEMA_REVISION
        take_over_directory(connection, [("p_4", "mia@x.example")], NOW)
    assert [finding for finding in verify(home, store=store) if not finding.ok] == []
    store.close()


def _migrate(engine, revision):
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def _wait_for(home, names, seconds=60):
    deadline = time.monotonic() + seconds
    while not all((home / f"ready-{name}").exists() for name in names):
        assert time.monotonic() < deadline, "the processes did not start"
        time.sleep(0.01)
