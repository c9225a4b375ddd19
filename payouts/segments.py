"""The register of journal segments in the control database, and its hash chain.

What belongs here: rows of ``segments``, their hashes, orphan files.
What does not: what is in a segment (``journal_schema``) and when one is posted (``journal``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout
from sqlalchemy import Connection, select

from payouts import events, periods
from payouts.durable import PART_SUFFIX, ensure_folder, storage_errors, sync_folder
from payouts.errors import ChainBrokenError, ControlBusyError, StoreError
from payouts.hashing import GENESIS_HASH, canonical_json, instant_text, sha256_file, sha256_text
from payouts.journal_schema import ControlTotal
from payouts.schema import segments

if TYPE_CHECKING:
    from payouts.store import Store

FOLDER = "journal"
ORPHAN_FOLDER = "orphans"
LOCK_NAME = ".lock"
# A posting of millions of rows takes minutes; whoever waits longer should be told why.
LOCK_WAIT_SECONDS = 300
_RECORD_VERSION = 1


@dataclass(frozen=True)
class SegmentFile:
    """A written and published, not yet registered file. ``path`` is relative to the home.

    ``periods``: the posting periods of its entries.
    """

    segment: int
    path: str
    sha256: str
    rows: int
    totals: tuple[ControlTotal, ...]
    periods: tuple[str, ...]


@dataclass(frozen=True)
class SegmentRecord:
    """One row of the register. origin: ``night`` (origin_id = run) or ``batch`` (batch id)."""

    segment: int
    path: str
    sha256: str
    rows: int
    totals: tuple[ControlTotal, ...]
    origin: str
    origin_id: str
    recorded_at: str
    registered_at: str
    previous_hash: str
    hash: str


@contextmanager
def files_lock(home: Path, wait_seconds: float = LOCK_WAIT_SECONDS) -> Iterator[None]:
    """One writer of journal, claims and payout files at a time; freed when a writer dies.

    Raises: ControlBusyError.
    """
    folder = home / FOLDER
    ensure_folder(folder)
    lock = FileLock(folder / LOCK_NAME, timeout=wait_seconds)
    try:
        with storage_errors(folder / LOCK_NAME, "lock"):
            lock.acquire()
    except Timeout as error:
        raise ControlBusyError(
            f"another run, proposal or export has been writing {folder} for more than "
            f"{wait_seconds} s; nothing was recorded. Wait for it to end and run again"
        ) from error
    try:
        yield
    finally:
        lock.release()


def segment_name(segment: int) -> str:
    """File name of a segment; fixed width, so that a listing is in order."""
    return f"segment-{segment:08d}.parquet"


def records(connection: Connection) -> list[SegmentRecord]:
    """All registered segments in order, as stored; hashes are not checked here.

    Raises: ChainBrokenError naming a segment whose totals cannot be read.
    """
    found = []
    for row in connection.execute(select(segments).order_by(segments.c.segment)).mappings():
        try:
            totals = _totals(row["totals"])
        except (ValueError, TypeError) as error:
            raise ChainBrokenError(
                f"the register of segments cannot be read at segment {row['segment']}: its totals "
                f"are none ({error}); restore the control database from a backup"
            ) from error
        found.append(SegmentRecord(**{**row, "totals": totals}))
    return found


def records_to_judge(connection: Connection) -> list[SegmentRecord]:
    """The same for a verification: totals that cannot be read are none, and break their hash."""
    found = []
    for row in connection.execute(select(segments).order_by(segments.c.segment)).mappings():
        try:
            totals = _totals(row["totals"])
        except (ValueError, TypeError):
            totals = ()
        found.append(SegmentRecord(**{**row, "totals": totals}))
    return found


def _totals(text: str) -> tuple[ControlTotal, ...]:
    return tuple(ControlTotal(*total) for total in json.loads(text))


def next_segment(connection: Connection) -> int:
    """Number that the next segment will get."""
    row = _last(connection)
    return row.segment + 1 if row else 1


def register(
    connection: Connection,
    file: SegmentFile,
    *,
    origin: str,
    origin_id: str,
    actor: str,
    recorded_at: datetime,
    registered_at: datetime,
) -> SegmentRecord:
    """Register a published file in the caller's write transaction, with its event.

    Raises: ControlBusyError when another writer registered a segment since the file was written;
    the unique previous hash would refuse it as well. PostingRefusedError for a period that was
    closed since (J4).
    """
    periods.refuse_closed(file.periods, periods.last_closed(connection))
    row = _last(connection)
    if file.segment != (row.segment + 1 if row else 1):
        raise ControlBusyError(
            f"segment {file.segment} was registered by another writer meanwhile; nothing was "
            "posted. Run again"
        )
    fields = {
        "segment": file.segment,
        "path": file.path,
        "sha256": file.sha256,
        "rows": file.rows,
        "totals": canonical_json([astuple(total) for total in file.totals]),
        "origin": origin,
        "origin_id": origin_id,
        "recorded_at": instant_text(recorded_at),
        "registered_at": instant_text(registered_at),
        "previous_hash": row.hash if row else GENESIS_HASH,
    }
    record_hash = _record_hash(fields)
    connection.execute(segments.insert().values(**fields, hash=record_hash))
    events.append(
        connection,
        kind="segment_registered",
        subject=f"segment:{file.segment}",
        actor=actor,
        recorded_at=registered_at,
        payload={"hash": record_hash, "sha256": file.sha256, "rows": file.rows},
    )
    return SegmentRecord(**{**fields, "totals": file.totals}, hash=record_hash)


def check_chain(rows: list[SegmentRecord]) -> None:
    """Re-hash the register.

    Raises: ChainBrokenError naming the first segment that was changed, removed or moved.
    """
    previous_hash = GENESIS_HASH
    for number, record in enumerate(rows, start=1):
        fields = {name: getattr(record, name) for name in SegmentRecord.__dataclass_fields__}
        fields["totals"] = canonical_json([astuple(total) for total in record.totals])
        if (
            record.segment != number
            or record.previous_hash != previous_hash
            or record.hash != _record_hash(fields)
        ):
            raise ChainBrokenError(
                f"the register of segments breaks at segment {number}: its record was changed or "
                "removed outside partnerledger; restore the control database from a backup"
            )
        previous_hash = record.hash


def existing_paths(home: Path, rows: list[SegmentRecord]) -> list[Path]:
    """Absolute paths of registered segments.

    Raises: ChainBrokenError when a registered file is missing.
    """
    paths = [(home / record.path).absolute() for record in rows]
    for path in paths:
        if not path.is_file():
            raise ChainBrokenError(
                f"{path} is registered but missing; restore the journal folder from a backup and "
                "run partnerledger verify"
            )
    return paths


def require_unchanged(home: Path, rows: list[SegmentRecord]) -> None:
    """Every registered segment is byte for byte what was registered.

    A night computes its differences from these files: on one that was changed by hand it would
    post money again. Raises: ChainBrokenError naming the first that is missing or differs.
    """
    for record, path in zip(rows, existing_paths(home, rows), strict=True):
        if sha256_file(path) != record.sha256:
            raise ChainBrokenError(
                f"{path} is not what was registered as segment {record.segment}; nothing was "
                "posted. Restore the journal folder from a backup and run partnerledger verify"
            )


def set_orphans_aside(home: Path, rows: list[SegmentRecord]) -> list[Path]:
    """Remove unfinished files and move unregistered segments to ``journal/orphans``.

    A segment that was renamed but never registered does not exist for any reader. It is moved
    rather than deleted: after restoring an old backup of the control database it may be history.
    The caller holds the files lock. Returns what was moved.
    """
    folder = home / FOLDER
    registered = {Path(record.path).name for record in rows}
    moved = []
    for path in sorted(folder.glob("segment-*")):
        if path.name in registered:
            continue
        with storage_errors(path, "orphaned segment"):
            if path.name.endswith(PART_SUFFIX):
                path.unlink()
                continue
            ensure_folder(folder / ORPHAN_FOLDER)
            target = folder / ORPHAN_FOLDER / f"{path.stem}-{sha256_file(path)[:16]}.parquet"
            path.replace(target)
            moved.append(target)
    if moved:
        sync_folder(folder)
    return moved


def _last(connection: Connection):
    return connection.execute(
        select(segments.c.segment, segments.c.hash).order_by(segments.c.segment.desc()).limit(1)
    ).first()


def _record_hash(fields: dict[str, object]) -> str:
    names = ("segment", "path", "sha256", "rows", "totals", "origin", "origin_id", "recorded_at",
             "registered_at", "previous_hash")  # fmt: skip
    return sha256_text(canonical_json([_RECORD_VERSION, *(fields[name] for name in names)]))


def require_known_journal(store: Store, home: Path) -> None:
    """Refuse a home whose control database does not know its journal or its batches.

    A crash leaves at most one file past the head. More than that, or batches that nobody
    registered, mean that the control database was lost: everything would be posted, and proposed
    for payout, a second time.
    Raises: StoreError.
    """
    with store.read() as connection:
        registered = len(records(connection))
    numbers = [int(path.stem.partition("-")[2]) for path in _segment_files(home)]
    batches = [path for name in ("batches", "exports") for path in (home / name).glob("*")]
    if max(numbers, default=0) > registered + 1 or (registered == 0 and batches):
        raise StoreError(
            f"the control database of {home} knows {registered} journal segments, but the files "
            f"there show {max(numbers, default=0)} and {len(batches)} batch folders; restore the "
            "control database from its backup before running again: nothing was posted"
        )


def _segment_files(home: Path) -> list[Path]:
    return [
        path
        for path in (home / "journal").glob("segment-*.parquet")
        if path.stem.partition("-")[2].isdecimal()
    ]
