"""Onboarding of a partner: invitation, acceptance of the terms, and what is still missing.

What belongs here: invitations, acceptance and the list of steps. What does not: payout details
(``payee_details``), tax forms and screening. The token of an invitation is made and shown at the
edge, once; its SHA-256 alone is recorded.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from payouts import events
from payouts.errors import DecisionRefusedError
from payouts.hashing import instant_text, sha256_text
from payouts.holds import check_decider
from payouts.payee_state import (
    INVITATION_USED,
    INVITED,
    PARTNER_PREFIX,
    TERMS_ACCEPTED,
    Payee,
)
from payouts.payees import load_payees
from payouts.signed_decisions import Proof, decision_message, following, proved
from payouts.store import Store
from payouts.terms import ApprovalRules, person
from payouts.texts import identifier, optional_written, written

_SHA256 = re.compile(r"[0-9a-f]{64}")
# What the terms are called may be long where it names several plans.
_VERSION_CHARACTERS = 200
_TOKEN_CHARACTERS = 500


@dataclass(frozen=True)
class Step:
    """One step of onboarding, in the order in which it is taken. detail: plain words."""

    step: str
    is_done: bool
    detail: str


@dataclass(frozen=True)
class Invitation:
    """An open invitation. ``expires_at``: fixed-width UTC text, excluded."""

    partner_id: str
    token_sha256: str
    expires_at: str


def invite(
    store: Store,
    partner_id: str,
    *,
    token_sha256: str,
    expires_at: datetime,
    actor: str,
    rules: ApprovalRules,
    recorded_at: datetime,
    reason: str = "",
    identity_level: str = "os_user",
) -> Invitation:
    """Invite a partner; an earlier invitation of the same partner ends.

    token_sha256: of a token of at least 128 random bits. expires_at: naive UTC, excluded.
    Raises: DecisionRefusedError without a role, or when the end is not in the future.
    """
    with store.write() as connection:
        return invite_in(
            connection, partner_id, token_sha256=token_sha256, expires_at=expires_at, actor=actor,
            rules=rules, recorded_at=recorded_at, reason=reason, identity_level=identity_level,
        )  # fmt: skip


def invite_in(
    connection: Connection,
    partner_id: str,
    *,
    token_sha256: str,
    expires_at: datetime,
    actor: str,
    rules: ApprovalRules,
    recorded_at: datetime,
    reason: str = "",
    identity_level: str = "os_user",
) -> Invitation:
    """As ``invite``, in the caller's write transaction."""
    inviter = identifier(person(actor), "the person who invites")
    note = optional_written(reason, "the reason")
    check_decider(rules, inviter, note or "invitation", "invite a partner")
    partner = identifier(partner_id, "the partner")
    if not _SHA256.fullmatch(token_sha256):
        raise DecisionRefusedError("the invitation has no SHA-256 of a token; nothing was recorded")
    if expires_at <= recorded_at:
        raise DecisionRefusedError(
            f"the invitation would have ended on {expires_at:%Y-%m-%d} already; nothing was "
            "recorded"
        )
    events.append(
        connection,
        kind=INVITED,
        subject=f"{PARTNER_PREFIX}{partner}",
        actor=inviter,
        recorded_at=recorded_at,
        payload={"token_sha256": token_sha256, "expires_at": expires_at},
        reason=note,
        identity_level=identity_level,
    )
    return Invitation(partner, token_sha256, instant_text(expires_at))


def accept_invite(
    store: Store,
    token: str,
    *,
    recorded_at: datetime,
    partner_id: str | None = None,
    identity_level: str = "os_user",
) -> str:
    """Use an invitation, once, and return whose it is; the partner is the actor from here on.

    partner_id: refuse an invitation of anybody else, which then stays open.
    Raises: DecisionRefusedError for a token that is unknown, used, replaced or expired, without
    saying which: whoever tries tokens learns nothing.
    """
    given = sha256_text(token.strip()[:_TOKEN_CHARACTERS])
    with store.write() as connection:
        found = None
        # Every open invitation is compared, in constant time each.
        for invitation in open_invitations(connection, recorded_at):
            is_wanted = partner_id in (None, invitation.partner_id)
            if hmac.compare_digest(invitation.token_sha256, given) and is_wanted:
                found = invitation
        if found is None:
            raise DecisionRefusedError(
                "this invitation is not valid, or not any more; ask for a new one. Nothing was "
                "recorded"
            )
        subject = f"{PARTNER_PREFIX}{found.partner_id}"
        events.append(
            connection,
            kind=INVITATION_USED,
            subject=subject,
            actor=subject,
            recorded_at=recorded_at,
            payload={"token_sha256": found.token_sha256},
            identity_level=identity_level,
        )
    return found.partner_id


def open_invitations(connection: Connection, at: datetime) -> list[Invitation]:
    """Invitations that can be used at an instant (naive UTC), one per partner at most."""
    found: dict[str, Invitation] = {}
    for event in events.of_kinds(connection, (INVITED, INVITATION_USED)):
        partner_id = event.subject.removeprefix(PARTNER_PREFIX)
        found.pop(partner_id, None)
        if event.kind == INVITED and instant_text(at) < event.payload["expires_at"]:
            found[partner_id] = Invitation(
                partner_id, event.payload["token_sha256"], event.payload["expires_at"]
            )
    return list(found.values())


def accept_terms(
    store: Store,
    partner_id: str,
    *,
    terms_version: str,
    terms_hash: str,
    text_sha256: str,
    actor: str,
    recorded_at: datetime,
    rules: ApprovalRules | None = None,
    reason: str = "",
    identity_level: str = "os_user",
    signature: str | None = None,
) -> Payee:
    """Record that a partner accepted the terms, in the version that it was shown.

    terms_hash: of the programme's terms; text_sha256: of the page that was shown. rules: those of
    the programme when staff record it from a signed contract, who need a role and a reason that
    names it; None when the partner itself accepts, having proved who it is. signature: of staff,
    over ``acceptance_message``.
    Raises: DecisionRefusedError.
    """
    partner = identifier(partner_id, "the partner")
    accepter = identifier(person(actor), "who accepts")
    note = optional_written(reason, "the reason")
    if rules is not None:
        check_decider(rules, accepter, note, "record an acceptance of the terms")
    payload = _acceptance(terms_version, terms_hash, text_sha256)
    owner = f"{PARTNER_PREFIX}{partner}"
    with store.write() as connection:
        proof = Proof(identity_level, payload)
        if rules is not None:
            proof = proved(
                rules,
                kind=TERMS_ACCEPTED,
                subject=owner,
                payload=following(connection, owner, payload),
                actor=accepter,
                at=recorded_at,
                identity_level=identity_level,
                signature=signature,
            )
        events.append(
            connection,
            kind=TERMS_ACCEPTED,
            subject=owner,
            actor=accepter,
            recorded_at=recorded_at,
            payload=proof.payload,
            reason=note,
            identity_level=proof.identity_level,
        )
        return load_payees(connection)[partner]


def acceptance_message(
    connection: Connection,
    partner_id: str,
    *,
    terms_version: str,
    terms_hash: str,
    text_sha256: str,
    actor: str,
) -> str:
    """What ``actor`` of the staff signs to record a signed contract.

    Raises: DecisionRefusedError.
    """
    payload = _acceptance(terms_version, terms_hash, text_sha256)
    owner = f"{PARTNER_PREFIX}{identifier(partner_id, 'the partner')}"
    return decision_message(TERMS_ACCEPTED, owner, following(connection, owner, payload), actor)


def _acceptance(terms_version: str, terms_hash: str, text_sha256: str) -> dict[str, str]:
    version = written(terms_version, "the version of the terms", _VERSION_CHARACTERS)
    if not _SHA256.fullmatch(terms_hash) or not _SHA256.fullmatch(text_sha256):
        raise DecisionRefusedError(
            "the accepted terms are not named by their SHA-256; nothing was recorded"
        )
    return {"terms_version": version, "terms_hash": terms_hash, "text_sha256": text_sha256}


def checklist(payee: Payee, as_of: date) -> list[Step]:
    """Every step of onboarding with whether it is done on a day, in order.

    An invitation is only needed by who accepts online: the step is done once terms are accepted.
    """
    return [
        Step("invitation", bool(payee.invitation_used_at or payee.terms_accepted),
             _invitation_words(payee)),
        Step("terms", payee.terms_accepted, _terms_words(payee)),
        Step("payout_details", payee.details_id is not None, _details_words(payee)),
        Step("verification", payee.payee_verified,
             "the account is verified" if payee.payee_verified else "the account is not verified"),
        Step("tax_form", payee.has_valid_tax_form(as_of), _tax_words(payee, as_of)),
        Step("screening", payee.screening, _screening_words(payee)),
        Step("cooling_off", payee.has_cooled_off(as_of),
             f"until {payee.cooling_off_until}" if payee.cooling_off_until else "none"),
    ]  # fmt: skip


def _invitation_words(payee: Payee) -> str:
    if payee.invitation_used_at:
        return f"used on {payee.invitation_used_at[:10]}"
    if payee.terms_accepted:
        return "not needed"
    return f"sent on {payee.invited_at[:10]}" if payee.invited_at else "not sent"


def _terms_words(payee: Payee) -> str:
    if not payee.terms_accepted:
        return "not accepted"
    return f"accepted: {payee.terms_version}" if payee.terms_version else "accepted on paper"


def _details_words(payee: Payee) -> str:
    known = f"{payee.rail} ending in {payee.last_four}" if payee.details_id else "none"
    waiting = payee.pending_details_id
    return f"{known}; {waiting} waits for a decision" if waiting else known


def _tax_words(payee: Payee, as_of: date) -> str:
    if payee.tax_form_type in (None, "none"):
        return "recorded by hand" if payee.tax_form else "none"
    if not payee.tax_form:
        if payee.services_in_us and payee.tax_form_type != "w9":
            return f"{payee.tax_form_type}, services in the United States: needs a tax review"
        return f"{payee.tax_form_type}, taken back by hand"
    if not payee.has_valid_tax_form(as_of):
        return f"{payee.tax_form_type} ended on {payee.tax_form_valid_until}"
    end = payee.tax_form_valid_until
    return f"{payee.tax_form_type} until {end}" if end else payee.tax_form_type


def _screening_words(payee: Payee) -> str:
    if payee.screening_result is None:
        return "recorded by hand" if payee.screening else "not screened"
    return f"{payee.screening_result} on {(payee.screened_at or '')[:10]}"
