"""What must hold for an approval to be given, and for the given ones to count at the export.

What belongs here: role, four eyes, hash, signature. What does not: recording a decision
(``approvals``), the state machine (``states``), levels of identity (``identity``).
Source: payouts reference 1 (decision 1) and 3.1; I7, I8.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from payouts.batch_exceptions import raises_the_bar
from payouts.claims import check_claims
from payouts.delegation import Delegation, covering_delegation, load_delegations
from payouts.errors import DecisionRefusedError
from payouts.identity import is_at_least
from payouts.records import BatchContent, content_hash
from payouts.signatures import (
    LEVEL,
    Signature,
    approval_message,
    checked_signature,
    still_allowed,
)
from payouts.states import Approval, BatchState, check_transition
from payouts.terms import ROLES, ApprovalRules, person


def may_approve(
    connection: Connection,
    content: BatchContent,
    state: BatchState,
    approver: str,
    role: str,
    rules: ApprovalRules,
    at: datetime,
) -> Delegation | None:
    """Refuse who may not give the next approval; return the delegation under which it is given.

    approver: as ``terms.person`` writes it. Raises: DecisionRefusedError.
    """
    if role not in ROLES:
        raise DecisionRefusedError(
            f"{role!r} is not a role that approves; use {' or '.join(ROLES)}"
        )
    acted = {person(state.maker)}.union(*(approval.people for approval in state.approvals))
    delegation = None
    if not rules.has_role(approver, role):
        delegation = covering_delegation(
            connection, rules, approver=approver, role=role,
            total_amount_minor=content.total_amount_minor, currency_code=content.currency_code,
            at=at, acted=acted,
        )  # fmt: skip
        if delegation is None:
            raise DecisionRefusedError(
                f"{approver or 'somebody without a name'} may not approve as {role}: add the "
                f"person to roles.{role} in program.yml"
            )
    _check_four_eyes(state, approver)
    check_transition(state.batch_id, state.state, f"approve_{role}")
    return delegation


def required_approvals(content: BatchContent, rules: ApprovalRules) -> dict[str, int]:
    """Approvals per role that the terms ask for a batch, exceptions considered."""
    return rules.required(
        content.total_amount_minor, content.currency_code, raises_the_bar(content.exceptions)
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


def check_enough(
    connection: Connection,
    content: BatchContent,
    state: BatchState,
    rules: ApprovalRules,
    coming_role: str | None = None,
) -> None:
    """I8 under the terms of now, for the export: enough distinct people, none the maker.

    An approval counts while its giver has the role, or while who lent the role has it and the
    delegation ran at that moment; a signed one while ``allowed_signers`` still names its key.
    coming_role: of one more approval, for a dry run; that its giver may give it was checked.
    Raises: DecisionRefusedError.
    """
    acted = [name for approval in state.approvals for name in approval.people]
    if len(set(acted)) != len(acted) or person(state.maker) in acted:
        raise DecisionRefusedError(
            f"batch {content.batch_id} was approved by its maker or twice by one person; reject it"
        )
    for approval in state.approvals:
        if approval.content_hash != state.content_hash:
            raise DecisionRefusedError(
                f"an approval of batch {content.batch_id} is for another hash; reject it"
            )
    delegations = {each.delegation_id: each for each in load_delegations(connection)}
    counting = Counter(
        approval.role
        for approval in state.approvals
        if _counts(content, approval, state.approval_round, rules, delegations)
    )
    if coming_role is not None:
        counting[coming_role] += 1
    for role, needed in required_approvals(content, rules).items():
        if counting[role] < needed:
            raise DecisionRefusedError(
                f"batch {content.batch_id} has {counting[role]} valid approvals as {role}, the "
                f"terms now ask for {needed}; revoke and approve it again"
            )


def _counts(
    content: BatchContent,
    approval: Approval,
    approval_round: int,
    rules: ApprovalRules,
    delegations: Mapping[str, Delegation],
) -> bool:
    total, code = content.total_amount_minor, content.currency_code
    least = rules.identity_for(total, code)
    if not is_at_least(approval.identity_level, least):
        return False
    if approval.identity_level == LEVEL and not still_allowed(
        approval_message(
            content,
            approval.content_hash,
            approval.role,
            approval_round,
            approval.message_version,
        ),
        actor=approval.actor,
        signature=approval.signature,
        signed_at=approval.recorded_at,
        signers=rules.allowed_signers,
    ):
        return False
    if rules.has_role(approval.actor, approval.role):
        return True
    delegation = delegations.get(approval.delegation_id or "")
    return (
        delegation is not None
        and (delegation.delegate, delegation.delegator) == (approval.actor, approval.delegator)
        and rules.has_role(delegation.delegator, approval.role)
        and delegation.fault(
            role=approval.role,
            total_amount_minor=total,
            currency_code=code,
            at=approval.recorded_at,
            seq=approval.seq,
            least_identity=least,
        )
        is None
    )


def _check_four_eyes(state: BatchState, approver: str) -> None:
    if approver == person(state.maker):
        raise DecisionRefusedError(
            f"{approver} proposed batch {state.batch_id} and may not approve it (four eyes)"
        )
    for approval in state.approvals:
        if approval.actor == approver:
            raise DecisionRefusedError(
                f"{approver} has approved batch {state.batch_id} as {approval.role} already; "
                "another person must give the next approval"
            )
        if approval.delegator == approver:
            raise DecisionRefusedError(
                f"{approval.actor} has approved batch {state.batch_id} for {approver}, by "
                f"delegation {approval.delegation_id}; another person must give the next approval"
            )


def check_signature(
    rules: ApprovalRules,
    content: BatchContent,
    state: BatchState,
    approver: str,
    role: str,
    signature: str | None,
    level: str,
    at: datetime,
) -> Signature | None:
    """The checked signature of an approval that has one: it is of this round of approvals.

    level: that of the approval; ``ssh_signed`` without a signature is refused.
    Raises: DecisionRefusedError.
    """
    if level == LEVEL and not signature:
        raise DecisionRefusedError(
            "an approval is ssh_signed with a signature only; give one. Nothing was recorded"
        )
    if not signature:
        return None
    signed = checked_signature(
        approval_message(content, state.content_hash, role, state.approval_round),
        signature,
        signers=rules.allowed_signers,
        actor=approver,
        at=at,
    )
    for approval in state.approvals:
        if approval.key_fingerprint == signed.key_fingerprint:
            raise DecisionRefusedError(
                f"batch {content.batch_id} was approved with the key {signed.key_fingerprint} by "
                f"{approval.actor} already; another person's key must sign. Nothing was recorded"
            )
    return signed
