"""How long one run waits for a source that gives trouble.

Belongs here: what the failures of earlier streams say about the next one, so that a dead server
costs a night two minutes (five if it takes every request and never answers) and not an hour. Does
not belong here: waiting (`http`), or what a failure means for the night.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ingest.errors import UnreachableError
from ingest.http import MAXIMUM_TRIES
from ingest.http_refusals import LATER_ADVICE
from ingest.report import StreamReport

TRIES_IN_TROUBLE = 2
SILENT_STREAMS = 2


@dataclass
class Patience:
    """What the streams of one source have met in one run.

    failures: pulls in a row that failed, but may succeed later. silent: streams in a row for which
    the server could not be reached. One stream that is read well starts both anew.
    """

    failures: int = 0
    silent: dict[str, None] = field(default_factory=dict)

    @property
    def tries(self) -> int:
        """How often a request of the next stream is made at most."""
        return TRIES_IN_TROUBLE if self.failures or self.silent else MAXIMUM_TRIES

    def require_answers(self, source: str, stream: str) -> None:
        """Raises: UnreachableError if the server was out of reach for so many other streams that
        asking it again would only cost time."""
        others = [each for each in self.silent if each != stream]
        if len(others) >= SILENT_STREAMS:
            raise UnreachableError(
                f"{source}/{stream}: was not asked for, because the server is out of reach: see "
                f"{' and '.join(others[:SILENT_STREAMS])}",
                f"Check the network and sources.{source}.base_url. {LATER_ADVICE}",
            )

    def note(self, report: StreamReport) -> None:
        """Learn from one pull."""
        if report.status != "failed":
            self.failures = 0
            self.silent.clear()
            return
        self.failures += report.is_transient
        if report.is_unreachable:
            self.silent[report.stream] = None
        else:
            self.silent.clear()
