"""What a manifest says: the records of one landing, read into values.

Belongs here: the kinds of records and what they mean together. Does not belong here: writing them
(`landing`, `reread`, `retention`), what the parts hold. Source: sources.md section 2.

Records, one JSON object per line, only ever appended:
start: which stream, when, with which settings. part: one file with its hash. end: visible or
abandoned. reread: rows made again from the evidence; the parts that it names take the place of
earlier ones, all at once. pruned: evidence that was taken away, by name; its hashes stay.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from ingest.errors import LandingDamagedError

MANIFEST_NAME = "manifest.jsonl"
DERIVED_ROLES = ("rows", "rejects")
"""First words of the roles of parts that are made from the evidence, and can be made again."""

RESTORE_ADVICE = "Restore the landing folder from a backup; manifests are never edited."

LandingState = Literal["final", "killed", "abandoned", "pruned"]


@dataclass(frozen=True)
class Part:
    """One recorded part file. cursor: where the next part starts; facts: what else is known."""

    name: str
    role: str
    sha256: str
    size_bytes: int
    rows: int
    cursor: Mapping[str, Any] | None
    facts: Mapping[str, Any]

    @property
    def is_derived(self) -> bool:
        """Whether the part was made from the evidence: rows and rejects."""
        return self.role.partition(":")[0] in DERIVED_ROLES

    @property
    def holds_rows(self) -> bool:
        """Whether the part's rows are those of a raw relation."""
        return self.role.partition(":")[0] == "rows"


@dataclass(frozen=True)
class Landing:
    """One landing as its manifest tells it. settings: what it was read with; totals: at the end.

    parts: those in force. superseded: rows that a re-reading replaced. pruned: names of parts that
    were taken away. generation: how often it was re-read, reread_at (naive UTC): when last.
    """

    directory: Path
    source: str
    stream: str
    kind: str
    arrival: int
    started_at: datetime
    settings: Mapping[str, Any]
    parts: tuple[Part, ...]
    is_final: bool
    is_abandoned: bool
    totals: Mapping[str, Any]
    superseded: tuple[Part, ...] = ()
    pruned: frozenset[str] = frozenset()
    generation: int = 0
    reread_at: datetime | None = None

    @property
    def landing_id(self) -> str:
        """Name of the landing for people and for `raw.ingest__rejects`."""
        return f"{self.source}/{self.stream}/{self.arrival:010d}"

    @property
    def evidence(self) -> tuple[Part, ...]:
        """Parts that hold what the source sent, whether they were pruned or not."""
        return tuple(part for part in self.parts if not part.is_derived)

    @property
    def is_pruned(self) -> bool:
        """Whether evidence was taken away, so that rows cannot be made again."""
        return any(part.name in self.pruned for part in self.evidence)

    @property
    def stored(self) -> tuple[Part, ...]:
        """Every recorded part whose file must be there."""
        recorded = (*self.parts, *self.superseded)
        return tuple(part for part in recorded if part.name not in self.pruned)

    @property
    def rows(self) -> int:
        """Rows of raw relations in force."""
        return sum(part.rows for part in self.parts if part.holds_rows)

    @property
    def state(self) -> LandingState:
        """What became of it, in one word."""
        if not self.is_final:
            return "abandoned" if self.is_abandoned else "killed"
        return "pruned" if self.is_pruned else "final"

    def part_paths(self, role: str) -> list[Path]:
        """Files of the recorded parts with that role, in order."""
        return [self.directory / part.name for part in self.parts if part.role == role]


def landing_root(home: Path) -> Path:
    """Folder of all landings of a home."""
    return Path(home) / "landing"


def landing_directories(home: Path) -> Iterator[Path]:
    """Folders of all landings of a home, those that have no manifest yet included."""
    for directory in sorted(landing_root(home).glob("*/*/*")):
        if directory.is_dir() and directory.name.isdigit():
            yield directory


def hash_file(path: Path) -> str:
    """sha256 of a file's bytes, hexadecimal."""
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def read_landings(home: Path) -> list[Landing]:
    """All landings of a home, visible or not, by arrival. Raises: LandingDamagedError."""
    found = (read_manifest(directory) for directory in landing_directories(home))
    return sorted((landing for landing in found if landing), key=lambda each: each.arrival)


def read_manifest(directory: Path) -> Landing | None:
    """The landing in a directory, None while nothing of its manifest is complete.

    A torn last line (a process died while writing it) is ignored, as if it had not been begun.
    Raises: LandingDamagedError if any complete line cannot be read, or a visible landing has fewer
    rows than its end says.
    """
    path = directory / MANIFEST_NAME
    records = _records(path)
    if not records:
        return None
    try:
        landing = _landing_of(directory, records)
    except (KeyError, TypeError, ValueError):
        raise LandingDamagedError(
            f"{path}: its lines are not those of a landing", RESTORE_ADVICE
        ) from None
    told = landing.totals.get("rows", 0)
    if landing.is_final and landing.rows < told:
        raise LandingDamagedError(
            f"{path}: names parts with {landing.rows} rows, and {told} were landed", RESTORE_ADVICE
        )
    return landing


def _landing_of(directory: Path, records: Sequence[Mapping[str, Any]]) -> Landing:
    """What the records say. Raises: KeyError, TypeError or ValueError if they are others."""
    told = _Told()
    if records[0]["record"] != "start":
        raise ValueError
    for record in records[1:]:
        told.take(record)
    start = records[0]
    return Landing(
        directory=directory,
        source=start["source"],
        stream=start["stream"],
        kind=start["kind"],
        arrival=start["arrival"],
        started_at=datetime.fromisoformat(start["started_at"]),
        settings=start["settings"],
        parts=tuple(_current(part, start) for part in told.parts),
        is_final=bool(told.end.get("final")),
        is_abandoned=bool(told.end) and not told.end.get("final"),
        totals=told.totals,
        superseded=tuple(told.superseded),
        pruned=frozenset(told.pruned),
        generation=told.generation,
        reread_at=told.reread_at,
    )


def _records(path: Path) -> Sequence[Mapping[str, Any]]:
    """Complete records of a manifest, in order."""
    try:
        lines = path.read_bytes().split(b"\n")[:-1]
    except FileNotFoundError:
        return []
    records = []
    for number, line in enumerate(lines, start=1):
        try:
            records.append(json.loads(line))
        except ValueError:
            raise LandingDamagedError(
                f"{path}: line {number} is not a manifest record", RESTORE_ADVICE
            ) from None
    return records


def _current(part: Part, start: Mapping[str, Any]) -> Part:
    """A part under the role that it has today: 0.1.0 named the rows of Stripe's lists otherwise."""
    relations = {"objects": start["stream"], "lines": "invoice_lines"}
    if start["kind"] == "stripe" and part.role in relations:
        return replace(part, role=f"rows:{relations[part.role]}")
    return part


class _Told:
    """What the records of a manifest after the first say together."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.superseded: list[Part] = []
        self.pruned: set[str] = set()
        self.end: Mapping[str, Any] = {}
        self.totals: Mapping[str, Any] = {}
        self.generation = 0
        self.reread_at: datetime | None = None

    def take(self, record: Mapping[str, Any]) -> None:
        """Take the next record."""
        if record["record"] == "part":
            self.parts.append(_part(record))
        elif record["record"] == "end":
            self.end, self.totals = record, record.get("totals", {})
        elif record["record"] == "reread":
            replaced = set(record["replaces"])
            self.superseded += [each for each in self.parts if each.name in replaced]
            kept = [each for each in self.parts if each.name not in replaced]
            self.parts = [*kept, *map(_part, record["parts"])]
            self.totals = record["totals"]
            self.generation = record["generation"]
            self.reread_at = datetime.fromisoformat(record["at"])
        elif record["record"] == "pruned":
            self.pruned |= set(record["parts"])


def _part(record: Mapping[str, Any]) -> Part:
    return Part(**{key: record[key] for key in Part.__dataclass_fields__})
