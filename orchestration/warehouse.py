"""The private working file of the night: opened here, built from scratch every night.

HOME/warehouse/partnerledger.duckdb is disposable: landing, journal and control database rebuild
it. No reader ever opens it (see `publish`). What does not belong here: SQL that computes; that is
dbt's.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.errors import DiskFullError, SettingError, WarehouseError

if TYPE_CHECKING:
    import duckdb

DATABASE = "partnerledger"
# Files of this format are read by DuckDB 1.5 and 2.0 alike.
STORAGE_VERSION = "v1.5.0"
MEMORY_LIMIT_VARIABLE = "PARTNERLEDGER_MEMORY_LIMIT"
THREADS_VARIABLE = "PARTNERLEDGER_THREADS"
TEMP_SIZE_VARIABLE = "PARTNERLEDGER_MAX_TEMP_SIZE"
WAREHOUSE_VARIABLE = "PARTNERLEDGER_WAREHOUSE"
_SIZE = re.compile(r"^\d+(\.\d+)? ?(KB|MB|GB|TB|KiB|MiB|GiB|TiB)$")
_MIB = 1024 * 1024
# Below this a night cannot finish even on the sample; refused before anything is written.
_LEAST_FREE_BYTES = 64 * _MIB


@dataclass(frozen=True)
class EngineLimits:
    """What DuckDB may use: sizes as DuckDB writes them (`4096MiB`), threads as a count."""

    memory_limit: str
    threads: int
    max_temp_directory_size: str


def working_file(home: Path) -> Path:
    """HOME/warehouse/partnerledger.duckdb."""
    return home / "warehouse" / f"{DATABASE}.duckdb"


def engine_limits(home: Path) -> EngineLimits:
    """Limits from the machine, each overridable by its environment variable.

    Memory: 60 % of what this machine or container has, so that Python beside DuckDB fits.
    Spill space: half of the free disk under `home`, so that a huge query cannot fill the disk.
    Raises: SettingError for a variable that is not a size or not a count.
    """
    memory = os.environ.get(MEMORY_LIMIT_VARIABLE) or f"{_memory_bytes() * 6 // 10 // _MIB}MiB"
    spill = os.environ.get(TEMP_SIZE_VARIABLE) or f"{max(free_bytes(home) // 2 // _MIB, 1)}MiB"
    threads = os.environ.get(THREADS_VARIABLE) or str(len(os.sched_getaffinity(0)))
    for name, size in ((MEMORY_LIMIT_VARIABLE, memory), (TEMP_SIZE_VARIABLE, spill)):
        if not _SIZE.match(size):
            raise SettingError(f"{name}={size!r} is not a size", "Write it like 4GB or 4096MiB.")
    if not threads.isdecimal() or int(threads) < 1:
        raise SettingError(
            f"{THREADS_VARIABLE}={threads!r} is not a number of threads", "Write 1 or more."
        )
    return EngineLimits(memory, int(threads), spill)


def free_bytes(home: Path) -> int:
    """Free disk space where `home` lies or will lie."""
    existing = home.resolve()
    while not existing.exists():
        existing = existing.parent
    return shutil.disk_usage(existing).free


def require_free_space(home: Path) -> None:
    """Raises: DiskFullError when not even a small night would fit."""
    free = free_bytes(home)
    if free < _LEAST_FREE_BYTES:
        raise DiskFullError(
            f"Only {free // _MIB} MiB are free on the disk of {home}",
            f"Free at least {_LEAST_FREE_BYTES // _MIB} MiB and run again; nothing was changed.",
        )


def create_working_file(home: Path) -> Path:
    """Delete last night's working file and create an empty one.

    Returns its path. Raises: WarehouseError when a process still has the old one open.
    """
    import duckdb

    path = working_file(home)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        _require_unused(path)
    for leftover in (path, path.with_name(f"{path.name}.wal")):
        leftover.unlink(missing_ok=True)
    with duckdb.connect(":memory:") as connection:
        connection.execute(
            f"ATTACH '{quoted(path)}' AS fresh (STORAGE_VERSION '{STORAGE_VERSION}')"
        )
        connection.execute("CREATE SCHEMA fresh.raw")
        connection.execute("DETACH fresh")
    return path


@contextmanager
def open_working_file(home: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The one read-write connection, time zone UTC, limits applied; closed on leaving.

    Raises: WarehouseError when there is none yet or another process holds it.
    """
    import duckdb

    path = working_file(home)
    if not path.exists():
        raise WarehouseError(
            f"{path} does not exist", "Run `partnerledger run`, which builds it from scratch."
        )
    try:
        connection = duckdb.connect(str(path))
    except duckdb.IOException as error:
        raise WarehouseError(
            f"{path} cannot be opened: {error}",
            "Close whatever reads it (readers use the published snapshot) and run again.",
        ) from error
    try:
        apply_limits(connection, home)
        yield connection
    finally:
        connection.close()


def apply_limits(connection: duckdb.DuckDBPyConnection, home: Path) -> None:
    """Set time zone, memory, threads and spill space on a connection."""
    limits = engine_limits(home)
    spill = home / "warehouse" / "spill"
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"SET memory_limit = '{limits.memory_limit}'")
    connection.execute(f"SET threads = {limits.threads}")
    connection.execute(f"SET temp_directory = '{quoted(spill)}'")
    connection.execute(f"SET max_temp_directory_size = '{limits.max_temp_directory_size}'")


def create_raw_tables(connection: duckdb.DuckDBPyConnection, tables: dict[str, Any]) -> None:
    """Create raw.<name> from Arrow tables, replacing what is there."""
    connection.execute("CREATE SCHEMA IF NOT EXISTS raw")
    for name, table in tables.items():
        connection.register("incoming_arrow", table)
        connection.execute(f'CREATE OR REPLACE TABLE raw."{name}" AS SELECT * FROM incoming_arrow')
        connection.unregister("incoming_arrow")


def prepared_for(connection: duckdb.DuckDBPyConnection) -> tuple[date, str]:
    """(as_of, run_id) that the working file was prepared for.

    Raises: WarehouseError when the raw tables are not loaded.
    """
    import duckdb

    try:
        row = connection.execute("SELECT as_of, run_id FROM raw.program__run").fetchone()
    except duckdb.CatalogException:
        row = None
    if row is None:
        raise WarehouseError(
            "The working file holds no raw tables",
            "Materialise the raw assets first, or run the whole night.",
        )
    return row[0], row[1]


def mark_passed(connection: duckdb.DuckDBPyConnection, gate: str) -> None:
    """Remember in the working file that a gate before publishing was passed."""
    forget_passed(connection, [gate])
    connection.execute("INSERT INTO night.passed VALUES ($1)", [gate])


def forget_passed(connection: duckdb.DuckDBPyConnection, gates: Sequence[str]) -> None:
    """What they vouched for is about to change."""
    connection.execute("CREATE SCHEMA IF NOT EXISTS night")
    connection.execute("CREATE TABLE IF NOT EXISTS night.passed (gate VARCHAR)")
    connection.execute("DELETE FROM night.passed WHERE list_contains($1, gate)", [list(gates)])


def passed_gates(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """Gates that this working file has passed since it was prepared."""
    forget_passed(connection, [])
    return {gate for (gate,) in connection.execute("SELECT gate FROM night.passed").fetchall()}


def row_counts(connection: duckdb.DuckDBPyConnection, schemas: tuple[str, ...]) -> dict[str, int]:
    """Rows per table `schema.table` of these schemas, from the catalogue, without a scan."""
    rows = connection.execute(
        "SELECT schema_name || '.' || table_name, estimated_size FROM duckdb_tables() "
        "WHERE list_contains($1, schema_name) AND database_name = current_database()",
        [list(schemas)],
    ).fetchall()
    return dict(rows)


def table_columns(
    connection: duckdb.DuckDBPyConnection, schemas: tuple[str, ...]
) -> dict[str, list[tuple[str, str]]]:
    """(column, type) in order, per relation `schema.table` of these schemas."""
    rows = connection.execute(
        "SELECT schema_name || '.' || table_name, column_name, data_type FROM duckdb_columns() "
        "WHERE list_contains($1, schema_name) AND database_name = current_database() "
        "ORDER BY 1, column_index",
        [list(schemas)],
    ).fetchall()
    columns: dict[str, list[tuple[str, str]]] = {}
    for relation, column, kind in rows:
        columns.setdefault(relation, []).append((column, kind))
    return columns


def quoted(path: Path) -> str:
    """A path for use between single quotes in SQL."""
    return str(path).replace("'", "''")


def _require_unused(path: Path) -> None:
    import duckdb

    # A reader of the old inode would silently keep yesterday's state alive: say so instead.
    try:
        duckdb.connect(str(path)).close()
    except duckdb.IOException as error:
        if "lock" in str(error).lower():
            raise WarehouseError(
                f"{path} is open in another process: {error}",
                "Close it there (readers use the published snapshot) and run again.",
            ) from error
    except duckdb.Error:
        # A damaged file is no loss: it is about to be rebuilt.
        return


def _memory_bytes() -> int:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for limit_file in (
        Path("/sys/fs/cgroup/memory.max"),
        Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
    ):
        try:
            limit = limit_file.read_text(encoding="ascii").strip()
        except OSError:
            continue
        if limit.isdecimal():
            total = min(total, int(limit))
    return total
