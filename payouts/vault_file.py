"""The file of the vault: one SQLite table of sealed rows, for its owner alone.

What belongs here: storing and overwriting bytes. What does not: what they mean (``vault``).
Not write-ahead: a log beside the file would keep what was shredded. ``secure_delete`` overwrites
what an update or delete frees.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from payouts.durable import ensure_folder
from payouts.errors import ControlBusyError, StorageError, VaultDamagedError

_BUSY_TIMEOUT_SECONDS = 30
_INDEX_ID = "index"
_SCHEMA = """
create table if not exists vault_rows (
    details_id text primary key, owner text not null, rail text not null,
    version integer not null, fingerprint text not null, account_fingerprint text not null,
    last_four text not null, created_at text not null, key_id text not null, wrapped_key blob,
    sealed blob, unique (owner, version)
) strict
"""


@dataclass(frozen=True)
class StoredRow:
    """A row. ``wrapped_key`` and ``sealed`` are None once it was shredded."""

    details_id: str
    owner: str
    rail: str
    version: int
    fingerprint: str
    account_fingerprint: str
    last_four: str
    created_at: str
    key_id: str
    wrapped_key: bytes | None = field(repr=False)
    sealed: bytes | None = field(repr=False)

    @property
    def is_erased(self) -> bool:
        """Whether it was shredded."""
        return self.wrapped_key is None and self.sealed is None

    def with_secrets(self, *, wrapped_key: bytes, sealed: bytes) -> StoredRow:
        """The row with its sealed parts."""
        return replace(self, wrapped_key=wrapped_key, sealed=sealed)


_COLUMNS = tuple(each.name for each in fields(StoredRow))
_SELECT = f"select {', '.join(_COLUMNS)} from vault_rows"


class VaultWriter:
    """Rows inside one write transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def index_key(self) -> StoredRow | None:
        """The row that holds the wrapped index key; None in a new vault."""
        return _one(self._connection, "where details_id = ?", _INDEX_ID)

    def keep_index_key(self, key_id: str, wrapped_key: bytes) -> None:
        """Write the wrapped index key, in place of the one before."""
        self._connection.execute("delete from vault_rows where details_id = ?", (_INDEX_ID,))
        self.insert(
            StoredRow(_INDEX_ID, _INDEX_ID, "", 0, "", "", "", "", key_id, wrapped_key, b"")
        )

    def of_owner(self, owner: str) -> list[StoredRow]:
        """The owner's rows, shredded or not, oldest first."""
        return _many(self._connection, owner)

    def all(self) -> list[StoredRow]:
        """All rows of details."""
        return _many(self._connection, None)

    def insert(self, row: StoredRow) -> None:
        """Write a new row."""
        marks = ", ".join("?" for _ in _COLUMNS)
        self._connection.execute(
            f"insert into vault_rows ({', '.join(_COLUMNS)}) values ({marks})",
            [getattr(row, name) for name in _COLUMNS],
        )

    def rewrap(self, details_id: str, key_id: str, wrapped_key: bytes) -> None:
        """Put a row's key under another master key."""
        self._connection.execute(
            "update vault_rows set key_id = ?, wrapped_key = ? where details_id = ?",
            (key_id, wrapped_key, details_id),
        )


class VaultFile:
    """The file at one path. Looking never creates it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def find(self, details_id: str) -> StoredRow | None:
        """A row of details by id; None when there is none or no vault yet."""
        if details_id == _INDEX_ID or not self._path.exists():
            return None
        with self._opened() as connection:
            return _one(connection, "where details_id = ?", details_id)

    def rows(self, owner: str | None = None) -> list[StoredRow]:
        """Rows of details of one owner, or all, oldest first."""
        if not self._path.exists():
            return []
        with self._opened() as connection:
            return _many(connection, owner)

    def shred(self, details_id: str) -> bool:
        """Overwrite what is sealed in a row; False when there was nothing."""
        row = self.find(details_id)
        if row is None or row.is_erased:
            return False
        with self._opened() as connection:
            connection.execute("begin immediate")
            connection.execute(
                "update vault_rows set wrapped_key = null, sealed = null where details_id = ?",
                (details_id,),
            )
            connection.execute("commit")
        return True

    @contextmanager
    def write(self) -> Iterator[VaultWriter]:
        """One write transaction, all or nothing; creates the file, readable by its owner alone."""
        self._create()
        with self._opened() as connection:
            connection.execute("begin immediate")
            try:
                yield VaultWriter(connection)
            except BaseException:
                connection.execute("rollback")
                raise
            connection.execute("commit")

    def _create(self) -> None:
        ensure_folder(self._path.parent)
        if self._path.exists():
            return
        try:
            # The file has its permissions before anything is in it.
            os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600))
        except OSError as error:
            raise StorageError(
                f"cannot write the vault {self._path}: {error.strerror or error}; nothing was kept"
            ) from None

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(
                sqlite3.connect(self._path, timeout=_BUSY_TIMEOUT_SECONDS, isolation_level=None)
            ) as connection:
                os.chmod(self._path, 0o600)
                connection.execute("pragma secure_delete = on")
                connection.execute("pragma synchronous = full")
                connection.execute(_SCHEMA)
                yield connection
        except (sqlite3.OperationalError, OSError) as error:
            if "locked" in str(error):
                raise ControlBusyError(
                    f"the vault {self._path} is held by another process for more than "
                    f"{_BUSY_TIMEOUT_SECONDS} s; nothing was kept. Wait for it and run again"
                ) from None
            raise StorageError(
                f"the vault {self._path} cannot be used: {error}; nothing was kept. Free space or "
                "fix its permissions, then run again"
            ) from None
        except sqlite3.DatabaseError as error:
            raise VaultDamagedError(
                f"the vault {self._path} is no vault any more: {error}; restore it from a backup"
            ) from None


def _one(connection: sqlite3.Connection, condition: str, value: str) -> StoredRow | None:
    row = connection.execute(f"{_SELECT} {condition}", (value,)).fetchone()
    return StoredRow(*row) if row else None


def _many(connection: sqlite3.Connection, owner: str | None) -> list[StoredRow]:
    found = connection.execute(
        f"{_SELECT} where details_id <> ? order by owner, version", [_INDEX_ID]
    )
    return [row for row in (StoredRow(*each) for each in found) if owner in (None, row.owner)]
