"""Manual adjustments: an amount for or from a partner that people decide, with evidence (J1).

What belongs here: proposing, deciding, revoking and reading adjustments. What does not: the entry
that the night posts for an approved one (the models), and holding it against what was approved
(``posted_adjustments``).
Decision 0042; four eyes as for batches.

An adjustment is proposed, then approved or declined; an approved one can be revoked until a night
has posted it. All of these are final: what was posted is taken back by a second adjustment, what
was declined or revoked is proposed anew. Its amount never changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, RowMapping, select

from payouts import events
from payouts.adjustment_checks import add_corrected, check_amount, checked_currency
from payouts.errors import ChainBrokenError, DecisionRefusedError
from payouts.holds import check_decider
from payouts.lead_rows import HashedTable, event_id, insert_row, row_sha256
from payouts.schema import adjustments as adjustment_table
from payouts.schema import events as event_table
from payouts.signed_decisions import decision_message, proved
from payouts.store import Store
from payouts.terms import ApprovalRules, person
from payouts.texts import identifier, optional_identifier, shown_actor, written

ADJUSTMENTS = HashedTable(
    adjustment_table, "adjustment_proposed", "adjustment_id", "adj",
    ("seq", "partner_id", "amount_minor", "currency_code", "available_date", "lead_id",
     "corrects_entry_id", "evidence"),
)  # fmt: skip
PROPOSED, APPROVED, DECLINED, REVOKED = "proposed", "approved", "declined", "revoked"
POSTED = "posted"
STATES = (PROPOSED, APPROVED, DECLINED, REVOKED, POSTED)
APPROVER_ROLE = "finance"
TURN_KINDS = {f"adjustment_{state}": state for state in (APPROVED, DECLINED, REVOKED, POSTED)}
POSSIBLE_FROM = {APPROVED: PROPOSED, DECLINED: PROPOSED, REVOKED: APPROVED, POSTED: APPROVED}
_WHAT_TO_DO = {
    PROPOSED: "approve or decline it",
    APPROVED: "revoke it to stop it, as long as no night has posted it",
    DECLINED: "that is final; propose a new one",
    REVOKED: "that is final; propose a new one",
    POSTED: "that is final; propose a second one that takes it back",
}


@dataclass(frozen=True)
class Adjustment:
    """One adjustment as it stands. Instants are fixed-width UTC text, days ISO 8601 text.

    ``amount_minor`` is signed from the partner's view, in minor units of ``currency_code``.
    ``effective_date`` is the local day of the approval. ``asked_available_date`` is the first day
    for paying it that was asked for. ``reason`` is that of the newest decision, ``segment`` where
    it was posted; names are without domain.
    """

    adjustment_id: str
    partner_id: str
    amount_minor: int
    currency_code: str
    state: str
    lead_id: str | None
    corrects_entry_id: str | None
    asked_available_date: str | None
    effective_date: str | None
    proposed_at: str
    proposed_by: str
    proposal_reason: str
    evidence: str
    decided_at: str | None
    decided_by: str | None
    reason: str | None
    entry_id: str | None
    segment: int | None
    arrival: int

    @property
    def available_date(self) -> str | None:
        """First day on which it may be paid: never before it is true; None before its approval."""
        if self.effective_date is None:
            return None
        return max(self.effective_date, self.asked_available_date or self.effective_date)


@dataclass(frozen=True)
class Proposal:
    """A checked proposal: the columns of its row, who proposes it and why."""

    values: Mapping[str, Any]
    proposer: str
    reason: str


def propose_adjustment(
    store: Store,
    home: Path,
    *,
    partner_id: str,
    amount_minor: int,
    currency_code: str,
    payout_currency_code: str | None,
    reason: str,
    evidence: str,
    actor: str,
    rules: ApprovalRules,
    recorded_at: datetime,
    lead_id: str | None = None,
    corrects_entry_id: str | None = None,
    available_date: date | None = None,
    identity_level: str = "os_user",
) -> Adjustment:
    """Propose an adjustment; it changes nothing until somebody else approves it.

    amount_minor: signed, not zero. payout_currency_code: the partner's, as the caller knows it;
    None when there is no such partner. Whether the lead exists, the caller knows.
    An adjustment that corrects an entry belongs to that entry's lead unless another is named, and
    one that takes away is not paid before what it corrects (as R10).
    Raises: DecisionRefusedError; ChainBrokenError when a registered journal file is missing.
    """
    with store.read() as connection:
        proposal = checked_proposal(
            connection, home, partner_id=partner_id, amount_minor=amount_minor,
            currency_code=currency_code, payout_currency_code=payout_currency_code, reason=reason,
            evidence=evidence, actor=actor, rules=rules, lead_id=lead_id,
            corrects_entry_id=corrects_entry_id, available_date=available_date,
        )  # fmt: skip
    with store.write() as connection:
        return append_proposal(connection, proposal, recorded_at, identity_level)


def checked_proposal(
    connection: Connection,
    home: Path,
    *,
    partner_id: str,
    amount_minor: int,
    currency_code: str,
    payout_currency_code: str | None,
    reason: str,
    evidence: str,
    actor: str,
    rules: ApprovalRules,
    lead_id: str | None = None,
    corrects_entry_id: str | None = None,
    available_date: date | None = None,
) -> Proposal:
    """What ``propose_adjustment`` would record, with all checks but that of a repetition.

    Raises: as ``propose_adjustment``.
    """
    proposer = identifier(person(actor), "the person who proposes")
    reason = written(reason, "the reason")
    check_decider(rules, proposer, reason, "propose an adjustment")
    partner = identifier(partner_id, "the partner")
    code = checked_currency(partner, currency_code, payout_currency_code)
    check_amount(amount_minor, code)
    values = {
        "partner_id": partner,
        "amount_minor": amount_minor,
        "currency_code": code,
        "available_date": available_date.isoformat() if available_date else None,
        "lead_id": optional_identifier(lead_id, "the lead"),
        "corrects_entry_id": optional_identifier(corrects_entry_id, "the corrected entry"),
        "evidence": written(evidence, "the evidence"),
    }
    add_corrected(connection, home, values)
    return Proposal(values, proposer, reason)


def append_proposal(
    connection: Connection, proposal: Proposal, recorded_at: datetime, identity_level: str
) -> Adjustment:
    """Record a checked proposal in the caller's write transaction.

    Raises: DecisionRefusedError when the same waits for a decision already.
    """
    _refuse_repetition(connection, proposal.values)
    adjustment_id, _ = insert_row(
        connection,
        ADJUSTMENTS,
        proposal.values,
        subject=f"partner:{proposal.values['partner_id']}",
        actor=proposal.proposer,
        recorded_at=recorded_at,
        payload={},
        reason=proposal.reason,
        identity_level=identity_level,
    )
    return load_adjustment(connection, adjustment_id)


def approve_adjustment(
    store: Store,
    *,
    adjustment_id: str,
    reason: str,
    actor: str,
    rules: ApprovalRules,
    timezone: str,
    recorded_at: datetime,
    identity_level: str = "os_user",
    signature: str | None = None,
) -> Adjustment:
    """Approve an adjustment, with the role finance; whoever proposed it never approves it.

    timezone: of the programme, whose local day of the approval becomes the effective date; the
    next night posts it. signature: over ``approval_message``. Raises: DecisionRefusedError.
    """
    if not rules.has_role(actor, APPROVER_ROLE):
        raise DecisionRefusedError(
            f"{actor} may not approve an adjustment: roles.{APPROVER_ROLE} in program.yml names "
            "nobody of that name. Nothing was recorded"
        )
    proof = proved(
        rules,
        kind=f"adjustment_{APPROVED}",
        subject=subject(adjustment_id.strip()),
        payload={"effective_date": _local_day(recorded_at, timezone)},
        actor=identifier(person(actor), "the person who decides"),
        at=recorded_at,
        identity_level=identity_level,
        signature=signature,
    )
    return _turn(
        store, adjustment_id, APPROVED, proof.payload, "approve an adjustment", reason, actor,
        rules, recorded_at, proof.identity_level,
    )  # fmt: skip


def approval_message(adjustment_id: str, actor: str) -> str:
    """What ``actor`` signs to approve an adjustment; its id is a hash of all that was proposed."""
    return decision_message(f"adjustment_{APPROVED}", subject(adjustment_id.strip()), {}, actor)


def decline_adjustment(
    store: Store,
    *,
    adjustment_id: str,
    reason: str,
    actor: str,
    rules: ApprovalRules,
    recorded_at: datetime,
    identity_level: str = "os_user",
) -> Adjustment:
    """Decline a proposed adjustment, or take back one's own proposal; that is final.

    Raises: DecisionRefusedError.
    """
    return _turn(
        store, adjustment_id, DECLINED, {}, "decline an adjustment", reason, actor, rules,
        recorded_at, identity_level,
    )  # fmt: skip


def revoke_adjustment(
    store: Store,
    *,
    adjustment_id: str,
    reason: str,
    actor: str,
    rules: ApprovalRules,
    recorded_at: datetime,
    identity_level: str = "os_user",
) -> Adjustment:
    """Revoke an approved adjustment that no night has posted; that is final.

    Raises: DecisionRefusedError.
    """
    return _turn(
        store, adjustment_id, REVOKED, {}, "revoke an adjustment", reason, actor, rules,
        recorded_at, identity_level,
    )  # fmt: skip


def load_adjustments(connection: Connection) -> list[Adjustment]:
    """All adjustments as they stand, oldest proposal first. Raises: ChainBrokenError."""
    return [adjustment for _, adjustment in _folded(connection).values()]


def load_adjustment(connection: Connection, adjustment_id: str) -> Adjustment:
    """One adjustment as it stands.

    Raises: DecisionRefusedError when there is none, ChainBrokenError.
    """
    return _found(connection, adjustment_id)[1]


def adjustment_events(connection: Connection, adjustment: Adjustment) -> list[events.Event]:
    """Everything that happened to an adjustment, oldest first."""
    proposal = [
        event
        for event in events.of_subject(connection, f"partner:{adjustment.partner_id}")
        if event.seq == adjustment.arrival
    ]
    return proposal + events.of_subject(connection, subject(adjustment.adjustment_id))


def subject(adjustment_id: str) -> str:
    """Subject of the events that decide on an adjustment."""
    return f"adjustment:{adjustment_id}"


def _turn(
    store: Store,
    adjustment_id: str,
    state: str,
    payload: Mapping[str, Any],
    verb: str,
    reason: str,
    actor: str,
    rules: ApprovalRules,
    recorded_at: datetime,
    identity_level: str,
) -> Adjustment:
    reason = written(reason, "the reason")
    decider = identifier(person(actor), "the person who decides")
    check_decider(rules, decider, reason, verb)
    with store.write() as connection:
        proposer, adjustment = _found(connection, adjustment_id)
        if adjustment.state != POSSIBLE_FROM[state]:
            posted = f" in segment {adjustment.segment}" if adjustment.state == POSTED else ""
            raise DecisionRefusedError(
                f"adjustment {adjustment.adjustment_id} is {adjustment.state}{posted} and cannot "
                f"become {state}: {_WHAT_TO_DO[adjustment.state]}. Nothing was recorded"
            )
        if state == APPROVED and decider == proposer:
            raise DecisionRefusedError(
                f"{decider} proposed adjustment {adjustment.adjustment_id} and may not approve it "
                f"(four eyes); another person of {APPROVER_ROLE} must. Nothing was recorded"
            )
        event = events.append(
            connection,
            kind=f"adjustment_{state}",
            subject=subject(adjustment.adjustment_id),
            actor=decider,
            recorded_at=recorded_at,
            payload=payload,
            reason=reason,
            identity_level=identity_level,
        )
    return _after(adjustment, event)


def _refuse_repetition(connection: Connection, values: Mapping[str, Any]) -> None:
    """The same content with the same evidence is the same adjustment, whoever proposes it."""
    same = [adjustment_table.c[name].is_not_distinct_from(values[name]) for name in values]
    rows = connection.execute(select(adjustment_table.c.adjustment_id).where(*same))
    for adjustment_id in rows.scalars().all():
        if load_adjustment(connection, adjustment_id).state == PROPOSED:
            raise DecisionRefusedError(
                f"the same was proposed already as {adjustment_id} and waits for a decision; "
                "nothing was recorded"
            )


def _local_day(instant: datetime, timezone: str) -> date:
    return instant.replace(tzinfo=UTC).astimezone(ZoneInfo(timezone)).date()


def _found(connection: Connection, adjustment_id: str) -> tuple[str, Adjustment]:
    found = _folded(connection).get(adjustment_id.strip())
    if found is None:
        raise DecisionRefusedError(
            f"there is no adjustment {adjustment_id!r}; `partnerledger adjust list` shows them"
        )
    return found


def _folded(connection: Connection) -> dict[str, tuple[str, Adjustment]]:
    """Each adjustment by id with who proposed it.

    A row that is not what its event proves is never decided on, posted or shown.
    """
    proposals = {event.seq: event for event in events.of_kinds(connection, (ADJUSTMENTS.kind,))}
    query = (
        select(
            adjustment_table,
            event_table.c.actor,
            event_table.c.recorded_at,
            event_table.c.reason,
        )
        .join(event_table, event_table.c.seq == adjustment_table.c.seq)
        .order_by(adjustment_table.c.seq)
    )
    folded = {}
    for row in connection.execute(query).mappings():
        _require_proved(row, proposals.get(row["seq"]))
        folded[row["adjustment_id"]] = (row["actor"], _proposed(row))
    for event in events.of_kinds(connection, TURN_KINDS):
        adjustment_id = event.subject.removeprefix("adjustment:")
        if adjustment_id not in folded:
            raise ChainBrokenError(
                f"event {event.seq} decides on adjustment {adjustment_id}, which is missing from "
                "the control database; restore it from a backup"
            )
        proposer, adjustment = folded[adjustment_id]
        folded[adjustment_id] = (proposer, _after(adjustment, event))
    return folded


def _require_proved(row: RowMapping, event: events.Event | None) -> None:
    if event is None or (row["adjustment_id"], row_sha256(ADJUSTMENTS, row)) != (
        event_id(ADJUSTMENTS.prefix, event.hash),
        event.payload["row_sha256"],
    ):
        raise ChainBrokenError(
            f"adjustment {row['adjustment_id']} is not what event {row['seq']} proves: it was "
            "changed by hand; restore the control database from a backup. Nothing was recorded"
        )


def _proposed(row: RowMapping) -> Adjustment:
    return Adjustment(
        adjustment_id=row["adjustment_id"],
        partner_id=row["partner_id"],
        amount_minor=row["amount_minor"],
        currency_code=row["currency_code"],
        state=PROPOSED,
        lead_id=row["lead_id"],
        corrects_entry_id=row["corrects_entry_id"],
        asked_available_date=row["available_date"],
        effective_date=None,
        proposed_at=row["recorded_at"],
        proposed_by=shown_actor(row["actor"]),
        proposal_reason=row["reason"],
        evidence=row["evidence"],
        decided_at=None,
        decided_by=None,
        reason=None,
        entry_id=None,
        segment=None,
        arrival=row["seq"],
    )


def _after(adjustment: Adjustment, event: events.Event) -> Adjustment:
    state = TURN_KINDS[event.kind]
    if state == POSTED:
        return replace(
            adjustment,
            state=state,
            entry_id=event.payload["entry_id"],
            segment=event.payload["segment"],
        )
    return replace(
        adjustment,
        state=state,
        effective_date=event.payload["effective_date"] if state == APPROVED else None,
        decided_at=event.recorded_at,
        decided_by=shown_actor(event.actor),
        reason=event.reason,
    )
