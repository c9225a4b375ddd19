"""The published snapshot: resolve the pointer, open the file it names, read-only.

Readers call this once per request. The file behind a connection never changes and survives its
removal while it is open, so a night that publishes meanwhile disturbs nobody. What does not
belong here: writing (`orchestration.publish`) and the queries of pages.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dashboards.errors import SnapshotDamagedError, SnapshotMissingError

if TYPE_CHECKING:
    import duckdb

POINTER_NAME = "current.json"


@dataclass(frozen=True)
class SnapshotPointer:
    """What is published now.

    path: file name relative to HOME/serving. as_of: ISO date. published_at: ISO instant, UTC.
    sha256: of the snapshot file. terms_hash, journal_head: what the numbers were computed from.
    """

    path: str
    run_id: str
    as_of: str
    published_at: str
    sha256: str
    terms_hash: str
    journal_head: str


def serving_folder(home: Path) -> Path:
    """HOME/serving: snapshots, their Parquet folders and the pointer."""
    return home / "serving"


def read_pointer(home: Path) -> SnapshotPointer:
    """The pointer of this home.

    Raises: SnapshotMissingError before the first published night, SnapshotDamagedError if the
    pointer is not what `publish` writes.
    """
    pointer_file = serving_folder(home) / POINTER_NAME
    try:
        text = pointer_file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SnapshotMissingError(
            f"No snapshot is published in {home}. Run `partnerledger run --home {home}` first."
        ) from None
    try:
        pointer = SnapshotPointer(**json.loads(text))
        if not all(isinstance(value, str) for value in vars(pointer).values()):
            raise TypeError("a value is no text")
        date.fromisoformat(pointer.as_of)
        datetime.fromisoformat(pointer.published_at)
    except (ValueError, TypeError) as error:
        raise SnapshotDamagedError(
            f"{pointer_file} is not a snapshot pointer: {error}. "
            "Run `partnerledger run` to publish again."
        ) from error
    if Path(pointer.path).name != pointer.path:
        raise SnapshotDamagedError(
            f"{pointer_file} names {pointer.path!r}, which is outside {serving_folder(home)}. "
            "Run `partnerledger run` to publish again."
        )
    return pointer


def open_snapshot(home: Path) -> duckdb.DuckDBPyConnection:
    """A read-only connection to the snapshot that is published now, time zone UTC.

    Raises: SnapshotMissingError, SnapshotDamagedError (each says what to do).
    """
    import duckdb

    connection: duckdb.DuckDBPyConnection | None = None
    for attempt in (1, 2):
        pointer = read_pointer(home)
        try:
            path = serving_folder(home) / pointer.path
            connection = duckdb.connect(str(path), read_only=True)
            break
        except duckdb.Error as error:
            # A night may have published and pruned between the two reads: resolve once more.
            if attempt == 2:
                raise SnapshotDamagedError(
                    f"{path} cannot be opened: {error}. Run `partnerledger run` to publish again."
                ) from error
    connection.execute("SET TimeZone = 'UTC'")
    return connection
