"""Delegations: somebody with a role lets another person approve for a time, up to an amount.

What belongs here: granting, revoking and reading delegations, and whether one covers an approval.
What does not: the approval itself (``approvals``).
Source: payouts reference 3.2 (dated, scoped, recorded as an event).

A delegation lends a role and never adds a pair of eyes: who delegated counts as having acted in
each approval that the delegate gives under it. It covers batches of one currency up to a total,
from an instant to another, the end excluded (M5). A delegate cannot delegate on, because the terms
do not give the role to them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from payouts import events
from payouts.errors import DecisionRefusedError
from payouts.hashing import instant_text
from payouts.identity import is_at_least
from payouts.signed_decisions import DELEGATED, decision_message, proved
from payouts.store import Store
from payouts.terms import ADMIN, ROLES, ApprovalRules, person
from payouts.texts import identifier, instant, refuse_secrets, written

PREFIX = "delegation:"
# No batch is larger: what is above it is a typing error, and lends a role without any limit.
MAXIMUM_LIMIT_MINOR = 10**15
# Names of this product's own: a partner who proved who it is, and the machine.
_NOBODY = ("partner:", "system:", "payer:")
_GRANTED, _REVOKED = DELEGATED, "delegation_revoked"


@dataclass(frozen=True)
class Delegation:
    """One delegation. Instants are fixed-width UTC text; the limit is in minor units, included.

    ``identity_level``: how surely it was known who lent the role. ``revoked_seq``: number of the
    event that ended it early, None while none did.
    """

    delegation_id: str
    delegator: str
    delegate: str
    role: str
    limit_amount_minor: int
    currency_code: str
    from_at: str
    to_at: str
    reason: str
    granted_at: str
    seq: int
    identity_level: str
    revoked_at: str | None = None
    revoked_seq: int | None = None

    def fault(
        self,
        *,
        role: str,
        total_amount_minor: int,
        currency_code: str,
        at: str,
        seq: int | None,
        least_identity: str,
    ) -> str | None:
        """Why it does not cover an approval at ``at``, None when it does.

        seq: number of the approval's event; None for one that is being given. least_identity: what
        the terms ask of who approves, and so of who lends the role for it.
        """
        if role != self.role:
            return f"is for {self.role}"
        if self.revoked_seq is not None and (seq is None or self.revoked_seq < seq):
            return "was revoked"
        if at < self.from_at:
            return f"begins at {self.from_at}"
        if at >= self.to_at:
            return f"ended at {self.to_at}"
        if currency_code != self.currency_code:
            return f"is for batches in {self.currency_code}"
        if total_amount_minor > self.limit_amount_minor:
            return "is for smaller batches"
        if not is_at_least(self.identity_level, least_identity):
            return f"was given as {self.identity_level}, and the terms ask for {least_identity}"
        return None


def delegate_role(
    store: Store,
    *,
    delegate: str,
    role: str,
    limit_amount_minor: int,
    currency_code: str,
    from_at: datetime,
    to_at: datetime,
    reason: str,
    actor: str,
    rules: ApprovalRules,
    recorded_at: datetime,
    identity_level: str = "os_user",
    signature: str | None = None,
) -> Delegation:
    """Let ``delegate`` approve as ``role`` in place of ``actor``, who has the role by the terms.

    from_at, to_at: naive UTC, the end excluded. limit_amount_minor: largest batch total, included;
    who lends the role must be known as surely as a batch of it asks for. signature: over
    ``delegation_message``.
    Raises: DecisionRefusedError when the actor has not the role or is not known surely enough, the
    delegate is the actor or has the role already, the time is empty or over, the limit is not
    positive, or a reason is missing.
    """
    delegator = identifier(person(actor), "the person who delegates")
    receiver = identifier(person(delegate), "the delegate")
    reason = written(reason, "the reason")
    refuse_secrets(reason, "the reason")
    payload = _payload(receiver, role, limit_amount_minor, currency_code, from_at, to_at)
    _check_people(rules, delegator, receiver, role)
    _check_scope(
        limit_amount_minor, currency_code, payload["from_at"], payload["to_at"], recorded_at
    )
    proof = proved(
        rules,
        kind=_GRANTED,
        subject=PREFIX,
        payload=payload,
        actor=delegator,
        at=recorded_at,
        identity_level=identity_level,
        signature=signature,
        least=rules.identity_up_to(limit_amount_minor, currency_code),
    )
    with store.write() as connection:
        if signature:
            _refuse_replay(connection, decision_message(_GRANTED, PREFIX, payload, delegator))
        delegation_id = f"d-{events.head(connection).seq + 1}"
        event = events.append(
            connection,
            kind=_GRANTED,
            subject=PREFIX + delegation_id,
            actor=delegator,
            recorded_at=recorded_at,
            payload=proof.payload,
            reason=reason,
            identity_level=proof.identity_level,
        )
    return _granted(event)


def delegation_message(
    *,
    delegate: str,
    role: str,
    limit_amount_minor: int,
    currency_code: str,
    from_at: datetime,
    to_at: datetime,
    actor: str,
) -> str:
    """What ``actor`` signs to lend a role; arguments as of ``delegate_role``.

    Raises: DecisionRefusedError.
    """
    receiver = identifier(person(delegate), "the delegate")
    payload = _payload(receiver, role, limit_amount_minor, currency_code, from_at, to_at)
    return decision_message(_GRANTED, PREFIX, payload, actor)


def revoke_delegation(
    store: Store,
    delegation_id: str,
    *,
    reason: str,
    actor: str,
    rules: ApprovalRules,
    recorded_at: datetime,
    identity_level: str = "os_user",
) -> Delegation:
    """End a delegation now. Approvals that were given under it stay as they are.

    By who delegated, or by anybody with its role or the role admin.
    Raises: DecisionRefusedError when there is no such delegation that runs, or without a reason.
    """
    decider = identifier(person(actor), "the person who decides")
    reason = written(reason, "the reason")
    refuse_secrets(reason, "the reason")
    with store.write() as connection:
        found = {each.delegation_id: each for each in load_delegations(connection)}
        delegation = found.get(delegation_id)
        if delegation is None or delegation.revoked_seq is not None:
            raise DecisionRefusedError(
                f"there is no delegation {delegation_id!r} to revoke; `partnerledger batches "
                "delegations` lists them. Nothing was recorded"
            )
        if decider != delegation.delegator and not any(
            rules.has_role(decider, role) for role in (delegation.role, ADMIN)
        ):
            raise DecisionRefusedError(
                f"{actor} may not revoke {delegation_id}: who delegated does, or somebody in "
                f"roles.{delegation.role} or roles.admin. Nothing was recorded"
            )
        event = events.append(
            connection,
            kind=_REVOKED,
            subject=PREFIX + delegation_id,
            actor=decider,
            recorded_at=recorded_at,
            reason=reason,
            identity_level=identity_level,
        )
    return replace(delegation, revoked_at=event.recorded_at, revoked_seq=event.seq)


def load_delegations(connection: Connection) -> list[Delegation]:
    """All delegations, oldest first, ended and revoked ones too."""
    found: dict[str, Delegation] = {}
    for event in events.of_kinds(connection, (_GRANTED, _REVOKED)):
        if event.kind == _GRANTED:
            found[event.subject] = _granted(event)
        else:
            found[event.subject] = replace(
                found[event.subject], revoked_at=event.recorded_at, revoked_seq=event.seq
            )
    return list(found.values())


def covering_delegation(
    connection: Connection,
    rules: ApprovalRules,
    *,
    approver: str,
    role: str,
    total_amount_minor: int,
    currency_code: str,
    at: datetime,
    acted: Iterable[str],
) -> Delegation | None:
    """The first delegation under which this person may approve now; None without any at all.

    acted: the maker, and all who stand behind earlier approvals; their delegations do not count.
    Raises: DecisionRefusedError when there are delegations to this person and none covers it.
    """
    mine = [each for each in load_delegations(connection) if each.delegate == approver]
    faults = []
    for delegation in mine:
        fault = delegation.fault(
            role=role, total_amount_minor=total_amount_minor, currency_code=currency_code,
            at=instant_text(at), seq=None,
            least_identity=rules.identity_for(total_amount_minor, currency_code),
        ) or _delegator_fault(rules, delegation, frozenset(acted))  # fmt: skip
        if fault is None:
            return delegation
        faults.append(f"{delegation.delegation_id} {fault}")
    if not faults:
        return None
    raise DecisionRefusedError(
        f"{approver} may not approve this batch as {role}: delegation {'; '.join(faults)}. Nothing "
        "was recorded"
    )


def _delegator_fault(
    rules: ApprovalRules, delegation: Delegation, acted: frozenset[str]
) -> str | None:
    if not rules.has_role(delegation.delegator, delegation.role):
        return f"is of {delegation.delegator}, who is not in roles.{delegation.role} any more"
    if delegation.delegator in acted:
        return f"is of {delegation.delegator}, who has acted on the batch (four eyes)"
    return None


def _check_people(rules: ApprovalRules, delegator: str, receiver: str, role: str) -> None:
    if role not in ROLES:
        raise DecisionRefusedError(
            f"{role!r} is not a role that approves; use {' or '.join(ROLES)}"
        )
    if not rules.has_role(delegator, role):
        raise DecisionRefusedError(
            f"{delegator} may not delegate {role}: only who is in roles.{role} of program.yml can; "
            "a delegate cannot delegate on. Nothing was recorded"
        )
    if receiver.startswith(_NOBODY):
        raise DecisionRefusedError(
            f"{receiver} is no person of the programme; a role is delegated to a colleague. "
            "Nothing was recorded"
        )
    if receiver == delegator:
        raise DecisionRefusedError("a role is delegated to another person; nothing was recorded")
    if rules.has_role(receiver, role):
        raise DecisionRefusedError(
            f"{receiver} is in roles.{role} already and needs no delegation; nothing was recorded"
        )


def _check_scope(
    limit_amount_minor: int, currency_code: str, from_text: str, to_text: str, now: datetime
) -> None:
    from program.currencies import is_currency

    if not is_currency(currency_code):
        raise DecisionRefusedError(
            f"{currency_code!r} is not a currency; write a code such as USD. Nothing was recorded"
        )
    if limit_amount_minor <= 0:
        raise DecisionRefusedError(
            "the limit is the largest batch that may be approved and must be more than 0; nothing "
            "was recorded"
        )
    if limit_amount_minor > MAXIMUM_LIMIT_MINOR:
        raise DecisionRefusedError(
            f"the limit is more than {MAXIMUM_LIMIT_MINOR} minor units, which is no limit; write "
            "the largest batch that may be approved. Nothing was recorded"
        )
    if to_text <= from_text:
        raise DecisionRefusedError(
            f"the delegation ends at {to_text}, not after it begins; nothing was recorded"
        )
    if to_text <= instant_text(now):
        raise DecisionRefusedError(
            f"the delegation would have ended at {to_text} already; nothing was recorded"
        )


def _payload(
    receiver: str,
    role: str,
    limit_amount_minor: int,
    currency_code: str,
    from_at: datetime,
    to_at: datetime,
) -> dict[str, Any]:
    return {
        "delegate": receiver,
        "role": role,
        "limit_amount_minor": limit_amount_minor,
        "currency_code": currency_code,
        "from_at": instant(from_at, "the beginning"),
        "to_at": instant(to_at, "the end"),
    }


def _refuse_replay(connection: Connection, message: str) -> None:
    """What was signed once lends a role once: after a revocation anybody could bring it again."""
    for event in events.of_kinds(connection, (_GRANTED,)):
        if decision_message(event.kind, event.subject, event.payload, event.actor) == message:
            raise DecisionRefusedError(
                f"this delegation was granted before, as {event.subject.removeprefix(PREFIX)}; "
                "sign one with another beginning or end. Nothing was recorded"
            )


def _granted(event: events.Event) -> Delegation:
    values = event.payload
    return Delegation(
        delegation_id=event.subject.removeprefix(PREFIX),
        delegator=event.actor,
        delegate=values["delegate"],
        role=values["role"],
        limit_amount_minor=values["limit_amount_minor"],
        currency_code=values["currency_code"],
        from_at=values["from_at"],
        to_at=values["to_at"],
        reason=event.reason,
        granted_at=event.recorded_at,
        seq=event.seq,
        identity_level=event.identity_level,
    )
