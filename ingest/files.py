"""The `files` source: the drop folder for everything without a connector.

Belongs here: which files of a folder are new, in which order they land, and what a refused file
does to its stream. Does not belong here: encodings (`received`), formats (`*_rows`), shapes.

Each accepted file is one landing of the stream named like its entity: the received bytes, the
accepted rows and the rejected ones as Parquet. Source: interfaces.md "The files source".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.drop_names import SUFFIXES, arrived_names, entity_of, is_text, stream_name
from ingest.entities import Entity
from ingest.errors import (
    DiskFullError,
    FileRefusedError,
    IngestError,
    PermanentSourceError,
    TransientSourceError,
    is_disk_full,
)
from ingest.file_formats import PLAIN, FileFormat, format_of
from ingest.landing import Landing, LandingStore, LandingWriter, hash_file
from ingest.report import (
    REJECTS_SHOWN,
    IngestProgress,
    ProgressCallback,
    Reject,
    StreamReport,
)

if TYPE_CHECKING:
    import duckdb

    from ingest.received import Received
    from ingest.staged import StagedFile

KIND = "files"


@dataclass
class _Stream:
    """What happened to the files of one entity in this run."""

    rows_landed: int = 0
    files_landed: int = 0
    files_unchanged: int = 0
    rejects: list[Reject] = field(default_factory=list)
    rows_rejected: int = 0
    errors: list[IngestError] = field(default_factory=list)


def land_files(
    store: LandingStore,
    source: str,
    folder: Path,
    started_at: datetime,
    progress: ProgressCallback,
    settings: Any = None,
) -> list[StreamReport]:
    """Land every new file of a drop folder; one report per entity (or file nobody can place).

    started_at: naive UTC. settings: of the source; its `formats` say how files are written.
    Never raises for a file: a refused file fails its stream, others go on.
    """
    try:
        accepted = arrived_names(folder)
    except OSError as error:
        return [_unreadable_folder(source, folder, error)]
    streams: dict[str, _Stream] = defaultdict(_Stream)
    for done, name in enumerate(accepted, start=1):
        try:
            entity = entity_of(folder / name)
        except FileRefusedError as error:
            streams[stream_name(name)].errors.append(error)
            continue
        if entity is None:
            continue
        stream = streams[entity.name]
        try:
            declared = format_of(settings, entity.name)
            _land_file(store, source, entity, folder / name, started_at, stream, declared)
        except IngestError as error:
            stream.errors.append(error)
        progress(IngestProgress(source, entity.name, name, done, len(accepted), stream.rows_landed))
    return [_stream_report(store, source, name, stream) for name, stream in streams.items()]


def _unreadable_folder(source: str, folder: Path, error: OSError) -> StreamReport:
    return StreamReport(
        source,
        "*",
        "failed",
        message=f"the folder {folder} cannot be read: {error.strerror}",
        what_to_do=f"Create it, or set sources.{source}.path to the folder that holds the files.",
    )


def is_known(landings: Sequence[Landing], file_name: str, sha256: str) -> bool:
    """Whether landing these bytes under this name would change nothing.

    landings: visible landings of the entity, by arrival. A name that returns to earlier bytes is
    not known: it is newest again. A new name with bytes already landed is.
    """
    of_name = [each for each in landings if each.settings["file"] == file_name]
    if of_name:
        return of_name[-1].settings["sha256"] == sha256
    return any(each.settings["sha256"] == sha256 for each in landings)


def _land_file(
    store: LandingStore,
    source: str,
    entity: Entity,
    path: Path,
    started_at: datetime,
    stream: _Stream,
    declared: FileFormat,
) -> None:
    """Land one file, or count it as unchanged. Raises: IngestError if it is refused."""
    try:
        sha256 = hash_file(path)
    except OSError as error:
        raise PermanentSourceError(
            f"{path.name}: cannot be read: {error.strerror}",
            "Give the night's user read access.",
        ) from error
    landings = [each for each in store.of_stream(source, entity.name, KIND) if each.is_final]
    if is_known(landings, path.name, sha256):
        stream.files_unchanged += 1
        return
    try:
        settings = {"file": path.name, "sha256": sha256}
        writer = store.begin(source, entity.name, KIND, started_at, settings)
    except OSError as error:
        raise _landing_failed(path, error) from error
    try:
        rows, rejects = _write_parts(writer, entity, path, sha256, declared)
    except BaseException as error:
        writer.discard()
        if isinstance(error, IngestError) or not isinstance(error, Exception):
            raise
        raise _landing_failed(path, error) from error
    finally:
        store.refresh(writer.landing)
    stream.rows_landed += rows
    stream.files_landed += 1
    stream.rows_rejected += len(rejects)
    stream.rejects += rejects[: REJECTS_SHOWN - len(stream.rejects)]


def _landing_failed(path: Path, error: Exception) -> IngestError:
    if is_disk_full(error):
        return DiskFullError(
            f"{path.name}: no space left on the disk while landing it",
            "Free space or move the home to a larger disk, then run again; "
            "what was landed before stays.",
        )
    return TransientSourceError(
        f"{path.name}: could not be landed ({type(error).__name__})",
        "Run again; if it stays, check the disk and the rights on the home's landing folder.",
    )


def _write_parts(
    writer: LandingWriter, entity: Entity, path: Path, sha256: str, declared: FileFormat
) -> tuple[int, list[Reject]]:
    """Write the parts of one file's landing and make it visible; rows and all rejects."""
    from ingest.received import receive

    received = receive(path, writer, sha256, is_text(path.name), declared.encoding)
    rows, rejects = write_rows(writer, entity, received, path.name, declared)
    writer.finalise({"rows": rows, "rejected": len(rejects), "encoding": received.encoding})
    return rows, rejects


def write_rows(
    writer: LandingWriter,
    entity: Entity,
    received: Received,
    file_name: str,
    declared: FileFormat = PLAIN,
) -> tuple[int, list[Reject]]:
    """Write the accepted and the rejected rows of a received file; their number and all rejects.

    declared: its delimiter and decimals are those of CSV files; other formats have their own.
    Raises: FileRefusedError if it cannot be read as a whole.
    """
    from ingest.staged import (
        clean_staged,
        find_rejects,
        open_connection,
        write_accepted,
        write_rejects,
    )

    landing = writer.landing
    connection = open_connection(writer.temporary_path("spill"))
    try:
        kind = SUFFIXES[Path(file_name).suffix.lower()]
        staged = _reader(kind, declared)(connection, entity, received, file_name)
        if kind != "csv":
            declared = replace(declared, decimals=PLAIN.decimals)
        clean_staged(connection, entity, staged.columns, declared)
        found = find_rejects(connection, entity, file_name, declared)
        rejects = sorted([*staged.malformed, *found], key=lambda reject: reject.row)
        rows_path = writer.temporary_path("rows.parquet")
        rows = write_accepted(connection, rows_path, landing.source, landing.arrival, file_name)
    finally:
        connection.close()
        if received.encoding != "binary":
            received.readable.unlink(missing_ok=True)
    writer.commit_part("rows.parquet", "rows", rows=rows, columns=list(entity.column_names))
    if rejects:
        write_rejects(
            writer.temporary_path("rejects.parquet"),
            rejects,
            landing.source,
            entity.name,
            landing.landing_id,
            landing.arrival,
        )
        writer.commit_part("rejects.parquet", "rejects", rows=len(rejects))
    return rows, rejects


def _reader(
    kind: str, declared: FileFormat
) -> Callable[[duckdb.DuckDBPyConnection, Entity, Received, str], StagedFile]:
    if kind == "csv":
        from ingest.csv_rows import stage_csv

        return partial(stage_csv, delimiter=declared.delimiter)
    if kind == "ndjson":
        from ingest.ndjson_rows import stage_ndjson

        return stage_ndjson
    from ingest.parquet_rows import stage_parquet

    return stage_parquet


def _stream_report(store: LandingStore, source: str, name: str, stream: _Stream) -> StreamReport:
    """Fold the files of an entity into one report; the first failure speaks for the stream."""
    arrivals = [each.arrival for each in store.of_stream(source, name) if each.is_final]
    status = "ok" if stream.files_landed else "unchanged"
    message, what_to_do = "", ""
    if stream.rows_rejected:
        plural = "row" if stream.rows_rejected == 1 else "rows"
        message = f"{stream.rows_rejected} {plural} rejected, first: {stream.rejects[0]}"
        what_to_do = "Correct the file and drop it again."
    if stream.errors:
        status = "failed"
        message = "; ".join(str(error) for error in stream.errors)
        what_to_do = " ".join(dict.fromkeys(error.what_to_do for error in stream.errors))
    return StreamReport(
        source=source,
        stream=name,
        status=status,
        rows_landed=stream.rows_landed,
        rows_rejected=stream.rows_rejected,
        last_arrival=max(arrivals, default=None),
        message=message,
        what_to_do=what_to_do,
        is_transient=bool(stream.errors) and all(error.is_transient for error in stream.errors),
        files_landed=stream.files_landed,
        files_unchanged=stream.files_unchanged,
        rejects=tuple(stream.rejects),
    )
