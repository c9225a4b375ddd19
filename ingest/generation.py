"""New rows of a final landing, in a folder of their own beside the old ones.

Belongs here: how a generation is written and put in force. Does not belong here: which landings
are read again (`reread`), how rows are made (`objects`, `files`).

A generation is written under a temporary name, synced and renamed as a whole; one record in the
manifest then puts its parts in the place of the old ones, all at once. The old files stay. What a
process leaves that dies before that record is swept when the landing is opened next.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from ingest.landing import (
    GENERATION_PREFIX,
    TEMPORARY_SUFFIX,
    LandingWriter,
    sealed_part,
    sync_directory,
)
from ingest.manifest import Landing, Part


class Generation(LandingWriter):
    """Writes the rows of a final landing again.

    place: a folder for trying out, where nothing can be put in force; None: beside the landing.
    """

    def __init__(self, landing: Landing, place: Path | None = None) -> None:
        super().__init__(landing)
        self.parts = list(landing.evidence)
        self.made: list[Part] = []
        self._number = landing.generation + 1
        name = f"{GENERATION_PREFIX}{self._number:05d}"
        self._final = landing.directory / name
        self._folder = landing.directory / (name + TEMPORARY_SUFFIX)
        self._prefix = name
        if place:
            self._folder = place / f"{landing.arrival:010d}"
            self._prefix = str(self._folder)
        self._folder.mkdir()

    def temporary_path(self, name: str) -> Path:
        """Where to write a part before `commit_part` gives it its name."""
        return self._folder / (name + TEMPORARY_SUFFIX)

    def commit_part(
        self,
        name: str,
        role: str,
        rows: int,
        cursor: Mapping[str, Any] | None = None,
        **facts: Any,
    ) -> Part:
        """Sync and rename the temporary file of that name. It is recorded with all the others."""
        temporary = self.temporary_path(name)
        part = sealed_part(temporary, f"{self._prefix}/{name}", role, rows, cursor, facts)
        temporary.rename(self._folder / name)
        self.made.append(part)
        return part

    def landing_with(self, totals: Mapping[str, Any]) -> Landing:
        """The landing with what was made in the place of its rows."""
        replaced = {part.name for part in replaceable(self.landing)}
        kept = [part for part in self.landing.parts if part.name not in replaced]
        return replace(self.landing, parts=(*kept, *self.made), totals=totals)

    def put_in_force(self, totals: Mapping[str, Any], at: datetime) -> None:
        """Give the folder its name, then record its parts: that record is what counts."""
        for leftover in self._folder.glob("*" + TEMPORARY_SUFFIX):
            shutil.rmtree(leftover)  # where DuckDB spilled to
        sync_directory(self._folder)
        self._folder.rename(self._final)
        sync_directory(self.directory)
        try:
            self.append(
                {
                    "record": "reread",
                    "at": at.isoformat(),
                    "generation": self._number,
                    "replaces": [part.name for part in replaceable(self.landing)],
                    "parts": [part.__dict__ for part in self.made],
                    "totals": dict(totals),
                }
            )
        except OSError:
            shutil.rmtree(self._final, ignore_errors=True)
            raise

    def discard(self) -> None:
        """Remove what was not put in force."""
        shutil.rmtree(self._folder, ignore_errors=True)


def replaceable(landing: Landing) -> Sequence[Part]:
    """Parts that are made again: all rows; rejects of files. Those of an API come from what is not
    kept as an answer, such as refused webhook bodies, and stay."""
    return [
        part
        for part in landing.parts
        if part.holds_rows or (part.is_derived and landing.kind == "files")
    ]
