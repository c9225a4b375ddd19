"""What of payouts is not explained when a month is closed (J4): old open ones, lines of banks.

What belongs here: looking. What does not: closing (``closing``) and clearing things up
(``settlement``). Decision 0053.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime

from sqlalchemy import Connection, select

from payouts.hashing import parse_instant
from payouts.outcomes import EXPORTED, SENT, all_item_states
from payouts.schema import exports
from payouts.settlement.open_lines import open_lines

# A bank books or rejects within a few days; a recipient may take a month to claim a payment.
BANK_DAYS = 14
_NAMED = 5


def unfinished_payouts(connection: Connection, last_day: date, recorded_at: datetime) -> list[str]:
    """What stands against closing a month that ends on ``last_day``; one sentence each, ids only.

    Payouts that were exported by then and of which the bank has said nothing final for more than
    14 days, and lines of banks' files, of whatever month, that were neither applied nor
    acknowledged: money that the bank moved and the books do not show.
    recorded_at: the wall clock, naive UTC.
    """
    exported_on = {
        row.batch_id: parse_instant(row.exported_at).date()
        for row in connection.execute(select(exports.c.batch_id, exports.c.exported_at))
    }
    old = {
        batch_id
        for batch_id, day in exported_on.items()
        if day <= last_day and (recorded_at.date() - day).days > BANK_DAYS
    }
    waiting = Counter(
        item.batch_id
        for item in (all_item_states(connection, old) if old else {}).values()
        if item.state in (EXPORTED, SENT)
    )
    found = [
        f"batch {batch_id} was exported on {exported_on[batch_id]} and has {count} open payouts"
        for batch_id, count in sorted(waiting.items())
    ]
    lines = open_lines(connection)
    found += [
        f"line {line.line} of file {line.settlement} is open ({line.kind})"
        for line in lines[:_NAMED]
    ]
    if len(lines) > _NAMED:
        found.append(f"{len(lines) - _NAMED} more lines are open")
    return found
