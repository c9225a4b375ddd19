"""What needs a look before a batch is approved: found when it is proposed, and hashed with it.

What belongs here: the kinds and finding them. What does not: leaving a partner out
(``selection``), and what the approvers must then be (``terms``).

Kinds, in the order in which they are shown: ``new_details`` (another account than that of the last
payout), ``first_payment``, ``unusual_amount`` (more than ``caps.times_average`` times the mean of
at least two earlier payouts), ``open_dispute``, ``negative_carried``, ``one_item_file`` (banks
verify the payee of a package of one, see the reference on Verification of Payee), ``over_cap``
(the export refuses until the cap in the terms is raised).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from payouts.outcomes import GIVEN_BACK_STATES, all_item_states
from payouts.records import BatchException, BatchItem
from payouts.schema import batch_states, batches, payout_items
from payouts.states import ABORTED, EXPORTED_STATES
from payouts.terms import Caps, PayoutRules

KINDS = (
    "new_details", "first_payment", "unusual_amount", "open_dispute", "negative_carried",
    "one_item_file", "over_cap",
)  # fmt: skip
RAISING_KINDS = frozenset({"new_details", "first_payment", "unusual_amount"})
_FEWEST_EARLIER = 2
_PACKAGE_RAIL = "sepa"


@dataclass(frozen=True)
class EarlierPayouts:
    """What was exported to a partner in one currency before: count, sum, the last account.

    ``payouts`` is 0 when all of it came back; the account is then that of the last attempt.
    """

    payouts: int
    amount_minor: int
    details_id: str | None


def earlier_payouts(connection: Connection, currency_code: str) -> dict[str, EarlierPayouts]:
    """Earlier payouts per partner in a currency, over every batch whose file is out.

    What failed or came back was not paid, and counts for its account alone, and that only while
    nothing else was paid.
    """
    states = [state for state in EXPORTED_STATES if state != ABORTED]
    came_back = {
        payout_id
        for payout_id, item in all_item_states(connection).items()
        if item.state in GIVEN_BACK_STATES
    }
    rows = connection.execute(
        select(
            payout_items.c.payout_id,
            payout_items.c.partner_id,
            payout_items.c.amount_minor,
            payout_items.c.details_id,
        )
        .join(batches, batches.c.batch_id == payout_items.c.batch_id)
        .join(batch_states, batch_states.c.batch_id == batches.c.batch_id)
        .where(
            payout_items.c.currency_code == currency_code,
            payout_items.c.left_out_reason.is_(None),
            batch_states.c.state.in_(states),
        )
        .order_by(batches.c.cutoff_date, batches.c.version, payout_items.c.payout_id)
    )
    found: dict[str, EarlierPayouts] = {}
    for row in rows:
        before = found.get(row.partner_id, EarlierPayouts(0, 0, None))
        if row.payout_id in came_back:
            if not before.payouts:
                found[row.partner_id] = EarlierPayouts(0, 0, row.details_id)
            continue
        found[row.partner_id] = EarlierPayouts(
            before.payouts + 1, before.amount_minor + row.amount_minor, row.details_id
        )
    return found


def find_exceptions(
    items: Sequence[BatchItem],
    *,
    rail: str,
    currency_code: str,
    earlier: Mapping[str, EarlierPayouts],
    disputing: frozenset[str],
    rules: PayoutRules,
) -> tuple[BatchException, ...]:
    """The exceptions of a batch, most pressing kind first, then by partner.

    disputing: partners with an open dispute.
    """
    found = [
        exception
        for item in items
        for exception in _of_item(item, earlier.get(item.partner_id), disputing, rules.caps)
    ]
    total_minor = sum(item.amount_minor for item in items)
    if rail == _PACKAGE_RAIL and len(items) == 1:
        found.append(
            BatchException(
                "one_item_file", None, total_minor, "the bank verifies the payee of a file of one"
            )
        )
    found += [
        BatchException("over_cap", None, total_minor, fault)
        for fault in cap_faults(total_minor, len(items), currency_code, rules.caps)
    ]
    return tuple(
        sorted(found, key=lambda each: (KINDS.index(each.kind), each.partner_id or "", each.detail))
    )


def cap_faults(total_minor: int, payouts: int, currency_code: str, caps: Caps) -> list[str]:
    """Which caps of the terms a batch exceeds; the cap itself is allowed."""
    faults = []
    cap_minor = caps.per_batch_minor.get(currency_code)
    if cap_minor is not None and total_minor > cap_minor:
        faults.append("the total is above payouts.caps.per_batch")
    if caps.payouts_per_batch is not None and payouts > caps.payouts_per_batch:
        faults.append("there are more payouts than payouts.caps.payouts_per_batch")
    return faults


def raises_the_bar(exceptions: Sequence[BatchException]) -> bool:
    """Whether ``approvals.with_exceptions`` applies to a batch with these."""
    return any(exception.kind in RAISING_KINDS for exception in exceptions)


def _of_item(
    item: BatchItem, earlier: EarlierPayouts | None, disputing: frozenset[str], caps: Caps
) -> list[BatchException]:
    found = []

    def add(kind: str, amount_minor: int, detail: str) -> None:
        found.append(BatchException(kind, item.partner_id, amount_minor, detail))

    if earlier is None or not earlier.payouts:
        add("first_payment", item.amount_minor, "nothing was paid to this partner before")
    if earlier is not None:
        if item.details_id is not None and item.details_id != earlier.details_id:
            add("new_details", item.amount_minor, "another account than that of the last payout")
        times = caps.times_average
        if (
            times is not None
            and earlier.payouts >= _FEWEST_EARLIER
            and item.amount_minor * earlier.payouts > times * earlier.amount_minor
        ):
            add(
                "unusual_amount",
                item.amount_minor,
                f"more than {times.normalize():f} times the mean of {earlier.payouts} payouts",
            )
    if item.partner_id in disputing:
        add("open_dispute", item.amount_minor, "the partner has an open dispute")
    if item.carried_amount_minor:
        add("negative_carried", item.carried_amount_minor, "left to be netted later")
    return found
