"""Closing and reopening periods: what finance decides about whole months (J4).

What belongs here: who may close or reopen what, and when; the list of periods with their states.
What does not: what a closed period means for postings (``periods``).
Decision 0042.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from payouts import events, segments
from payouts.closing_checks import unfinished_payouts
from payouts.errors import DecisionRefusedError
from payouts.journal import last_night
from payouts.parquet import memory_connection, parquet_scan
from payouts.periods import (
    CLOSED_KIND,
    REOPENED_KIND,
    ClosedPeriod,
    closed_periods,
    last_closed,
    last_day,
    load_turns,
    next_period,
    parse_period,
    period_of,
)
from payouts.store import Store
from payouts.terms import ApprovalRules, person
from payouts.texts import identifier, optional_written, shown_actor, written

ROLE = "finance"
CLOSED, OPEN = "closed", "open"


@dataclass(frozen=True)
class PeriodState:
    """One month. ``entries`` are those posted in it; the rest is of its newest closing or
    reopening, None when there was none. ``decided_at`` is fixed-width UTC text."""

    period: str
    state: str
    entries: int
    decided_at: str | None = None
    decided_by: str | None = None
    reason: str | None = None
    after_segment: int | None = None


def close_period(
    store: Store,
    home: Path,
    *,
    period: str,
    actor: str,
    rules: ApprovalRules,
    recorded_at: datetime,
    reason: str = "",
    is_despite_open: bool = False,
    identity_level: str = "os_user",
) -> ClosedPeriod:
    """Close a month that is over: it receives no entries from the next posting on.

    The month after the last closed one; the very first may be any before which nothing is posted.
    is_despite_open: close although money of its payouts is not explained yet; needs a reason, and
    what was open is kept with the decision.
    Raises: DecisionRefusedError without the role finance, when an earlier month is open, when it is
    closed already, before a night of its last day or later was posted, or while money is not
    explained; ControlBusyError; ChainBrokenError when a registered journal file is missing.
    """
    period = parse_period(period)
    note = (written if is_despite_open else optional_written)(reason, "the reason")
    decider = _decider(rules, actor, "close a period")
    with store.write() as connection:
        _check_order(connection, home, period)
        _check_over(connection, period)
        unfinished = unfinished_payouts(connection, last_day(period), recorded_at)
        if unfinished and not is_despite_open:
            raise DecisionRefusedError(
                f"period {period} has payouts that are not explained: {'; '.join(unfinished)}. "
                "Clear them up, or close despite them with a reason. Nothing was recorded"
            )
        event = events.append(
            connection,
            kind=CLOSED_KIND,
            subject=f"period:{period}",
            actor=decider,
            recorded_at=recorded_at,
            payload={
                "after_segment": segments.next_segment(connection) - 1,
                **({"unfinished": unfinished} if unfinished else {}),
            },
            reason=note,
            identity_level=identity_level,
        )
    return ClosedPeriod(
        period, event.recorded_at, shown_actor(decider), event.payload["after_segment"]
    )


def reopen_period(
    store: Store,
    *,
    period: str,
    reason: str,
    actor: str,
    rules: ApprovalRules,
    recorded_at: datetime,
    identity_level: str = "os_user",
) -> str:
    """Reopen the last closed period; entries effective in it are posted in it again.

    What was posted in later months meanwhile stays there. Returns the period.
    Raises: DecisionRefusedError without the role finance or a reason, or when it is not the last
    closed one; ControlBusyError.
    """
    period = parse_period(period)
    reason = written(reason, "the reason")
    decider = _decider(rules, actor, "reopen a period")
    with store.write() as connection:
        last = last_closed(connection)
        if last is None or period > last:
            raise DecisionRefusedError(f"period {period} is not closed; nothing was recorded")
        if period != last:
            raise DecisionRefusedError(
                f"only the last closed period can be reopened, which is {last}; reopen that one "
                "first. Nothing was recorded"
            )
        events.append(
            connection,
            kind=REOPENED_KIND,
            subject=f"period:{period}",
            actor=decider,
            recorded_at=recorded_at,
            payload={"after_segment": segments.next_segment(connection) - 1},
            reason=reason,
            identity_level=identity_level,
        )
    return period


def load_periods(connection: Connection, home: Path) -> list[PeriodState]:
    """Every month from the first with entries to that of the last night, oldest first.

    Months of closings and of entries outside that range belong to it too.
    Raises: ChainBrokenError when a registered journal file is missing.
    """
    entries = posted_entries(connection, home)
    turns = {turn.period: turn for turn in load_turns(connection)}
    night = last_night(connection)
    known = {*entries, *turns, *([period_of(night.as_of)] if night else [])}
    if not known:
        return []
    last = last_closed(connection) or ""
    periods, period = [], min(known)
    while period <= max(known):
        turn = turns.get(period)
        state = PeriodState(period, CLOSED if period <= last else OPEN, entries.get(period, 0))
        if turn is not None:
            state = PeriodState(
                period, state.state, state.entries, turn.recorded_at, turn.decided_by, turn.reason,
                turn.after_segment,
            )  # fmt: skip
        periods.append(state)
        period = next_period(period)
    return periods


def posted_entries(connection: Connection, home: Path) -> Mapping[str, int]:
    """How many entries were posted in each period that has any."""
    paths = segments.existing_paths(home, segments.records(connection))
    if not paths:
        return {}
    reader = memory_connection()
    try:
        return dict(
            reader.execute(
                f"select posting_period, count(*) from {parquet_scan(paths)} group by 1 order by 1"
            ).fetchall()
        )
    finally:
        reader.close()


def _decider(rules: ApprovalRules, actor: str, verb: str) -> str:
    decider = identifier(person(actor), "the person who decides")
    if not rules.has_role(decider, ROLE):
        raise DecisionRefusedError(
            f"{actor} may not {verb}: roles.{ROLE} in program.yml names nobody of that name. "
            "Nothing was recorded"
        )
    return decider


def _check_order(connection: Connection, home: Path, period: str) -> None:
    closed = closed_periods(connection)
    if not closed:
        first = min(posted_entries(connection, home), default=period)
        if first < period:
            raise DecisionRefusedError(
                f"period {first} has entries and is open; periods close in order, so close "
                f"{first} first. Nothing was recorded"
            )
        return
    last = closed[-1].period
    if period <= last:
        raise DecisionRefusedError(
            f"period {period} is closed already: the last closed one is {last}. Nothing was "
            "recorded"
        )
    missing = next_period(last)
    if period != missing:
        raise DecisionRefusedError(
            f"period {missing} is open; periods close in order, so close {missing} first. Nothing "
            "was recorded"
        )


def _check_over(connection: Connection, period: str) -> None:
    night, day = last_night(connection), last_day(period)
    if night is None or night.as_of < day:
        posted = f"the last posted night is that of {night.as_of}" if night else "none was posted"
        raise DecisionRefusedError(
            f"period {period} cannot be closed before a night of {day} or later was posted; "
            f"{posted}. Nothing was recorded"
        )
