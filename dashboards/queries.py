"""Queries of the pages: one .sql file each, under dashboards/queries/.

A file begins with comments: what it answers, its grain, the tables it reads. Values are bound by
name (``$partner_id``), never written into the text.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dashboards.errors import SnapshotDamagedError

if TYPE_CHECKING:
    import duckdb

FOLDER = Path(__file__).resolve().parent / "queries"


@cache
def text_of(name: str) -> str:
    """The SQL of a query, by its path without ending, such as ``programme/overview_tiles``.

    Raises: KeyError for one that does not exist.
    """
    file = (FOLDER / f"{name}.sql").resolve()
    if FOLDER not in file.parents or not file.is_file():
        raise KeyError(f"there is no query {name!r} under dashboards/queries")
    return file.read_text(encoding="utf-8")


def run(
    connection: duckdb.DuckDBPyConnection, name: str, values: dict[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Rows as dictionaries, in the order of the columns. values: for ``$name``.

    Raises: SnapshotDamagedError where a table or column is missing, or the file is cut off.
    """
    import duckdb

    try:
        found = connection.execute(text_of(name), values or None)
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    except (duckdb.CatalogException, duckdb.BinderException, duckdb.IOException) as error:
        raise SnapshotDamagedError(
            f"{name}.sql cannot be read from the published night: {str(error).splitlines()[0]}. "
            "Another version may have published it: run `partnerledger run` to publish again."
        ) from error
