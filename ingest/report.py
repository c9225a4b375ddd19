"""What one ingest did, stream by stream, as values that others print, store or act upon.

Belongs here: the report and progress types. Does not belong here: deciding what stops a night.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

StreamStatus = Literal["ok", "failed", "unchanged"]

REJECTS_SHOWN = 20
"""How many rejected records a report carries; all of them are in `raw.ingest__rejects`."""


@dataclass(frozen=True)
class Reject:
    """One record that was not accepted, and why.

    row: record number in the file, 1-based. line: physical line, None for Parquet.
    column_name: empty when the record as a whole is malformed.
    reason: never holds the value of a personal column.
    """

    file: str
    row: int
    line: int | None
    column_name: str
    reason: str

    def __str__(self) -> str:
        place = f"line {self.line}" if self.line is not None else f"row {self.row}"
        column = f", column {self.column_name}" if self.column_name else ""
        return f"{self.file}, {place}{column}: {self.reason}"


@dataclass(frozen=True)
class StreamReport:
    """The outcome of one stream of one source.

    rows_landed, rows_rejected: of this run. last_arrival: newest visible landing, None if none.
    message, what_to_do: one line each; empty when there is nothing to say.
    rejects: the first REJECTS_SHOWN rejected records of this run. mode: how much was asked for.
    cursor: where the next pull goes on, as JSON, without sync tokens. requests, retries: of this
    run, for API usage.
    is_transient: a failure that can pass by itself. is_unreachable: the server gave no answer,
    or none that may be trusted.
    """

    source: str
    stream: str
    status: StreamStatus
    rows_landed: int = 0
    rows_rejected: int = 0
    last_arrival: int | None = None
    message: str = ""
    what_to_do: str = ""
    is_transient: bool = False
    is_unreachable: bool = False
    files_landed: int = 0
    files_unchanged: int = 0
    pages: int = 0
    mode: str = ""
    cursor: str = ""
    requests: int = 0
    retries: int = 0
    rejects: tuple[Reject, ...] = ()

    def __str__(self) -> str:
        counts = f"{self.rows_landed} landed, {self.rows_rejected} rejected"
        text = f"{self.source}/{self.stream}: {self.status}, {counts}"
        if self.message:
            text += f": {self.message}"
        if self.what_to_do:
            text += f" {self.what_to_do}"
        return text


@dataclass(frozen=True)
class IngestReport:
    """All streams of one ingest, in the order of `sources.yml`. started_at: naive UTC."""

    started_at: datetime
    streams: tuple[StreamReport, ...] = field(default_factory=tuple)

    @property
    def failed(self) -> tuple[StreamReport, ...]:
        """The streams of which something could not be landed."""
        return tuple(stream for stream in self.streams if stream.status == "failed")

    @property
    def rows_landed(self) -> int:
        """Accepted rows of this run, over all streams."""
        return sum(stream.rows_landed for stream in self.streams)

    @property
    def rows_rejected(self) -> int:
        """Rejected rows of this run, over all streams."""
        return sum(stream.rows_rejected for stream in self.streams)


@dataclass(frozen=True)
class IngestProgress:
    """One step of a running ingest. done and total count files or pages; total None = unknown.

    rows: landed so far. requests: made so far, those that were tried again included.
    """

    source: str
    stream: str
    step: str
    done: int
    total: int | None
    rows: int = 0
    requests: int = 0


ProgressCallback = Callable[[IngestProgress], None]


def no_progress(step: IngestProgress) -> None:
    """The callback of callers that show nothing."""
