"""Immutable landing: part files with hashes, listed in an append-only manifest per landing.

Layout: HOME/landing/<source>/<stream>/<arrival, 10 digits>/ holds `manifest.jsonl` and the part
files it lists. A part is written under a temporary name, synced, renamed, and only then recorded;
a file that is not recorded does not exist. A landing is visible only when its manifest ends with a
record `final: true`. Cursors are read from manifests alone; there is no second state store. Arrival
numbers increase over all landings of all sources: later is larger.

Does not belong here: what the parts hold, HTTP, DuckDB. Source: sources.md section 2.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from ingest.errors import LandingBusyError, LandingDamagedError

MANIFEST_NAME = "manifest.jsonl"
TEMPORARY_SUFFIX = ".tmp"
LANDING_FORMAT = 1
SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


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


@dataclass(frozen=True)
class Landing:
    """One landing as its manifest tells it. settings: what it was read with; totals: at the end."""

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

    @property
    def landing_id(self) -> str:
        """Name of the landing for people and for `raw.ingest__rejects`."""
        return f"{self.source}/{self.stream}/{self.arrival:010d}"

    def part_paths(self, role: str) -> list[Path]:
        """Files of the recorded parts with that role, in order."""
        return [self.directory / part.name for part in self.parts if part.role == role]


def landing_root(home: Path) -> Path:
    """Folder of all landings of a home."""
    return Path(home) / "landing"


def sync_directory(directory: Path) -> None:
    """Make renames in the directory durable."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def hash_file(path: Path) -> str:
    """sha256 of a file's bytes, hexadecimal."""
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _landing_directories(home: Path) -> Iterator[Path]:
    root = landing_root(home)
    for directory in sorted(root.glob("*/*/*")):
        if directory.is_dir() and directory.name.isdigit():
            yield directory


def read_manifest(directory: Path) -> Landing | None:
    """The landing in a directory, None while nothing of its manifest is complete.

    A torn last line (a process died while writing it) is ignored, as if it had not been begun.
    Raises: LandingDamagedError if any complete line cannot be read.
    """
    path = directory / MANIFEST_NAME
    if not path.exists():
        return None
    lines = path.read_bytes().split(b"\n")[:-1]
    records = []
    for number, line in enumerate(lines, start=1):
        try:
            records.append(json.loads(line))
        except ValueError:
            raise LandingDamagedError(
                f"{path}: line {number} is not a manifest record",
                "Restore the landing folder from a backup; manifests are never edited.",
            ) from None
    if not records:
        return None
    start, parts, end = records[0], [], {}
    for record in records[1:]:
        if record["record"] == "part":
            parts.append(Part(**{key: record[key] for key in Part.__dataclass_fields__}))
        elif record["record"] == "end":
            end = record
    return Landing(
        directory=directory,
        source=start["source"],
        stream=start["stream"],
        kind=start["kind"],
        arrival=start["arrival"],
        started_at=datetime.fromisoformat(start["started_at"]),
        settings=start["settings"],
        parts=tuple(parts),
        is_final=bool(end.get("final")),
        is_abandoned=bool(end) and not end.get("final"),
        totals=end.get("totals", {}),
    )


def read_landings(home: Path) -> list[Landing]:
    """All landings of a home, visible or not, by arrival."""
    found = (read_manifest(directory) for directory in _landing_directories(home))
    return sorted((landing for landing in found if landing), key=lambda each: each.arrival)


class LandingWriter:
    """Writes the parts of one landing that is not final yet."""

    def __init__(self, landing: Landing) -> None:
        self.landing = landing
        self.directory = landing.directory
        self.parts: list[Part] = list(landing.parts)

    def temporary_path(self, name: str) -> Path:
        """Where to write a part before `commit_part` gives it its name."""
        return self.directory / (name + TEMPORARY_SUFFIX)

    def commit_part(
        self,
        name: str,
        role: str,
        rows: int,
        cursor: Mapping[str, Any] | None = None,
        **facts: Any,
    ) -> Part:
        """Sync and rename the temporary file of that name, then record it in the manifest."""
        temporary = self.temporary_path(name)
        with temporary.open("rb+") as opened:
            os.fsync(opened.fileno())
        part = Part(
            name=name,
            role=role,
            sha256=hash_file(temporary),
            size_bytes=temporary.stat().st_size,
            rows=rows,
            cursor=cursor,
            facts=facts,
        )
        temporary.rename(self.directory / name)
        sync_directory(self.directory)
        self._append({"record": "part", **part.__dict__})
        self.parts.append(part)
        return part

    def finalise(self, totals: Mapping[str, Any]) -> None:
        """Make the landing visible. Nothing can be added afterwards."""
        self._append({"record": "end", "final": True, "totals": dict(totals)})

    def abandon(self, reason: str) -> None:
        """Keep the parts as evidence, for ever invisible."""
        self._append({"record": "end", "final": False, "totals": {"reason": reason}})

    def discard(self) -> None:
        """Remove a landing of which nothing was made visible (the source still has it all)."""
        shutil.rmtree(self.directory, ignore_errors=True)

    def _append(self, record: Mapping[str, Any]) -> None:
        line = json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n"
        append_durably(self.directory / MANIFEST_NAME, line.encode())


def append_durably(path: Path, line: bytes) -> None:
    """Append one line and sync it; a torn line that an earlier process left is cut off first."""
    with path.open("ab+") as opened:
        end = opened.seek(0, os.SEEK_END)
        opened.seek(0)
        whole = opened.read().rfind(b"\n") + 1 if end else 0
        if whole < end:
            opened.truncate(whole)
        opened.seek(0, os.SEEK_END)
        written_to = opened.tell()
        try:
            opened.write(line)
            opened.flush()
            os.fsync(opened.fileno())
        except OSError:
            os.ftruncate(opened.fileno(), written_to)
            raise


class LandingStore:
    """The landings of one home, open for writing by one process at a time.

    Use as a context manager. Raises: LandingBusyError when another process holds the landing.
    """

    def __init__(self, home: Path) -> None:
        from filelock import FileLock

        self.home = Path(home).resolve()
        self.root = landing_root(self.home)
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = FileLock(self.root / ".lock", timeout=0)
        self._landings: dict[tuple[str, str], dict[int, Landing]] = {}

    def __enter__(self) -> Self:
        from filelock import Timeout

        try:
            self._lock.acquire()
        except Timeout:
            raise LandingBusyError(
                f"another run is landing into {self.root}",
                "Wait until it ends, then start again.",
            ) from None
        try:
            self._sweep()
            for landing in read_landings(self.home):
                self._remember(landing)
            highest = (int(each.name) for each in _landing_directories(self.home))
            self._next_arrival = max(highest, default=0) + 1
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.release()

    def _sweep(self) -> None:
        """Remove what a killed process left: temporary files, landings that never began."""
        for directory in _landing_directories(self.home):
            for leftover in directory.glob("*" + TEMPORARY_SUFFIX):
                if leftover.is_dir():
                    shutil.rmtree(leftover)
                else:
                    leftover.unlink()
            if read_manifest(directory) is None:
                shutil.rmtree(directory)

    def _remember(self, landing: Landing) -> None:
        of_stream = self._landings.setdefault((landing.source, landing.stream), {})
        of_stream[landing.arrival] = landing

    def of_stream(self, source: str, stream: str, kind: str | None = None) -> list[Landing]:
        """Landings of one stream, visible or not, by arrival; of one kind of source if given
        (a source can change its kind and keep its name)."""
        found = self._landings.get((source, stream), {})
        return [found[key] for key in sorted(found) if kind in (None, found[key].kind)]

    def begin(
        self,
        source: str,
        stream: str,
        kind: str,
        started_at: datetime,
        settings: Mapping[str, Any],
    ) -> LandingWriter:
        """Open a new landing with the next arrival number. started_at: naive UTC."""
        for name in (source, stream):
            if not SAFE_NAME.fullmatch(name):
                raise LandingDamagedError(
                    f"{name!r} cannot name a folder of the landing",
                    "Use letters, digits, '_' and '-' in the names of sources.yml.",
                )
        directory = self.root / source / stream / f"{self._next_arrival:010d}"
        directory.mkdir(parents=True)
        landing = Landing(
            directory=directory,
            source=source,
            stream=stream,
            kind=kind,
            arrival=self._next_arrival,
            started_at=started_at,
            settings=dict(settings),
            parts=(),
            is_final=False,
            is_abandoned=False,
            totals={},
        )
        self._next_arrival += 1
        writer = LandingWriter(landing)
        writer._append(
            {
                "record": "start",
                "format": LANDING_FORMAT,
                "source": source,
                "stream": stream,
                "kind": kind,
                "arrival": landing.arrival,
                "started_at": started_at.isoformat(),
                "settings": dict(settings),
            }
        )
        sync_directory(directory.parent)
        return writer

    def refresh(self, landing: Landing) -> None:
        """Read one landing again after it was written to, or forget it if it was discarded."""
        found = read_manifest(landing.directory)
        if found:
            self._remember(found)
        else:
            self._landings.get((landing.source, landing.stream), {}).pop(landing.arrival, None)
