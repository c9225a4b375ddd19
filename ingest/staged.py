"""From one received file to accepted rows and rejects, set-based in DuckDB.

A reader (`csv_rows`, `ndjson_rows`, `parquet_rows`) fills the table `staged` with raw text; here
the values are cleaned, checked against the declared shapes, and written as Parquet. Python touches
only rejected rows. Does not belong here: file formats, folders, manifests.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.entities import Entity
from ingest.file_formats import PLAIN, FileFormat, format_fault, plain_sql
from ingest.report import Reject
from ingest.shapes import (
    IDENTIFIER_TYPES,
    clean,
    clean_sql,
    fault,
    identifier,
    quoted,
    row_condition_sql,
)

if TYPE_CHECKING:
    import duckdb

META_COLUMNS = {
    "_source": "varchar",
    "_arrival": "bigint",
    "_row": "bigint",
    "_line": "bigint",
    "_file": "varchar",
}
"""Columns of every `raw.files__*` relation beside the declared ones, with their types."""

REJECT_COLUMNS = {
    "source": "varchar",
    "entity": "varchar",
    "file": "varchar",
    "line": "bigint",
    "row": "bigint",
    "column_name": "varchar",
    "reason": "varchar",
    "landing_id": "varchar",
    "_arrival": "bigint",
}
MEMORY_LIMIT = "2GB"
FETCH_ROWS = 5_000


@dataclass(frozen=True)
class StagedFile:
    """What a reader found. columns: declared names present; malformed: records not staged."""

    columns: tuple[str, ...]
    malformed: tuple[Reject, ...] = ()


def open_connection(spill_directory: Path) -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB for checking files, spilling beside the landing when they are large."""
    import duckdb

    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    connection.execute(f"set memory_limit = '{MEMORY_LIMIT}'")
    connection.execute(f"set temp_directory = {quoted(str(spill_directory))}")
    # Files are written and read again here; DuckDB 1.5 can take blocks of them from its cache that
    # are not theirs ("ZSTD Decompression failure"). Nothing is read often enough to need it.
    connection.execute("set enable_external_file_cache = false")
    return connection


def create_staged(connection: duckdb.DuckDBPyConnection, columns: Sequence[str]) -> None:
    """Create the empty table `staged`: the columns as text, `_row` and `_line`."""
    declared = "".join(f"{identifier(name)} varchar, " for name in columns)
    connection.execute(f"create or replace table staged ({declared}_row bigint, _line bigint)")


def insert_staged(
    connection: duckdb.DuckDBPyConnection,
    columns: Sequence[str],
    values: Iterable[Sequence[str | None]],
    rows: Sequence[int],
    lines: Sequence[int],
) -> None:
    """Append one batch, given column by column. Raises: UnicodeEncodeError on lone surrogates."""
    import pyarrow

    arrays = [pyarrow.array(list(column), pyarrow.string()) for column in values]
    arrays += [
        pyarrow.array(rows, pyarrow.int64()),
        pyarrow.array(lines, pyarrow.int64()),
    ]
    batch = pyarrow.Table.from_arrays(arrays, names=[*columns, "_row", "_line"])
    connection.register("batch", batch)
    connection.execute("insert into staged select * from batch")
    connection.unregister("batch")


def clean_staged(
    connection: duckdb.DuckDBPyConnection,
    entity: Entity,
    columns: Sequence[str],
    declared: FileFormat = PLAIN,
) -> None:
    """Create the view `cleaned`: every declared column of the entity, cleaned and in the plain
    form, absent ones NULL.

    Identifiers that are not printable ASCII are cleaned by Python, each distinct value once.
    """
    selected, joins = [], []
    for column in entity.columns:
        name = identifier(column.name)
        if column.name not in columns:
            selected.append(f"cast(null as varchar) as {name}")
            continue
        expression = clean_sql(column.column_type, f"staged.{name}")
        if column.column_type in IDENTIFIER_TYPES:
            mapping = _clean_unusual(connection, column.column_type, column.name)
            if mapping:
                joins.append(f"left join {mapping} on {mapping}.raw = staged.{name}")
                expression = (
                    f"case when {mapping}.raw is null then {expression} else {mapping}.clean end"
                )
        expression = plain_sql(column.column_type, expression, declared)
        selected.append(f"{expression} as {name}")
    connection.execute(
        f"create or replace view cleaned as select {', '.join(selected)}, _row, _line "
        f"from staged {' '.join(joins)}"
    )


def _clean_unusual(
    connection: duckdb.DuckDBPyConnection, column_type: Any, column_name: str
) -> str | None:
    """Create the table of raw and cleaned values that SQL cannot clean; its name, None if none."""
    import pyarrow

    name = identifier(column_name)
    found = connection.execute(
        f"select distinct {name} from staged where not regexp_full_match({name}, '[ -~]*')"
    ).fetchall()
    if not found:
        return None
    raw = [value for (value,) in found]
    text = pyarrow.string()
    mapping = pyarrow.table(
        {
            "raw": pyarrow.array(raw, text),
            "clean": pyarrow.array([clean(column_type, value) for value in raw], text),
        }
    )
    table = identifier(f"cleaned_{column_name}")
    connection.register("unusual", mapping)
    connection.execute(f"create or replace table {table} as select * from unusual")
    connection.unregister("unusual")
    return table


def find_rejects(
    connection: duckdb.DuckDBPyConnection,
    entity: Entity,
    file_name: str,
    declared: FileFormat = PLAIN,
) -> list[Reject]:
    """Rows of `cleaned` that break a shape, one reject per row: its first column in declared
    order, naming the others. Also creates the table `failing` of their row numbers.
    """
    conditions = row_condition_sql(entity)
    failing = ", ".join(
        f"case when not {condition} then {quoted(name)} end"
        for name, condition in conditions.items()
    )
    connection.execute(
        f"create or replace table failing as select *, [{failing}] as _columns "
        f"from cleaned where not ({' and '.join(conditions.values())})"
    )
    result = connection.execute("select * from failing order by _row")
    names = [description[0] for description in result.description]
    rejects = []
    while fetched := result.fetchmany(FETCH_ROWS):
        for values in fetched:
            row = dict(zip(names, values, strict=True))
            columns = [name for name in row["_columns"] if name]
            reason = (
                format_fault(entity.column(columns[0]), row[columns[0]], declared)
                or fault(entity, columns[0], row)
                or "is not of the declared type"
            )
            if columns[1:]:
                reason += f" (also wrong: {', '.join(columns[1:])})"
            rejects.append(Reject(file_name, row["_row"], row["_line"], columns[0], reason))
    return rejects


def write_accepted(
    connection: duckdb.DuckDBPyConnection,
    path: Path,
    source: str,
    arrival: int,
    file_name: str,
) -> int:
    """Write the rows of `cleaned` that are not in `failing` as Parquet; returns their number."""
    has_failing = connection.execute("select count(*) from failing").fetchall()[0][0]
    condition = "where _row not in (select _row from failing)" if has_failing else ""
    written = connection.execute(
        f"copy (select * exclude (_row, _line), {quoted(source)} as _source, "
        f"cast({arrival} as bigint) as _arrival, _row, _line, {quoted(file_name)} as _file "
        f"from cleaned {condition}) to {quoted(str(path))} (format parquet, compression zstd)"
    ).fetchall()
    return written[0][0]


def write_rejects(
    path: Path,
    rejects: Sequence[Reject],
    source: str,
    entity: str,
    landing_id: str,
    arrival: int,
) -> None:
    """Write rejects as Parquet with the columns of `raw.ingest__rejects`."""
    import pyarrow
    from pyarrow import parquet

    columns = {
        "source": [source] * len(rejects),
        "entity": [entity] * len(rejects),
        "file": [reject.file for reject in rejects],
        "line": [reject.line for reject in rejects],
        "row": [reject.row for reject in rejects],
        "column_name": [reject.column_name for reject in rejects],
        "reason": [reject.reason for reject in rejects],
        "landing_id": [landing_id] * len(rejects),
        "_arrival": [arrival] * len(rejects),
    }
    types = {"varchar": pyarrow.string(), "bigint": pyarrow.int64()}
    schema = pyarrow.schema([(name, types[kind]) for name, kind in REJECT_COLUMNS.items()])
    parquet.write_table(pyarrow.table(columns, schema=schema), path, compression="zstd")
