"""Making the rows of dropped files again, from their kept bytes, by today's rules.

Does not belong here: how a file is read (`files`), which landings are read again (`reread`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ingest.drop_names import is_text
from ingest.entities import ENTITIES
from ingest.file_formats import format_of
from ingest.files import write_rows
from ingest.generation import Generation
from ingest.manifest import Landing
from ingest.received import open_received


def maker_of_files(
    settings: Any, stream: str
) -> Callable[[Generation, Sequence[Landing]], Mapping[str, Any]] | None:
    """How the rows of an entity's files are made; None if there is no such entity any more."""
    entity = ENTITIES.get(stream)
    if entity is None:
        return None
    declared = format_of(settings, stream)

    def make(writer: Generation, earlier: Sequence[Landing]) -> Mapping[str, Any]:
        """Rows of a file stand by themselves: `earlier` does not matter."""
        (kept,) = [part for part in writer.parts if part.role == "received"]
        name = kept.facts["original_name"]
        received = open_received(
            writer,
            kept.name,
            name,
            kept.facts["original_sha256"],
            kept.size_bytes,
            is_text(name),
            declared.encoding,
        )
        rows, rejects = write_rows(writer, entity, received, name, declared)
        return {"rows": rows, "rejected": len(rejects), "encoding": received.encoding}

    return make
