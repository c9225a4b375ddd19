"""Disputes as recorded: states, what follows what, and reading them.

What belongs here: the fold of a dispute's events, its row, and who may follow whom. What does not:
opening and ending one (``disputes``) and who decided what is disputed (``dispute_owners``).
Source: payouts reference 8; decision 0054.

Everything but texts stands in events, so that a list reads no text. What people wrote and the
evidence that was attached stand in ``commission_disputes``, proved by the hash in the event that
opened the dispute. That event's subject is the partner: the dispute's id is made of its hash.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, select

from payouts import events
from payouts.errors import ChainBrokenError, DecisionRefusedError
from payouts.hashing import instant_text
from payouts.lead_rows import HashedTable, event_id, row_sha256
from payouts.schema import commission_disputes
from payouts.texts import shown_actor

DISPUTES = HashedTable(
    commission_disputes, "dispute_opened", "dispute_id", "dsp",
    ("seq", "subject_type", "subject_id", "partner_id", "opened_by_role", "due_at", "text",
     "evidence"),
)  # fmt: skip
LINE, LEAD, PAYOUT = "line", "lead", "payout"
SUBJECT_TYPES = (LINE, LEAD, PAYOUT)
PARTNER_ROLE = "partner"
OPENED, UNDER_REVIEW, WITHDRAWN = "opened", "under_review", "withdrawn"
UPHELD, PARTLY_UPHELD, REJECTED = "upheld", "partly_upheld", "rejected"
OPEN_STATES = (OPENED, UNDER_REVIEW)
OUTCOMES = (UPHELD, PARTLY_UPHELD, REJECTED)
STATES = (*OPEN_STATES, *OUTCOMES, WITHDRAWN)
REVIEW, DECIDE, WITHDRAW = "dispute_reviewed", "dispute_decided", "dispute_withdrawn"
TURN_KINDS = (REVIEW, DECIDE, WITHDRAW)
# Kind of event → states in which it may come. What has ended stays ended.
POSSIBLE_IN: Mapping[str, tuple[str, ...]] = {
    REVIEW: (OPENED,),
    DECIDE: (UNDER_REVIEW,),
    WITHDRAW: OPEN_STATES,
}
# What an upheld dispute leads to: an adjustment, a ruling, or a correction at the source.
ADJUSTMENT, RULING, SOURCE = "adjustment", "ruling", "source"
_WAITS_FOR = {
    OPENED: "review it first, or withdraw it",
    UNDER_REVIEW: "decide or withdraw it",
    **dict.fromkeys((*OUTCOMES, WITHDRAWN), "that is final"),
}


@dataclass(frozen=True)
class Dispute:
    """One dispute as it stands. Instants are fixed-width UTC text; names are without domain.

    ``subject_id`` is a commission id, a lead id or a payout id. ``opened_by_role`` is ``partner``,
    ``partnerships`` or ``finance``. ``decided_at``, ``decided_by`` and ``reason`` are those of its
    end, a withdrawal too. ``remedy`` is what an upheld one leads to.
    """

    dispute_id: str
    subject_type: str
    subject_id: str
    partner_id: str
    state: str
    opened_by_role: str
    opened_by: str
    opened_at: str
    due_at: str
    evidence_sha256: str
    hold_id: str | None
    arrival: int
    reviewed_at: str | None = None
    reviewed_by: str | None = None
    decided_at: str | None = None
    decided_by: str | None = None
    reason: str | None = None
    remedy: str | None = None
    adjustment_id: str | None = None
    ruling_id: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to end it."""
        return self.state in OPEN_STATES

    @property
    def outcome(self) -> str | None:
        """How it was decided; None while it is open and when it was withdrawn."""
        return self.state if self.state in OUTCOMES else None

    def is_overdue(self, now: datetime) -> bool:
        """Whether it is open past its due instant. now: naive UTC."""
        return self.is_open and instant_text(now) > self.due_at


@dataclass(frozen=True)
class DisputeTexts:
    """What was written and attached at the opening; ``evidence`` is JSON text."""

    text: str
    evidence: str


def subject(dispute_id: str) -> str:
    """Subject of the events that follow the opening."""
    return f"dispute:{dispute_id}"


def load_disputes(connection: Connection) -> list[Dispute]:
    """All disputes as they stand, oldest first. Raises: ChainBrokenError."""
    return [dispute for _, dispute in folded(connection).values()]


def load_dispute(connection: Connection, dispute_id: str) -> Dispute:
    """One dispute as it stands. Raises: DecisionRefusedError when there is none."""
    return found(connection, dispute_id)[1]


def load_texts(connection: Connection, dispute: Dispute) -> DisputeTexts:
    """What was written and attached, proved by the event that opened the dispute.

    Raises: ChainBrokenError when it was changed or removed.
    """
    row = (
        connection.execute(
            select(commission_disputes).where(commission_disputes.c.seq == dispute.arrival)
        )
        .mappings()
        .first()
    )
    proofs = {
        event.seq: event.payload["row_sha256"]
        for event in events.of_subject(connection, f"partner:{dispute.partner_id}")
        if event.kind == DISPUTES.kind
    }
    if row is None or row_sha256(DISPUTES, row) != proofs.get(dispute.arrival):
        raise ChainBrokenError(
            f"dispute {dispute.dispute_id} is not what event {dispute.arrival} proves: it was "
            "changed by hand; restore the control database from a backup"
        )
    return DisputeTexts(row["text"], row["evidence"])


def dispute_events(connection: Connection, dispute: Dispute) -> list[events.Event]:
    """Everything that happened to a dispute, oldest first."""
    opening = [
        event
        for event in events.of_subject(connection, f"partner:{dispute.partner_id}")
        if event.seq == dispute.arrival
    ]
    return opening + events.of_subject(connection, subject(dispute.dispute_id))


def overdue(disputes: Iterable[Dispute], now: datetime) -> list[Dispute]:
    """Those whose answer is late, the longest waiting first. now: naive UTC."""
    late = [dispute for dispute in disputes if dispute.is_overdue(now)]
    return sorted(late, key=lambda dispute: (dispute.due_at, dispute.dispute_id))


def check_turn(dispute: Dispute, kind: str) -> None:
    """Refuse what the state does not allow. Raises: DecisionRefusedError."""
    if dispute.state not in POSSIBLE_IN[kind]:
        raise DecisionRefusedError(
            f"dispute {dispute.dispute_id} is {dispute.state.replace('_', ' ')} and cannot be "
            f"{kind.removeprefix('dispute_')}: {_WAITS_FOR[dispute.state]}. Nothing was recorded"
        )


def found(connection: Connection, dispute_id: str) -> tuple[str, Dispute]:
    """Who opened a dispute, and the dispute. Raises: DecisionRefusedError when there is none."""
    known = folded(connection).get(dispute_id.strip())
    if known is None:
        raise DecisionRefusedError(
            f"there is no dispute {dispute_id!r}; `partnerledger dispute list` shows them"
        )
    return known


def folded(connection: Connection) -> dict[str, tuple[str, Dispute]]:
    """Each dispute by id with who opened it, in full spelling. Raises: ChainBrokenError."""
    disputes: dict[str, tuple[str, Dispute]] = {}
    for event in events.of_kinds(connection, (DISPUTES.kind, *TURN_KINDS)):
        if event.kind == DISPUTES.kind:
            dispute = opened(event)
            disputes[dispute.dispute_id] = (event.actor, dispute)
            continue
        dispute_id = event.subject.removeprefix("dispute:")
        if dispute_id not in disputes:
            raise ChainBrokenError(
                f"event {event.seq} is about dispute {dispute_id}, which was never opened; restore "
                "the control database from a backup"
            )
        opener, dispute = disputes[dispute_id]
        disputes[dispute_id] = (opener, after(dispute, event))
    return disputes


def opened(event: events.Event) -> Dispute:
    """The dispute that an event opens."""
    return Dispute(
        dispute_id=event_id(DISPUTES.prefix, event.hash),
        subject_type=event.payload["subject_type"],
        subject_id=event.payload["subject_id"],
        partner_id=event.subject.removeprefix("partner:"),
        state=OPENED,
        opened_by_role=event.payload["opened_by_role"],
        opened_by=shown_actor(event.actor),
        opened_at=event.recorded_at,
        due_at=event.payload["due_at"],
        evidence_sha256=event.payload["evidence_sha256"],
        hold_id=event.payload["hold_id"],
        arrival=event.seq,
    )


def after(dispute: Dispute, event: events.Event) -> Dispute:
    """The dispute after one more of its events."""
    who = shown_actor(event.actor)
    if event.kind == REVIEW:
        return replace(dispute, state=UNDER_REVIEW, reviewed_at=event.recorded_at, reviewed_by=who)
    ended = replace(
        dispute, state=WITHDRAWN, decided_at=event.recorded_at, decided_by=who, reason=event.reason
    )
    if event.kind == WITHDRAW:
        return ended
    return replace(
        ended,
        state=event.payload["outcome"],
        remedy=event.payload["remedy"],
        adjustment_id=event.payload["adjustment_id"],
        ruling_id=event.payload["ruling_id"],
    )
