"""Posting: the difference between desired and recorded state becomes one immutable segment.

What belongs here: the posting step of a night and the list of segments that readers may read.
What does not: computing differences (SQL models) and expanding entries into double entry.
Rules: J1–J4, J7, T1; write order of payouts reference 4.5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, func, select

from payouts import events, periods, posted_adjustments, segments, terms_versions
from payouts.checkpoints import reached
from payouts.durable import publish
from payouts.errors import NightOrderError, PostingRefusedError
from payouts.hashing import instant_text, parse_instant, sha256_file
from payouts.journal_schema import (
    COLUMNS,
    ControlTotal,
    check_against_registered,
    check_entries,
    control_totals,
)
from payouts.parquet import parquet_scan, write_part
from payouts.schema import nights
from payouts.segments import SegmentFile, SegmentRecord
from payouts.store import Store
from payouts.terms_versions import VersionKey

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

DIFFERENCES_RELATION = "intermediate.int_journal__differences"
NIGHT_ACTOR = "system:night"


@dataclass(frozen=True)
class PostResult:
    """What a night posted. ``segment`` is None and ``totals`` empty when nothing differed."""

    segment: int | None
    rows: int
    totals: tuple[ControlTotal, ...]


@dataclass(frozen=True)
class Night:
    """One recorded night. ``recorded_at`` is the naive UTC instant at which its day ended."""

    run_id: str
    as_of: date
    recorded_at: datetime
    segment: int | None


def post_differences(
    store: Store,
    home: Path,
    connection: DuckDBPyConnection,
    *,
    as_of: date,
    recorded_at: datetime,
    run_id: str,
    registered_at: datetime,
    relation: str = DIFFERENCES_RELATION,
    term_hashes: Mapping[VersionKey, str] | None = None,
    schedule: Mapping[str, Any] | None = None,
) -> PostResult:
    """Append the rows of ``relation`` as one registered segment; no rows, no segment.

    connection: DuckDB on the working file. recorded_at: end of the night's day, naive UTC (J3),
    the same for every replay. registered_at: the wall clock, for the register alone.
    term_hashes: every version of the terms with its hash; None skips T1 (for tests of the journal).
    schedule: payouts.schedule as plain values, kept with the night: it has no versions, and a past
    statement shows the pay dates that were expected then (B2).
    A run posts once: called again with the same ``run_id`` it returns what that run posted.
    Raises: NightOrderError (J7), TermsChangedError (T1), PostingRefusedError, StorageError,
    ControlBusyError, ChainBrokenError when a registered file was changed. In all of these cases
    nothing was posted.
    """
    with segments.files_lock(home):
        with store.read() as reader:
            earlier = _result_of_run(reader, run_id, as_of)
            if earlier is not None:
                return earlier
            check_night_order(reader, as_of)
            if term_hashes is not None:
                terms_versions.check_unchanged(reader, term_hashes)
            registered = segments.records(reader)
            last_closed = periods.last_closed(reader)
        segments.require_unchanged(home, registered)
        segments.set_orphans_aside(home, registered)
        file, used, adjusted = None, [], []
        if _has_rows(connection, relation):
            file = write_segment(connection, home, relation, registered, recorded_at, last_closed)
            used = _used_versions(connection, home / file.path, term_hashes or {}, as_of)
            adjusted = posted_adjustments.entries_of(connection, parquet_scan([home / file.path]))
        with store.write() as writer:
            check_night_order(writer, as_of)
            if term_hashes is not None:
                terms_versions.record_used(
                    writer, term_hashes, used,
                    as_of=as_of, actor=NIGHT_ACTOR, recorded_at=registered_at,
                )  # fmt: skip
            if file is not None:
                segments.register(
                    writer, file, origin="night", origin_id=run_id, actor=NIGHT_ACTOR,
                    recorded_at=recorded_at, registered_at=registered_at,
                )  # fmt: skip
                posted_adjustments.record_posted(
                    writer, adjusted,
                    segment=file.segment, actor=NIGHT_ACTOR, recorded_at=registered_at,
                )  # fmt: skip
            _record_night(writer, run_id, as_of, recorded_at, registered_at, file, schedule)
            reached("posting_before_commit")
        reached("posting_after_commit")
    if file is None:
        return PostResult(None, 0, ())
    return PostResult(file.segment, file.rows, file.totals)


def write_segment(
    connection: DuckDBPyConnection,
    home: Path,
    relation: str,
    registered: list[SegmentRecord],
    recorded_at: datetime,
    last_closed: str | None,
) -> SegmentFile:
    """Write, read back, check and publish the next segment; it is not registered yet.

    The caller holds the files lock. All checks run on the written file, so that what is
    registered is what was checked; the relation itself is read twice, for the rows and the totals.
    last_closed: the last closed period (J4), which registering looks up again.
    Raises: PostingRefusedError, StorageError.
    """
    number = len(registered) + 1
    path = home / segments.FOLDER / segments.segment_name(number)
    columns = ", ".join(f"{name}::{kind} as {name}" for name, kind in COLUMNS)
    part = write_part(
        connection,
        f"select {columns}, timestamp '{instant_text(recorded_at)[:-1]}' as recorded_at, "
        f"{number}::bigint as segment from {relation} order by entry_id",
        path,
    )
    try:
        written = parquet_scan([part])
        totals = control_totals(connection, written)
        if totals != control_totals(connection, relation):
            raise PostingRefusedError(
                f"{path.name} does not add up to {relation} when read back; nothing was posted. "
                "Check the disk and run the night again"
            )
        check_entries(connection, written)
        check_against_registered(connection, written, segments.existing_paths(home, registered))
        posting_periods = _posting_periods(connection, written)
        periods.refuse_closed(posting_periods, last_closed)
        sha256 = sha256_file(part)
        publish(part, path, "segment")
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return SegmentFile(
        segment=number,
        path=f"{segments.FOLDER}/{path.name}",
        sha256=sha256,
        rows=sum(total.rows for total in totals),
        totals=totals,
        periods=posting_periods,
    )


def segment_paths(store: Store, home: Path) -> list[Path]:
    """Absolute paths of all registered segments, in order. The folder is never listed.

    Raises: ChainBrokenError when a registered file is missing.
    """
    with store.read() as connection:
        return segments.existing_paths(home, segments.records(connection))


def last_night(connection: Connection) -> Night | None:
    """The night recorded last, None in a fresh home."""
    row = connection.execute(select(nights).order_by(nights.c.night.desc()).limit(1)).first()
    if row is None:
        return None
    return Night(
        run_id=row.run_id,
        as_of=date.fromisoformat(row.as_of),
        recorded_at=parse_instant(row.recorded_at),
        segment=row.segment,
    )


def check_night_order(connection: Connection, as_of: date) -> None:
    """J7, for the start of a run as well: refuse a night before the last posted one.

    Raises: NightOrderError.
    """
    last = last_night(connection)
    if last is not None and as_of < last.as_of:
        raise NightOrderError(
            f"the night of {as_of} cannot be posted: {last.as_of} has been posted already (J7); "
            f"nothing was posted. Use a date from {last.as_of} on, or replay in a home of its own "
            "with --home"
        )


def _result_of_run(connection: Connection, run_id: str, as_of: date) -> PostResult | None:
    row = connection.execute(select(nights).where(nights.c.run_id == run_id)).first()
    if row is None:
        return None
    if row.as_of != as_of.isoformat():
        raise PostingRefusedError(
            f"run {run_id} has posted the night of {row.as_of} and cannot post {as_of}; start a "
            "new run"
        )
    if row.segment is None:
        return PostResult(None, 0, ())
    record = segments.records(connection)[row.segment - 1]
    return PostResult(record.segment, record.rows, record.totals)


def _has_rows(connection: DuckDBPyConnection, relation: str) -> bool:
    import duckdb

    try:
        return connection.execute(f"select exists (from {relation})").fetchone()[0]
    except duckdb.Error as error:
        raise PostingRefusedError(
            f"{relation} cannot be read: {str(error).splitlines()[0]}; nothing was posted. Build "
            "the models first"
        ) from error


def _posting_periods(connection: DuckDBPyConnection, relation: str) -> tuple[str, ...]:
    rows = connection.execute(
        f"select distinct posting_period from {relation} order by 1"
    ).fetchall()
    return tuple(period for (period,) in rows)


def _used_versions(
    connection: DuckDBPyConnection,
    segment: Path,
    term_hashes: Mapping[VersionKey, str],
    as_of: date,
) -> list[VersionKey]:
    """Plan versions that the entries name, and all other versions in force until ``as_of``.

    Lead and attribution versions are not named by entries, but each decided which leads earned.
    """
    rows = connection.execute(
        f"select distinct plan_id, plan_version from {parquet_scan([segment])} "
        "where plan_id is not null and plan_version is not null"
    ).fetchall()
    plans = [("plan", plan_id, version) for plan_id, version in rows]
    others = [key for key in term_hashes if key[0] != "plan" and key[2] <= as_of.isoformat()]
    return plans + others


def _record_night(
    connection: Connection,
    run_id: str,
    as_of: date,
    recorded_at: datetime,
    registered_at: datetime,
    file: SegmentFile | None,
    schedule: Mapping[str, Any] | None,
) -> None:
    number = connection.execute(select(func.coalesce(func.max(nights.c.night), 0))).scalar_one() + 1
    segment = file.segment if file else None
    connection.execute(
        nights.insert().values(
            night=number,
            run_id=run_id,
            as_of=as_of.isoformat(),
            recorded_at=instant_text(recorded_at),
            registered_at=instant_text(registered_at),
            segment=segment,
        )
    )
    events.append(
        connection,
        kind="night_posted",
        subject=f"night:{run_id}",
        actor=NIGHT_ACTOR,
        recorded_at=registered_at,
        payload={
            "night": number,
            "as_of": as_of,
            "segment": segment,
            "recorded_at": recorded_at,
            "rows": file.rows if file else 0,
            **({"schedule": dict(schedule)} if schedule else {}),
        },
    )
