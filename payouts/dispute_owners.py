"""Who decided what is disputed: they do not decide the dispute.

What belongs here: finding the people whose own decision a dispute questions, in the events.
What does not: which lead, registration or adjustment is behind a line; the caller knows that.
Decision 0054.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, select

from payouts import events
from payouts.errors import DecisionRefusedError
from payouts.lead_joins import former_lead_ids
from payouts.lead_rows import event_id
from payouts.records import load_state
from payouts.rulings import RULING_PREFIX
from payouts.schema import batches, payout_items
from payouts.states import EXPORTED_STATES

_RULING_TURNS = ("ruling_approved", "ruling_declined", "ruling_revoked")
_REGISTRATION_TURNS = (
    "registration_approved", "registration_declined", "registration_extended",
)  # fmt: skip


@dataclass(frozen=True)
class Governing:
    """What a disputed subject rests on, as the published snapshot has it.

    registration_keys: ``source:entity:id`` of the lead's registrations. batch_id: of a payout.
    """

    lead_id: str | None = None
    registration_keys: tuple[str, ...] = ()
    adjustment_id: str | None = None
    batch_id: str | None = None


@dataclass(frozen=True)
class DisputedPayout:
    """A payout of a batch. ``paid_on`` is its pay date once its file is out, else None."""

    partner_id: str
    batch_id: str
    paid_on: date | None


def disputed_payout(connection: Connection, payout_id: str) -> DisputedPayout:
    """A payout that can be disputed.

    Raises: DecisionRefusedError when no batch has it: who was left out disputes the line.
    """
    row = connection.execute(
        select(payout_items.c.partner_id, payout_items.c.batch_id, batches.c.pay_date)
        .join(batches, batches.c.batch_id == payout_items.c.batch_id)
        .where(payout_items.c.payout_id == payout_id, payout_items.c.left_out_reason.is_(None))
    ).first()
    if row is None:
        raise DecisionRefusedError(
            f"no batch has a payout {payout_id!r}; `partnerledger batches show` lists them. "
            "Nothing was recorded"
        )
    is_out = load_state(connection, row.batch_id).state in EXPORTED_STATES
    return DisputedPayout(
        row.partner_id, row.batch_id, date.fromisoformat(row.pay_date) if is_out else None
    )


def owners(connection: Connection, governing: Governing) -> dict[str, str]:
    """The people whose decision is disputed, each with what they decided.

    Of each ruling and registration the newest decision counts; of a batch the approvals of the
    running round. A delivered registration that nobody decided on here has no owner.
    """
    found: dict[str, str] = {}
    if governing.lead_id:
        for event in _newest(connection, _RULING_TURNS, _ruling_subjects(connection, governing)):
            found.setdefault(event.actor, f"{_verb(event)} {event.subject.replace(':', ' ', 1)}")
    keys = {f"registration:{key}" for key in governing.registration_keys}
    for event in _newest(connection, _REGISTRATION_TURNS, keys):
        found.setdefault(event.actor, f"{_verb(event)} {event.subject.replace(':', ' ', 1)}")
    if governing.adjustment_id:
        subjects = {f"adjustment:{governing.adjustment_id}"}
        for event in _newest(connection, ("adjustment_approved",), subjects):
            found.setdefault(event.actor, f"approved adjustment {governing.adjustment_id}")
    if governing.batch_id:
        for approval in load_state(connection, governing.batch_id).approvals:
            # Who lent the role has acted in the approval too.
            for actor in filter(None, (approval.actor, approval.delegator)):
                found.setdefault(actor, f"approved batch {governing.batch_id}")
    return found


def _ruling_subjects(connection: Connection, governing: Governing) -> set[str]:
    leads = {f"lead:{each}" for each in former_lead_ids(connection, governing.lead_id or "")}
    return {
        f"ruling:{event_id(RULING_PREFIX, event.hash)}"
        for event in events.of_kinds(connection, ("ruling_proposed",))
        if event.subject in leads
    }


def _newest(
    connection: Connection, kinds: tuple[str, ...], subjects: set[str]
) -> list[events.Event]:
    """The newest of these events of each subject."""
    if not subjects:
        return []
    newest = {
        event.subject: event
        for event in events.of_kinds(connection, kinds)
        if event.subject in subjects
    }
    return list(newest.values())


def _verb(event: events.Event) -> str:
    return event.kind.partition("_")[2]
