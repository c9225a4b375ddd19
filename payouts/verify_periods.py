"""Proof that adjustments were posted as approved, and that closed periods received nothing.

What belongs here: checks on adjustments and periods. What does not: the chain and the journal
themselves (``verify``).
Rules: J1, J4; decision 0042.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import takewhile

from payouts import events
from payouts.adjustments import (
    ADJUSTMENTS,
    POSSIBLE_FROM,
    POSTED,
    PROPOSED,
    TURN_KINDS,
    load_adjustments,
)
from payouts.findings import Check, Evidence, Finding
from payouts.lead_rows import event_id
from payouts.parquet import parquet_scan
from payouts.periods import PeriodTurn, load_turns, next_period
from payouts.posted_adjustments import entries_of
from payouts.verify_leads import row_finding


def _adjustments(evidence: Evidence) -> Iterator[Finding]:
    """Each proposal has its event with its hash, and each such event its row."""
    yield row_finding(evidence, ADJUSTMENTS)


def _adjustment_decisions(evidence: Evidence) -> Iterator[Finding]:
    """Turns follow each other as they may; whoever proposed an adjustment did not approve it."""
    faults, states, makers = [], {}, {}
    for event in events.of_kinds(evidence.control, (ADJUSTMENTS.kind, *TURN_KINDS)):
        if event.kind == ADJUSTMENTS.kind:
            adjustment_id = event_id(ADJUSTMENTS.prefix, event.hash)
            states[adjustment_id], makers[adjustment_id] = PROPOSED, event.actor
            continue
        adjustment_id, state = event.subject.removeprefix("adjustment:"), TURN_KINDS[event.kind]
        if states.get(adjustment_id) != POSSIBLE_FROM[state]:
            faults.append(f"{event.subject} could not become {state} (event {event.seq})")
        if event.kind == "adjustment_approved" and makers.get(adjustment_id) == event.actor:
            faults.append(f"{event.subject} was approved by its maker (event {event.seq})")
        states[adjustment_id] = state
    proved = f"{len(states)} adjustments, decided in order and with four eyes"
    yield Finding("adjustment_decisions", not faults, "; ".join(faults) if faults else proved)


def _posted_adjustments(evidence: Evidence) -> Iterator[Finding]:
    """The journal's entries of kind adjustment are exactly what was approved, once each."""
    paths = evidence.segment_paths
    posted = entries_of(evidence.reader, parquet_scan(paths)) if paths else []
    wanted = {
        each.entry_id: each for each in load_adjustments(evidence.control) if each.state == POSTED
    }
    faults = []
    for entry in posted:
        adjustment = wanted.pop(entry.entry_id, None)
        if adjustment is None or adjustment.adjustment_id != entry.adjustment_id:
            faults.append(f"entry {entry.entry_id} posts {entry.adjustment_id} without an approval")
        elif not entry.is_what_was_approved(adjustment):
            faults.append(f"entry {entry.entry_id} is not what {entry.adjustment_id} was approved")
    faults += [f"{each.adjustment_id} is not in the journal" for each in wanted.values()]
    proved = f"{len(posted)} adjustments posted as approved"
    yield Finding("posted_adjustments", not faults, "; ".join(faults) if faults else proved)


def _closed_periods(evidence: Evidence) -> Iterator[Finding]:
    """J4: periods close and reopen in order, and none received entries while it was closed."""
    turns = load_turns(evidence.control)
    faults = [*_turn_faults(evidence, turns)]
    if not faults:
        faults = [*_entries_in_closed(evidence, turns)]
    open_turns = sum(1 if turn.is_closed else -1 for turn in turns)
    proved = f"{open_turns} closed periods, no entry posted in one while it was closed"
    yield Finding("closed_periods", not faults, "; ".join(faults) if faults else proved)


def _turn_faults(evidence: Evidence, turns: list[PeriodTurn]) -> Iterator[str]:
    """Turns out of order, and those that name another segment than the chain of events does."""
    registered = {
        event.seq: int(event.subject.removeprefix("segment:"))
        for event in events.of_kinds(evidence.control, ("segment_registered",))
    }
    closed: list[str] = []
    for turn in turns:
        before = [segment for seq, segment in registered.items() if seq < turn.seq]
        if turn.after_segment != max(before, default=0):
            yield f"event {turn.seq} on period {turn.period} names another segment than the last"
        if turn.is_closed:
            if closed and turn.period != next_period(closed[-1]):
                yield f"period {turn.period} was closed out of order (event {turn.seq})"
            closed.append(turn.period)
        elif not closed or closed.pop() != turn.period:
            yield f"period {turn.period} was reopened out of order (event {turn.seq})"
            return


def _entries_in_closed(evidence: Evidence, turns: list[PeriodTurn]) -> Iterator[str]:
    """Entries of a period in segments that were posted while the period was closed."""
    paths = evidence.segment_paths
    if not paths or not turns:
        return
    rows = evidence.reader.execute(
        "select segment, posting_period, count(*), min(entry_id) "
        f"from {parquet_scan(paths)} group by 1, 2 order by 1, 2"
    ).fetchall()
    for segment, period, entries, example in rows:
        last = _last_closed_before(turns, segment)
        if last is not None and period <= last:
            yield (
                f"{entries} entries of segment {segment} are in period {period}, which was closed, "
                f"as {example}"
            )


def _last_closed_before(turns: list[PeriodTurn], segment: int) -> str | None:
    """The last closed period when a segment was posted."""
    closed: list[str] = []
    for turn in takewhile(lambda turn: turn.after_segment < segment, turns):
        closed = [*closed, turn.period] if turn.is_closed else closed[:-1]
    return closed[-1] if closed else None


PERIOD_CHECKS: tuple[Check, ...] = (
    _adjustments,
    _adjustment_decisions,
    _posted_adjustments,
    _closed_periods,
)
