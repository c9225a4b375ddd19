"""Looking at the landing: what is there, and whether it is still what was written.

Belongs here: lists and proofs for people; nothing here writes or takes the lock. Does not belong
here: reading again (`reread`), taking away (`retention`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from ingest.errors import LandingDamagedError
from ingest.manifest import (
    MANIFEST_NAME,
    Landing,
    LandingState,
    Part,
    hash_file,
    landing_directories,
    read_landings,
    read_manifest,
)
from ingest.report import IngestProgress, ProgressCallback, no_progress


@dataclass(frozen=True)
class LandingRow:
    """One landing in a list. mode: full, changes, or empty for files. rows: in force. bytes:
    of all parts that are stored. times: naive UTC; reread_at: None when never."""

    source: str
    stream: str
    kind: str
    arrival: int
    started_at: datetime
    mode: str
    rows: int
    size_bytes: int
    state: LandingState
    reread_at: datetime | None
    file: str


def list_landings(home: Path, sources: Sequence[str] | None = None) -> list[LandingRow]:
    """Landings of a home by arrival, of the named sources if any. Raises: LandingDamagedError."""
    return [
        LandingRow(
            source=each.source,
            stream=each.stream,
            kind=each.kind,
            arrival=each.arrival,
            started_at=each.started_at,
            mode=each.settings.get("plan", {}).get("mode", ""),
            rows=each.rows,
            size_bytes=sum(part.size_bytes for part in each.stored),
            state=each.state,
            reread_at=each.reread_at,
            file=each.settings.get("file", ""),
        )
        for each in read_landings(home)
        if not sources or each.source in sources
    ]


@dataclass(frozen=True)
class Damage:
    """One file that is not what was recorded. path: below the landing's root."""

    path: str
    fault: str


@dataclass(frozen=True)
class Verified:
    """What re-hashing found. parts, size_bytes: that were read; pruned: left out."""

    landings: int
    parts: int
    size_bytes: int
    pruned: int
    damages: tuple[Damage, ...]


def verify_landings(home: Path, progress: ProgressCallback | None = None) -> Verified:
    """Compare every recorded part that was not pruned with the hash in its manifest.

    Landings that were killed or abandoned count as well. A landing that another process takes away
    meanwhile is no damage.
    """
    show = progress or no_progress
    landings, damages = _readable(home)
    total = sum(len(each.stored) for each in landings)
    done, size = 0, 0
    for landing in landings:
        for part in landing.stored:
            fault = _fault(landing, part)
            if fault:
                damages.append(Damage(f"{landing.landing_id}/{part.name}", fault))
            done += 1
            size += part.size_bytes
            show(IngestProgress(landing.source, landing.stream, "verifying", done, total))
        damages += _unrecorded(landing)
    pruned = sum(len(each.pruned) for each in landings)
    return Verified(len(landings), total, size, pruned, tuple(damages))


def _readable(home: Path) -> tuple[list[Landing], list[Damage]]:
    """Landings whose manifest can be read; those whose cannot are damages."""
    landings, damages = [], []
    for directory in landing_directories(home):
        try:
            landing = read_manifest(directory)
        except LandingDamagedError as error:
            damages.append(Damage(_below(directory), str(error).partition(": ")[2]))
            continue
        if landing:
            landings.append(landing)
        elif any(each.name != MANIFEST_NAME for each in directory.iterdir()):
            damages.append(Damage(_below(directory), f"holds parts and has no {MANIFEST_NAME}"))
    return landings, damages


def _below(directory: Path) -> str:
    return "/".join(directory.parts[-3:])


def _fault(landing: Landing, part: Part) -> str:
    """What is wrong with a part's file; empty when it is what was recorded."""
    path = landing.directory / part.name
    try:
        if path.stat().st_size == part.size_bytes and hash_file(path) == part.sha256:
            return ""
        return "was changed: its SHA-256 is not the recorded one"
    except FileNotFoundError:
        return "" if _was_taken_away(landing, part) else "is missing"
    except OSError as error:
        return f"cannot be read: {error.strerror}"


def _unrecorded(landing: Landing) -> list[Damage]:
    """Files beside the parts of a visible landing that its manifest does not name (any more)."""
    if not landing.is_final:
        return []
    recorded = {MANIFEST_NAME, *(part.name for part in (*landing.parts, *landing.superseded))}
    return [
        Damage(f"{landing.landing_id}/{each.name}", f"is not recorded in {MANIFEST_NAME}")
        for each in sorted(landing.directory.iterdir())
        if each.is_file() and each.name not in recorded and not each.name.endswith(".tmp")
    ]


def _was_taken_away(landing: Landing, part: Part) -> bool:
    """Whether the manifest, read again, says that a part has gone since."""
    now = read_manifest(landing.directory)
    if now is None:
        return not landing.is_final
    return part.name in now.pruned
