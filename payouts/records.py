"""Batches as stored: content, content hash, state, items. Read by every step after proposing.

What belongs here: reading and re-hashing batches, and appending an event to one.
What does not: building a batch (``batches``) or deciding on it (``approvals``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select, update

from payouts import events
from payouts.errors import BatchNotFoundError, ChainBrokenError, ControlBusyError
from payouts.hashing import canonical_json, sha256_text
from payouts.schema import batch_exceptions, batch_states, batches, payout_items
from payouts.states import BatchState, apply, fold

# The form that is hashed; a later form gets a new number and old batches keep theirs. Version 2
# added accounts, what is carried, and exceptions.
CONTENT_VERSION = 2
_FIRST_ITEM_FIELDS = (
    "payout_id", "partner_id", "partner_name", "amount_minor", "entries", "entries_hash",
)  # fmt: skip


@dataclass(frozen=True)
class BatchItem:
    """One partner's payout: positive minor units, and the hash over its sorted entry ids.

    carried_amount_minor: what stays to be netted later, zero or negative (P3). details_id and
    payee_fingerprint: the account in the vault that is paid; None on a rail that needs none.
    """

    payout_id: str
    partner_id: str
    partner_name: str
    amount_minor: int
    entries: int
    entries_hash: str
    carried_amount_minor: int | None = None
    details_id: str | None = None
    payee_fingerprint: str | None = None


@dataclass(frozen=True)
class BatchException:
    """What needs a look before a batch is approved; see ``batch_exceptions`` for the kinds."""

    kind: str
    partner_id: str | None
    amount_minor: int | None
    detail: str


@dataclass(frozen=True)
class BatchContent:
    """Everything that people approve. Two batches with one hash would pay the same money."""

    batch_id: str
    version: int
    legal_entity: str
    currency_code: str
    rail: str
    pay_date: date
    cutoff_date: date
    as_of: date
    terms_hash: str
    claims_sha256: str
    items: tuple[BatchItem, ...]
    exceptions: tuple[BatchException, ...] = ()
    payer_details_id: str | None = None
    payer_fingerprint: str | None = None
    content_version: int = CONTENT_VERSION

    @property
    def total_amount_minor(self) -> int:
        """Sum of all items (I6)."""
        return sum(item.amount_minor for item in self.items)


@dataclass(frozen=True)
class BatchSummary:
    """One batch in a list."""

    batch_id: str
    version: int
    legal_entity: str
    currency_code: str
    rail: str
    pay_date: date
    cutoff_date: date
    as_of: date
    state: str
    items: int
    total_amount_minor: int
    content_hash: str
    proposed_at: str


@dataclass(frozen=True)
class LeftOutPartner:
    """A partner that a batch leaves out, with the net amount and the one reason (P2)."""

    partner_id: str
    currency_code: str
    amount_minor: int
    reason: str


@dataclass(frozen=True)
class BatchDetail:
    """One batch with its items, those left out at its proposal, its state and all its events."""

    summary: BatchSummary
    items: tuple[BatchItem, ...]
    left_out: tuple[LeftOutPartner, ...]
    state: BatchState
    events: tuple[events.Event, ...]
    exceptions: tuple[BatchException, ...] = ()


def content_hash(content: BatchContent) -> str:
    """SHA-256 over the canonical JSON of the content; items in the order of partner and payout."""
    items = sorted(content.items, key=lambda item: (item.partner_id, item.payout_id))
    is_first_form = content.content_version == 1
    item_fields = _FIRST_ITEM_FIELDS if is_first_form else tuple(BatchItem.__dataclass_fields__)
    added = {
        "exceptions": [vars(exception) for exception in content.exceptions],
        "payer_details_id": content.payer_details_id,
        "payer_fingerprint": content.payer_fingerprint,
    }
    return sha256_text(
        canonical_json(
            {
                "content_version": content.content_version,
                "batch_id": content.batch_id,
                "version": content.version,
                "legal_entity": content.legal_entity,
                "currency_code": content.currency_code,
                "rail": content.rail,
                "pay_date": content.pay_date,
                "cutoff_date": content.cutoff_date,
                "as_of": content.as_of,
                "terms_hash": content.terms_hash,
                "claims_sha256": content.claims_sha256,
                "total_amount_minor": content.total_amount_minor,
                "items": [{name: getattr(item, name) for name in item_fields} for item in items],
                **({} if is_first_form else added),
            }
        )
    )


def subject(batch_id: str) -> str:
    """Subject of a batch's events."""
    return f"batch:{batch_id}"


def load_content(connection: Connection, batch_id: str) -> BatchContent:
    """The stored content of a batch.

    Raises: BatchNotFoundError.
    """
    row = connection.execute(select(batches).where(batches.c.batch_id == batch_id)).first()
    if row is None:
        raise BatchNotFoundError(
            f"there is no batch {batch_id!r}; partnerledger batches list shows them all"
        )
    items = connection.execute(
        select(payout_items)
        .where(payout_items.c.batch_id == batch_id, payout_items.c.left_out_reason.is_(None))
        .order_by(payout_items.c.partner_id)
    ).mappings()
    return BatchContent(
        batch_id=row.batch_id,
        version=row.version,
        legal_entity=row.legal_entity,
        currency_code=row.currency_code,
        rail=row.rail,
        pay_date=date.fromisoformat(row.pay_date),
        cutoff_date=date.fromisoformat(row.cutoff_date),
        as_of=date.fromisoformat(row.as_of),
        terms_hash=row.terms_hash,
        claims_sha256=row.claims_sha256,
        items=tuple(
            BatchItem(**{name: item[name] for name in BatchItem.__dataclass_fields__})
            for item in items
        ),
        exceptions=load_exceptions(connection, batch_id),
        payer_details_id=row.payer_details_id,
        payer_fingerprint=row.payer_fingerprint,
        content_version=row.content_version or 1,
    )


def load_exceptions(connection: Connection, batch_id: str) -> tuple[BatchException, ...]:
    """The exceptions of a batch, in the order in which they are shown."""
    rows = connection.execute(
        select(batch_exceptions)
        .where(batch_exceptions.c.batch_id == batch_id)
        .order_by(batch_exceptions.c.number)
    ).mappings()
    names = BatchException.__dataclass_fields__
    return tuple(BatchException(**{name: row[name] for name in names}) for row in rows)


def load_state(connection: Connection, batch_id: str) -> BatchState:
    """The state of a batch, folded from its events, never taken from the projection.

    Raises: BatchNotFoundError; ChainBrokenError when the projection disagrees.
    """
    found = events.of_subject(connection, subject(batch_id))
    if not found:
        raise BatchNotFoundError(
            f"there is no batch {batch_id!r}; partnerledger batches list shows them all"
        )
    state = fold(found)
    stored = connection.execute(
        select(batch_states).where(batch_states.c.batch_id == batch_id)
    ).first()
    if stored is None or (stored.state, stored.last_seq) != (state.state, state.last_seq):
        raise ChainBrokenError(
            f"the stored state of batch {batch_id} does not follow from its events: it was changed "
            "outside partnerledger; run partnerledger verify and restore a backup"
        )
    return state


def append_batch_event(
    connection: Connection,
    before: BatchState,
    *,
    kind: str,
    actor: str,
    recorded_at: datetime,
    payload: Mapping[str, Any] | None = None,
    reason: str = "",
    identity_level: str = "os_user",
) -> BatchState:
    """Append one event to a batch and move its projection, in the caller's write transaction.

    Raises: DecisionRefusedError when the state does not allow it; ControlBusyError when another
    writer moved the batch since ``before`` was read.
    """
    event = events.append(
        connection,
        kind=kind,
        subject=subject(before.batch_id),
        actor=actor,
        recorded_at=recorded_at,
        payload=payload,
        reason=reason,
        identity_level=identity_level,
    )
    after = apply(before, event)
    moved = connection.execute(
        update(batch_states)
        .where(
            batch_states.c.batch_id == before.batch_id,
            batch_states.c.last_seq == before.last_seq,
        )
        .values(state=after.state, last_seq=after.last_seq)
    )
    if moved.rowcount != 1:
        raise ControlBusyError(
            f"batch {before.batch_id} was changed by somebody else meanwhile; nothing was "
            "recorded. Look at it again and repeat"
        )
    return after


def list_batches(connection: Connection, states: Iterable[str] | None = None) -> list[BatchSummary]:
    """All batches, or those in some states: newest cut-off first, then currency and version."""
    query = (
        select(batches, batch_states.c.state)
        .join(batch_states, batch_states.c.batch_id == batches.c.batch_id)
        .order_by(
            batches.c.cutoff_date.desc(),
            batches.c.currency_code,
            batches.c.rail,
            batches.c.version.desc(),
            batches.c.batch_id,
        )
    )
    if states is not None:
        query = query.where(batch_states.c.state.in_(sorted(states)))
    return [_summary(row) for row in connection.execute(query).mappings()]


def show(connection: Connection, batch_id: str) -> BatchDetail:
    """One batch with everything that was decided about it.

    Raises: BatchNotFoundError, ChainBrokenError.
    """
    content = load_content(connection, batch_id)
    state = load_state(connection, batch_id)
    (summary,) = [row for row in list_batches(connection) if row.batch_id == batch_id]
    left_out = connection.execute(
        select(payout_items)
        .where(payout_items.c.batch_id == batch_id, payout_items.c.left_out_reason.is_not(None))
        .order_by(payout_items.c.partner_id)
    )
    return BatchDetail(
        summary=summary,
        items=content.items,
        left_out=tuple(
            LeftOutPartner(row.partner_id, row.currency_code, row.amount_minor, row.left_out_reason)
            for row in left_out
        ),
        state=state,
        events=tuple(events.of_subject(connection, subject(batch_id))),
        exceptions=content.exceptions,
    )


def _summary(row: Mapping[str, Any]) -> BatchSummary:
    fields = {name: row[name] for name in BatchSummary.__dataclass_fields__}
    for name in ("pay_date", "cutoff_date", "as_of"):
        fields[name] = date.fromisoformat(fields[name])
    return BatchSummary(**fields)
