"""People's decisions on batches: approve, reject, revoke. Four eyes on one content hash.

What belongs here: recording who decided what. What does not: what must hold for it
(``approval_checks``), the state machine (``states``), what goes stale by itself (``freshness``).
Source: payouts reference 1 (decision 1) and 3.1; I7, I8.

Roles stand in ``program.yml``; a person is compared by ``terms.person``, so that two spellings of
one address are one person. The maker never approves, nobody approves twice, partnerships go first.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from payouts.approval_checks import (
    check_hash,
    check_signature,
    may_approve,
    required_approvals,
)
from payouts.errors import BatchStaleError, DecisionRefusedError
from payouts.export_files import discard_unregistered_export
from payouts.freshness import expired_reason, mark_stale, terms_faults
from payouts.holds import check_decider
from payouts.identity import check_identity
from payouts.records import append_batch_event, list_batches, load_content, load_state, subject
from payouts.signatures import LEVEL, MESSAGE_VERSION
from payouts.signed_decisions import decision_message, proved
from payouts.states import FINANCE_APPROVED, REJECT, REVOKE, BatchState, check_transition
from payouts.store import Store
from payouts.terms import ApprovalRules, person
from payouts.texts import instant, optional_written, refuse_secrets

_REJECTED = "batch_rejected"


def approve(
    store: Store,
    home: Path,
    batch_id: str,
    *,
    approved_hash: str,
    actor: str,
    role: str,
    rules: ApprovalRules,
    recorded_at: datetime,
    identity_level: str = "os_user",
    signature: str | None = None,
) -> BatchState:
    """Approve exactly the content with ``approved_hash``, as partnerships or as finance.

    recorded_at: the wall clock, naive UTC. signature: as ``ssh-keygen`` writes it, over
    ``signatures.approval_message``; the approval is then ``ssh_signed``. Somebody without the role
    approves under a delegation, if there is one. Returns the state after the approval.
    Raises: DecisionRefusedError with the rule that was broken; BatchNotFoundError;
    ChainBrokenError when the batch was changed outside the product. Nothing is recorded then.
    BatchStaleError when the payout terms have changed since the proposal: the batch is stale now.
    """
    with store.write() as connection:
        reasons = stale_reasons(connection, batch_id, rules)
        if not reasons:
            return approve_in(
                connection, home, batch_id, approved_hash=approved_hash, actor=actor, role=role,
                rules=rules, recorded_at=recorded_at, identity_level=identity_level,
                signature=signature,
            )  # fmt: skip
        content, state = load_content(connection, batch_id), load_state(connection, batch_id)
        # Whoever may not approve a batch does not end it either.
        may_approve(connection, content, state, person(actor), role, rules, recorded_at)
        mark_stale(connection, state, reasons, actor=person(actor), recorded_at=recorded_at)
    discard_unregistered_export(store, home, batch_id)
    raise BatchStaleError(
        f"batch {batch_id} was not approved and is stale now: {'; '.join(reasons)}. Its entries "
        "are free; propose again"
    )


def stale_reasons(connection: Connection, batch_id: str, rules: ApprovalRules) -> list[str]:
    """Why a live batch cannot be approved any more, whoever asks: its terms have changed."""
    if rules.payouts is None:
        return []
    return terms_faults(connection, load_content(connection, batch_id), rules.payouts)


def approve_in(
    connection: Connection,
    home: Path,
    batch_id: str,
    *,
    approved_hash: str,
    actor: str,
    role: str,
    rules: ApprovalRules,
    recorded_at: datetime,
    identity_level: str = "os_user",
    signature: str | None = None,
) -> BatchState:
    """``approve`` in the caller's write transaction, which a refusal rolls back.

    The caller has asked ``stale_reasons``. Raises: as ``approve``.
    """
    approver = person(actor)
    instant(recorded_at, "the time of the approval")
    content = load_content(connection, batch_id)
    state = load_state(connection, batch_id)
    delegation = may_approve(connection, content, state, approver, role, rules, recorded_at)
    level = LEVEL if signature else identity_level
    check_identity(
        rules, level, rules.identity_for(content.total_amount_minor, content.currency_code)
    )
    check_hash(home, content, state, approved_hash)
    signed = check_signature(rules, content, state, approver, role, signature, level, recorded_at)
    payload = {
        "role": role,
        "content_hash": approved_hash,
        "round": state.approval_round,
        "required": required_approvals(content, rules),
    }
    if delegation is not None:
        payload["delegation_id"] = delegation.delegation_id
        payload["delegator"] = delegation.delegator
    if signed is not None:
        payload["signature"] = signed.text
        payload["key_fingerprint"] = signed.key_fingerprint
        payload["message_version"] = MESSAGE_VERSION
    return append_batch_event(
        connection,
        state,
        kind="batch_approved",
        actor=approver,
        recorded_at=recorded_at,
        payload=payload,
        identity_level=level,
    )


def reject(
    store: Store,
    home: Path,
    batch_id: str,
    *,
    reason: str,
    actor: str,
    rules: ApprovalRules,
    recorded_at: datetime,
    identity_level: str = "os_user",
    signature: str | None = None,
) -> BatchState:
    """Reject a batch that was not exported; final, its entries are free for a new proposal.

    signature: over ``rejection_message``.
    Raises: DecisionRefusedError without a reason or role, for a person who is not known surely
    enough, or when the state does not allow it.
    """
    reason = check_decider(rules, actor, reason, "reject")
    with store.write() as connection:
        state = load_state(connection, batch_id)
        check_transition(batch_id, state.state, REJECT)
        proof = proved(
            rules,
            kind=_REJECTED,
            subject=subject(batch_id),
            payload={},
            actor=person(actor),
            at=recorded_at,
            identity_level=identity_level,
            signature=signature,
        )
        after = append_batch_event(
            connection,
            state,
            kind=_REJECTED,
            actor=person(actor),
            recorded_at=recorded_at,
            payload=proof.payload,
            reason=reason,
            identity_level=proof.identity_level,
        )
    discard_unregistered_export(store, home, batch_id)
    return after


def rejection_message(batch_id: str, actor: str) -> str:
    """What ``actor`` signs to reject a batch; a batch is rejected once and for good."""
    return decision_message(_REJECTED, subject(batch_id), {}, actor)


def revoke(
    store: Store,
    batch_id: str,
    *,
    actor: str,
    recorded_at: datetime,
    reason: str = "",
    identity_level: str = "os_user",
) -> BatchState:
    """Take back one's own approval before the export; the batch is proposed again.

    All approvals of the round are void and may be given again: what the others agreed to was a
    batch that this person stood behind.
    Raises: DecisionRefusedError when the actor has no approval in this round, or the reason cannot
    be kept.
    """
    revoker, reason = person(actor), optional_written(reason, "the reason")
    refuse_secrets(reason, "the reason")
    with store.write() as connection:
        state = load_state(connection, batch_id)
        check_transition(batch_id, state.state, REVOKE)
        if revoker not in {approval.actor for approval in state.approvals}:
            raise DecisionRefusedError(
                f"{actor} has no approval of batch {batch_id} to revoke; an approver can reject it"
            )
        return append_batch_event(
            connection,
            state,
            kind="batch_revoked",
            actor=revoker,
            recorded_at=recorded_at,
            payload={"round": state.approval_round},
            reason=reason,
            identity_level=identity_level,
        )


def expire(
    store: Store,
    home: Path,
    *,
    rules: ApprovalRules,
    recorded_at: datetime,
    actor: str = "system:expiry",
) -> list[str]:
    """Make approved batches stale whose approval is older than ``approvals.expire_days``.

    Returns their ids; their entries are free again.
    """
    expired = []
    with store.write() as connection:
        for summary in list_batches(connection, (FINANCE_APPROVED,)):
            state = load_state(connection, summary.batch_id)
            reason = expired_reason(state, rules, recorded_at, connection)
            if reason:
                mark_stale(connection, state, [reason], actor=actor, recorded_at=recorded_at)
                expired.append(summary.batch_id)
    for batch_id in expired:
        discard_unregistered_export(store, home, batch_id)
    return expired
