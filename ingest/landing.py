"""Immutable landing: part files with hashes, listed in an append-only manifest per landing.

Layout: HOME/landing/<source>/<stream>/<arrival, 10 digits>/ holds `manifest.jsonl` and the part
files it lists. A part is written under a temporary name, synced, renamed, and only then recorded;
a file that is not recorded does not exist. A landing is visible only when its manifest ends with a
record `final: true`. Cursors are read from manifests alone; there is no second state store. Arrival
numbers increase over all landings of all sources: later is larger.

Does not belong here: what the parts hold, HTTP, DuckDB. Source: sources.md section 2.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from ingest.errors import LandingBusyError, LandingDamagedError, PermanentSourceError
from ingest.manifest import (
    MANIFEST_NAME,
    Landing,
    Part,
    hash_file,
    landing_directories,
    landing_root,
    read_landings,
    read_manifest,
)

__all__ = [
    "MANIFEST_NAME",
    "Landing",
    "LandingIndex",
    "LandingStore",
    "LandingWriter",
    "Part",
    "append_durably",
    "hash_file",
    "landing_root",
    "read_landings",
    "read_manifest",
    "sync_directory",
]

TEMPORARY_SUFFIX = ".tmp"
GENERATION_PREFIX = "reread-"
DRY_RUN_NAME = "dry-run"
"""Folder of the landing's root where rows are made that nobody keeps; no source can be named so."""
LANDING_FORMAT = 1
SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


def sync_directory(directory: Path) -> None:
    """Make renames in the directory durable."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


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
        part = sealed_part(self.temporary_path(name), name, role, rows, cursor, facts)
        self.temporary_path(name).rename(self.directory / name)
        sync_directory(self.directory)
        self.append({"record": "part", **part.__dict__})
        self.parts.append(part)
        return part

    def finalise(self, totals: Mapping[str, Any]) -> None:
        """Make the landing visible. Nothing can be added afterwards."""
        self.append({"record": "end", "final": True, "totals": dict(totals)})

    def abandon(self, reason: str) -> None:
        """Keep the parts as evidence, for ever invisible."""
        self.append({"record": "end", "final": False, "totals": {"reason": reason}})

    def discard(self) -> None:
        """Remove a landing of which nothing was made visible (the source still has it all)."""
        # Renamed first: what is left of it is swept, should this process die here.
        leaving = self.directory.with_name(self.directory.name + TEMPORARY_SUFFIX)
        self.directory.rename(leaving)
        shutil.rmtree(leaving, ignore_errors=True)

    def append(self, record: Mapping[str, Any]) -> None:
        """Append one record to the manifest, durably: what it says holds from then on."""
        line = json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n"
        append_durably(self.directory / MANIFEST_NAME, line.encode())


def sealed_part(
    path: Path,
    name: str,
    role: str,
    rows: int,
    cursor: Mapping[str, Any] | None,
    facts: Mapping[str, Any],
) -> Part:
    """Sync a written file and describe it as a part of that name."""
    with path.open("rb+") as opened:
        os.fsync(opened.fileno())
    return Part(
        name=name,
        role=role,
        sha256=hash_file(path),
        size_bytes=path.stat().st_size,
        rows=rows,
        cursor=cursor,
        facts=facts,
    )


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


class LandingIndex:
    """Landings by stream, for looking only. landings: in any order."""

    def __init__(self, landings: Iterable[Landing] = ()) -> None:
        self._landings: dict[tuple[str, str], dict[int, Landing]] = {}
        for landing in landings:
            self._remember(landing)

    def _remember(self, landing: Landing) -> None:
        of_stream = self._landings.setdefault((landing.source, landing.stream), {})
        of_stream[landing.arrival] = landing

    @property
    def landings(self) -> list[Landing]:
        """All landings, visible or not, by arrival."""
        found = [each for of_stream in self._landings.values() for each in of_stream.values()]
        return sorted(found, key=lambda each: each.arrival)

    def of_stream(self, source: str, stream: str, kind: str | None = None) -> list[Landing]:
        """Landings of one stream, visible or not, by arrival; of one kind of source if given
        (a source can change its kind and keep its name)."""
        found = self._landings.get((source, stream), {})
        return [found[key] for key in sorted(found) if kind in (None, found[key].kind)]


class LandingStore(LandingIndex):
    """The landings of one home, open for writing by one process at a time.

    Use as a context manager. Raises: LandingBusyError when another process holds the landing,
    PermanentSourceError when its folder cannot be written.
    """

    def __init__(self, home: Path) -> None:
        from filelock import FileLock

        super().__init__()
        self.home = Path(home).resolve()
        self.root = landing_root(self.home)
        self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = FileLock(self.root / ".lock", timeout=0)

    def __enter__(self) -> Self:
        from filelock import Timeout

        try:
            self._lock.acquire()
        except Timeout:
            raise LandingBusyError(
                f"another run is landing into {self.root}",
                "Wait until it ends, then start again.",
            ) from None
        except OSError as error:
            raise PermanentSourceError(
                f"{self.root}: cannot be written: {error.strerror}",
                "Give the night's user write access, or choose another --home.",
            ) from error
        try:
            shutil.rmtree(self.root / DRY_RUN_NAME, ignore_errors=True)
            for leaving in self.root.glob("*/*/*" + TEMPORARY_SUFFIX):
                _remove(leaving)
            highest = 0
            for directory in landing_directories(self.home):
                landing = _swept(directory)
                if landing:
                    self._remember(landing)
                    highest = max(highest, int(directory.name))
            self._next_arrival = highest + 1
        except BaseException:
            self._lock.release()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.release()

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
        writer.append(
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


def _swept(directory: Path) -> Landing | None:
    """Remove what a killed process left in a landing's folder; the landing if one was begun.

    Left can be: temporary files, parts and folders of re-read rows that were not recorded, evidence
    that is recorded as pruned, a landing that was not begun. Raises: LandingDamagedError.
    """
    landing = read_manifest(directory)
    for leftover in directory.glob("*" + TEMPORARY_SUFFIX):
        _remove(leftover)
    if landing is None:
        _remove_unbegun(directory)
        return None
    if not landing.is_final:
        recorded = {MANIFEST_NAME, *(part.name for part in landing.parts)}
        for leftover in [each for each in directory.iterdir() if each.name not in recorded]:
            _remove(leftover)
    for folder in directory.glob(GENERATION_PREFIX + "[0-9]*"):
        if int(folder.name.removeprefix(GENERATION_PREFIX)) > landing.generation:
            shutil.rmtree(folder)
    for name in landing.pruned:
        (directory / name).unlink(missing_ok=True)
    return landing


def _remove_unbegun(directory: Path) -> None:
    """Remove a folder in which not even a manifest was begun."""
    if any(each.name != MANIFEST_NAME for each in directory.iterdir()):
        raise LandingDamagedError(
            f"{directory}: holds parts of a landing, and its {MANIFEST_NAME} is missing",
            "Restore it from a backup, or move the folder out of the landing.",
        )
    shutil.rmtree(directory)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
