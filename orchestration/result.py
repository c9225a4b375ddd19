"""What a night reports, as values: progress while it runs, one result when it is done.

What does not belong here: printing (the command line) and deciding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ingest.report import StreamReport
    from payouts.journal_schema import ControlTotal
    from payouts.records import BatchSummary

# In the order of a night; the keys of NightResult.seconds.
STEPS = (
    "start_up",
    "ingest",
    "prepare",
    "dbt_facts",
    "post",
    "dbt_ledger",
    "propose",
    "dbt_payouts",
    "checks",
    "publish",
)


@dataclass(frozen=True)
class NightProgress:
    """One sign of life. step: one of STEPS. state: `started`, `advanced` or `done`.

    finished, total: units of work within the step (dbt nodes, files); total 0 when unknown.
    """

    step: str
    state: str
    finished: int = 0
    total: int = 0
    note: str = ""


ProgressCallback = Callable[[NightProgress], None]


def no_progress(progress: NightProgress) -> None:
    """The callback of callers that show nothing."""


@dataclass(frozen=True)
class CheckResult:
    """One check of the night.

    relation: `schema.table` it is about. failing_rows: -1 when a check does not count rows.
    failing_keys: at most 20 keys, never personal columns. query: the SQL behind it.
    """

    name: str
    relation: str
    is_passed: bool
    is_blocking: bool
    failing_rows: int
    failing_keys: tuple[str, ...]
    description: str
    what_to_do: str
    query: str

    def describe(self) -> str:
        """One clear line about a failed check."""
        keys = ", ".join(self.failing_keys[:5])
        where = f" ({keys}{', …' if len(self.failing_keys) > 5 else ''})" if keys else ""
        count = f"{self.failing_rows} rows" if self.failing_rows >= 0 else "the table"
        return (
            f"Check {self.name} failed for {count} of {self.relation}{where}: {self.description}. "
            f"{self.what_to_do}"
        )


@dataclass(frozen=True)
class NightResult:
    """A night that was published.

    posted_rows: journal entries appended; posted_totals: their sums per kind and currencies.
    stale_streams: those that failed although the night went on, because no money depends on them;
    what was landed of them before still counts. batches: proposed this night. stale_batches:
    (batch id, reason) of those that went stale. checks_failed: non-blocking checks that failed,
    and dbt tests of severity warn. seconds: wall time per step; `start_up` is imports, parsing and
    Dagster.
    """

    run_id: str
    as_of: date
    home: Path
    streams: tuple[StreamReport, ...]
    stale_streams: tuple[StreamReport, ...]
    posted_rows: int
    posted_segment: int | None
    posted_totals: tuple[ControlTotal, ...]
    batches: tuple[BatchSummary, ...]
    stale_batches: tuple[tuple[str, str], ...]
    checks_failed: tuple[CheckResult, ...]
    snapshot_path: Path
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def rows_rejected(self) -> int:
        """Records that ingest refused this night, over all streams."""
        return sum(stream.rows_rejected for stream in self.streams)
