"""What earlier files and people have said, as far as a new file is judged by it.

What belongs here: days of debits on statements, and who has confirmed which batch. What does not:
the judgement (``planning``). Decision 0051.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection, select

from payouts import events
from payouts.outcomes import SETTLED
from payouts.schema import payout_outcomes, settlement_files
from payouts.settlement.planning import STATEMENTS
from payouts.terms import person

SETTLEMENT_READ = "settlement_read"


def debit_days(reader: Connection) -> dict[str, frozenset[date]]:
    """Value dates on which statements have debited each payout, also those that changed nothing.

    A status report or a CSV names the day of its own: it does not count here.
    """
    days: dict[str, set[date]] = {}
    rows = reader.execute(
        select(payout_outcomes.c.payout_id, payout_outcomes.c.value_date)
        .join(
            settlement_files,
            settlement_files.c.settlement_id == payout_outcomes.c.settlement_id,
        )
        .where(
            payout_outcomes.c.outcome == SETTLED,
            payout_outcomes.c.value_date.is_not(None),
            settlement_files.c.file_format.in_(STATEMENTS),
        )
    )
    seen = [(row.payout_id, row.value_date) for row in rows]
    for event in events.of_kinds(reader, (SETTLEMENT_READ,)):
        seen += event.payload.get("debits", ())
    for payout_id, day in seen:
        days.setdefault(payout_id, set()).add(date.fromisoformat(day))
    return {payout_id: frozenset(found) for payout_id, found in days.items()}


def confirmed_by_others(reader: Connection, settler: str) -> frozenset[str]:
    """Batches that somebody else has confirmed as sent, or has read a file about."""
    return frozenset(
        event.subject.removeprefix("batch:")
        for event in events.of_kinds(reader, ("batch_sent", "batch_outcomes"))
        if person(event.actor) != settler
    )
