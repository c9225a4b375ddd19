"""Lines of banks' files that were not applied, and what settles them: a later file, or a person.

What belongs here: which lines are still open, and acknowledging one. What does not: deciding on a
line (``planning``). Decisions 0051 and 0053.

A line is done when it was applied by a later reading of its file, when another file has told the
same of its payout since, or when finance has acknowledged it. A debit booked twice ends only so:
nothing that is read later gives that money back.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from payouts import events
from payouts.errors import DecisionRefusedError
from payouts.outcomes import FAILED, RETURNED
from payouts.schema import payout_outcomes, settlement_files
from payouts.settlement.planning import (
    AMOUNT_DIFFERS,
    BOOKED_TWICE,
    CONTRADICTS,
    OTHER_ACCOUNT,
    OTHER_BATCH,
    OTHER_RAIL,
    SEVERAL_PAYOUTS,
    TOTAL_DIFFERS,
    UNKNOWN_PAYOUT,
    WRONG_CURRENCY,
)
from payouts.store import Store
from payouts.terms import ApprovalRules, person
from payouts.texts import refuse_secrets, written

READ, ACKNOWLEDGED = "settlement_read", "settlement_line_acknowledged"
ROLE = "finance"
# What the bank says it did and the books do not show: nothing matches while one is open. A payout
# that nobody recognises stops the batch whose file its line is about.
UNEXPLAINED_KINDS = frozenset(
    {
        CONTRADICTS, BOOKED_TWICE, AMOUNT_DIFFERS, OTHER_ACCOUNT, OTHER_RAIL, SEVERAL_PAYOUTS,
        TOTAL_DIFFERS, UNKNOWN_PAYOUT, WRONG_CURRENCY,
    }
)  # fmt: skip


@dataclass(frozen=True)
class OpenLine:
    """One line that was not applied. ``settlement``: the name of its file in events and lists.

    event: number of the event of its reading. outcome: what the line said. recorded_at: when it
    was read, fixed-width UTC text.
    """

    settlement: str
    event: int
    kind: str
    line: int
    payout_id: str | None
    batch_id: str | None
    outcome: str | None
    detail: str
    recorded_at: str

    @property
    def is_unexplained(self) -> bool:
        """Whether a match cannot be true while it is open."""
        return self.kind in UNEXPLAINED_KINDS


def open_lines(connection: Connection) -> list[OpenLine]:
    """Lines that still need somebody, oldest first; those of other batches alone need nobody."""
    told = _Told(connection)
    acknowledged = {
        (event.payload["read_seq"], line)
        for event in events.of_kinds(connection, (ACKNOWLEDGED,))
        for line in event.payload["lines"]
    }
    return [
        line
        for event in events.of_kinds(connection, (READ,))
        for line in _lines(event)
        if line.kind != OTHER_BATCH
        and (line.event, line.line) not in acknowledged
        and not told.settles(line)
    ]


def acknowledge_lines(
    store: Store,
    settlement: str,
    lines: Iterable[int],
    *,
    reason: str,
    actor: str,
    rules: ApprovalRules,
    recorded_at: datetime,
    identity_level: str = "os_user",
) -> list[OpenLine]:
    """Record that somebody has cleared up open lines of a file; it moves nothing.

    settlement: the file as `batches match` or `batches settle` names it. lines: of the file, from
    1; one line may be about several payouts. Returns what is not open any more.
    Raises: DecisionRefusedError without the role finance or a reason, or when a line is not open.
    """
    note = written(reason, "the reason")
    refuse_secrets(note, "the reason")
    decider = person(actor)
    if not rules.has_role(decider, ROLE):
        raise DecisionRefusedError(
            f"{actor} may not acknowledge lines: roles.{ROLE} in program.yml names nobody of that "
            "name. Nothing was recorded"
        )
    wanted = sorted(set(lines))
    with store.write() as connection:
        seq = connection.execute(
            select(settlement_files.c.seq).where(settlement_files.c.settlement_id == settlement)
        ).scalar()
        found = [
            line
            for line in open_lines(connection)
            if line.line in wanted and (line.event == seq or line.settlement == settlement)
        ]
        missing = set(wanted) - {line.line for line in found}
        if missing or not found:
            raise DecisionRefusedError(
                f"file {settlement!r} has no open line {', '.join(map(str, sorted(missing)))}; "
                "partnerledger batches match names open ones. Nothing was recorded"
            )
        events.append(
            connection,
            kind=ACKNOWLEDGED,
            subject=f"settlement:{found[0].settlement}",
            actor=decider,
            recorded_at=recorded_at,
            payload={"read_seq": found[0].event, "lines": wanted},
            reason=note,
            identity_level=identity_level,
        )
    return found


def _lines(event: events.Event) -> Iterable[OpenLine]:
    for each in event.payload["discrepancies"]:
        yield OpenLine(
            settlement=event.subject.removeprefix("settlement:"),
            event=event.seq,
            recorded_at=event.recorded_at,
            **{"outcome": None, **each},
        )


class _Told:
    """What files have told and was applied."""

    def __init__(self, connection: Connection) -> None:
        self.applied: set[tuple[int, int, str | None]] = set()
        self.told: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
        rows = connection.execute(
            select(
                payout_outcomes.c.seq,
                payout_outcomes.c.payout_id,
                payout_outcomes.c.outcome,
                payout_outcomes.c.line,
                settlement_files.c.seq.label("read_seq"),
            ).join(
                settlement_files,
                settlement_files.c.settlement_id == payout_outcomes.c.settlement_id,
            )
        )
        for row in rows:
            self.applied |= {
                (row.read_seq, row.line, row.payout_id),
                (row.read_seq, row.line, None),
            }
            self.told[row.payout_id, _meaning(row.outcome)].append((row.seq, row.read_seq))

    def settles(self, line: OpenLine) -> bool:
        """Whether a line was applied later, or another file has told the same since."""
        if line.kind == BOOKED_TWICE:
            return False
        if (line.event, line.line, line.payout_id) in self.applied:
            return True
        if line.payout_id is None or line.outcome is None:
            return False
        # Two lines of one file are two movements, so that one does not explain the other.
        return any(
            seq > line.event and read_seq != line.event
            for seq, read_seq in self.told[line.payout_id, _meaning(line.outcome)]
        )


def _meaning(outcome: str) -> str:
    """That a payment was rejected, and that it came back, are two names of one thing."""
    return RETURNED if outcome == FAILED else outcome
