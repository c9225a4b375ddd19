"""The `raw.files__*`, `raw.<kind>__*` and `raw.ingest__*` relations over what was landed.

Belongs here: views over the Parquet parts of visible landings; every relation exists even when
nothing was landed. Does not belong here: casting, deduplication, meaning (the dbt project).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingest.connectors import CONNECTED_KINDS, relations_of
from ingest.entities import ENTITIES
from ingest.landing import Landing, landing_root, read_landings
from ingest.objects import path_list
from ingest.pull_report import shown_cursor
from ingest.run import REPORT_COLUMNS, read_report, source_settings
from ingest.shapes import identifier
from ingest.staged import META_COLUMNS, REJECT_COLUMNS

if TYPE_CHECKING:
    import duckdb

OBJECT_COLUMNS = {
    "object_id": "varchar",
    "parent_id": "varchar",
    "payload": "json",
    "is_tombstone": "boolean",
    "_source": "varchar",
    "_arrival": "bigint",
    "_row": "bigint",
    "_retrieved_at": "timestamp",
}
"""Columns of every relation that a connector's stream fills."""

_COUNTS = ("rows_landed", "rows_rejected", "last_arrival", "requests", "retries")
STREAM_COLUMNS = {
    **{name: "bigint" if name in _COUNTS else "varchar" for name in REPORT_COLUMNS},
    "pulled_at": "timestamp",
    "freshness_hours": "bigint",
}
"""Columns of `raw.ingest__streams`. pulled_at: when the stream was last read with success, naive
UTC, NULL when never. freshness_hours: how old that may become; NULL: any age."""


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
    for kind in CONNECTED_KINDS:
        for relation in relations_of(kind):
            paths = _paths(landings, kind, None, f"rows:{relation}")
            _create_view(connection, f"{kind}__{relation}", OBJECT_COLUMNS, paths)
    told = [*newest_of_each_file(landings), *newest_of_each_stream(landings)]
    paths = [path for each in told for path in each.part_paths("rejects")]
    _create_view(connection, "ingest__rejects", REJECT_COLUMNS, paths)
    undeclared = {each.source for each in visible} - sources.keys()
    _create_streams(connection, home, landings, undeclared, sources)


def _paths(landings: Sequence[Landing], kind: str, stream: str | None, role: str) -> list[Path]:
    return [
        path
        for each in landings
        if each.kind == kind and stream in (None, each.stream)
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


def newest_of_each_stream(landings: Sequence[Landing]) -> list[Landing]:
    """Of each stream of an API the newest landing: it tells anew what is still rejected.

    landings: visible, by arrival.
    """
    newest = {(each.source, each.stream): each for each in landings if each.kind != "files"}
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
    undeclared: Collection[str],
    sources: Mapping[str, Any],
) -> None:
    """Create `raw.ingest__streams` from the last report and the visible landings.

    undeclared: sources that were landed and that `sources.yml` does not have.
    """
    rows = [row for row in _stream_rows(home, landings, sources) if row["source"] not in undeclared]
    rows += [
        {
            **_row(source, "*", "failed"),
            "message": f"records of {source} were landed, but sources.yml has no such source",
            "what_to_do": f"Declare {source} in sources.yml again, or move "
            f"{landing_root(home) / source} away.",
        }
        for source in sorted(undeclared)
    ]
    declared = ", ".join(f"{name} {kind}" for name, kind in STREAM_COLUMNS.items())
    connection.execute(f"create or replace table raw.ingest__streams ({declared})")
    if rows:
        marks = ", ".join("?" for _ in STREAM_COLUMNS)
        connection.executemany(
            f"insert into raw.ingest__streams values ({marks})",
            [[row[name] for name in STREAM_COLUMNS] for row in rows],
        )


def _stream_rows(
    home: Path, landings: Sequence[Landing], sources: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """One row per stream of the last report, and per landed stream that it does not speak of:
    that one is `unchanged`. What landings know better than the report is theirs."""
    newest = {(each.source, each.stream): each for each in landings}
    rows = {
        (told["source"], told["stream"]): {
            # A report of an older version has fewer columns.
            **_row(told["source"], told["stream"], told["status"]),
            **{name: value for name, value in told.items() if name in STREAM_COLUMNS},
        }
        for told in read_report(home)
    }
    for key in newest:
        rows.setdefault(key, _row(*key, "unchanged"))
    for (source, stream), row in rows.items():
        row["freshness_hours"] = getattr(sources.get(source), "freshness_hours", None)
        told = datetime.fromisoformat(row["pulled_at"]) if row["pulled_at"] else None
        row["pulled_at"], row["last_arrival"] = told, None
        landing = newest.get((source, stream))
        if landing:
            row["last_arrival"] = landing.arrival
            row["pulled_at"] = max(told or landing.started_at, landing.started_at)
            row["mode"] = row["mode"] or landing.settings.get("plan", {}).get("mode", "")
            state = landing.totals.get("state")
            row["cursor"] = row["cursor"] or (shown_cursor(state) if state else "")
    return list(rows.values())


def _row(source: str, stream: str, status: str) -> dict[str, Any]:
    """A stream of which nothing else is known."""
    row: dict[str, Any] = dict.fromkeys(STREAM_COLUMNS, "")
    row |= dict.fromkeys(("rows_landed", "rows_rejected", "requests", "retries"), 0)
    row |= dict.fromkeys(("last_arrival", "pulled_at", "freshness_hours"), None)
    return row | {"source": source, "stream": stream, "status": status}
