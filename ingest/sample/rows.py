"""Rows made in Python (partners, products, rates, stories) on their way into DuckDB tables."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

_CHUNK_ROWS = 250


def insert_rows(
    connection: "duckdb.DuckDBPyConnection",
    table: str,
    rows: Iterable[Sequence[object]],
) -> None:
    """Insert equally long rows in few statements (row by row is a hundred times slower)."""
    remaining = iter(rows)
    while chunk := list(islice(remaining, _CHUNK_ROWS)):
        marks = "(" + ", ".join("?" * len(chunk[0])) + ")"
        values = [value for row in chunk for value in row]
        connection.execute(f"insert into {table} values " + ", ".join([marks] * len(chunk)), values)


def create_text_table(
    connection: "duckdb.DuckDBPyConnection",
    table: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
) -> None:
    """Create a table of text columns plus `_order`, the position of the row."""
    declared = ", ".join(f'"{column}" VARCHAR' for column in columns)
    connection.execute(f"create table {table} ({declared}, _order BIGINT)")
    insert_rows(connection, table, ([*row, position] for position, row in enumerate(rows)))
