"""One ingest: every stream of the chosen sources, each on its own.

Belongs here: the order of sources, which connector a kind means, and the report of the last ingest
beside the landing. Does not belong here: how a source is read; whether a night goes on.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ingest.entities import nearest
from ingest.errors import (
    DiskFullError,
    IngestError,
    PermanentSourceError,
    TransientSourceError,
    UnknownSourceError,
    is_disk_full,
)
from ingest.landing import LandingStore, landing_root
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
)


def ingest(
    workspace: Any,
    home: Path,
    names: Sequence[str] | None = None,
    progress: ProgressCallback | None = None,
    *,
    now: datetime,
    accept_fewer: bool = False,
    pause: Callable[[float], None] = time.sleep,
) -> IngestReport:
    """Land what is new in all sources of the workspace, or in the named ones.

    now: the current instant, UTC when naive. accept_fewer: take lists far shorter than last time.
    A failing stream never raises; its report says status `failed`, why, and what to do.
    Raises: UnknownSourceError for a name that `sources.yml` does not have; LandingBusyError if
    another run is landing; DiskFullError or LandingDamagedError if the landing cannot be opened.
    """
    started_at = now.astimezone(UTC).replace(tzinfo=None) if now.tzinfo else now
    begun = time.monotonic()

    def instant() -> datetime:
        return started_at + timedelta(seconds=time.monotonic() - begun)

    chosen = choose_sources(source_settings(workspace), names)
    streams: list[StreamReport] = []
    with _open_store(home) as store:
        for source, settings in chosen.items():
            found = _land_source(
                store,
                source,
                settings,
                Path(workspace.root),
                instant,
                progress or no_progress,
                accept_fewer,
                pause,
            )
            streams += found
            _store_report(home, source, found)
    return IngestReport(started_at, tuple(streams))


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


def _open_store(home: Path) -> LandingStore:
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
) -> list[StreamReport]:
    if settings.kind == "files":
        from ingest.files import land_files

        return land_files(store, source, root / settings.path, instant(), progress)
    if settings.kind == "stripe":
        from ingest.stripe import PullOptions

        options = PullOptions(settings.api_version, instant, progress, accept_fewer)
        return _land_stripe(store, source, settings, options, pause)
    error = PermanentSourceError(
        f"sources of kind {settings.kind!r} are not read in this release",
        f"Remove sources.{source}, or deliver its records through a files source.",
    )
    return [_failed(store, source, "*", error)]


def _land_stripe(
    store: LandingStore,
    source: str,
    settings: Any,
    options: Any,
    pause: Callable[[float], None],
) -> list[StreamReport]:
    """Pull each stream of a stripe source; one that fails does not stop the others."""
    from ingest.http import HttpClient
    from ingest.stripe import pull_stream

    streams = tuple(settings.streams)
    try:
        client = HttpClient(
            label=source,
            base_url=settings.base_url,
            token=read_secret(source, settings.api_key_env),
            token_env=settings.api_key_env,
            timeout_seconds=settings.timeout_seconds,
            headers={"Stripe-Version": settings.api_version},
            pause=pause,
        )
    except IngestError as error:
        return [_failed(store, source, stream, error) for stream in streams]
    reports = []
    with closing(client):
        for stream in streams:
            try:
                reports.append(pull_stream(store, source, stream, client, options))
            except Exception as error:  # noqa: BLE001  (one stream never stops the others)
                known = error if isinstance(error, IngestError) else None
                failure = known or _unexpected(source, stream, error)
                reports.append(_failed(store, source, stream, failure))
    return reports


def read_secret(source: str, variable: str) -> str:
    """The secret in an environment variable.

    Raises: PermanentSourceError naming the variable, never its value.
    """
    secret = os.environ.get(variable, "").strip()
    if not secret:
        raise PermanentSourceError(
            f"the environment variable {variable} is not set",
            f"Set it to the key of source {source}, or name another in "
            f"sources.{source}.api_key_env.",
        )
    if not secret.isascii() or not secret.isprintable():
        raise PermanentSourceError(
            f"the environment variable {variable} does not hold a key: it has characters "
            "that no key has",
            f"Copy the key of source {source} again.",
        )
    return secret


def _unexpected(source: str, stream: str, error: Exception) -> IngestError:
    if is_disk_full(error):
        return disk_full(f"{source}/{stream}")
    return TransientSourceError(
        f"{source}/{stream}: could not be landed ({type(error).__name__})",
        "Run again; if it stays, check the disk and the rights on the home's landing folder.",
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
    )


def read_report(home: Path) -> list[dict[str, Any]]:
    """Streams of the last ingest of each source, with the columns of `raw.ingest__streams`."""
    path = landing_root(home) / REPORT_NAME
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        # Only a summary for people: a missing or torn one is written anew by the next ingest.
        return []


def _store_report(home: Path, source: str, streams: Sequence[StreamReport]) -> None:
    """Replace the source's streams in the stored report, atomically."""
    path = landing_root(home) / REPORT_NAME
    kept = [each for each in read_report(home) if each["source"] != source]
    kept += [{name: getattr(each, name) for name in REPORT_COLUMNS} for each in streams]
    temporary = path.with_suffix(".tmp")
    try:
        temporary.write_text(json.dumps(kept, ensure_ascii=False), encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        if not is_disk_full(error):
            raise
        temporary.unlink(missing_ok=True)
