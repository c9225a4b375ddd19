"""One ingest: every stream of the chosen sources, each on its own.

Belongs here: the order of sources, which connector a kind means, and the report of the last ingest
beside the landing. Does not belong here: how a source is read; whether a night goes on.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ingest.connectors import load_connector
from ingest.entities import ENTITIES, nearest
from ingest.errors import (
    DiskFullError,
    IngestError,
    PermanentSourceError,
    TransientSourceError,
    UnknownSourceError,
    UnreachableError,
    UntrustedServerError,
    is_disk_full,
)
from ingest.landing import LandingStore, landing_root
from ingest.patience import Patience
from ingest.pull import PullOptions, Stream
from ingest.report import IngestReport, ProgressCallback, StreamReport, no_progress

REPORT_NAME = "last_ingest.json"
REPORT_COLUMNS = (
    "source",
    "stream",
    "status",
    "rows_landed",
    "rows_rejected",
    "last_arrival",
    "message",
    "what_to_do",
    "mode",
    "cursor",
    "requests",
    "retries",
)


@dataclass(frozen=True)
class DeclaredStream:
    """One stream that `sources.yml` asks for. needs: streams of the same source that it follows.

    relations: raw relations that it fills, such as `stripe__invoices`. freshness_hours: how old
    its last successful pull may be; None: any age.
    """

    source: str
    kind: str
    stream: str
    needs: tuple[str, ...]
    relations: tuple[str, ...]
    freshness_hours: int | None


def declared_streams(workspace: Any) -> list[DeclaredStream]:
    """Every stream of every source, in order of rank and of pulling; of files each entity."""
    found = []
    for source, settings in source_settings(workspace).items():
        kind = settings.kind
        hours = getattr(settings, "freshness_hours", None)
        for stream, needs, relations in _streams_of(settings):
            named = tuple(f"{kind}__{each}" for each in relations)
            found.append(DeclaredStream(source, kind, stream, needs, named, hours))
    return found


def _streams_of(settings: Any) -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """Name, needs and relations of each stream of a source."""
    if settings.kind == "files":
        return [(name, (), (name,)) for name in ENTITIES]
    return [
        (
            each.name,
            tuple(each.needs),
            tuple(dict.fromkeys(records.relation for records in each.records)),
        )
        for each in load_connector(settings.kind).streams(settings)
    ]


def ingest(
    workspace: Any,
    home: Path,
    names: Sequence[str] | None = None,
    progress: ProgressCallback | None = None,
    *,
    now: datetime,
    accept_fewer: bool = False,
    streams: Sequence[str] | None = None,
    pause: Callable[[float], None] = time.sleep,
    store: LandingStore | None = None,
    patience: dict[str, Patience] | None = None,
    force_full: Collection[str] = (),
) -> IngestReport:
    """Land what is new in all sources of the workspace, or in the named ones.

    streams: only these streams of API sources (None: all). now: the current instant, UTC when
    naive. accept_fewer: take lists far shorter than last time. store: an open landing, for callers
    that ingest stream by stream; patience: by source, what they met in this run so far.
    force_full: streams to read from their beginning, as if they had never been pulled.
    A failing stream never raises; its report says status `failed`, why, and what to do.
    Raises: UnknownSourceError for a name that `sources.yml` does not have; LandingBusyError if
    another run is landing; DiskFullError or LandingDamagedError if the landing cannot be opened.
    """
    started_at = now.astimezone(UTC).replace(tzinfo=None) if now.tzinfo else now
    begun = time.monotonic()

    def instant() -> datetime:
        return started_at + timedelta(seconds=time.monotonic() - begun)

    chosen = choose_sources(source_settings(workspace), names)
    reports: list[StreamReport] = []
    patience = {} if patience is None else patience
    with nullcontext(store) if store else open_landing(home) as landing:
        for source, settings in chosen.items():
            found = _land_source(
                landing,
                source,
                settings,
                Path(workspace.root),
                instant,
                progress or no_progress,
                accept_fewer,
                pause,
                patience.setdefault(source, Patience()),
                streams,
                force_full,
            )
            reports += found
            is_partial = streams is not None and settings.kind != "files"
            store_report(home, source, found, started_at, is_partial=is_partial)
    return IngestReport(started_at, tuple(reports))


def source_settings(workspace: Any) -> Mapping[str, Any]:
    """Settings by source name, in order of rank (rule F2)."""
    sources = workspace.sources
    return getattr(sources, "sources", sources)


def choose_sources(sources: Mapping[str, Any], names: Sequence[str] | None) -> Mapping[str, Any]:
    """The named sources in order of rank, all when no name is given.

    Raises: UnknownSourceError with the nearest known name.
    """
    for name in names or ():
        if name not in sources:
            meant = nearest(name, sources)
            hint = f", did you mean {meant}?" if meant else ""
            raise UnknownSourceError(
                f"sources.yml has no source {name!r}{hint}",
                f"It has: {', '.join(sources)}.",
            )
    return {name: each for name, each in sources.items() if not names or name in names}


def open_landing(home: Path) -> LandingStore:
    """The landing of a home, to be used as a context manager.

    Raises: DiskFullError or PermanentSourceError if its folder cannot be made.
    """
    try:
        return LandingStore(home)
    except OSError as error:
        raise _home_error(home, error) from error


def _home_error(home: Path, error: OSError) -> IngestError:
    if is_disk_full(error):
        return disk_full(str(landing_root(home)))
    return PermanentSourceError(
        f"{landing_root(home)}: cannot be written: {error.strerror}",
        "Give the night's user write access, or choose another --home.",
    )


def disk_full(place: str) -> DiskFullError:
    """The error of a full disk while landing at a place."""
    return DiskFullError(
        f"{place}: no space left on the disk",
        "Free space or move the home to a larger disk, then run again; "
        "what was landed before stays.",
    )


def _land_source(
    store: LandingStore,
    source: str,
    settings: Any,
    root: Path,
    instant: Callable[[], datetime],
    progress: ProgressCallback,
    accept_fewer: bool,
    pause: Callable[[float], None],
    patience: Patience,
    only: Sequence[str] | None,
    force_full: Collection[str],
) -> list[StreamReport]:
    options = PullOptions(instant, progress, accept_fewer, root)
    if settings.kind == "files":
        from ingest.files import land_files

        return land_files(store, source, root / settings.path, instant(), progress, settings)
    return _land_api(store, source, settings, options, pause, patience, only, force_full)


def _land_api(
    store: LandingStore,
    source: str,
    settings: Any,
    options: PullOptions,
    pause: Callable[[float], None],
    patience: Patience,
    only: Sequence[str] | None,
    force_full: Collection[str],
) -> list[StreamReport]:
    """Pull each stream of a source; one that fails does not stop the others."""
    connector = load_connector(settings.kind)
    streams = [each for each in connector.streams(settings) if only is None or each.name in only]
    try:
        client = connector.open_client(source, settings, pause)
    except IngestError as error:
        return [_failed(store, source, each.name, error) for each in streams]
    reports = []
    with closing(client):
        for stream in streams:
            client.limit_tries(patience.tries)
            asked_before, tried_before = client.requests, client.retries
            try:
                _require_needed(stream, reports)
                patience.require_answers(source, stream.name)
                asked = replace(options, force_full=stream.name in force_full)
                report = connector.pull(
                    store, source, settings.kind, stream, settings, client, asked
                )
            except Exception as error:  # noqa: BLE001  (one stream never stops the others)
                report = replace(
                    _failed(store, source, stream.name, _known(source, stream.name, error)),
                    requests=client.requests - asked_before,
                    retries=client.retries - tried_before,
                )
            # What was not asked for, because a stream it needs failed, says nothing of the server.
            if report.requests or report.status != "failed":
                patience.note(report)
            reports.append(report)
    return reports


def _require_needed(stream: Stream, reports: Sequence[StreamReport]) -> None:
    """Raises: TransientSourceError if a stream that this one needs has failed in this run."""
    for needed in stream.needs:
        for report in reports:
            if report.stream == needed and report.status == "failed":
                raise TransientSourceError(
                    f"{stream.name} was not pulled, because {needed} failed",
                    f"Mend {needed} first: {report.what_to_do}",
                )


def _known(source: str, stream: str, error: Exception) -> IngestError:
    """The error as this room tells it."""
    if isinstance(error, IngestError):
        return error
    if is_disk_full(error):
        return disk_full(f"{source}/{stream}")
    return TransientSourceError(
        f"{source}/{stream}: could not be landed ({type(error).__name__})",
        "Run again; if it stays, check the disk and the rights on the home's landing folder, and "
        "see with `partnerledger landing verify` whether a landed file is missing or damaged.",
    )


def _failed(store: LandingStore, source: str, stream: str, error: IngestError) -> StreamReport:
    arrivals = [each.arrival for each in store.of_stream(source, stream) if each.is_final]
    return StreamReport(
        source=source,
        stream=stream,
        status="failed",
        last_arrival=max(arrivals, default=None),
        message=str(error),
        what_to_do=error.what_to_do,
        is_transient=error.is_transient,
        is_unreachable=isinstance(error, UnreachableError | UntrustedServerError),
    )


def read_report(home: Path) -> list[dict[str, Any]]:
    """Streams of the last ingest of each source: REPORT_COLUMNS and `pulled_at`, ISO 8601 in UTC,
    when the stream was last read with success (None: never)."""
    path = landing_root(home) / REPORT_NAME
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        # Only a summary for people: a missing or torn one is written anew by the next ingest.
        return []


def store_report(
    home: Path,
    source: str,
    streams: Sequence[StreamReport],
    started_at: datetime,
    *,
    is_partial: bool,
) -> None:
    """Replace the source's streams in the stored report, atomically; of a partial ingest only
    those that it read. started_at: naive UTC, of the ingest."""
    path = landing_root(home) / REPORT_NAME
    read = {each.stream for each in streams}
    before = read_report(home)
    pulled = {each["stream"]: each.get("pulled_at") for each in before if each["source"] == source}
    kept = [
        each
        for each in before
        if each["source"] != source or (is_partial and each["stream"] not in read)
    ]
    for each in streams:
        last = pulled.get(each.stream) if each.status == "failed" else started_at.isoformat()
        row = {name: getattr(each, name) for name in REPORT_COLUMNS}
        kept.append({**row, "pulled_at": last})
    temporary = path.with_suffix(".tmp")
    try:
        temporary.write_text(json.dumps(kept, ensure_ascii=False), encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        if not is_disk_full(error):
            raise
        temporary.unlink(missing_ok=True)
