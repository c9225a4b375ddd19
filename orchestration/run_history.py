"""Dagster's run history as SQLite files that stay open, for the many small events of a night.

Dagster's own SQLite event log opens, syncs and closes a file for each event; a night has about a
thousand of them, which costs more than all SQL of a small programme. Run history may be deleted
(architecture, "where state lives"), so one open connection per file and no sync per event is
enough: a power cut can lose the last events, never damage the file, and never touches money. What
does not belong here: the control database, which syncs every commit.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, create_engine, event

_BUSY_TIMEOUT_SECONDS = 30


class OpenEventLogStorage(SqliteEventLogStorage):
    """Dagster's event log with one kept connection per file and `synchronous = normal`."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: dict[str, Engine] = {}
        super().__init__(base_dir, inst_data)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            engine = self._engines.get(shard)
            if engine is None:
                engine = self._engines[shard] = self._open(shard)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.connect() as connection, connection.begin():
                yield connection

    def dispose(self) -> None:
        """Close every file; SQLite folds its write-ahead log in."""
        for engine in self._engines.values():
            engine.dispose()
        self._engines.clear()
        super().dispose()

    def _open(self, shard: str) -> Engine:
        engine = create_engine(
            self.conn_string_for_shard(shard), connect_args={"timeout": _BUSY_TIMEOUT_SECONDS}
        )

        @event.listens_for(engine, "connect")
        def on_connect(driver_connection: Any, _record: Any) -> None:
            driver_connection.execute("pragma synchronous = normal")

        return engine


class HomeStorage(DagsterSqliteStorage):
    """Runs, events and schedules under one directory; dagster.yaml names this class."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(base_dir, inst_data)
        self._event_log_storage = OpenEventLogStorage(self._event_log_storage._base_dir)

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Any
    ) -> "HomeStorage":
        """Called by Dagster with the configuration of dagster.yaml."""
        Path(config_value["base_dir"]).mkdir(parents=True, exist_ok=True)
        return cls(inst_data=inst_data, **config_value)
