"""Read a Parquet file into `staged`: every column as the text of its exact value.

Does not belong here: the shape of values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingest.entities import Entity
from ingest.errors import FileRefusedError, is_disk_full
from ingest.headers import check_header, shown_name
from ingest.received import Received
from ingest.shapes import identifier, quoted
from ingest.staged import StagedFile

if TYPE_CHECKING:
    import duckdb

_PLAIN_TYPES = {
    "VARCHAR", "BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT",
    "USMALLINT", "UINTEGER", "UBIGINT", "FLOAT", "DOUBLE", "DATE", "UUID",
}  # fmt: skip
_NAIVE_TIMESTAMPS = {"TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"}


def stage_parquet(
    connection: duckdb.DuckDBPyConnection,
    entity: Entity,
    received: Received,
    file_name: str,
) -> StagedFile:
    """Fill `staged` from a Parquet file. `_line` is NULL: there are no lines.

    Raises: FileRefusedError if the file is damaged, or has wrong columns or column types.
    """
    import duckdb
    import pyarrow
    from pyarrow import parquet

    try:
        names = list(parquet.read_schema(received.readable).names)
        check_header(entity, names, f"{file_name}, schema")
        scan = f"read_parquet({quoted(str(received.readable))}, file_row_number = true)"
        described = connection.execute(f"describe select * from {scan}").fetchall()
        selected = [
            f"{_text_sql(name, column_type, file_name)} as {identifier(name)}"
            for name, column_type, *_ in described
            if name in names
        ]
        connection.execute(
            f"create or replace table staged as select {', '.join(selected)}, "
            f"file_row_number + 1 as _row, cast(null as bigint) as _line from {scan}"
        )
    except (
        duckdb.InvalidInputException,
        duckdb.IOException,
        duckdb.ConversionException,
        pyarrow.ArrowException,
    ) as error:
        if is_disk_full(error):
            raise
        raise FileRefusedError(
            f"{file_name}: is not a readable Parquet file",
            "Write the file again and drop it.",
        ) from error
    return StagedFile(tuple(names))


def _text_sql(name: str, column_type: str, file_name: str) -> str:
    """SQL of the column's exact value as text; instants as ISO 8601, with Z when they are UTC."""
    column = identifier(name)
    if column_type == "TIMESTAMP WITH TIME ZONE":
        return f"strftime({column} at time zone 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')"
    if column_type in _NAIVE_TIMESTAMPS:
        return f"strftime(cast({column} as timestamp), '%Y-%m-%dT%H:%M:%S.%f')"
    if column_type in _PLAIN_TYPES or column_type.startswith(("DECIMAL(", "ENUM(")):
        return f"cast({column} as varchar)"
    raise FileRefusedError(
        f"{file_name}: column {shown_name(name)} has type {column_type.split('(')[0]}",
        "Write the column as text, number, boolean, date or timestamp.",
    )
