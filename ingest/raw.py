"""The `raw.files__*`, `raw.stripe__*` and `raw.ingest__*` relations over what was landed.

Belongs here: views over the Parquet parts of visible landings; every relation exists even when
nothing was landed. Does not belong here: casting, deduplication, meaning (the dbt project).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.entities import ENTITIES
from ingest.landing import Landing, landing_root, read_landings
from ingest.run import REPORT_COLUMNS, read_report, source_settings
from ingest.shapes import identifier
from ingest.staged import META_COLUMNS, REJECT_COLUMNS
from ingest.stripe_objects import path_list

if TYPE_CHECKING:
    import duckdb

STRIPE_OBJECTS = ("customers", "subscriptions", "invoices", "charges", "refunds")
STRIPE_COLUMNS = {
    "object_id": "varchar",
    "payload": "json",
    "_source": "varchar",
    "_arrival": "bigint",
    "_row": "bigint",
    "_retrieved_at": "timestamp",
}
STRIPE_LINE_COLUMNS = {"invoice_id": "varchar", **STRIPE_COLUMNS}
STREAM_COLUMNS = {
    name: "bigint" if name in ("rows_landed", "rows_rejected", "last_arrival") else "varchar"
    for name in REPORT_COLUMNS
}


def load_raw(connection: duckdb.DuckDBPyConnection, workspace: Any, home: Path) -> None:
    """Create or replace all raw relations of this room in the connection's schema `raw`.

    Only landings of sources that `sources.yml` declares are read; those of others are told in
    `raw.ingest__streams`. The relations are views over explicit files of visible landings.
    Raises: LandingDamagedError if a manifest is damaged.
    """
    sources = source_settings(workspace)
    # Views outlive the working directory of the process that makes them.
    visible = [landing for landing in read_landings(Path(home).resolve()) if landing.is_final]
    landings = [each for each in visible if each.source in sources]
    connection.execute("create schema if not exists raw")
    for entity in ENTITIES.values():
        columns = {**dict.fromkeys(entity.column_names, "varchar"), **META_COLUMNS}
        paths = _paths(landings, "files", entity.name, "rows")
        _create_view(connection, f"files__{entity.name}", columns, paths)
    for name in STRIPE_OBJECTS:
        paths = _paths(landings, "stripe", name, "objects")
        _create_view(connection, f"stripe__{name}", STRIPE_COLUMNS, paths)
    paths = _paths(landings, "stripe", "invoices", "lines")
    _create_view(connection, "stripe__invoice_lines", STRIPE_LINE_COLUMNS, paths)
    paths = [path for each in newest_of_each_file(landings) for path in each.part_paths("rejects")]
    _create_view(connection, "ingest__rejects", REJECT_COLUMNS, paths)
    _create_streams(connection, home, landings, [each for each in visible if each not in landings])


def _paths(landings: Sequence[Landing], kind: str, stream: str, role: str) -> list[Path]:
    return [
        path
        for each in landings
        if each.kind == kind and each.stream == stream
        for path in each.part_paths(role)
    ]


def newest_of_each_file(landings: Sequence[Landing]) -> list[Landing]:
    """Of each dropped file the newest landing: what an older version had wrong is settled.

    landings: visible, by arrival.
    """
    newest = {
        (each.source, each.stream, each.settings["file"]): each
        for each in landings
        if each.kind == "files"
    }
    return list(newest.values())


def _create_view(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    columns: dict[str, str],
    paths: list[Path],
) -> None:
    empty = ", ".join(
        f"cast(null as {kind}) as {identifier(each)}" for each, kind in columns.items()
    )
    query = f"select {empty} where false"
    if paths:
        present = _present_columns(connection, paths)
        selected = ", ".join(
            identifier(each) if each in present else f"cast(null as {kind}) as {identifier(each)}"
            for each, kind in columns.items()
        )
        query = f"select {selected} from read_parquet({path_list(paths)}, union_by_name = true)"
    # A table of that name can be there from an older home; a view cannot replace it.
    existing = connection.execute(
        "select table_type from information_schema.tables "
        "where table_schema = 'raw' and table_name = ?",
        [name],
    ).fetchall()
    if existing and existing[0][0] != "VIEW":
        connection.execute(f"drop table raw.{identifier(name)}")
    connection.execute(f"create or replace view raw.{identifier(name)} as {query}")


def _present_columns(connection: duckdb.DuckDBPyConnection, paths: list[Path]) -> set[str]:
    described = connection.execute(
        f"describe select * from read_parquet({path_list(paths)}, union_by_name = true)"
    ).fetchall()
    return {row[0] for row in described}


def _create_streams(
    connection: duckdb.DuckDBPyConnection,
    home: Path,
    landings: Sequence[Landing],
    undeclared: Sequence[Landing],
) -> None:
    """Create `raw.ingest__streams` from the last report and the visible landings.

    last_arrival is always that of the landings. A landed stream that the last ingest did not
    speak of is `unchanged`.
    """
    arrivals = {(each.source, each.stream): each.arrival for each in landings}
    rows = {
        (row["source"], row["stream"]): {**row, "last_arrival": arrivals.get(key)}
        for row in read_report(home)
        for key in [(row["source"], row["stream"])]
    }
    for source, stream in arrivals:
        rows.setdefault((source, stream), _row(source, stream, "unchanged", arrivals))
    for source in sorted({each.source for each in undeclared}):
        rows = {key: row for key, row in rows.items() if key[0] != source}
        row = _row(source, "*", "failed", arrivals)
        row["message"] = f"records of {source} were landed, but sources.yml has no such source"
        row["what_to_do"] = (
            f"Declare {source} in sources.yml again, or move {landing_root(home) / source} away."
        )
        rows[(source, "*")] = row
    declared = ", ".join(f"{name} {kind}" for name, kind in STREAM_COLUMNS.items())
    connection.execute(f"create or replace table raw.ingest__streams ({declared})")
    if rows:
        marks = ", ".join("?" for _ in STREAM_COLUMNS)
        connection.executemany(
            f"insert into raw.ingest__streams values ({marks})",
            [[row[name] for name in STREAM_COLUMNS] for row in rows.values()],
        )


def _row(
    source: str, stream: str, status: str, arrivals: dict[tuple[str, str], int]
) -> dict[str, Any]:
    return {
        "source": source,
        "stream": stream,
        "status": status,
        "rows_landed": 0,
        "rows_rejected": 0,
        "last_arrival": arrivals.get((source, stream)),
        "message": "",
        "what_to_do": "",
    }
