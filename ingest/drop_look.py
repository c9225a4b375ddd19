"""Which files of a drop folder are new, without landing any.

Does not belong here: what makes a file known or refused (`files`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from ingest.drop_names import arrived_names, entity_of, stream_name
from ingest.errors import FileRefusedError, PermanentSourceError
from ingest.files import KIND, is_known
from ingest.landing import LandingIndex
from ingest.manifest import Landing, hash_file

FileState = Literal["new", "unchanged", "refused"]


@dataclass(frozen=True)
class FileLook:
    """One file of a drop folder. stream: its entity, or its own name if it has none. problem: why
    it is refused by its name; what is inside is seen only when it is landed."""

    name: str
    stream: str
    size_bytes: int
    state: FileState
    problem: str = ""


def look_at_files(index: LandingIndex, source: str, folder: Path) -> list[FileLook]:
    """Complete files of a drop folder, in order of arrival, as an ingest would find them now.

    Raises: PermanentSourceError if the folder or a file cannot be read.
    """
    try:
        return _look(index, source, folder)
    except OSError as error:
        raise PermanentSourceError(
            f"{error.filename or folder}: cannot be read: {error.strerror}",
            f"Create it, or set sources.{source}.path to the folder that holds the files.",
        ) from error


def _look(index: LandingIndex, source: str, folder: Path) -> list[FileLook]:
    found: list[FileLook] = []
    landed: dict[str, list[Landing]] = {}
    for name in arrived_names(folder):
        look = FileLook(name, stream_name(name), (folder / name).lstat().st_size, "new")
        try:
            entity = entity_of(folder / name)
        except FileRefusedError as error:
            found.append(replace(look, state="refused", problem=str(error)))
            continue
        if entity is None:
            continue
        if entity.name not in landed:
            of_stream = index.of_stream(source, entity.name, KIND)
            landed[entity.name] = [each for each in of_stream if each.is_final]
        known, sha256 = landed[entity.name], hash_file(folder / name)
        if is_known(known, name, sha256):
            look = replace(look, state="unchanged")
        else:
            # A second file with the same bytes would find the first one landed.
            known.append(_as_landed(source, look, sha256))
        found.append(look)
    return found


def _as_landed(source: str, look: FileLook, sha256: str) -> Landing:
    """The landing of a new file, as far as the question of what is known goes."""
    return Landing(
        directory=Path(),
        source=source,
        stream=look.stream,
        kind=KIND,
        arrival=0,
        started_at=datetime.min,
        settings={"file": look.name, "sha256": sha256},
        parts=(),
        is_final=True,
        is_abandoned=False,
        totals={},
    )
