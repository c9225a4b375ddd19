"""Changes of payout details: proposed, confirmed with the old contact, approved by somebody else.

What belongs here: who may change where money goes, for partners and for the accounts that are paid
from. What does not: keeping the details (``vault``) and the gates (``payees``). Decision 0046.
Source: payouts reference 7 (bank-detail change).

A first account is approved by a second person and is paid at once. A change is confirmed first with
the contact that was known before it, and is paid after a cooling-off. No event holds a detail: ids,
keyed hashes and last four characters (I24).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from payouts import events
from payouts.details import PAYER_KINDS, Details
from payouts.errors import DecisionRefusedError
from payouts.holds import check_decider
from payouts.identity import is_at_least
from payouts.payee_details_records import (
    PROPOSED,
    DetailsRecord,
    last_approved,
    load_details,
    same_account,
)
from payouts.payee_state import (
    DETAILS_APPROVED,
    DETAILS_CONFIRMED,
    DETAILS_ERASED,
    DETAILS_PROPOSED,
    DETAILS_REJECTED,
    PARTNER_PREFIX,
    PAYER_APPROVED,
    PAYER_PREFIX,
    PAYER_PROPOSED,
    PAYER_REJECTED,
    Payee,
)
from payouts.payees import load_payees
from payouts.signed_decisions import decision_message, proved
from payouts.store import Store
from payouts.terms import ADMIN, ROLES, ApprovalRules, person
from payouts.texts import identifier, optional_written, refuse_secrets, written
from payouts.vault import StoredDetails, Vault

APPROVER_ROLE = "finance"


def partner_owner(partner_id: str) -> str:
    """The owner of a partner's details."""
    return f"{PARTNER_PREFIX}{identifier(partner_id, 'the partner')}"


def payer_owner(rail: str) -> str:
    """The owner of the account that a rail pays from. Raises: DecisionRefusedError."""
    if rail not in PAYER_KINDS:
        raise DecisionRefusedError(
            f"no account is kept for the rail {rail!r}; use {', '.join(sorted(PAYER_KINDS))}. "
            "Nothing was recorded"
        )
    return f"{PAYER_PREFIX}{rail}"


def propose_details(
    store: Store,
    vault: Vault,
    owner: str,
    details: Details,
    *,
    actor: str,
    rules: ApprovalRules,
    recorded_at: datetime,
    reason: str = "",
    is_own_proposal: bool = False,
    identity_level: str = "os_user",
) -> DetailsRecord:
    """Propose details of `partner_owner` or `payer_owner`; nothing is paid to them before approval.

    is_own_proposal: the partner itself proposes, having proved who it is; it needs no role, and
    ``actor`` is its owner's name.
    Raises: DecisionRefusedError for faulty details (never repeating a value), without a role, while
    others wait for a decision, or for those in force; errors of the vault.
    """
    proposer = identifier(person(actor), "the person who proposes")
    is_own = is_own_proposal and owner.startswith(PARTNER_PREFIX) and proposer == person(owner)
    if not is_own:
        _check_role(rules, proposer, ROLES, "propose payout details")
    note = optional_written(reason, "the reason")
    refuse_secrets(note, "the reason")
    problems = details.problems()
    if problems:
        raise DecisionRefusedError(
            f"the {details.rail} details of {owner} are not usable: {'; '.join(problems)}. Nothing "
            "was recorded"
        )
    with store.write() as connection:
        before = load_details(connection, owner)
        _refuse_pending(owner, before)
        earlier = last_approved(before)
        stored = vault.put(owner, details.rail, details, recorded_at)
        if earlier is not None and stored.details_id == earlier.details_id:
            raise DecisionRefusedError(
                f"these details of {owner} are in force already; nothing was recorded"
            )
        try:
            events.append(
                connection,
                kind=_kind(owner, DETAILS_PROPOSED, PAYER_PROPOSED),
                subject=owner,
                actor=proposer,
                recorded_at=recorded_at,
                payload=_proposal(connection, owner, stored, earlier),
                reason=note,
                identity_level=identity_level,
            )
        except BaseException:
            if stored.is_new:
                vault.erase(stored.details_id)
            raise
        return load_details(connection, owner)[-1]


def confirm_details(
    store: Store,
    owner: str,
    details_id: str,
    *,
    reason: str,
    actor: str,
    rules: ApprovalRules,
    recorded_at: datetime,
    identity_level: str = "os_user",
    signature: str | None = None,
) -> DetailsRecord:
    """Record that the contact known before the change was asked and agrees.

    reason: how it was confirmed, for instance a call to the number on file; no address and no
    number. Whoever proposed the change does not confirm it. signature: over ``details_message``.
    Raises: DecisionRefusedError.
    """
    how = written(reason, "how it was confirmed")
    confirmer = identifier(person(actor), "the person who confirms")
    check_decider(rules, confirmer, how, "confirm payout details")
    with store.write() as connection:
        record = _waiting(connection, owner, details_id)
        if not record.waits_for_confirmation:
            raise DecisionRefusedError(
                f"{details_id} of {owner} needs no confirmation any more; decide on it. Nothing "
                "was recorded"
            )
        _check_other_person(record, confirmer, "confirm")
        proof = proved(
            rules,
            kind=DETAILS_CONFIRMED,
            subject=owner,
            payload=_confirmation(record),
            actor=confirmer,
            at=recorded_at,
            identity_level=identity_level,
            signature=signature,
        )
        events.append(
            connection,
            kind=DETAILS_CONFIRMED,
            subject=owner,
            actor=confirmer,
            recorded_at=recorded_at,
            payload=proof.payload,
            reason=how,
            identity_level=proof.identity_level,
        )
        return load_details(connection, owner)[-1]


def approve_details(
    store: Store,
    owner: str,
    details_id: str,
    *,
    reason: str,
    actor: str,
    rules: ApprovalRules,
    cooling_off_days: int,
    timezone: str,
    recorded_at: datetime,
    identity_level: str = "os_user",
    signature: str | None = None,
) -> DetailsRecord:
    """Put proposed details in force, with the role finance; never by who proposed them.

    A change that the partner itself proposed, or somebody less surely known than
    ``approvals.min_identity`` asks for, is not approved by who confirmed it: two people of the
    programme look at each change. signature: over ``details_message``.
    A partner's changed details are first paid ``cooling_off_days`` after the local day of the
    approval (``timezone``, an IANA name). Live batches that name other details go stale at their
    export or in the next night.
    Raises: DecisionRefusedError, also while the old contact has not confirmed.
    """
    note = written(reason, "the reason")
    refuse_secrets(note, "the reason")
    approver = identifier(person(actor), "the person who approves")
    _check_role(rules, approver, (APPROVER_ROLE,), "approve payout details")
    with store.write() as connection:
        record = _waiting(connection, owner, details_id)
        _check_other_person(record, approver, "approve")
        if record.waits_for_confirmation:
            raise DecisionRefusedError(
                f"{details_id} changes the account of {owner}: ask the contact that was known "
                f"before, and record it with partnerledger payee details confirm. Nothing was "
                "recorded"
            )
        _check_two_people(rules, record, approver)
        until = None
        if owner.startswith(PARTNER_PREFIX) and record.replaces is not None:
            until = _local_day(recorded_at, timezone) + timedelta(days=cooling_off_days)
            until = max(until, _cooling_off(connection, owner) or until)
        kind = _kind(owner, DETAILS_APPROVED, PAYER_APPROVED)
        proof = proved(
            rules,
            kind=kind,
            subject=owner,
            payload={**_approval(record), "cooling_off_until": until},
            actor=approver,
            at=recorded_at,
            identity_level=identity_level,
            signature=signature,
        )
        events.append(
            connection,
            kind=kind,
            subject=owner,
            actor=approver,
            recorded_at=recorded_at,
            payload=proof.payload,
            reason=note,
            identity_level=proof.identity_level,
        )
        return load_details(connection, owner)[-1]


def details_message(
    connection: Connection, owner: str, details_id: str, *, is_confirmation: bool, actor: str
) -> str:
    """What ``actor`` signs to confirm or to approve details that wait for it.

    Raises: DecisionRefusedError when they do not wait.
    """
    record = _waiting(connection, owner, details_id)
    if is_confirmation:
        return decision_message(DETAILS_CONFIRMED, owner, _confirmation(record), actor)
    kind = _kind(owner, DETAILS_APPROVED, PAYER_APPROVED)
    return decision_message(kind, owner, _approval(record), actor)


def reject_details(
    store: Store,
    vault: Vault,
    owner: str,
    details_id: str,
    *,
    reason: str,
    actor: str,
    rules: ApprovalRules,
    recorded_at: datetime,
    identity_level: str = "os_user",
) -> DetailsRecord:
    """Reject proposed details, or take back one's own proposal; what was proposed is shredded.

    Those in force stay. Raises: DecisionRefusedError; errors of the vault.
    """
    note = written(reason, "the reason")
    decider = identifier(person(actor), "the person who decides")
    check_decider(rules, decider, note, "reject payout details")
    with store.write() as connection:
        record = _waiting(connection, owner, details_id)
        events.append(
            connection,
            kind=_kind(owner, DETAILS_REJECTED, PAYER_REJECTED),
            subject=owner,
            actor=decider,
            recorded_at=recorded_at,
            payload={"details_id": record.details_id},
            reason=note,
            identity_level=identity_level,
        )
        rejected = load_details(connection, owner)[-1]
        vault.erase(details_id)
    return rejected


def erase_details(
    store: Store,
    vault: Vault,
    partner_id: str,
    *,
    reason: str,
    actor: str,
    rules: ApprovalRules,
    recorded_at: datetime,
    identity_level: str = "os_user",
) -> list[str]:
    """Shred all details of a partner in the vault, with the role finance or admin.

    What was recorded stays: ids, keyed hashes, last four characters. The partner is not paid until
    new details are approved. Returns the ids that were shredded.
    Raises: DecisionRefusedError when there is nothing to erase; errors of the vault.
    """
    note = written(reason, "the reason")
    refuse_secrets(note, "the reason")
    eraser = identifier(person(actor), "the person who erases")
    _check_role(rules, eraser, (APPROVER_ROLE, ADMIN), "erase payout details")
    owner = partner_owner(partner_id)
    with store.write() as connection:
        ids = vault.ids_of(owner)
        payee = load_payees(connection).get(partner_id, Payee(partner_id))
        if not ids and payee.details_id is None and payee.pending_details_id is None:
            raise DecisionRefusedError(
                f"the vault holds no payout details of {partner_id}; nothing was recorded"
            )
        events.append(
            connection,
            kind=DETAILS_ERASED,
            subject=owner,
            actor=eraser,
            recorded_at=recorded_at,
            payload={"details_ids": ids},
            reason=note,
            identity_level=identity_level,
        )
        for details_id in ids:
            vault.erase(details_id)
    return ids


def _proposal(
    connection: Connection, owner: str, stored: StoredDetails, earlier: DetailsRecord | None
) -> Mapping[str, Any]:
    """What an event keeps of a proposal.

    After details that were erased it is a change too: erasing must not be a way round the checks.
    """
    partner_id = owner.removeprefix(PARTNER_PREFIX)
    is_partner = owner.startswith(PARTNER_PREFIX)
    others = same_account(connection, stored.account_fingerprint, partner_id) if is_partner else []
    return {
        "details_id": stored.details_id,
        "rail": stored.rail,
        "fingerprint": stored.fingerprint,
        "account_fingerprint": stored.account_fingerprint,
        "last_four": stored.last_four,
        "replaces": earlier.details_id if earlier else None,
        "confirmation_needed": is_partner and earlier is not None,
        "same_account_as": others,
    }


def _confirmation(record: DetailsRecord) -> dict[str, Any]:
    return {"details_id": record.details_id, "contact_of": record.replaces}


def _approval(record: DetailsRecord) -> dict[str, Any]:
    return {
        "details_id": record.details_id,
        "rail": record.rail,
        "fingerprint": record.fingerprint,
        "account_fingerprint": record.account_fingerprint,
        "last_four": record.last_four,
    }


def _refuse_pending(owner: str, records: list[DetailsRecord]) -> None:
    if records and records[-1].state == PROPOSED:
        raise DecisionRefusedError(
            f"{records[-1].details_id} of {owner} waits for a decision; approve or reject it "
            "first. Nothing was recorded"
        )


def _waiting(connection: Connection, owner: str, details_id: str) -> DetailsRecord:
    records = load_details(connection, owner)
    found = [record for record in records if record.details_id == details_id]
    if not found:
        raise DecisionRefusedError(
            f"{owner} has no details {details_id!r}; partnerledger payee details show names them. "
            "Nothing was recorded"
        )
    if found[-1].state != PROPOSED:
        raise DecisionRefusedError(
            f"{details_id} of {owner} was {found[-1].state} already; nothing was recorded"
        )
    return found[-1]


def _check_other_person(record: DetailsRecord, actor: str, verb: str) -> None:
    if actor == record.proposed_by:
        raise DecisionRefusedError(
            f"{actor} proposed {record.details_id} and may not {verb} it (four eyes); another "
            f"person of {APPROVER_ROLE} must. Nothing was recorded"
        )


def _check_two_people(rules: ApprovalRules, record: DetailsRecord, approver: str) -> None:
    """Two are surely known behind a change: who proposed it, unless that is not one of them.

    The partner is no colleague, and a name that was only typed may be anybody's.
    """
    if approver != record.confirmed_by:
        return
    if record.proposed_by.startswith(PARTNER_PREFIX):
        because = "which the partner proposed itself"
    elif not is_at_least(record.proposal_level, rules.min_identity):
        because = (
            f"which was proposed as {record.proposal_level} where approvals.min_identity asks for "
            f"{rules.min_identity}"
        )
    else:
        return
    raise DecisionRefusedError(
        f"{approver} confirmed {record.details_id}, {because}, and may not approve it too (four "
        f"eyes); another person of {APPROVER_ROLE} must. Nothing was recorded"
    )


def _check_role(rules: ApprovalRules, actor: str, roles: tuple[str, ...], what: str) -> None:
    if not any(rules.has_role(actor, role) for role in roles):
        raise DecisionRefusedError(
            f"{actor} may not {what}: roles in program.yml name nobody of that name for "
            f"{' or '.join(roles)}. Nothing was recorded"
        )


def _kind(owner: str, of_partner: str, of_payer: str) -> str:
    return of_payer if owner.startswith(PAYER_PREFIX) else of_partner


def _cooling_off(connection: Connection, owner: str) -> date | None:
    payee = load_payees(connection).get(owner.removeprefix(PARTNER_PREFIX))
    return payee.cooling_off_until if payee else None


def _local_day(instant: datetime, timezone: str) -> date:
    return instant.replace(tzinfo=UTC).astimezone(ZoneInfo(timezone)).date()
