"""From landed answers to one row per object, as Parquet beside the pages.

Belongs here: slicing answers into objects, leaving out what is equal to the newest landed version
(a full list repeats everything), tombstones for what vanished. Does not belong here: HTTP, or
typed columns (dbt).

Columns: object_id, parent_id, payload (JSON text of the object), is_tombstone, _source, _arrival,
_row, _retrieved_at, _digest. The pages stay the evidence; these files can always be made again
from them. Work goes over a few parts at a time, so that memory does not grow with the list.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.landing import Landing, LandingWriter, Part
from ingest.shapes import quoted
from ingest.staged import open_connection

if TYPE_CHECKING:
    import duckdb

GROUP_BYTES = 32_000_000
"""Pages sliced at once, before compression."""
MINIMUM_OBJECT_BYTES = 1 << 20
MEMORY_LIMIT_BYTES = 512_000_000
MEMORY_PER_PAGE = 20
"""Bytes of memory for each byte of one answer: it is there several times while it is sliced, and
an answer that is larger than usual has to be landed all the same."""
PAGE_COLUMNS = {
    "sequence": "bigint",
    "kind": "varchar",
    "parent_id": "varchar",
    "asked_ids": "varchar[]",
    "continues": "boolean",
    "status": "integer",
    "retrieved_at": "timestamp",
    "body": "varchar",
}
ROW_COLUMNS = {
    "object_id": "varchar",
    "parent_id": "varchar",
    "payload": "json",
    "is_tombstone": "boolean",
    "_arrival": "bigint",
    "_row": "bigint",
    "_digest": "varchar",
}
"""What is read again of landed rows."""


@dataclass(frozen=True)
class Records:
    """How answers of one kind are sliced into rows of one raw relation.

    kind: as given to `Pull.add`. relation: the rows are `raw.<source kind>__<relation>`.
    items: path of the list inside the body (`data`, `results`); empty: the body is one object.
    id: path of the id inside an object; empty: the md5 of the object. parent: where parent_id
    comes from: `envelope`, or a path inside the object, or nothing.
    is_set: the rows of one parent are landed together, and those of its newest arrival are all it
    has (invoice lines, associations). Of a parent that was asked for and has none, one row with
    an empty object_id and an empty payload is kept. An answer of status 404 or 410 to a question
    for one object (kind without items, `asked_ids` of one id) makes a tombstone.
    is_immutable: an object never changes once listed, whatever its payload says (events).
    is_listing: ids of this kind are what a full list counts, and what can vanish from it.
    keeps_vanished: an id that a full list no longer has becomes a tombstone. With a parent from
    the envelope only ids of parents that were asked for can vanish (a form no longer configured).
    id_within_parent: ids are unique within their parent only (one meeting in two calendars): the
    object_id begins with a digest of the parent.
    """

    kind: str
    relation: str
    items: str = ""
    id: str = "id"
    parent: str = ""
    is_set: bool = False
    is_immutable: bool = False
    is_listing: bool = False
    keeps_vanished: bool = False
    id_within_parent: bool = False

    @property
    def role(self) -> str:
        """Role of the parts that hold these rows."""
        return f"rows:{self.relation}"


@dataclass(frozen=True)
class Written:
    """listed: distinct ids of the listing. changed: rows that are new. vanished: tombstones."""

    listed: int
    changed: int
    vanished: int


def path_list(paths: Sequence[Path]) -> str:
    """The paths as an SQL list."""
    return "[" + ", ".join(quoted(str(path)) for path in paths) + "]"


def json_path(path: str) -> str:
    """A path of names joined by points as DuckDB's JSON path."""
    return "$" + "".join(f'."{name}"' for name in path.split(".") if name)


def write_objects(
    writer: LandingWriter,
    records: Sequence[Records],
    earlier: Sequence[Landing],
    is_full: bool,
) -> Written:
    """Write the rows of each relation from the pages of a complete pull.

    earlier: visible landings of the stream. is_full: ids that are absent have vanished.
    """
    # Left by a process that died before it made the landing visible: made again, the same.
    connection = open_connection(writer.temporary_path("spill"))
    try:
        slicer = _Slicer(connection, writer, records, earlier)
        for group in _groups(writer.parts):
            slicer.slice(group)
        return slicer.finish(is_full)
    finally:
        connection.close()


def _groups(parts: Sequence[Part]) -> Iterator[list[Part]]:
    """Page parts in order, a few at a time."""
    group: list[Part] = []
    size = 0
    for part in parts:
        if part.role != "pages":
            continue
        weight = part.facts["longest_line_bytes"] * part.rows
        if group and size + weight > GROUP_BYTES:
            yield group
            group, size = [], 0
        group.append(part)
        size += weight
    if group:
        yield group


class _Slicer:
    """Slices the pages of one landing, a group of parts at a time."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        writer: LandingWriter,
        records: Sequence[Records],
        earlier: Sequence[Landing],
    ) -> None:
        self._connection = connection
        self._writer = writer
        self._records = records
        self._earlier = earlier
        self._relations = {each.relation: each for each in records}
        self._numbers = dict.fromkeys(self._relations, 0)
        self._done = {part.name for part in writer.parts if part.role.startswith("rows:")}
        self._changed = 0
        self._has_known: dict[str, bool] = {}
        for relation, spec in self._relations.items():
            self._remember_known(relation, spec)
            connection.execute(f'create table "gone_{relation}" (object_id varchar)')
            connection.execute(f'create table "new_{relation}" (object_id varchar)')
            connection.execute(
                f'create table "set_{relation}" (sequence bigint, position bigint, '
                "retrieved_at timestamp, continues boolean, object_id varchar, parent_id varchar, "
                "payload json)"
            )
        connection.execute("create table listed (object_id varchar)")
        connection.execute("create table asked_parents (parent_id varchar)")

    def _count(self, query: str) -> int:
        return self._connection.execute(query).fetchall()[0][0]

    def _remember_known(self, relation: str, spec: Records) -> None:
        """Create `known_<relation>`: the digest of the newest landed version of each key."""
        role = spec.role
        paths = [path for landing in self._earlier for path in landing.part_paths(role)]
        key = "parent_id" if spec.is_set else "object_id"
        rows = _landed(paths)
        if spec.is_set:
            query = (
                "select key, max_by(digest, _arrival) as digest, false as is_tombstone from ("
                f"select parent_id as key, _arrival, {_set_digest()} as digest from {rows} "
                "group by parent_id, _arrival) group by key"
            )
        else:
            newest = "{'arrival': _arrival, 'row': _row}"
            query = (
                f"select {key} as key, max_by(_digest, {newest}) as digest, "
                f"coalesce(max_by(is_tombstone, {newest}), false) as is_tombstone from {rows} "
                f"group by {key}"
            )
        self._connection.execute(f'create table "known_{relation}" as {query}')
        self._has_known[relation] = bool(paths)

    def slice(self, group: Sequence[Part]) -> None:
        """Write the rows of the group's answers that are new, relation by relation."""
        longest = max(part.facts["longest_line_bytes"] for part in group)
        needed = max(MEMORY_LIMIT_BYTES, longest * MEMORY_PER_PAGE)
        self._connection.execute(f"set memory_limit = '{needed // 1_000_000}MB'")
        columns = ", ".join(f"{name}: '{kind}'" for name, kind in PAGE_COLUMNS.items())
        paths = path_list([self._writer.directory / part.name for part in group])
        self._connection.execute(
            f"""
            create or replace temp view pages as
            select *
            from read_json({paths}, format = 'newline_delimited', columns = {{{columns}}},
                compression = 'zstd',
                maximum_object_size = {max(MINIMUM_OBJECT_BYTES, longest + 1024)})
            """
        )
        # Parts of version 0.1.0 do not say which kinds they hold.
        every = [each.kind for each in self._records]
        present = {kind for part in group for kind in part.facts.get("kinds", every)}
        for relation, spec in self._relations.items():
            kinds = [
                each for each in self._records if each.relation == relation and each.kind in present
            ]
            if not kinds:
                continue
            rows = " union all by name ".join(self._rows_query(each) for each in kinds)
            if spec.is_set:
                self._connection.execute(f'insert into "set_{relation}" by name {rows}')
                continue
            self._remember_asked(relation, kinds)
            self._write_new(relation, spec, rows)

    def _remember_asked(self, relation: str, kinds: Sequence[Records]) -> None:
        """Which parents were listed, and which objects turned out to be gone."""
        for kind in kinds:
            if kind.keeps_vanished:
                self._connection.execute(
                    "insert into asked_parents select distinct parent_id from pages "
                    f"where kind = {quoted(kind.kind)} and parent_id is not null"
                )
            if not kind.items:
                self._connection.execute(
                    f'insert into "gone_{relation}" select asked_ids[1] from pages '
                    f"where kind = {quoted(kind.kind)} and status >= 400"
                )

    def _rows_query(self, spec: Records) -> str:
        """The rows of one kind of answer in the view `pages`."""
        parent = "cast(null as varchar)"
        if spec.parent == "envelope":
            parent = "parent_id"
        elif spec.parent:
            parent = f"payload ->> {quoted(json_path(spec.parent))}"
        object_id = "md5(cast(payload as varchar))"
        if spec.id:
            object_id = f"payload ->> {quoted(json_path(spec.id))}"
        if spec.id_within_parent:
            object_id = f"left(md5({parent}), 8) || ':' || ({object_id})"
        if spec.items:
            items = quoted(json_path(spec.items) + "[*]")
            sliced = "unnest(range(len(items))) as position, unnest(items) as payload"
        else:
            items = "'$'"
            sliced = "0::bigint as position, items as payload"
        found = (
            f"select sequence, position, retrieved_at, continues, {object_id} as object_id, "
            f"{parent} as parent_id, payload from ("
            f"select sequence, parent_id, retrieved_at, continues, {sliced} from ("
            "select sequence, parent_id, retrieved_at, continues, "
            f"json_extract(body, {items}) as items "
            f"from pages where kind = {quoted(spec.kind)} and status < 400))"
        )
        if spec.is_set:
            absent = (
                "select sequence, -1::bigint as position, retrieved_at, continues, "
                "'' as object_id, "
                "unnest(asked_ids) as parent_id, '{}'::json as payload "
                f"from pages where kind = {quoted(spec.kind)} and len(asked_ids) > 0"
            )
            found = f"{found} union all by name {absent}"
        return found

    def _numbered(self, rows: str) -> str:
        """The rows of a query with the columns of a part, tombstones aside."""
        landing = self._writer.landing
        return (
            "select object_id, parent_id, payload, false as is_tombstone, "
            f"{quoted(landing.source)} as _source, cast({landing.arrival} as bigint) as _arrival, "
            "sequence * 1000000 + position as _row, retrieved_at as _retrieved_at, "
            f"md5(cast(payload as varchar)) as _digest from {rows}"
        )

    def _write_new(self, relation: str, spec: Records, rows: str) -> None:
        """Write those rows that differ from the newest landed version of their id.

        Everything is written to a file first, payloads and all, because what is written once
        needs no memory; where something was landed before, the part is made from that file.
        """
        everything = self._writer.temporary_path(f"{relation}-everything")
        file = quoted(str(everything))
        self._connection.execute(
            f"copy ({self._numbered(f'({rows})')}) to {file} (format parquet, compression zstd)"
        )
        if any(each.is_listing for each in self._records if each.relation == relation):
            self._connection.execute(
                f"insert into listed select object_id from read_parquet({file})"
            )
        same = "known.digest = new._digest and not known.is_tombstone"
        # All rows of an id that differed once: a list can show it changed, then as it was before.
        self._connection.execute(
            f'insert into "new_{relation}" select object_id from read_parquet({file}) as new '
            f'where not exists (select 1 from "known_{relation}" as known '
            f"where known.key = new.object_id and {'true' if spec.is_immutable else same})"
        )
        self._write(
            relation,
            spec,
            f"select * from read_parquet({file}) "
            f'where object_id in (select object_id from "new_{relation}")',
            ready=None if self._has_known[relation] else everything,
        )
        everything.unlink(missing_ok=True)

    def _new_sets(self, relation: str) -> str:
        """A query over the collected sets: all rows of each parent whose set is not what landed
        last. A marker of emptiness stays only where its parent has no row of its own.

        A set that was asked for twice, as after a kill among its pages, is what the answers since
        its last beginning hold. Version 0.1.0 did not say which answers begin a set: the first.
        """
        begun = (
            "coalesce(max(sequence) filter (where not continues) over of_parent, "
            "min(sequence) over of_parent)"
        )
        answered = (
            f'select * from "set_{relation}" window of_parent as (partition by parent_id) '
            f"qualify sequence >= {begun}"
        )
        rows = (
            f"select * from ({self._numbered(f'({answered})')}) "
            "qualify row_number() over (partition by parent_id, object_id order by _row desc) = 1 "
            "and (object_id <> '' or max(object_id) over (partition by parent_id) = '')"
        )
        return (
            f"with current as ({rows}), sets as (select parent_id, {_set_digest()} as digest "
            "from current group by parent_id) select current.* from current "
            "inner join sets on sets.parent_id = current.parent_id "
            f'left join "known_{relation}" as known on known.key = current.parent_id '
            "where known.key is null or known.digest <> sets.digest order by current._row"
        )

    def _write(self, relation: str, spec: Records, query: str, ready: Path | None = None) -> None:
        """Write the rows of a query as the relation's next part, unless there are none.

        ready: a file that holds just these rows already.
        """
        self._numbers[relation] += 1
        name = f"{relation}-{self._numbers[relation]:05d}.parquet"
        if name in self._done:
            (rows,) = [part.rows for part in self._writer.parts if part.name == name]
            self._changed += rows
            return
        temporary = self._writer.temporary_path(name)
        if ready:
            ready.rename(temporary)
            rows = self._count(f"select count(*) from read_parquet({quoted(str(temporary))})")
        else:
            rows = self._count(
                f"copy ({query}) to {quoted(str(temporary))} (format parquet, compression zstd)"
            )
        if not rows:
            temporary.unlink(missing_ok=True)
            return
        self._writer.commit_part(name, spec.role, rows=rows)
        self._changed += rows

    def finish(self, is_full: bool) -> Written:
        """The sets; tombstones for what is gone or has vanished; the counts."""
        vanished = 0
        for relation, spec in self._relations.items():
            if spec.is_set:
                self._write(relation, spec, self._new_sets(relation))
                continue
            kinds = [each for each in self._records if each.relation == relation]
            absent = next((each for each in kinds if is_full and each.keeps_vanished), None)
            vanished += self._write_tombstones(relation, spec, absent)
        listed = self._count("select count(distinct object_id) from listed")
        return Written(listed, self._changed, vanished)

    def _write_tombstones(self, relation: str, spec: Records, absent: Records | None) -> int:
        """Tombstones with the last known payload: what a deleted record joined stays joined (F3).

        absent: of this kind, ids that the list no longer has count as gone.
        """
        paths = [path for landing in self._earlier for path in landing.part_paths(spec.role)]
        if not paths:
            return 0
        before = self._changed
        landing = self._writer.landing
        newest = "{'arrival': _arrival, 'row': _row}"
        gone = f'select object_id from "gone_{relation}"'
        if absent:
            of_asked = "parent_id in (select parent_id from asked_parents)"
            gone += (
                f" union select object_id from {_landed(paths)} "
                f"where {of_asked if absent.parent == 'envelope' else 'true'} and "
                "object_id not in (select object_id from listed where object_id is not null)"
            )
        self._write(
            relation,
            spec,
            f"select object_id, max_by(parent_id, {newest}) as parent_id, "
            f"max_by(payload, {newest}) as payload, true as is_tombstone, "
            f"{quoted(landing.source)} as _source, cast({landing.arrival} as bigint) as _arrival, "
            f"cast({10**15} as bigint) + row_number() over (order by object_id) as _row, "
            f"cast({quoted(landing.started_at.isoformat())} as timestamp) as _retrieved_at, "
            f"max_by(_digest, {newest}) as _digest "
            f"from {_landed(paths)} "
            f'where object_id in (select key from "known_{relation}" where not is_tombstone) '
            f"and object_id in ({gone}) group by object_id order by object_id",
        )
        return self._changed - before


def _landed(paths: Sequence[Path]) -> str:
    """The rows of landed parts as a relation, with every column: 0.1.0 wrote fewer."""
    columns = ", ".join(f"null::{kind} as {name}" for name, kind in ROW_COLUMNS.items())
    none = f"select {columns} where false"
    if not paths:
        return f"({none})"
    parts = f"select * from read_parquet({path_list(paths)}, union_by_name = true)"
    return f"({parts} union all by name {none})"


def _set_digest() -> str:
    return "string_agg(_digest, '' order by object_id)"
