"""Snapshots of a running app: each request sees exactly one, a night that publishes disturbs none.

The pointer is resolved once per request. Open files are kept, two at most: the newest and the one
before it, on which requests may still run. DuckDB shares a file's pages between cursors.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING

from payouts.parquet import quoted

from dashboards.errors import SnapshotDamagedError
from dashboards.snapshot import SnapshotPointer, read_pointer, serving_folder

if TYPE_CHECKING:
    import duckdb

_LOG = logging.getLogger("partnerledger.web")
_KEPT = 2
_NAME = "snapshot"


class Snapshots:
    """Open snapshots of one home. Safe to use from several threads."""

    def __init__(self, home: Path, memory_limit: str = "1GB", threads: int | None = None) -> None:
        """memory_limit, threads: of each open file; threads by default as many as DuckDB takes."""
        self._home = home
        self._limits = {"memory_limit": memory_limit}
        if threads is not None:
            self._limits["threads"] = str(threads)
        self._open: OrderedDict[str, duckdb.DuckDBPyConnection] = OrderedDict()
        self._lock = threading.Lock()

    def current(self) -> tuple[SnapshotPointer, duckdb.DuckDBPyConnection]:
        """The snapshot that is published now, and a cursor of its own to close after use.

        Raises: SnapshotMissingError, SnapshotDamagedError.
        """
        failed: SnapshotPointer | None = None
        while True:
            pointer = read_pointer(self._home)
            try:
                return pointer, self._cursor(pointer)
            except SnapshotDamagedError:
                # A night may have published and pruned between the two reads: resolve it again,
                # as long as the pointer moves.
                if pointer == failed:
                    raise
                failed = pointer

    def _cursor(self, pointer: SnapshotPointer) -> duckdb.DuckDBPyConnection:
        import duckdb

        with self._lock:
            found = self._open.get(pointer.path)
            if found is not None:
                try:
                    return self._used(pointer, found)
                except duckdb.Error:
                    # After an internal error of its own DuckDB refuses whatever comes after it:
                    # without this, one query would be the end of the whole app.
                    _LOG.warning("snapshot %s is opened again", pointer.path)
                    del self._open[pointer.path]
            opened = self._opened(pointer)
            self._open[pointer.path] = opened
            while len(self._open) > _KEPT:
                # Forgotten, not closed: closing would close the cursors of requests that
                # still run. The last of them lets go of the file.
                self._open.popitem(last=False)
            return self._used(pointer, opened)

    def _used(
        self, pointer: SnapshotPointer, connection: duckdb.DuckDBPyConnection
    ) -> duckdb.DuckDBPyConnection:
        cursor = connection.cursor()
        try:
            cursor.execute(f"use {_NAME}")
        except BaseException:
            cursor.close()
            raise
        self._open.move_to_end(pointer.path)
        return cursor

    def _opened(self, pointer: SnapshotPointer) -> duckdb.DuckDBPyConnection:
        import duckdb

        file = serving_folder(self._home) / pointer.path
        # Attached to a database of our own, so that its settings are no concern of whoever opens
        # the same file in this process: DuckDB refuses two ways of opening one file.
        connection = duckdb.connect(":memory:", config=dict(self._limits))
        try:
            connection.execute(f"attach {quoted(str(file))} as {_NAME} (read_only)")
            connection.execute("set global TimeZone = 'UTC'")
            connection.execute("set global enable_external_access = false")
            connection.execute("set global lock_configuration = true")
        except duckdb.Error as error:
            connection.close()
            raise SnapshotDamagedError(
                f"{file} cannot be opened: {error}. Run `partnerledger run` to publish again."
            ) from error
        return connection

    def close(self) -> None:
        """Close every file."""
        with self._lock:
            while self._open:
                self._open.popitem()[1].close()
