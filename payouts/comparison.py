"""A batch beside the last one of its kind that was paid: who is new, who is gone, what changed.

What belongs here: the comparison, for people who approve. What does not: exceptions, which are
hashed with the batch (``batch_exceptions``).
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from payouts.records import BatchContent, load_content
from payouts.schema import batch_states, batches
from payouts.states import ABORTED, EXPORTED_STATES

NEW, GONE, CHANGED, SAME = "new", "gone", "changed", "same"


@dataclass(frozen=True)
class ComparedPartner:
    """One partner in both batches or in one; amounts in minor units, 0 where it is not paid."""

    partner_id: str
    change: str
    amount_minor: int
    last_amount_minor: int

    @property
    def difference_minor(self) -> int:
        """How much more is paid now."""
        return self.amount_minor - self.last_amount_minor


@dataclass(frozen=True)
class Comparison:
    """A batch beside the last; ``last_batch_id`` is None for the first of its kind."""

    batch_id: str
    last_batch_id: str | None
    total_amount_minor: int
    last_total_amount_minor: int
    partners: tuple[ComparedPartner, ...]

    def count(self, change: str) -> int:
        """Number of partners with this change."""
        return sum(partner.change == change for partner in self.partners)


def compare_with_last(connection: Connection, batch_id: str) -> Comparison:
    """Compare a batch with the last exported one of its legal entity, currency and rail.

    Partners with the largest difference first. Raises: BatchNotFoundError.
    """
    content = load_content(connection, batch_id)
    last_id = _last_exported(connection, content)
    last = load_content(connection, last_id) if last_id else None
    now = {item.partner_id: item.amount_minor for item in content.items}
    before = {item.partner_id: item.amount_minor for item in last.items} if last else {}
    partners = [
        _compared(partner_id, now.get(partner_id), before.get(partner_id))
        for partner_id in sorted(now.keys() | before.keys())
    ]
    partners.sort(key=lambda partner: (-abs(partner.difference_minor), partner.partner_id))
    return Comparison(
        batch_id=batch_id,
        last_batch_id=last_id,
        total_amount_minor=content.total_amount_minor,
        last_total_amount_minor=last.total_amount_minor if last else 0,
        partners=tuple(partners),
    )


def _compared(partner_id: str, now: int | None, before: int | None) -> ComparedPartner:
    if before is None:
        change = NEW
    elif now is None:
        change = GONE
    else:
        change = SAME if now == before else CHANGED
    return ComparedPartner(partner_id, change, now or 0, before or 0)


def _last_exported(connection: Connection, content: BatchContent) -> str | None:
    states = [state for state in EXPORTED_STATES if state != ABORTED]
    place = (batches.c.cutoff_date.desc(), batches.c.version.desc())
    query = (
        select(batches.c.batch_id)
        .join(batch_states, batch_states.c.batch_id == batches.c.batch_id)
        .where(
            batches.c.legal_entity == content.legal_entity,
            batches.c.currency_code == content.currency_code,
            batches.c.rail == content.rail,
            batches.c.batch_id != content.batch_id,
            batches.c.cutoff_date <= content.cutoff_date.isoformat(),
            batch_states.c.state.in_(states),
        )
        .order_by(*place)
        .limit(1)
    )
    return connection.execute(query).scalar()
