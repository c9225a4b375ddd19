"""Parquet parts of landings as relations: which files hold an entity, and SQL to read them.

What does not belong here: what is looked for in them (`evidence_sources`, `known_disputes`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ingest.manifest import Landing


def entity_parts(landings: Iterable[Landing], entity: str) -> list[Path]:
    """Accepted rows of one entity of the files source, by arrival."""
    return [
        path
        for landing in landings
        if (landing.kind, landing.stream) == ("files", entity)
        for path in landing.part_paths("rows")
    ]


def relation_parts(landings: Iterable[Landing]) -> dict[tuple[str, str], list[Path]]:
    """Objects of APIs: (kind of source, relation) → parts by arrival."""
    found: dict[tuple[str, str], list[Path]] = {}
    for landing in landings:
        for part in landing.parts:
            if landing.kind != "files" and part.role.startswith("rows:"):
                key = (landing.kind, part.role.removeprefix("rows:"))
                found.setdefault(key, []).append(landing.directory / part.name)
    return found


def parts_sql(paths: Sequence[Path]) -> str:
    """These parts as one relation; older ones can lack columns."""
    from ingest.objects import path_list

    return f"read_parquet({path_list(paths)}, union_by_name = true)"


def member_sql(name: str) -> str:
    """The id behind a member of an object of Stripe: it is an id, or the whole other object."""
    path = "".join(f'."{part}"' for part in name.split("."))
    return f"coalesce(payload ->> '${path}.id', payload ->> '${path}')"


def texts_sql(values: Iterable[str]) -> str:
    """Values for `in (…)`; nothing equals an empty list."""
    return ", ".join(text_sql(value) for value in sorted(values)) or "null"


def text_sql(value: str) -> str:
    """A value as SQL."""
    from ingest.shapes import quoted

    return quoted(value)
