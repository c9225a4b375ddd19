"""Making the rows of final landings again, from the evidence that was kept, after a fix.

Belongs here: which landings are read again, in which order, and what came of it. Does not belong
here: writing the new rows (`generation`), slicing answers (`objects`), reading files
(`reread_files`). Source: sources.md section 2.

The evidence is never touched; a landing whose rows come out the same is left alone. Landings of a
stream follow one another in the order of arrival, because rows are landed only where they differ
from earlier ones: those of the landings before, as they were just made again.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from ingest.connectors import API_KINDS, load_connector
from ingest.errors import IngestError, LandingDamagedError, TransientSourceError, is_disk_full
from ingest.generation import Generation
from ingest.history import plan_of
from ingest.landing import DRY_RUN_NAME, LandingStore
from ingest.manifest import Landing, hash_file
from ingest.objects import Records, write_objects
from ingest.report import IngestProgress, ProgressCallback, no_progress
from ingest.run import choose_sources, disk_full, source_settings


@dataclass
class RereadStream:
    """What re-reading did to one stream. landings: final ones; changed: those with new rows.

    pruned: landings whose evidence was taken away, left as they are. rows_before, rows_after: over
    all final landings. message, what_to_do: of what could not be re-read; empty when all was.
    """

    source: str
    stream: str
    kind: str
    landings: int
    changed: int = 0
    pruned: int = 0
    rows_before: int = 0
    rows_after: int = 0
    errors: list[IngestError] = field(default_factory=list)

    @property
    def message(self) -> str:
        """What could not be re-read."""
        return "; ".join(str(each) for each in self.errors)

    @property
    def what_to_do(self) -> str:
        """What helps."""
        return " ".join(dict.fromkeys(each.what_to_do for each in self.errors))


Maker = Callable[[Generation, Sequence[Landing]], Mapping[str, Any]]
"""Writes the rows of one landing by today's rules, given the landings before it; returns what its
totals say now."""


def reread(
    workspace: Any,
    store: LandingStore,
    names: Sequence[str] | None = None,
    streams: Sequence[str] | None = None,
    progress: ProgressCallback | None = None,
    *,
    now: datetime,
    is_dry_run: bool = False,
) -> list[RereadStream]:
    """Make the rows of all final landings again, or of those of the named sources and streams.

    now: naive UTC. is_dry_run: only count; the rows are made, and removed again.
    What cannot be re-read is in the result, and keeps its rows. Raises: UnknownSourceError.
    """
    chosen = choose_sources(source_settings(workspace), names)
    reports = []
    for landings in _by_stream(store, chosen, streams):
        first = landings[0]
        told = RereadStream(first.source, first.stream, first.kind, len(landings))
        told.rows_before = sum(each.rows for each in landings)
        run = _Run(store, told, progress or no_progress, now, is_dry_run)
        make = _maker(chosen[first.source], first.stream)
        if make is None:
            told.errors.append(_unread_kind(first))
            told.rows_after = told.rows_before
        else:
            told.rows_after = sum(each.rows for each in run.reread(landings, make))
        reports.append(told)
    return reports


def _by_stream(
    store: LandingStore, sources: Mapping[str, Any], streams: Sequence[str] | None
) -> Iterator[list[Landing]]:
    """Final landings by stream, of the kind that each source has now, by arrival."""
    found: dict[tuple[str, str], list[Landing]] = {}
    for source, settings in sources.items():
        for landing in store.landings:
            is_asked = streams is None or landing.stream in streams
            is_its = landing.source == source and landing.kind == settings.kind
            if is_its and is_asked and landing.is_final:
                found.setdefault((source, landing.stream), []).append(landing)
    yield from found.values()


def _maker(settings: Any, stream: str) -> Maker | None:
    """How rows of that stream are made; None if this version does not know it."""
    if settings.kind == "files":
        from ingest.reread_files import maker_of_files

        return maker_of_files(settings, stream)
    if settings.kind == "ecb":
        from ingest.ecb import make_rows

        return make_rows
    if settings.kind in API_KINDS:
        known = load_connector(settings.kind).streams(None)
        records = [each.records for each in known if each.name == stream]
        return _maker_of_objects(records[0]) if records else None
    return None


def _maker_of_objects(records: Sequence[Records]) -> Maker:
    def make(writer: Generation, earlier: Sequence[Landing]) -> Mapping[str, Any]:
        is_full = plan_of(writer.landing).mode == "full"
        written = write_objects(writer, records, earlier, is_full)
        return {
            "listed": written.listed,
            "rows": written.changed,
            "vanished": written.vanished,
        }

    return make


def _unread_kind(landing: Landing) -> IngestError:
    return LandingDamagedError(
        f"{landing.source}/{landing.stream}: this version has no such stream of {landing.kind}",
        "Its rows stay as they are; use the version that landed it to read it again.",
    )


class _Run:
    """Re-reading one stream."""

    def __init__(
        self,
        store: LandingStore,
        told: RereadStream,
        progress: ProgressCallback,
        now: datetime,
        is_dry_run: bool,
    ) -> None:
        self._store = store
        self._told = told
        self._progress = progress
        self._now = now
        self._is_dry_run = is_dry_run

    def reread(self, landings: Sequence[Landing], make: Maker) -> list[Landing]:
        """The landings as they are afterwards; those that could not be re-read as they were."""
        told, done = self._told, []
        with self._place() as place:
            for number, landing in enumerate(landings, start=1):
                found = landing
                # Rows of an API differ from earlier ones: after a failure nothing can be said.
                if landing.is_pruned:
                    told.pruned += 1
                elif not told.errors or landing.kind == "files":
                    found = self._one(landing, done, make, place)
                done.append(found)
                self._progress(
                    IngestProgress(
                        told.source,
                        told.stream,
                        "re-reading",
                        number,
                        len(landings),
                        sum(each.rows for each in done),
                    )
                )
        return done

    @contextmanager
    def _place(self) -> Iterator[Path | None]:
        """Where a dry run keeps its rows: inside the landing, which is private and large enough."""
        if not self._is_dry_run:
            yield None
            return
        place = self._store.root / DRY_RUN_NAME
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(mode=0o700)
        try:
            yield place
        finally:
            shutil.rmtree(place)

    def _one(
        self, landing: Landing, earlier: Sequence[Landing], make: Maker, place: Path | None
    ) -> Landing:
        """One landing with its rows made again. Failures are told, and leave it as it was."""
        generation = None
        try:
            _require_whole(landing)
            generation = Generation(landing, place)
            totals = {**landing.totals, **make(generation, earlier)}
            found = generation.landing_with(totals)
            if _same_rows(landing, found):
                return landing
            if not place:
                generation.put_in_force(totals, self._now)
                self._store.refresh(landing)
        except Exception as error:  # noqa: BLE001  (one stream never stops the others)
            self._told.errors.append(_known(landing, error))
            return landing
        finally:
            if generation and not place:
                generation.discard()
        self._told.changed += 1
        return found


def _same_rows(before: Landing, after: Landing) -> bool:
    def told(landing: Landing) -> list[tuple[str, str]]:
        return sorted((part.role, part.sha256) for part in landing.parts if part.is_derived)

    return told(before) == told(after)


def _require_whole(landing: Landing) -> None:
    """Raises: LandingDamagedError if the evidence is not what was recorded."""
    for part in landing.evidence:
        path = landing.directory / part.name
        if not path.is_file() or hash_file(path) != part.sha256:
            raise LandingDamagedError(
                f"{landing.landing_id}/{part.name}: is missing or is not what was landed",
                "Restore it from a backup, then read again; `partnerledger landing verify` lists "
                "all such files.",
            )


def _known(landing: Landing, error: Exception) -> IngestError:
    if isinstance(error, IngestError):
        return error
    if is_disk_full(error):
        return disk_full(landing.landing_id)
    return TransientSourceError(
        f"{landing.landing_id}: could not be read again ({type(error).__name__})",
        "Its rows stay as they were. Check the disk and the rights on the landing folder.",
    )
