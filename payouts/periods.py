"""Closed periods: local calendar months that receive no entries any more (J4).

What belongs here: which periods are closed, where an entry is posted instead, and refusing entries
for a closed one. What does not: closing and reopening (``closing``), and the same rule in SQL.
Decision 0042.

Periods close in order, and an entry may be effective before the first one that was ever closed. So
one period says it all: the last closed one. It and every month before it are closed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from payouts import events
from payouts.errors import ChainBrokenError, DecisionRefusedError, PostingRefusedError
from payouts.texts import shown_actor

if TYPE_CHECKING:
    from sqlalchemy import Connection

CLOSED_KIND, REOPENED_KIND = "period_closed", "period_reopened"
_PERIOD = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


@dataclass(frozen=True)
class PeriodTurn:
    """A period was closed or reopened. ``after_segment`` is the last segment posted before that."""

    seq: int
    period: str
    is_closed: bool
    after_segment: int
    recorded_at: str
    decided_by: str
    reason: str


@dataclass(frozen=True)
class ClosedPeriod:
    """A period that was closed and not reopened. ``closed_at`` is fixed-width UTC text."""

    period: str
    closed_at: str
    closed_by: str
    closed_after_segment: int


def parse_period(text: str) -> str:
    """A period as ``YYYY-MM`` without surrounding space.

    Raises: DecisionRefusedError.
    """
    period = text.strip()
    if not _PERIOD.fullmatch(period) or period.startswith("0000"):
        raise DecisionRefusedError(
            f"{text!r} is not a period; write a month as in 2026-01. Nothing was recorded"
        )
    return period


def period_of(day: date) -> str:
    """The period that a local day lies in."""
    return f"{day:%Y-%m}"


def next_period(period: str) -> str:
    """The period after this one."""
    year, month = int(period[:4]), int(period[5:])
    return f"{year + month // 12:04d}-{month % 12 + 1:02d}"


def last_day(period: str) -> date:
    """The last local day of a period."""
    from calendar import monthrange

    year, month = int(period[:4]), int(period[5:])
    return date(year, month, monthrange(year, month)[1])


def first_open_period(day: date, last_closed_period: str | None) -> str:
    """Where an entry is posted that is effective on ``day``: in its own month, or if that is closed
    in the first open one after it."""
    own = period_of(day)
    if last_closed_period is None or own > last_closed_period:
        return own
    return next_period(last_closed_period)


def load_turns(connection: Connection) -> list[PeriodTurn]:
    """Every closing and reopening, oldest first."""
    return [
        PeriodTurn(
            seq=event.seq,
            period=event.subject.removeprefix("period:"),
            is_closed=event.kind == CLOSED_KIND,
            after_segment=event.payload["after_segment"],
            recorded_at=event.recorded_at,
            decided_by=shown_actor(event.actor),
            reason=event.reason,
        )
        for event in events.of_kinds(connection, (CLOSED_KIND, REOPENED_KIND))
    ]


def closed_periods(connection: Connection) -> list[ClosedPeriod]:
    """The periods that are closed now, in order.

    Raises: ChainBrokenError when another than the last closed period was reopened.
    """
    closed: list[PeriodTurn] = []
    for turn in load_turns(connection):
        if turn.is_closed:
            closed.append(turn)
        elif not closed or closed.pop().period != turn.period:
            raise ChainBrokenError(
                f"event {turn.seq} reopens period {turn.period}, which was not the last closed "
                "one; restore the control database from a backup"
            )
    return [
        ClosedPeriod(turn.period, turn.recorded_at, turn.decided_by, turn.after_segment)
        for turn in closed
    ]


def last_closed(connection: Connection) -> str | None:
    """The last closed period; None while all are open."""
    closed = closed_periods(connection)
    return closed[-1].period if closed else None


def refuse_closed(posting_periods: Iterable[str], last_closed_period: str | None) -> None:
    """Refuse to post into a closed period.

    Raises: PostingRefusedError naming the first such period.
    """
    if last_closed_period is None:
        return
    closed = sorted(period for period in posting_periods if period <= last_closed_period)
    if closed:
        raise PostingRefusedError(
            f"period {closed[0]} receives no entries (J4): {last_closed_period} and all before it "
            "are closed, perhaps since this run began; nothing was posted. Run it again: what "
            f"differs is then posted in {next_period(last_closed_period)}"
        )
