"""The steps of a chart over time: days, weeks of seven days, or months, by the length of the span.

Weeks are counted from the span's first day, so that only the last one can be cut short, and those
of two spans stand at the same places. Pure: the span is passed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from dashboards.filters import Span

DAYS, WEEKS, MONTHS = "day", "week", "month"
# A bar per day for a month, per week for half a year.
_LONGEST_IN_DAYS, _LONGEST_IN_WEEKS = 31, 183


@dataclass(frozen=True)
class Steps:
    """The places of a chart, oldest first. unit: day, week or month.

    partial: how many at the end are cut short by the span, 0 or 1.
    """

    unit: str
    starts: tuple[date, ...]
    ends: tuple[date, ...]
    partial: int

    @property
    def labels(self) -> list[str]:
        """The first day of each place; the month, where it is whole at its beginning."""
        return [self._label(start) for start in self.starts]

    def _label(self, start: date) -> str:
        if self.unit != MONTHS:
            return start.isoformat()
        return f"{start:%Y-%m}" if start.day == 1 else f"{start:%Y-%m} from {start.day}"


def steps_of(span: Span, unit: str = "") -> Steps:
    """The steps of a span. unit: that of another span, to stand beside it; else by the length."""
    unit = unit or (
        DAYS if span.days <= _LONGEST_IN_DAYS
        else WEEKS if span.days <= _LONGEST_IN_WEEKS
        else MONTHS
    )  # fmt: skip
    starts, ends = [span.start], []
    while (end := _natural_end(starts[-1], unit)) < span.end:
        ends.append(end)
        starts.append(end + timedelta(days=1))
    return Steps(unit, tuple(starts), (*ends, span.end), int(end > span.end))


def beside(values: Sequence[int], places: int) -> list[int | None]:
    """Values of the compared span at the places of the asked one: cut, or filled with gaps."""
    return [*values[:places], *[None] * (places - len(values))]


def _natural_end(start: date, unit: str) -> date:
    if unit == DAYS:
        return start
    if unit == WEEKS:
        return start + timedelta(days=6)
    first = start.replace(day=1) + timedelta(days=32)
    return first.replace(day=1) - timedelta(days=1)
