"""Disputes of partners: opened on a line, a lead or a payout, decided by somebody else.

What belongs here: opening, reviewing, deciding and withdrawing. What does not: what is recorded
(``dispute_records``), and whose decision is disputed (``dispute_owners``).
Source: payouts reference 8; decision 0054.

The hold on a disputed line or lead lasts exactly as long as the dispute: both begin and end in one
transaction. What an upheld dispute gives or takes is a proposed adjustment or a ruling, which
needs two people of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from payouts import events
from payouts.adjustments import Proposal, append_proposal, checked_proposal
from payouts.dispute_checks import (
    Remedy,
    check_opener,
    check_other_person,
    check_ruling,
    check_window,
    checked_remedy,
    partner_actor,
    refuse_second,
)
from payouts.dispute_evidence import masked_evidence
from payouts.dispute_owners import Governing, disputed_payout
from payouts.dispute_records import (
    ADJUSTMENT,
    DECIDE,
    DISPUTES,
    PAYOUT,
    REVIEW,
    RULING,
    SUBJECT_TYPES,
    WITHDRAW,
    Dispute,
    check_turn,
    found,
    load_dispute,
    load_disputes,
    subject,
)
from payouts.errors import DecisionRefusedError
from payouts.export_files import discard_unregistered_export
from payouts.hashing import instant_text, sha256_text
from payouts.holds import Hold, append_hold, append_release, check_decider, make_held_batches_stale
from payouts.lead_rows import insert_row
from payouts.store import Store
from payouts.terms import ApprovalRules, PayoutRules, person
from payouts.texts import MESSAGE_CHARACTERS, identifier, written


def open_dispute(
    store: Store,
    home: Path,
    *,
    subject_type: str,
    subject_id: str,
    partner_id: str,
    happened_on: date | None,
    text: str,
    evidence: str,
    opened_by_role: str,
    actor: str,
    rules: ApprovalRules,
    payout_rules: PayoutRules,
    timezone: str,
    recorded_at: datetime,
    identity_level: str = "os_user",
) -> tuple[Dispute, list[str]]:
    """Open a dispute and its hold; batches with what is held go stale in the same transaction.

    subject_id: commission id, lead id of now, or payout id; that a line is the partner's and a lead
    exists, the caller knows. happened_on: local day on which the line was earned, or the newest one
    of the lead; None for a lead without any; of a payout it is looked up here. text: by people.
    evidence: JSON text of the chain behind the subject. opened_by_role: ``partner``, also when
    somebody with a role enters it for the partner, else the role of who opens it. timezone: of the
    programme, IANA name.
    Returns the dispute and the ids of the batches; a payout's dispute has no hold.
    Raises: DecisionRefusedError; nothing is recorded then.
    """
    opener = identifier(person(actor), "the person who opens the dispute")
    disputed = identifier(subject_id, "what is disputed")
    partner = identifier(partner_id, "the partner")
    if subject_type not in SUBJECT_TYPES:
        raise DecisionRefusedError(
            f"a dispute is on a {', '.join(SUBJECT_TYPES)}, not on {subject_type!r}; nothing was "
            "recorded"
        )
    check_opener(rules, opener, opened_by_role, partner)
    values = {
        "subject_type": subject_type,
        "subject_id": disputed,
        "partner_id": partner,
        "opened_by_role": opened_by_role,
        "due_at": instant_text(recorded_at + timedelta(days=payout_rules.dispute_answer_days)),
        "text": written(text, "the text of the dispute", MESSAGE_CHARACTERS),
        "evidence": masked_evidence(evidence),
    }
    with store.write() as connection:
        if subject_type == PAYOUT:
            happened_on = _payout_day(connection, disputed, partner)
        check_window(values, happened_on, _local_day(recorded_at, timezone), payout_rules)
        refuse_second(connection, values)
        # The hold's number is known before it is written: it follows the dispute's event, which
        # names it, and itself names the dispute.
        hold_id = None if subject_type == PAYOUT else f"h-{events.head(connection).seq + 2}"
        dispute_id, _ = insert_row(
            connection,
            DISPUTES,
            values,
            subject=f"partner:{partner}",
            actor=opener,
            recorded_at=recorded_at,
            payload={
                **{name: values[name] for name in ("subject_type", "subject_id", "due_at")},
                "opened_by_role": opened_by_role,
                "evidence_sha256": sha256_text(values["evidence"]),
                "hold_id": hold_id,
            },
            identity_level=identity_level,
        )
        stale: list[str] = []
        if hold_id is not None:
            hold = _open_hold(connection, dispute_id, values, opener, recorded_at, identity_level)
            stale = make_held_batches_stale(connection, home, [hold], recorded_at)
        dispute = load_dispute(connection, dispute_id)
    for batch_id in stale:
        discard_unregistered_export(store, home, batch_id)
    return dispute, stale


def review_dispute(
    store: Store,
    *,
    dispute_id: str,
    reason: str,
    actor: str,
    rules: ApprovalRules,
    recorded_at: datetime,
    identity_level: str = "os_user",
) -> Dispute:
    """Take a dispute up: somebody with a role looks into it from now on.

    reason: what is being looked at. Raises: DecisionRefusedError.
    """
    reviewer = identifier(person(actor), "the person who reviews")
    reason = written(reason, "the reason")
    check_decider(rules, reviewer, reason, "review a dispute")
    with store.write() as connection:
        _, dispute = found(connection, dispute_id)
        check_turn(dispute, REVIEW)
        _append(connection, dispute, REVIEW, {}, reason, reviewer, recorded_at, identity_level)
        return load_dispute(connection, dispute.dispute_id)


def decide_dispute(
    store: Store,
    home: Path,
    *,
    dispute_id: str,
    outcome: str,
    governing: Governing,
    reason: str,
    actor: str,
    rules: ApprovalRules,
    recorded_at: datetime,
    remedy: Remedy | None = None,
    identity_level: str = "os_user",
) -> Dispute:
    """Decide a dispute: upheld, partly upheld or rejected. Its own hold ends with it.

    governing: what the subject rests on; whoever decided that, or opened the dispute, does not
    decide here. remedy: needed unless it is rejected. An adjustment is proposed in the same
    transaction, by the person who decides, and waits for another person's approval.
    Raises: DecisionRefusedError; nothing is recorded then, the adjustment neither.
    """
    decider = identifier(person(actor), "the person who decides")
    reason = written(reason, "the reason")
    check_decider(rules, decider, reason, "decide a dispute")
    kind = checked_remedy(outcome, remedy)
    with store.read() as connection:
        dispute = _decidable(connection, dispute_id, decider, governing)
        proposal = None
        if kind == ADJUSTMENT:
            proposal = _proposal(
                connection, home, dispute, governing, remedy, reason, decider, rules
            )
    with store.write() as connection:
        # Again: somebody may have decided this, or what it is about, in the meantime.
        dispute = _decidable(connection, dispute_id, decider, governing)
        if kind == RULING:
            check_ruling(connection, remedy.ruling_id, governing)
        adjustment_id = None
        if proposal is not None:
            adjustment = append_proposal(connection, proposal, recorded_at, identity_level)
            adjustment_id = adjustment.adjustment_id
        payload = {
            "outcome": outcome,
            "remedy": kind,
            "adjustment_id": adjustment_id,
            "ruling_id": remedy.ruling_id if kind == RULING else None,
        }
        _append(connection, dispute, DECIDE, payload, reason, decider, recorded_at, identity_level)
        _release(connection, dispute, outcome, decider, recorded_at, identity_level)
        return load_dispute(connection, dispute.dispute_id)


def withdraw_dispute(
    store: Store,
    *,
    dispute_id: str,
    reason: str,
    actor: str,
    recorded_at: datetime,
    identity_level: str = "os_user",
) -> Dispute:
    """Withdraw a dispute that is still open; its hold ends with it. That is final.

    Only who opened it does, or the partner itself: for all others it is a decision.
    Raises: DecisionRefusedError.
    """
    withdrawer = identifier(person(actor), "the person who withdraws")
    reason = written(reason, "the reason")
    with store.write() as connection:
        opener, dispute = found(connection, dispute_id)
        check_turn(dispute, WITHDRAW)
        if withdrawer not in (opener, partner_actor(dispute.partner_id)):
            raise DecisionRefusedError(
                f"{actor} did not open dispute {dispute.dispute_id} and may not withdraw it; "
                "decide it instead. Nothing was recorded"
            )
        _append(connection, dispute, WITHDRAW, {}, reason, withdrawer, recorded_at, identity_level)
        _release(connection, dispute, "withdrawn", withdrawer, recorded_at, identity_level)
        return load_dispute(connection, dispute.dispute_id)


def disputing_partners(connection: Connection) -> frozenset[str]:
    """Partners with an open dispute, which a batch that pays them shows as an exception."""
    return frozenset(dispute.partner_id for dispute in load_disputes(connection) if dispute.is_open)


def _payout_day(connection: Connection, payout_id: str, partner_id: str) -> date | None:
    payout = disputed_payout(connection, payout_id)
    if payout.partner_id != partner_id:
        raise DecisionRefusedError(
            f"payout {payout_id} is one of partner {payout.partner_id}, not of {partner_id}; "
            "correct the id. Nothing was recorded"
        )
    return payout.paid_on


def _open_hold(
    connection: Connection,
    dispute_id: str,
    values: Mapping[str, Any],
    opener: str,
    recorded_at: datetime,
    identity_level: str,
) -> Hold:
    return append_hold(
        connection,
        {
            "subject_type": values["subject_type"],
            "subject_id": values["subject_id"],
            "dispute_id": dispute_id,
        },
        reason=f"dispute {dispute_id}",
        actor=opener,
        recorded_at=recorded_at,
        identity_level=identity_level,
    )


def _decidable(
    connection: Connection, dispute_id: str, decider: str, governing: Governing
) -> Dispute:
    opener, dispute = found(connection, dispute_id)
    check_turn(dispute, DECIDE)
    check_other_person(connection, dispute, opener, decider, governing)
    return dispute


def _proposal(
    connection: Connection,
    home: Path,
    dispute: Dispute,
    governing: Governing,
    remedy: Remedy,
    reason: str,
    decider: str,
    rules: ApprovalRules,
) -> Proposal:
    return checked_proposal(
        connection,
        home,
        partner_id=dispute.partner_id,
        amount_minor=remedy.amount_minor,
        currency_code=remedy.currency_code,
        payout_currency_code=remedy.payout_currency_code,
        reason=reason,
        evidence=f"dispute {dispute.dispute_id}",
        actor=decider,
        rules=rules,
        lead_id=governing.lead_id,
        corrects_entry_id=remedy.corrects_entry_id,
        available_date=remedy.available_date,
    )


def _append(
    connection: Connection,
    dispute: Dispute,
    kind: str,
    payload: Mapping[str, Any],
    reason: str,
    actor: str,
    recorded_at: datetime,
    identity_level: str,
) -> None:
    events.append(
        connection,
        kind=kind,
        subject=subject(dispute.dispute_id),
        actor=actor,
        recorded_at=recorded_at,
        payload=payload,
        reason=reason,
        identity_level=identity_level,
    )


def _release(
    connection: Connection,
    dispute: Dispute,
    end: str,
    actor: str,
    recorded_at: datetime,
    identity_level: str,
) -> None:
    if dispute.hold_id is not None:
        append_release(
            connection,
            dispute.hold_id,
            reason=f"dispute {dispute.dispute_id} was {end.replace('_', ' ')}",
            actor=actor,
            recorded_at=recorded_at,
            identity_level=identity_level,
        )


def _local_day(instant: datetime, timezone: str) -> date:
    return instant.replace(tzinfo=UTC).astimezone(ZoneInfo(timezone)).date()
