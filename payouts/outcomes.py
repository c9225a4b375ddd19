"""What became of each payout of an exported batch, folded from recorded outcomes.

What belongs here: the states of a payout, which outcome may follow which, and reading them.
What does not: where an outcome comes from (``settlement``) and the batch's own state (``states``).
Source: payouts reference 3.1; I17, I19. Decision 0051.

The states do not depend on the order in which files are read (I11): a debit that is read after the
return of the same payment is kept as its history, older news of a payout changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import Connection, select

from payouts.errors import SettlementError
from payouts.schema import batch_states, batches, payout_items, payout_outcomes
from payouts.states import ABORTED as BATCH_ABORTED
from payouts.states import CLOSED, EXPORTED_STATES
from payouts.states import SENT as BATCH_SENT

EXPORTED, SENT, UNCLAIMED, SETTLED = "exported", "sent", "unclaimed", "settled"
FAILED, RETURNED, ABORTED = "failed", "returned", "aborted"
NOTICE = "notice"
STATES = (EXPORTED, SENT, UNCLAIMED, SETTLED, FAILED, RETURNED, ABORTED)
OPEN_STATES = (EXPORTED, SENT, UNCLAIMED)
TERMINAL_STATES = (SETTLED, FAILED, RETURNED, ABORTED)
# The amount goes back to the partner's balance, once.
GIVEN_BACK_STATES = (FAILED, RETURNED, ABORTED)

APPLIES, KNOWN, REFUSED = "applies", "known", "refused"
_FORWARD = {
    EXPORTED: (SENT, UNCLAIMED, SETTLED, FAILED, RETURNED, ABORTED),
    SENT: (UNCLAIMED, SETTLED, FAILED, RETURNED),
    UNCLAIMED: (SETTLED, RETURNED),
    SETTLED: (RETURNED,),
}
# What a payout in a state may be told again without anything new: the same, or older news. That a
# payment was rejected, and that it came back, are two names of one thing once it is given back.
_REPEATED = {
    SENT: (SENT,),
    UNCLAIMED: (SENT, UNCLAIMED),
    SETTLED: (SENT, UNCLAIMED, SETTLED),
    FAILED: (SENT, FAILED, RETURNED),
    RETURNED: (SENT, UNCLAIMED, FAILED, RETURNED),
    ABORTED: (FAILED, RETURNED),
}


@dataclass(frozen=True)
class ItemState:
    """One payout and where it stands. ``amount_minor`` is what was exported, positive.

    settled_date: value date of its debit, also when it came back later. changed_date: value date of
    the newest state. is_returned_after_settlement: whether its debit was known when it came back.
    seq: event of the newest outcome, 0 when there is none.
    """

    payout_id: str
    batch_id: str
    partner_id: str
    currency_code: str
    amount_minor: int
    state: str = EXPORTED
    is_debited: bool = False
    settled_date: date | None = None
    changed_date: date | None = None
    reason_code: str | None = None
    reference: str | None = None
    return_entry_id: str | None = None
    is_returned_after_settlement: bool = False
    notices: tuple[str, ...] = ()
    seq: int = 0

    @property
    def is_terminal(self) -> bool:
        """Whether nothing is expected any more; a settled payout can still come back."""
        return self.state in TERMINAL_STATES


def judge(
    item: ItemState, outcome: str, value_date: date | None, reason_code: str | None = None
) -> str:
    """Whether an outcome applies to a payout, is known already, or contradicts what is known."""
    if outcome == NOTICE:
        if item.state == ABORTED:
            return REFUSED
        return KNOWN if reason_code in item.notices else APPLIES
    if outcome in _FORWARD.get(item.state, ()):
        return APPLIES
    if item.state == RETURNED and outcome == SETTLED:
        return _judge_older_debit(item, value_date)
    return KNOWN if outcome in _REPEATED.get(item.state, ()) else REFUSED


def _judge_older_debit(item: ItemState, value_date: date | None) -> str:
    """A debit of a payout that has come back: its history, or paid once more after the return."""
    if value_date and item.changed_date and value_date > item.changed_date:
        return REFUSED
    return KNOWN if item.is_debited else APPLIES


def after(item: ItemState, row: Mapping[str, Any]) -> ItemState:
    """The payout after one recorded outcome: ``outcome``, ``value_date`` (ISO text or None),
    ``reason_code``, ``reference``, ``return_entry_id``, ``seq``.

    Raises: SettlementError when the outcome cannot follow.
    """
    outcome = row["outcome"]
    day = date.fromisoformat(row["value_date"]) if row["value_date"] else None
    if judge(item, outcome, day, row["reason_code"]) != APPLIES:
        raise SettlementError(
            f"payout {item.payout_id} is {item.state} and cannot become {outcome}; run "
            "partnerledger verify and restore the control database from a backup"
        )
    moved = replace(item, seq=row["seq"])
    if outcome == NOTICE:
        return replace(moved, notices=(*item.notices, row["reason_code"]))
    if outcome == SETTLED:
        moved = replace(moved, is_debited=True, settled_date=day)
        if item.state == RETURNED:
            return moved
    return replace(
        moved,
        state=outcome,
        changed_date=day,
        reason_code=row["reason_code"],
        reference=row["reference"] or item.reference,
        return_entry_id=row["return_entry_id"] or item.return_entry_id,
        is_returned_after_settlement=outcome in (FAILED, RETURNED) and item.is_debited,
    )


def item_states(connection: Connection, batch_id: str) -> dict[str, ItemState]:
    """Every payout of an exported batch by id; empty for a batch that was not exported.

    Raises: SettlementError when recorded outcomes cannot follow each other.
    """
    return all_item_states(connection, [batch_id])


def all_item_states(
    connection: Connection, batch_ids: Iterable[str] | None = None
) -> dict[str, ItemState]:
    """Every exported payout of some batches, or of all when None. Raises: as ``item_states``."""
    items = (
        select(
            payout_items.c.payout_id,
            payout_items.c.batch_id,
            payout_items.c.partner_id,
            # Of the batch, whose approved hash covers it; that of the item is covered by nothing.
            batches.c.currency_code,
            payout_items.c.amount_minor,
            batch_states.c.state,
        )
        .join(batch_states, batch_states.c.batch_id == payout_items.c.batch_id)
        .join(batches, batches.c.batch_id == payout_items.c.batch_id)
        .where(batch_states.c.state.in_(EXPORTED_STATES), payout_items.c.left_out_reason.is_(None))
        .order_by(payout_items.c.payout_id)
    )
    outcomes = select(payout_outcomes).order_by(payout_outcomes.c.seq, payout_outcomes.c.number)
    if batch_ids is not None:
        wanted = sorted(batch_ids)
        items = items.where(payout_items.c.batch_id.in_(wanted))
        outcomes = outcomes.where(payout_outcomes.c.batch_id.in_(wanted))
    found: dict[str, ItemState] = {}
    states: dict[str, str] = {}
    for row in connection.execute(items):
        found[row.payout_id] = ItemState(*row[:5])
        states[row.payout_id] = row.state
    for row in connection.execute(outcomes).mappings():
        if row["payout_id"] not in found:
            raise SettlementError(
                f"event {row['seq']} names payout {row['payout_id']}, which was never exported; "
                "restore the control database from a backup"
            )
        found[row["payout_id"]] = after(found[row["payout_id"]], row)
    return {payout_id: _with_batch(item, states[payout_id]) for payout_id, item in found.items()}


def _with_batch(item: ItemState, batch_state: str) -> ItemState:
    """What a batch says of a payout that no file has named yet."""
    if item.state == EXPORTED and batch_state in (BATCH_SENT, CLOSED):
        return replace(item, state=SENT)
    if item.state == EXPORTED and batch_state == BATCH_ABORTED:
        return replace(item, state=ABORTED)
    return item
