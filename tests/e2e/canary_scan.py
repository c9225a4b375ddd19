"""Everything that a home keeps, as texts to be searched for what must not be there (I24, T35).

Databases and Parquet files are read row by row, because what they store is compressed or spread
over pages; every file is read as bytes as well. What does not belong here: what is searched for.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import duckdb


def texts_of_home(home: Path) -> Iterator[tuple[str, str]]:
    """Each file of a home, and each table in it, as (where, text)."""
    for path in sorted(each for each in home.rglob("*") if each.is_file()):
        where = path.relative_to(home).as_posix()
        yield where, path.read_bytes().decode("utf-8", errors="replace")
        if path.suffix == ".duckdb":
            yield from _duckdb_tables(path, where)
        elif path.suffix == ".parquet":
            rows = duckdb.execute("from read_parquet(?)", [str(path)]).fetchall()
            yield f"{where} (rows)", str(rows)
        elif path.suffix in (".sqlite", ".db"):
            yield from _sqlite_tables(path, where)


def _duckdb_tables(path: Path, where: str) -> Iterator[tuple[str, str]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        tables = connection.execute(
            "select table_schema, table_name from information_schema.tables "
            "where table_type = 'BASE TABLE' order by all"
        ).fetchall()
        for schema, name in tables:
            rows = connection.execute(f'from "{schema}"."{name}"').fetchall()
            yield f"{where} {schema}.{name}", str(rows)


def _sqlite_tables(path: Path, where: str) -> Iterator[tuple[str, str]]:
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        tables = connection.execute("select name from sqlite_master where type = 'table'")
        for (name,) in tables.fetchall():
            rows = connection.execute(f'select * from "{name}"').fetchall()
            yield f"{where} {name}", str(rows)
    finally:
        connection.close()
