"""The streams of one night: pulled one by one, what became of each, and which the money needs.

Belongs here: one open landing for all of them, when a failed stream is worth another try, and what
the night says of streams that failed. What does not: how a stream is read (`ingest`), the order of
streams (Dagster's assets), and the night's other steps.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.failures import streams_error
from orchestration.streams import StreamKey, blocking_streams, not_pulled

if TYPE_CHECKING:
    from ingest.landing import LandingStore
    from ingest.patience import Patience
    from ingest.report import ProgressCallback, StreamReport
    from ingest.run import DeclaredStream
    from program.load import Workspace

_LOG = logging.getLogger("partnerledger.night")

WHOLE_SOURCE = "*"
"""Stands for the stream in a report about a source of which nothing could be read."""
RETRY_SECONDS = 10.0
"""How long a stream is left alone before it is tried once more."""


class NightLanding:
    """Pulls streams into the landing of a home and remembers how each went.

    clock: the current instant, UTC. pause: how to wait, in seconds; tests put in their own.
    """

    def __init__(self, workspace: Workspace, home: Path, clock: Callable[[], datetime]) -> None:
        self.pause: Callable[[float], None] = time.sleep
        self._workspace = workspace
        self._home = home
        self._clock = clock
        self._declared: list[DeclaredStream] | None = None
        self._blocking: set[StreamKey] | None = None
        self._reports: dict[StreamKey, StreamReport] = {}
        self._patience: dict[str, Patience] = {}
        self._store: LandingStore | None = None

    @property
    def declared(self) -> list[DeclaredStream]:
        """Every stream that `sources.yml` asks for, in order of rank and of pulling."""
        from ingest.run import declared_streams

        if self._declared is None:
            self._declared = declared_streams(self._workspace)
        return self._declared

    def know_manifest(self, manifest: Mapping[str, Any]) -> None:
        """Take dbt's manifest.json from who has it at hand; else it is read when it is needed."""
        self._blocking = blocking_streams(manifest, self.declared)

    @property
    def reports(self) -> list[StreamReport]:
        """The last try of every stream of this night, in the order of pulling."""
        return list(self._reports.values())

    def pull(
        self, source: str, stream: str | None, progress: ProgressCallback
    ) -> list[StreamReport]:
        """Land one stream of a source, or the whole source when `stream` is None.

        Never raises for a source: a failure is in the report. What was landed stays.
        """
        from ingest.errors import IngestError
        from ingest.run import ingest

        try:
            found: Sequence[StreamReport] = ingest(
                self._workspace,
                self._home,
                [source],
                progress,
                now=self._clock(),
                streams=None if stream is None else [stream],
                pause=self.pause,
                store=self._open(),
                patience=self._patience,
            ).streams
        except IngestError as error:
            # The landing itself: another process holds it, it is damaged, its disk is full.
            found = [_unlanded(source, stream or WHOLE_SOURCE, error)]
        for key in [key for key in self._reports if stream is None and key[0] == source]:
            del self._reports[key]
        for report in found:
            self._reports[(report.source, report.stream)] = report
            if report.status == "failed":
                _LOG.error("stream %s", report)
        return list(found)

    def is_worth_retrying(self, reports: Sequence[StreamReport]) -> bool:
        """Whether what failed among these can succeed without anybody's help, and nothing else of
        its source has just failed in the same way."""
        failed = [report for report in reports if report.status == "failed"]
        return bool(failed) and all(
            report.is_transient and self._failures_of(report.source) <= 1 for report in failed
        )

    def _failures_of(self, source: str) -> int:
        patience = self._patience.get(source)
        return patience.failures if patience else 0

    def changed_at(self, source: str, stream: str) -> datetime | None:
        """When something new was last landed of a stream (naive UTC), None if never."""
        landings = self._open().of_stream(source, stream)
        found = [each.started_at for each in landings if each.is_final and each.totals.get("rows")]
        return found[-1] if found else None

    def failed(self) -> list[StreamReport]:
        """Streams that failed in this night, those that were left out because of them included."""
        self._settle()
        return [report for report in self._reports.values() if report.status == "failed"]

    def require_streams(self) -> None:
        """Raises: StreamsFailedError naming every stream that failed, if the money needs one."""
        failed = self.failed()
        if not failed:
            return
        side = {(each.source, each.stream) for each in self.declared} - self._blocking_streams()
        # What nobody declared, such as a file that fits no entity, could hold anything.
        blocking = [each for each in failed if (each.source, each.stream) not in side]
        if blocking:
            raise streams_error([*blocking, *(each for each in failed if each not in blocking)])

    def _blocking_streams(self) -> set[StreamKey]:
        if self._blocking is None:
            from orchestration.dbt_runner import shared_runner

            parsed = shared_runner().manifest().writable_manifest()
            self.know_manifest(parsed.to_dict(omit_none=False))
        return self._blocking or set()

    def close(self) -> None:
        """Give the landing back. Safe to call twice; the next pull opens it again."""
        if self._store is not None:
            self._store.__exit__()
            self._store = None

    def _open(self) -> LandingStore:
        from ingest.run import open_landing

        if self._store is None:
            # One for all streams: opening reads every manifest of the home.
            self._store = open_landing(self._home).__enter__()
        return self._store

    def _settle(self) -> None:
        """Report, here and beside the landing, the streams that nobody pulled because one that
        they need failed."""
        from ingest.report import StreamReport
        from ingest.run import store_report

        failed = [key for key, report in self._reports.items() if report.status == "failed"]
        for key, needed in not_pulled(self.declared, failed, self._reports).items():
            cause = self._reports[needed]
            report = StreamReport(
                *key,
                "failed",
                message=f"{key[1]} was not pulled, because {needed[1]} failed",
                what_to_do=f"Mend {needed[1]} first: {cause.what_to_do}",
                is_transient=cause.is_transient,
            )
            self._reports[key] = report
            store_report(self._home, key[0], [report], self._clock(), is_partial=True)


def _unlanded(source: str, stream: str, error: Exception) -> StreamReport:
    from ingest.report import StreamReport

    return StreamReport(
        source,
        stream,
        "failed",
        message=str(error),
        what_to_do=getattr(error, "what_to_do", ""),
        is_transient=getattr(error, "is_transient", False),
    )
