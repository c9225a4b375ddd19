"""The control database: opening it, its schema version, and its two kinds of transaction.

What belongs here: engine, pragmas, migrations, ``read`` and ``write``.
What does not: what is written; every other module of the room does that through a connection.

SQLite in WAL mode is the embedded default, PostgreSQL is used by changing one URL
(architecture.md, decision 3). The clock is never read here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError, NoSuchModuleError, OperationalError

from payouts.durable import ensure_folder
from payouts.errors import ControlBusyError, StorageError, StoreError
from payouts.schema import write_locks

SCHEMA_REVISION = "0006"  # the newest module in migrations/versions; a test compares them
URL_VARIABLE = "PARTNERLEDGER_CONTROL_URL"
FILE_NAME = "control.sqlite"
# Long enough for a posting of millions of rows to be registered, short enough to be noticed.
BUSY_TIMEOUT_SECONDS = 30
_BUSY_TEXTS = (
    "database is locked",
    "database table is locked",
    "could not obtain lock",
    "lock timeout",
)
# Any number that nothing else in the database uses: two processes never upgrade it at once.
_UPGRADE_LOCK = 7_304_119
# insufficient_privilege of PostgreSQL, appendix A.
_NO_PRIVILEGE = "42501"
_FULL_TEXTS = ("disk is full", "readonly database", "disk i/o error", "unable to open")


@dataclass(frozen=True)
class Store:
    """An open control database. Share it between threads; do not share it between processes."""

    engine: Engine
    home: Path

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A consistent view; nothing written in it is kept."""
        with _database_errors(self.home), self.engine.connect() as connection:
            if connection.dialect.name == "postgresql":
                # There a view is that of one statement, unless asked for; SQLite's lasts.
                connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One write transaction. Writers run one after the other; all or nothing is committed.

        Raises: ControlBusyError when another writer does not finish in time, StorageError when
        the disk is full or read-only.
        """
        with _database_errors(self.home):
            writer = self.engine.execution_options(is_writer=True)
            with writer.begin() as connection:
                if connection.dialect.name != "sqlite":
                    connection.execute(sqlalchemy.select(write_locks).with_for_update())
                yield connection

    def close(self) -> None:
        """Release all connections; a SQLite write-ahead log is folded into the file."""
        self.engine.dispose()


def open_store(home: Path, url: str | None = None, synchronous: str = "FULL") -> Store:
    """Open the control database under ``home``, creating or upgrading it when needed.

    url: SQLAlchemy URL; default is the environment variable PARTNERLEDGER_CONTROL_URL, else
    ``home/control.sqlite``. synchronous: SQLite's setting; property tests alone pass ``OFF``.
    Raises: StoreError when a newer version has written it, or the driver is missing;
    ControlBusyError; StorageError.
    """
    url = url or os.environ.get(URL_VARIABLE) or ""
    ensure_folder(home)
    with _database_errors(home):
        store = Store(_engine(url or f"sqlite:///{home / FILE_NAME}", synchronous), home)
        if _current_revision(store) != SCHEMA_REVISION:
            _upgrade(store)
        if not url:
            # Decisions name people: for the user who runs the night alone.
            (home / FILE_NAME).chmod(0o600)
    return store


def _engine(url: str, synchronous: str) -> Engine:
    try:
        engine = sqlalchemy.create_engine(url)
    except (NoSuchModuleError, ModuleNotFoundError, sqlalchemy.exc.ArgumentError) as error:
        raise StoreError(
            f"the control database URL cannot be used ({type(error).__name__}); write "
            f"sqlite:///path or postgresql+psycopg://… in {URL_VARIABLE} and install its driver"
        ) from error
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine, synchronous)
    elif engine.dialect.name == "postgresql":
        _prepare_postgresql(engine)
    else:
        raise StoreError(
            f"{engine.dialect.name} cannot hold the control database; use SQLite or PostgreSQL"
        )
    return engine


def _prepare_postgresql(engine: Engine) -> None:
    """Waits for another writer as long as SQLite does, and not for ever."""

    @event.listens_for(engine, "connect")
    def _on_connect(driver_connection: object, _record: object) -> None:
        cursor = driver_connection.cursor()
        cursor.execute(f"set lock_timeout = {BUSY_TIMEOUT_SECONDS * 1000}")
        cursor.close()
        driver_connection.commit()


def _prepare_sqlite(engine: Engine, synchronous: str) -> None:
    """Pragmas on each connection, and explicit BEGIN: the driver would begin too late.

    A reader takes a snapshot at its first SELECT; a writer takes the write lock at once, so that
    what it checks cannot change before it commits.
    """
    if synchronous not in ("FULL", "OFF"):
        raise StoreError(f"synchronous={synchronous!r} is not allowed; use FULL (or OFF in tests)")

    @event.listens_for(engine, "connect")
    def _on_connect(driver_connection: object, _record: object) -> None:
        driver_connection.isolation_level = None
        cursor = driver_connection.cursor()
        cursor.execute(f"pragma busy_timeout = {BUSY_TIMEOUT_SECONDS * 1000}")
        if cursor.execute("pragma journal_mode").fetchone()[0] != "wal":
            cursor.execute("pragma journal_mode = wal")
        cursor.execute("pragma foreign_keys = on")
        cursor.execute(f"pragma synchronous = {synchronous}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        is_writer = connection.get_execution_options().get("is_writer", False)
        connection.exec_driver_sql("begin immediate" if is_writer else "begin")


def _current_revision(store: Store) -> str | None:
    """Revision in the version table; read without Alembic, whose import costs 0.2 seconds."""
    with store.engine.connect() as connection:
        if not sqlalchemy.inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(
            sqlalchemy.text("select version_num from alembic_version")
        ).scalar()


def _upgrade(store: Store) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    folder = Path(__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    with store.engine.execution_options(is_writer=True).begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"select pg_advisory_xact_lock({_UPGRADE_LOCK})")
        # Read again under the write lock: another process may have upgraded in the meantime.
        has_versions = sqlalchemy.inspect(connection).has_table("alembic_version")
        found = (
            connection.execute(sqlalchemy.text("select version_num from alembic_version")).scalar()
            if has_versions
            else None
        )
        known = [revision.revision for revision in ScriptDirectory.from_config(config)
                 .walk_revisions()]  # fmt: skip
        if found is not None and found not in known:
            raise StoreError(
                f"the control database in {store.home} has schema revision {found}, which this "
                f"version does not know (newest here: {SCHEMA_REVISION}); install the version of "
                "partnerledger that wrote it"
            )
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


@contextmanager
def _database_errors(home: Path) -> Iterator[None]:
    """Turn the driver's busy and full-disk errors into the room's transient errors."""
    try:
        yield
    except OperationalError as error:
        text = str(error.orig).lower()
        if any(part in text for part in _BUSY_TEXTS):
            raise ControlBusyError(
                f"the control database in {home} is held by another writer for more than "
                f"{BUSY_TIMEOUT_SECONDS} s; nothing was recorded. Wait for it and run again"
            ) from error
        if any(part in text for part in _FULL_TEXTS):
            raise StorageError(
                f"cannot write the control database in {home}: {error.orig}; nothing was recorded. "
                "Free space or fix permissions, then run again"
            ) from error
        raise StoreError(f"the control database in {home} refused a statement: {error.orig}") from (
            error
        )
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == _NO_PRIVILEGE:
            said = str(error.orig).splitlines()[0]
            raise StoreError(
                f"the role of {URL_VARIABLE} may not do that: {said}; nothing was recorded. "
                "docs/runbooks/postgresql.md says which role may do what, and who changes tables"
            ) from error
        raise StoreError(
            f"the control database in {home} refused a statement: {error.orig}; nothing was "
            "recorded. Run partnerledger verify"
        ) from error
