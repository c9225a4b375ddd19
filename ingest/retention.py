"""Taking old evidence away: pages and dropped files that nobody will read again.

Belongs here: what may go, and in which order it goes. Does not belong here: when (a person says
so), asking whether it is meant (the command line).

Of a final landing the manifest and the rows in force stay; what the source sent goes, and rows that
a re-reading replaced as long ago. A landing that never became visible goes as a whole. Of each
stream the newest landing and the newest visible one stay untouched. What goes is recorded before
it goes, so that a process that dies in between leaves nothing unexplained; opening the landing
ends its work.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from ingest.landing import LandingStore, LandingWriter
from ingest.manifest import Landing, Part
from ingest.pull import RESUME_WITHIN
from ingest.report import IngestProgress, ProgressCallback, no_progress


@dataclass(frozen=True)
class Prunable:
    """What can go of one landing. is_whole: the folder goes, else the parts alone."""

    landing: Landing
    parts: tuple[Part, ...]
    is_whole: bool

    @property
    def size_bytes(self) -> int:
        """What it frees."""
        return sum(part.size_bytes for part in self.parts)


def find_prunable(
    store: LandingStore,
    older_than_days: int,
    sources: Sequence[str] | None = None,
    *,
    now: datetime,
) -> list[Prunable]:
    """What began more than so many days ago and may go. now: naive UTC. sources: None for all."""
    kept = _newest_of_streams(store.landings)
    limit = now - timedelta(days=older_than_days)
    found = []
    for landing in store.landings:
        is_asked = not sources or landing.source in sources
        if not is_asked or landing.started_at >= limit or landing.arrival in kept:
            continue
        if not landing.is_final:
            can_go_on = not landing.is_abandoned and now - landing.started_at <= RESUME_WITHIN
            if not can_go_on:
                found.append(Prunable(landing, landing.parts, is_whole=True))
            continue
        parts = _evidence_and_replaced(landing, limit)
        if parts:
            found.append(Prunable(landing, parts, is_whole=False))
    return found


def _newest_of_streams(landings: Sequence[Landing]) -> set[int]:
    """Arrivals of the newest landing of each stream, and of its newest visible one."""
    newest = {(each.source, each.stream): each.arrival for each in landings}
    visible = {(each.source, each.stream): each.arrival for each in landings if each.is_final}
    return {*newest.values(), *visible.values()}


def _evidence_and_replaced(landing: Landing, limit: datetime) -> tuple[Part, ...]:
    """Stored parts that may go: evidence, and rows that were replaced before the limit. Younger
    ones can still be what a running night reads."""
    may_go = {part.name for part in landing.evidence}
    if landing.reread_at and landing.reread_at < limit:
        may_go |= {part.name for part in landing.superseded}
    return tuple(part for part in landing.stored if part.name in may_go)


def prune(
    store: LandingStore,
    found: Sequence[Prunable],
    progress: ProgressCallback | None = None,
    *,
    now: datetime,
) -> None:
    """Take away what `find_prunable` found, landing by landing. now: naive UTC."""
    show = progress or no_progress
    for number, each in enumerate(found, start=1):
        landing, writer = each.landing, LandingWriter(each.landing)
        if each.is_whole:
            writer.discard()
        else:
            names = [part.name for part in each.parts]
            writer.append({"record": "pruned", "parts": names, "at": now.isoformat()})
            for name in names:
                (landing.directory / name).unlink(missing_ok=True)
            _remove_empty_folders(landing)
        store.refresh(landing)
        show(IngestProgress(landing.source, landing.stream, "pruning", number, len(found)))


def _remove_empty_folders(landing: Landing) -> None:
    for folder in landing.directory.iterdir():
        if folder.is_dir():
            with suppress(OSError):
                folder.rmdir()
