"""Parquet files through DuckDB: same rows, same bytes.

What belongs here: writing a sorted file with fixed settings, naming files in SQL.
What does not: what the columns mean (``journal_schema``, ``batches``) and registering files.

Fixed compression, fixed row groups and a total sort order make the bytes a function of the rows;
a test writes the same rows with different numbers of threads and from shuffled input.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from payouts.durable import part_path
from payouts.errors import PostingRefusedError, StorageError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ROW_GROUP_ROWS = 122_880  # DuckDB's own default, written out because the bytes depend on it


def memory_connection() -> DuckDBPyConnection:
    """A private in-memory DuckDB for reading registered files; never touches the warehouse."""
    import duckdb

    connection = duckdb.connect(":memory:")
    connection.execute("set TimeZone = 'UTC'")
    return connection


def quoted(text: str) -> str:
    """``text`` as a SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


def parquet_scan(paths: Sequence[Path], union_by_name: bool = False) -> str:
    """SQL that reads exactly these files; the folder is never listed.

    At least one path: a list cannot be empty in DuckDB. union_by_name: files may lack columns.
    """
    if not paths:
        raise ValueError("parquet_scan needs at least one file")
    listed = ", ".join(quoted(str(path)) for path in paths)
    by_name = ", union_by_name = true" if union_by_name else ""
    return f"read_parquet([{listed}], hive_partitioning = false{by_name})"


def write_part(connection: DuckDBPyConnection, select_sql: str, path: Path) -> Path:
    """Write the rows of ``select_sql`` (which must be totally ordered) beside ``path``.

    Returns the temporary file; the caller checks it and then publishes it. Streams: memory does
    not grow with the number of rows beyond DuckDB's own sort.
    Raises: StorageError (disk), PostingRefusedError (the rows do not have the expected shape).
    """
    import duckdb

    part = part_path(path)
    part.unlink(missing_ok=True)
    try:
        connection.execute(
            f"copy ({select_sql}) to {quoted(str(part))} (format parquet, compression zstd, "
            f"row_group_size {ROW_GROUP_ROWS})"
        )
    except (duckdb.IOException, duckdb.OutOfMemoryException) as error:
        part.unlink(missing_ok=True)
        raise StorageError(
            f"cannot write {path}: {_first_line(error)}; nothing was registered. "
            "Free space, memory or permissions, then run again"
        ) from error
    except duckdb.Error as error:
        part.unlink(missing_ok=True)
        raise PostingRefusedError(
            f"the rows for {path.name} do not have the expected shape: {_first_line(error)}; "
            "nothing was posted. Compare the model with payouts/journal_schema.py"
        ) from error
    return part


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
