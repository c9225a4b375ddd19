"""People's decisions on batches: approve, reject, revoke. Four eyes on one content hash.

What belongs here: who may decide what. What does not: the state machine itself (``states``) and
what goes stale by itself (``freshness``).
Source: payouts reference 1 (decision 1) and 3.1; I7, I8.

Roles stand in ``program.yml``; a person is compared by ``terms.person``, so that two spellings of
one address are one person. The maker never approves, nobody approves twice, partnerships go first.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from payouts.claims import check_claims
from payouts.errors import BatchError, DecisionRefusedError
from payouts.export_files import discard_unregistered_export
from payouts.freshness import expired_reason, mark_stale
from payouts.holds import check_decider
from payouts.records import (
    BatchContent,
    append_batch_event,
    content_hash,
    list_batches,
    load_content,
    load_state,
)
from payouts.states import FINANCE_APPROVED, LIVE_STATES, REVOKE, BatchState, check_transition
from payouts.store import Store
from payouts.terms import IDENTITY_LEVELS, ROLES, ApprovalRules, person


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
) -> BatchState:
    """Approve exactly the content with ``approved_hash``, as partnerships or as finance.

    recorded_at: the wall clock, naive UTC. Returns the state after the approval.
    Raises: DecisionRefusedError with the rule that was broken; BatchNotFoundError;
    ChainBrokenError when the batch was changed outside the product. Nothing is recorded then.
    """
    approver = person(actor)
    with store.write() as connection:
        content = load_content(connection, batch_id)
        state = load_state(connection, batch_id)
        _check_role(rules, approver, actor, role)
        _check_four_eyes(state, approver, actor)
        check_transition(batch_id, state.state, f"approve_{role}")
        check_identity(rules, identity_level)
        check_hash(home, content, state, approved_hash)
        required = rules.required(content.total_amount_minor, content.currency_code)
        return append_batch_event(
            connection,
            state,
            kind="batch_approved",
            actor=approver,
            recorded_at=recorded_at,
            payload={
                "role": role,
                "content_hash": approved_hash,
                "round": state.approval_round,
                "required": required,
            },
            identity_level=identity_level,
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
) -> BatchState:
    """Reject a batch that was not exported; final, its entries are free for a new proposal.

    Raises: DecisionRefusedError without a reason or role, or when the state does not allow it.
    """
    check_decider(rules, actor, reason, "reject")
    with store.write() as connection:
        after = append_batch_event(
            connection,
            load_state(connection, batch_id),
            kind="batch_rejected",
            actor=person(actor),
            recorded_at=recorded_at,
            reason=reason,
            identity_level=identity_level,
        )
    discard_unregistered_export(store, home, batch_id)
    return after


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
    Raises: DecisionRefusedError when the actor has no approval in this round.
    """
    revoker = person(actor)
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
            reason = expired_reason(state, rules, recorded_at)
            if reason:
                mark_stale(connection, state, [reason], actor=actor, recorded_at=recorded_at)
                expired.append(summary.batch_id)
    for batch_id in expired:
        discard_unregistered_export(store, home, batch_id)
    return expired


def settle(batch_id: str) -> None:
    """Reading back what the bank did is not part of this release.

    Raises: BatchError always.
    """
    raise BatchError(
        f"batch {batch_id} cannot be settled: settlement is not available in this release"
    )


def abort(store: Store, batch_id: str) -> None:
    """Aborting concerns exported batches and comes with settlement; a live one is rejected.

    Raises: DecisionRefusedError always, saying which of the two it is.
    """
    with store.read() as connection:
        state = load_state(connection, batch_id).state
    if state in LIVE_STATES:
        raise DecisionRefusedError(
            f"batch {batch_id} is {state} and was never exported: use partnerledger batches reject"
        )
    raise DecisionRefusedError(
        f"batch {batch_id} is {state}: aborting an exported batch comes with settlement, which is "
        "not available in this release"
    )


def check_hash(home: Path, content: BatchContent, state: BatchState, given_hash: str) -> None:
    """I7: the given, the proposed and the recomputed hash are one, and the claims are unchanged.

    Raises: DecisionRefusedError for a wrong hash, ChainBrokenError for a changed batch.
    """
    if given_hash != state.content_hash:
        raise DecisionRefusedError(
            f"the hash given is not the one of batch {content.batch_id}; look at it again with "
            "partnerledger batches show and approve the hash printed there"
        )
    check_recomputed_hash(content, state)
    check_claims(home, content)


def check_recomputed_hash(content: BatchContent, state: BatchState) -> None:
    """The stored content still has the proposed hash.

    Raises: DecisionRefusedError.
    """
    if content_hash(content) != state.content_hash:
        raise DecisionRefusedError(
            f"batch {content.batch_id} is not what was proposed: its hash has changed. Reject it, "
            "run partnerledger verify and propose again"
        )


def check_enough(content: BatchContent, state: BatchState, rules: ApprovalRules) -> None:
    """I8 under the terms of now, for the export: enough distinct approvers, none the maker.

    Raises: DecisionRefusedError.
    """
    approvers = [approval.actor for approval in state.approvals]
    if len(set(approvers)) != len(approvers) or person(state.maker) in approvers:
        raise DecisionRefusedError(
            f"batch {content.batch_id} was approved by its maker or twice by one person; reject it"
        )
    for approval in state.approvals:
        if approval.content_hash != state.content_hash:
            raise DecisionRefusedError(
                f"an approval of batch {content.batch_id} is for another hash; reject it"
            )
    required = rules.required(content.total_amount_minor, content.currency_code)
    for role in ROLES:
        given = sum(
            approval.role == role
            and rules.has_role(approval.actor, role)
            and _level(approval.identity_level) >= _level(rules.min_identity)
            for approval in state.approvals
        )
        if given < required[role]:
            raise DecisionRefusedError(
                f"batch {content.batch_id} has {given} valid approvals as {role}, the terms now "
                f"ask for {required[role]}; revoke and approve it again"
            )


def _check_role(rules: ApprovalRules, approver: str, actor: str, role: str) -> None:
    if role not in ROLES:
        raise DecisionRefusedError(
            f"{role!r} is not a role that approves; use {' or '.join(ROLES)}"
        )
    if not rules.has_role(approver, role):
        raise DecisionRefusedError(
            f"{actor} may not approve as {role}: add the person to roles.{role} in program.yml"
        )


def _check_four_eyes(state: BatchState, approver: str, actor: str) -> None:
    if approver == person(state.maker):
        raise DecisionRefusedError(
            f"{actor} proposed batch {state.batch_id} and may not approve it (four eyes)"
        )
    for approval in state.approvals:
        if approval.actor == approver:
            raise DecisionRefusedError(
                f"{actor} has approved batch {state.batch_id} as {approval.role} already; another "
                "person must give the next approval"
            )


def check_identity(rules: ApprovalRules, identity_level: str) -> None:
    """Refuse an approval by somebody who is less surely known than the terms ask for.

    Raises: DecisionRefusedError.
    """
    if identity_level not in IDENTITY_LEVELS:
        raise DecisionRefusedError(
            f"{identity_level!r} is not an identity level; known are {', '.join(IDENTITY_LEVELS)}"
        )
    if _level(identity_level) < _level(rules.min_identity):
        raise DecisionRefusedError(
            f"approvals.min_identity asks for {rules.min_identity}; this approval is "
            f"{identity_level}, so nothing was recorded"
        )


def _level(identity_level: str) -> int:
    return IDENTITY_LEVELS.index(identity_level)
