"""The `files` source: the drop folder for everything without a connector.

Belongs here: which files of a folder are new, in which order they land, and what a refused file
does to its stream. Does not belong here: encodings (`received`), formats (`*_rows`), shapes.

Each accepted file is one landing of the stream named like its entity: the received bytes, the
accepted rows and the rejected ones as Parquet. Source: interfaces.md "The files source".
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.entities import ENTITIES, Entity, nearest
from ingest.errors import (
    DiskFullError,
    FileRefusedError,
    IngestError,
    PermanentSourceError,
    TransientSourceError,
    is_disk_full,
)
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
TEXT_SUFFIXES = {".csv": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson"}
SUFFIXES = {**TEXT_SUFFIXES, ".parquet": "parquet"}
ARRIVING_SUFFIXES = (".tmp", ".part")
UNREAD_SUFFIXES = (
    ".xlsx", ".xls", ".ods", ".tsv", ".txt", ".json", ".xml", ".gz", ".zst", ".zip", ".bz2", ".xz",
)  # fmt: skip
"""Suffixes people drop by mistake: reported when the name is that of an entity, never ignored."""


@dataclass
class _Stream:
    """What happened to the files of one entity in this run."""

    rows_landed: int = 0
    files_landed: int = 0
    files_unchanged: int = 0
    rejects: list[Reject] = field(default_factory=list)
    rows_rejected: int = 0
    errors: list[IngestError] = field(default_factory=list)


def entity_name(file_name: str) -> str:
    """The entity a file's name says: the text before the first `-` or `.`, in lower case.

    >>> entity_name("invoices-2026-03.ndjson")
    'invoices'
    """
    return re.split("[-.]", file_name, maxsplit=1)[0].lower()


def arrival_order(file_name: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key in which files of one night land: the stem, its figures as numbers.

    `invoices.csv` comes before `invoices-2.csv`, that before `invoices-10.csv`: what is dated
    later counts as newer (rule F1).
    """
    stem = file_name[: file_name.rindex(".")] if "." in file_name else file_name
    figures = re.split("([0-9]+)", stem.lower())
    key = [(1, int(text), "") if text.isdigit() else (0, 0, text) for text in figures if text]
    return (*key, (-1, 0, file_name))


def land_files(
    store: LandingStore,
    source: str,
    folder: Path,
    started_at: datetime,
    progress: ProgressCallback,
) -> list[StreamReport]:
    """Land every new file of a drop folder; one report per entity (or file nobody can place).

    started_at: naive UTC. Never raises for a file: a refused file fails its stream, others go on.
    """
    try:
        names = sorted(
            (path.name for path in folder.iterdir() if path.is_file()),
            key=arrival_order,
        )
    except OSError as error:
        return [_unreadable_folder(source, folder, error)]
    streams: dict[str, _Stream] = defaultdict(_Stream)
    accepted = [name for name in names if _is_complete(name)]
    for done, name in enumerate(accepted, start=1):
        entity = ENTITIES.get(entity_name(name))
        if Path(name).suffix.lower() not in SUFFIXES:
            if entity and name.lower().endswith(UNREAD_SUFFIXES):
                streams[entity.name].errors.append(_unread_format(name))
            continue
        if entity is None:
            streams[name].errors.append(_unknown_entity(name))
            continue
        stream = streams[entity.name]
        try:
            _land_file(store, source, entity, folder / name, started_at, stream)
        except IngestError as error:
            stream.errors.append(error)
        progress(IngestProgress(source, entity.name, name, done, len(accepted), stream.rows_landed))
    return [_stream_report(store, source, name, stream) for name, stream in streams.items()]


def _is_complete(name: str) -> bool:
    return not name.startswith(".") and not name.lower().endswith(ARRIVING_SUFFIXES)


def _unreadable_folder(source: str, folder: Path, error: OSError) -> StreamReport:
    return StreamReport(
        source,
        "*",
        "failed",
        message=f"the folder {folder} cannot be read: {error.strerror}",
        what_to_do=f"Create it, or set sources.{source}.path to the folder that holds the files.",
    )


def _unread_format(name: str) -> FileRefusedError:
    return FileRefusedError(
        f"{name}: files of this format are not read",
        "Save it as CSV, NDJSON or Parquet, uncompressed.",
    )


def _unknown_entity(name: str) -> FileRefusedError:
    meant = nearest(entity_name(name), ENTITIES)
    hint = f", did you mean {meant}?" if meant else ""
    return FileRefusedError(
        f"{name}: there is no entity {entity_name(name)!r}{hint}",
        f"Name files after their entity: {', '.join(ENTITIES)}.",
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
        rows, rejects = _write_parts(writer, source, entity, path, sha256)
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
    writer: LandingWriter, source: str, entity: Entity, path: Path, sha256: str
) -> tuple[int, list[Reject]]:
    """Write the parts of one file's landing and make it visible; rows and all rejects."""
    from ingest.received import receive
    from ingest.staged import (
        clean_staged,
        find_rejects,
        open_connection,
        write_accepted,
        write_rejects,
    )

    landing = writer.landing
    file_format = SUFFIXES[path.suffix.lower()]
    received = receive(path, writer, sha256, is_text=file_format != "parquet")
    connection = open_connection(writer.temporary_path("spill"))
    try:
        staged = _reader(file_format)(connection, entity, received, path.name)
        clean_staged(connection, entity, staged.columns)
        found = find_rejects(connection, entity, path.name)
        rejects = sorted([*staged.malformed, *found], key=lambda reject: reject.row)
        rows_path = writer.temporary_path("rows.parquet")
        rows = write_accepted(connection, rows_path, source, landing.arrival, path.name)
    finally:
        connection.close()
        if received.encoding != "binary":
            received.readable.unlink(missing_ok=True)
    writer.commit_part("rows.parquet", "rows", rows=rows, columns=list(entity.column_names))
    if rejects:
        write_rejects(
            writer.temporary_path("rejects.parquet"),
            rejects,
            source,
            entity.name,
            landing.landing_id,
            landing.arrival,
        )
        writer.commit_part("rejects.parquet", "rejects", rows=len(rejects))
    writer.finalise({"rows": rows, "rejected": len(rejects), "encoding": received.encoding})
    return rows, rejects


def _reader(
    file_format: str,
) -> Callable[[duckdb.DuckDBPyConnection, Entity, Received, str], StagedFile]:
    if file_format == "csv":
        from ingest.csv_rows import stage_csv

        return stage_csv
    if file_format == "ndjson":
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
