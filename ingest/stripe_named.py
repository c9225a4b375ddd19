"""Which ids landed events name.

Belongs here: reading the rows of events. Does not belong here: what is asked for them
(`stripe_changes`). Of an event only its type and ids are used, never the state that it shows.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.objects import json_path, path_list
from ingest.shapes import quoted
from ingest.staged import open_connection

PREVIEW = "invoice.upcoming"
"""The one type whose object does not exist: a preview of an invoice to come."""
LONGEST_ID = 255


@dataclass(frozen=True)
class Named:
    """Where events name an id. object: kind of object that changed. path: of the id inside it.
    event_type: only in events of this type; empty: of all."""

    object: str
    path: str = "id"
    event_type: str = ""


@dataclass(frozen=True)
class NamedByParent:
    """Objects that are listed by what they belong to.

    param: parameter of the list. named: how events name parents. parent: where the object itself
    names its parent: it is not retrieved by its own id when its parent's list is read anyway.
    """

    param: str
    named: tuple[Named, ...]
    parent: str


def named_ids(
    files: Sequence[str], named: Sequence[Named], by_parent: NamedByParent | None
) -> tuple[list[str], list[str]]:
    """Ids of parents to list by, and of objects to retrieve; each distinct, in order.

    files: Parquet with the rows of events.
    """
    if not files:
        return [], []
    parents: list[str] = []
    if by_parent:
        parents = sorted({found for found, _ in _read(files, by_parent.named, "")})
    listed = set(parents)
    found = _read(files, named, by_parent.parent if by_parent else "")
    return parents, sorted({own for own, parent in found if parent not in listed})


def _read(
    files: Sequence[str], named: Sequence[Named], parent: str
) -> list[tuple[str, str | None]]:
    """Distinct ids, each with its parent's if asked for."""
    query = " union ".join(_query(each, parent) for each in named)
    with tempfile.TemporaryDirectory() as spill:
        connection = open_connection(Path(spill))
        try:
            connection.execute(
                "create temp view events as select payload from "
                f"read_parquet({path_list([Path(each) for each in files])}, union_by_name = true)"
            )
            return connection.execute(query).fetchall()
        finally:
            connection.close()


def _query(named: Named, parent: str) -> str:
    def text(path: str) -> str:
        return f"json_extract_string(payload, {quoted(json_path(path))})"

    own = text(f"data.object.{named.path}")
    of_parent = text(f"data.object.{parent}") if parent else "cast(null as varchar)"
    # Ids become a part of an address: these two would mean another one.
    conditions = [
        f"{text('data.object.object')} = {quoted(named.object)}",
        f"{text('type')} <> {quoted(PREVIEW)}",
        f"{own} not in ('', '.', '..')",
        f"length({own}) <= {LONGEST_ID}",
    ]
    if named.event_type:
        conditions.append(f"{text('type')} = {quoted(named.event_type)}")
    return f"select distinct {own}, {of_parent} from events where {' and '.join(conditions)}"
