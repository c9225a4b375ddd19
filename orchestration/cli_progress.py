"""Progress bars on standard error; nothing at all when it is not a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, Task, TaskID

    from ingest.report import IngestProgress
    from orchestration.result import NightProgress

SHOWN_STREAMS = 8
"""How many streams have a bar at once: more than fit on a screen would hide the running one."""

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
def ingest_progress(*, is_quiet: bool = False) -> Iterator[Callable[[IngestProgress], None]]:
    """A callback for an ingest: one bar per stream, with its pages or files, rows and requests.

    is_quiet: nothing is shown, as when records are printed as JSON.
    """
    if is_quiet or not sys.stderr.isatty():
        yield lambda progress: None
        return
    with stream_bars(None) as bars:
        yield StreamBars(bars).show


@contextmanager
def bar(title: str, *, is_quiet: bool = False) -> Iterator[Callable[[IngestProgress], None]]:
    """A callback for work whose steps are counted over all streams: one bar."""
    if is_quiet or not sys.stderr.isatty():
        yield lambda progress: None
        return
    with _bars() as bars:
        task = bars.add_task(title, total=None)
        yield lambda progress: bars.update(task, completed=progress.done, total=progress.total)


class StreamBars:
    """The bars of the streams of one ingest; those that ended long ago make room."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[tuple[str, str], TaskID] = {}

    def show(self, progress: IngestProgress) -> None:
        """Move the stream's bar on; a new stream ends the one before it."""
        key = (progress.source, progress.stream)
        if key not in self._tasks:
            self._end_last()
            self._tasks[key] = self._bars.add_task("/".join(key), total=None, counts="")
        self._bars.update(
            self._tasks[key],
            completed=progress.done,
            total=progress.total,
            counts=_counts(progress),
        )

    def _end_last(self) -> None:
        """Streams come one after the other: what is told of a new one means that the last ended,
        also if it failed."""
        tasks = list(self._tasks.values())
        if not tasks:
            return
        (last,) = (each for each in self._bars.tasks if each.id == tasks[-1])
        self._bars.update(last.id, total=last.completed)
        self._bars.stop_task(last.id)
        for old in tasks[: -SHOWN_STREAMS + 1]:
            self._bars.update(old, visible=False)


def _counts(progress: IngestProgress) -> str:
    """`12 pages, 14 requests`; `3/7, 120 rows` of files."""
    done = str(progress.done) if progress.total is None else f"{progress.done}/{progress.total}"
    said = [f"{done} pages", f"{progress.requests} requests"] if progress.requests else [done]
    if progress.rows:
        said.append(f"{progress.rows} rows")
    return ", ".join(said)


def stream_bars(console: Console | None) -> Progress:
    """Bars that show counts and a rate, with a total or without. console: None: standard error."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeElapsedColumn
    from rich.text import Text

    class Rate(ProgressColumn):
        """Pages, or files, per second."""

        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text(f"{speed:.1f}/s" if speed else "")

    return Progress(
        TextColumn("{task.description:<32}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[counts]}", markup=False),
        Rate(),
        TimeElapsedColumn(),
        console=console or Console(stderr=True),
        transient=True,
    )


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
