"""Publish the night: an immutable snapshot for readers, then the pointer to it.

The snapshot holds the schemas `marts` and `exports` and nothing else: raw and staging hold
personal records as received and never leave the working file. What does not belong here: deciding
whether a night may be published (`checks`), reading (`dashboards.snapshot`).
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dashboards.errors import DashboardError
from dashboards.snapshot import POINTER_NAME, SnapshotPointer, read_pointer, serving_folder
from orchestration.errors import PublishError
from orchestration.warehouse import STORAGE_VERSION, apply_limits, quoted, working_file

if TYPE_CHECKING:
    import duckdb

PUBLISHED_SCHEMAS = ("marts", "exports")
KEPT_GENERATIONS = 7
# Columns that no published table may carry, however a model changes.
_PERSONAL_COLUMNS = ("email", "legal_name", "account_holder", "iban", "account_number", "tax_id")


def publish(
    home: Path,
    run_id: str,
    as_of: date,
    published_at: datetime,
    keep: int = KEPT_GENERATIONS,
) -> SnapshotPointer:
    """Write serving/<run_id>.duckdb and serving/<run_id>/<table>.parquet, then the pointer.

    published_at: naive UTC. keep: how many generations stay, the new one included.
    Nothing is visible to readers before the last step, which is one rename.
    Raises: PublishError; the pointer then still names the last good night.
    """
    folder = serving_folder(home)
    folder.mkdir(parents=True, exist_ok=True)
    _remove_unfinished(folder)
    if _published_run(home) == run_id:
        raise PublishError(
            f"{run_id} is already published", "Published snapshots are never changed; run again."
        )
    snapshot_part = folder / f".{run_id}.duckdb.part"
    parquet_part = folder / f".{run_id}.part"
    parquet_part.mkdir()
    facts = _write_copies(home, snapshot_part, parquet_part, published_at)

    for parquet_file in sorted(parquet_part.iterdir()):
        _sync(parquet_file)
        parquet_file.chmod(0o444)
    parquet_folder = folder / run_id
    if parquet_folder.exists():
        # Left by a night that died between its renames; no pointer ever named it.
        shutil.rmtree(parquet_folder)
    parquet_part.rename(parquet_folder)

    digest = _sha256(snapshot_part)
    _sync(snapshot_part)
    snapshot_part.chmod(0o444)
    snapshot = folder / f"{run_id}.duckdb"
    snapshot_part.replace(snapshot)
    _sync(folder)

    pointer = SnapshotPointer(
        path=snapshot.name,
        run_id=run_id,
        as_of=as_of.isoformat(),
        published_at=published_at.isoformat(timespec="seconds"),
        sha256=digest,
        terms_hash=facts["terms_hash"],
        journal_head=facts["journal_head"],
    )
    _replace_pointer(folder, pointer)
    _prune(folder, run_id, keep)
    return pointer


def _write_copies(
    home: Path, snapshot_part: Path, parquet_part: Path, published_at: datetime
) -> dict[str, str]:
    import duckdb

    with duckdb.connect(":memory:") as connection:
        apply_limits(connection, home)
        connection.execute(f"ATTACH '{quoted(working_file(home))}' AS working (READ_ONLY)")
        tables = _published_tables(connection)
        facts = _snapshot_facts(connection)
        connection.execute(
            f"ATTACH '{quoted(snapshot_part)}' AS snapshot (STORAGE_VERSION '{STORAGE_VERSION}')"
        )
        for schema in PUBLISHED_SCHEMAS:
            connection.execute(f"CREATE SCHEMA snapshot.{schema}")
        for schema, table in tables:
            relation = f'{schema}."{table}"'
            connection.execute(
                f"CREATE TABLE snapshot.{relation} AS SELECT * FROM working.{relation}"
            )
            if table == "mart_metadata":
                # The one thing that no model can know: when readers begin to see it.
                connection.execute(
                    f"UPDATE snapshot.{relation} SET published_at = $1", [published_at]
                )
            if schema == "marts":
                target = quoted(parquet_part / f"{table}.parquet")
                connection.execute(
                    f"COPY snapshot.{relation} TO '{target}' (FORMAT parquet, COMPRESSION zstd)"
                )
        connection.execute("CHECKPOINT snapshot")
        connection.execute("DETACH snapshot")
    return facts


def _published_tables(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    relations = connection.execute(
        "SELECT table_schema, table_name FROM information_schema.tables "
        "WHERE table_catalog = 'working' AND list_contains($1, table_schema) ORDER BY 1, 2",
        [list(PUBLISHED_SCHEMAS)],
    ).fetchall()
    if not any(schema == "marts" for schema, _ in relations):
        raise PublishError("The working file holds no marts", "Run the whole night first.")
    personal = connection.execute(
        "SELECT table_schema || '.' || table_name || '.' || column_name "
        "FROM information_schema.columns WHERE table_catalog = 'working' "
        "AND list_contains($1, table_schema) AND list_contains($2, column_name) ORDER BY 1",
        [list(PUBLISHED_SCHEMAS), list(_PERSONAL_COLUMNS)],
    ).fetchall()
    if personal:
        raise PublishError(
            f"{personal[0][0]} would publish personal records",
            "Mask the column in its model (as fct_leads.email_masked does) or leave it out.",
        )
    return relations


def _snapshot_facts(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    row = connection.execute(
        "SELECT terms_hash, journal_head FROM working.marts.mart_metadata"
    ).fetchone()
    if row is None:
        raise PublishError("marts.mart_metadata is empty", "Run the whole night again.")
    return {"terms_hash": row[0] or "", "journal_head": str(row[1] or "")}


def _replace_pointer(folder: Path, pointer: SnapshotPointer) -> None:
    part = folder / f".{POINTER_NAME}.part"
    part.write_text(f"{json.dumps(asdict(pointer), indent=2)}\n", encoding="utf-8")
    _sync(part)
    part.replace(folder / POINTER_NAME)
    _sync(folder)


def _published_run(home: Path) -> str | None:
    try:
        return read_pointer(home).run_id
    except DashboardError:
        return None


def _remove_unfinished(folder: Path) -> None:
    for part in folder.glob(".*.part"):
        if part.is_dir():
            shutil.rmtree(part)
        else:
            part.unlink()
    for log in folder.glob(".*.part.wal"):
        log.unlink()


def _prune(folder: Path, current: str, keep: int) -> None:
    # Readers that still hold a removed file keep their view until they close it.
    generations = sorted(
        (path.stem for path in folder.glob("*.duckdb")), key=_generation, reverse=True
    )
    for run_id in generations[max(keep, 1) :]:
        if run_id != current:
            (folder / f"{run_id}.duckdb").unlink()
            shutil.rmtree(folder / run_id, ignore_errors=True)


def _generation(run_id: str) -> tuple[int, str]:
    sequence = run_id.rpartition("-")[2]
    return (int(sequence) if sequence.isdecimal() else 0, run_id)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _sync(path: Path) -> None:
    with _descriptor(path) as descriptor:
        os.fsync(descriptor)


@contextmanager
def _descriptor(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
