"""Progress bars on standard error; nothing at all when it is not a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ingest.report import IngestProgress
    from orchestration.result import NightProgress

_TITLES = {
    "start_up": "starting",
    "ingest": "fetching and landing",
    "prepare": "loading raw tables",
    "dbt_facts": "computing commissions",
    "post": "posting differences",
    "dbt_ledger": "building the ledger",
    "propose": "proposing batches",
    "dbt_payouts": "building balances",
    "checks": "checking",
    "publish": "publishing",
}


@contextmanager
def night_progress(steps: tuple[str, ...]) -> Iterator[Callable[[NightProgress], None]]:
    """A callback for a night: one bar over its steps, one over the work within a step."""
    if not sys.stderr.isatty():
        yield lambda progress: None
        return
    with _bars() as bars:
        whole = bars.add_task("night", total=len(steps))
        part = bars.add_task("", total=None)
        done: set[str] = set()

        def show(progress: NightProgress) -> None:
            title = _TITLES.get(progress.step, progress.step)
            if progress.state == "done":
                done.add(progress.step)
                bars.update(whole, completed=len(done))
            else:
                note = f"{title}: {progress.note}" if progress.note else title
                bars.update(
                    part,
                    description=note[:48],
                    completed=progress.finished,
                    total=progress.total or None,
                )

        yield show


@contextmanager
def ingest_progress() -> Iterator[Callable[[IngestProgress], None]]:
    """A callback for an ingest: one bar, moved on by every file or page."""
    if not sys.stderr.isatty():
        yield lambda progress: None
        return
    with _bars() as bars:
        part = bars.add_task("fetching and landing", total=None)

        def show(progress: IngestProgress) -> None:
            note = f"{progress.source}/{progress.stream}"
            bars.update(part, description=note, completed=progress.done, total=progress.total)

        yield show


def _bars():
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(
        TextColumn("{task.description:<48}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
