"""From landed pages of a Stripe list to one row per object, as Parquet beside the pages.

Belongs here: slicing pages into objects and leaving out what is equal to the newest landed version
(a full list repeats everything every night). Does not belong here: HTTP, or typed columns (dbt).

Columns: object_id, payload (JSON text of the object), _source, _arrival, _row, _retrieved_at,
_digest; rows of `lines` also have invoice_id. The pages stay the evidence; this file can always be
made again from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.landing import Landing, LandingWriter
from ingest.shapes import quoted
from ingest.staged import open_connection

if TYPE_CHECKING:
    import duckdb

MINIMUM_OBJECT_BYTES = 1 << 20
PAGE_COLUMNS = {
    "sequence": "bigint",
    "kind": "varchar",
    "parent_id": "varchar",
    "retrieved_at": "timestamp",
    "body": "varchar",
}


def write_objects(writer: LandingWriter, earlier: Sequence[Landing]) -> tuple[int, int]:
    """Write the parts `objects` and, for invoices with more lines than they embed, `lines`.

    earlier: visible landings of the stream. Returns the numbers of new or changed objects, and of
    distinct objects in the list.
    """
    done = [part for part in writer.parts if part.role == "objects"]
    if done:
        return done[-1].rows, done[-1].facts["listed"]
    connection = open_connection(writer.temporary_path("spill"))
    try:
        _create_objects(connection, writer)
        listed = _count(
            connection,
            "select count(distinct object_id) from objects where not is_line",
        )
        _write_lines(connection, writer, earlier)
        changed = _write_changed(connection, writer, earlier, listed)
    finally:
        connection.close()
    return changed, listed


def _count(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    return connection.execute(query).fetchall()[0][0]


def path_list(paths: Sequence[Path]) -> str:
    """The paths as an SQL list."""
    return "[" + ", ".join(quoted(str(path)) for path in paths) + "]"


def _create_objects(connection: duckdb.DuckDBPyConnection, writer: LandingWriter) -> None:
    """Create the table `objects`: newest version in this landing of each object and line."""
    landing = writer.landing
    pages = [part for part in writer.parts if part.role == "pages"]
    longest = max((part.facts["longest_line_bytes"] for part in pages), default=0)
    columns = ", ".join(f"{name}: '{kind}'" for name, kind in PAGE_COLUMNS.items())
    paths = path_list([writer.directory / part.name for part in pages])
    connection.execute(
        f"""
        create table objects as
        with pages as (
            select sequence, kind, parent_id, retrieved_at, cast(body as json) as body
            from read_json({paths}, format = 'newline_delimited', columns = {{{columns}}},
                compression = 'zstd',
                maximum_object_size = {max(MINIMUM_OBJECT_BYTES, 2 * longest)})
        ),
        items as (
            select
                sequence,
                kind = 'lines' as is_line,
                parent_id,
                retrieved_at,
                unnest(range(cast(json_array_length(body, '$.data') as bigint))) as position,
                unnest(json_extract(body, '$.data[*]')) as payload
            from pages
        ),
        numbered as (
            select
                *,
                payload ->> '$.id' as object_id,
                row_number() over (order by sequence, position) as number
            from items
        )
        select
            object_id, payload, {quoted(landing.source)} as _source,
            cast({landing.arrival} as bigint) as _arrival, number as _row,
            retrieved_at as _retrieved_at, md5(cast(payload as varchar)) as _digest,
            parent_id as invoice_id, is_line
        from numbered
        qualify row_number() over (
            partition by is_line, parent_id, object_id order by number desc
        ) = 1
        """
    )


def _write_changed(
    connection: duckdb.DuckDBPyConnection,
    writer: LandingWriter,
    earlier: Sequence[Landing],
    listed: int,
) -> int:
    """Write the objects that differ from their newest landed version."""
    paths = [path for landing in earlier for path in landing.part_paths("objects")]
    known = ""
    if paths:
        known = (
            "and not exists (select 1 from (select object_id, max_by(_digest, _arrival) as _digest "
            f"from read_parquet({path_list(paths)}) group by object_id) as known "
            "where known.object_id = objects.object_id and known._digest = objects._digest)"
        )
    name = "objects.parquet"
    rows = _count(
        connection,
        f"copy (select * exclude (invoice_id, is_line) from objects where not is_line {known} "
        f"order by _row) to {quoted(str(writer.temporary_path(name)))} "
        "(format parquet, compression zstd)",
    )
    writer.commit_part(name, "objects", rows=rows, listed=listed)
    return rows


def _write_lines(
    connection: duckdb.DuckDBPyConnection,
    writer: LandingWriter,
    earlier: Sequence[Landing],
) -> None:
    """Write the lines of invoices whose set of lines is not what landed last for them.

    Always all lines of an invoice, so that those of its newest `_arrival` are its lines.
    """
    is_done = any(part.role == "lines" for part in writer.parts)
    if is_done or not _count(connection, "select count(*) from objects where is_line"):
        return
    paths = [path for landing in earlier for path in landing.part_paths("lines")]
    known = ""
    if paths:
        sets = (
            "select invoice_id, {0} string_agg(_digest, '' order by object_id) as digests from {1}"
        )
        landed = sets.format("_arrival,", f"read_parquet({path_list(paths)})")
        current = sets.format("", "objects where is_line group by invoice_id")
        known = (
            f"and invoice_id not in (select current.invoice_id from ({current}) as current "
            f"join (select invoice_id, max_by(digests, _arrival) as digests from ({landed} "
            "group by invoice_id, _arrival) as landed group by invoice_id) as known "
            "on known.invoice_id = current.invoice_id and known.digests = current.digests)"
        )
    name = "lines.parquet"
    rows = _count(
        connection,
        f"copy (select * exclude (is_line) from objects where is_line {known} order by _row) "
        f"to {quoted(str(writer.temporary_path(name)))} (format parquet, compression zstd)",
    )
    writer.commit_part(name, "lines", rows=rows)
