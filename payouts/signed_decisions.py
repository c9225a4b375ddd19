"""Decisions that are signed with an SSH key, other than approvals of batches.

What belongs here: the line that is signed, checking a signature when a decision is recorded, and
checking all of them again. What does not: keys and ``ssh-keygen`` (``signatures``), approvals of
batches (``approval_checks``). Decision 0049.

The line names kind, subject, content and person. The content is what the person decides, as the
event keeps it: what follows from the moment of deciding (``_FOLLOWS``) is left out, so that a line
can be signed elsewhere and brought back. A decision that can be taken more than once names in its
content what it follows on, so that an old signature is of no use.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from payouts import events
from payouts.errors import DecisionRefusedError
from payouts.hashing import canonical_json, sha256_text
from payouts.identity import check_identity
from payouts.signatures import LEVEL, checked_signature, signing_key
from payouts.terms import ApprovalRules, person

DELEGATED = "role_delegated"
SIGNABLE_KINDS = (
    "payee_details_confirmed",
    "payee_details_approved",
    "payer_details_approved",
    "adjustment_approved",
    DELEGATED,
    "payouts_resumed",
    "batch_rejected",
    "batch_abort_requested",
    "batch_aborted",
    "hold_released",
    "payee_recorded",
    "payee_tax_form_recorded",
    "payee_terms_accepted",
)
_MESSAGE_VERSION = "partnerledger-decision-v1"
# By kind: a field that follows from the moment in one may be what is decided in another.
_FOLLOWS = {
    "payee_details_approved": ("cooling_off_until",),
    "payer_details_approved": ("cooling_off_until",),
    "adjustment_approved": ("effective_date",),
    "batch_aborted": ("rows_sha256", "segment"),
}
_OF_SIGNATURE = ("key_fingerprint", "signature")
_FOLLOWS_ON = "follows_event"


@dataclass(frozen=True)
class Proof:
    """How a decision is recorded: its level of identity, and its payload with the signature."""

    identity_level: str
    payload: Mapping[str, Any]


def decision_message(kind: str, subject: str, payload: Mapping[str, Any], actor: str) -> str:
    """The exact text that somebody signs who decides: one line, line feed included.

    kind, subject, payload: of the event. A delegation has no number before it is recorded, and is
    signed under the name of its delegate.
    """
    if kind == DELEGATED:
        subject = f"delegation:{payload['delegate']}"
    left_out = {*_FOLLOWS.get(kind, ()), *_OF_SIGNATURE}
    decided = {name: value for name, value in payload.items() if name not in left_out}
    fields = (_MESSAGE_VERSION, kind, subject, sha256_text(canonical_json(decided)), person(actor))
    return "|".join(fields) + "\n"


def following(connection: Connection, subject: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """The payload with the number of the last event of its subject; 0 when there was none.

    For what can be decided again: a gate that was shut since is not opened by an old signature.
    """
    earlier = events.of_subject(connection, subject)
    return {**payload, _FOLLOWS_ON: earlier[-1].seq if earlier else 0}


def proved(
    rules: ApprovalRules,
    *,
    kind: str,
    subject: str,
    payload: Mapping[str, Any],
    actor: str,
    at: datetime,
    identity_level: str,
    signature: str | None = None,
    least: str | None = None,
) -> Proof:
    """How a decision is recorded, once its maker is known as surely as the terms ask for.

    signature: as ``ssh-keygen`` writes it, over ``decision_message``; the decision is then
    ``ssh_signed``. at: naive UTC. least: default ``approvals.min_identity``.
    Raises: DecisionRefusedError.
    """
    level = LEVEL if signature else identity_level
    check_identity(rules, level, least)
    if level != LEVEL:
        return Proof(level, payload)
    if not signature:
        raise DecisionRefusedError(
            "a decision is ssh_signed with a signature only; give one. Nothing was recorded"
        )
    signed = checked_signature(
        decision_message(kind, subject, payload, actor),
        signature,
        signers=rules.allowed_signers,
        actor=actor,
        at=at,
        of_what="decision, by this person",
    )
    return Proof(
        level, {**payload, "signature": signed.text, "key_fingerprint": signed.key_fingerprint}
    )


def decision_faults(connection: Connection) -> tuple[int, list[str]]:
    """Check again every signed decision of the log: how many there are, and what is wrong.

    Each must be a signature over the event as it is now, by the key that was recorded.
    Raises: DecisionRefusedError without ``ssh-keygen``.
    """
    signed = [
        event
        for event in events.of_kinds(connection, SIGNABLE_KINDS)
        if event.identity_level == LEVEL or "signature" in event.payload
    ]
    faults = []
    for event in signed:
        message = decision_message(event.kind, event.subject, event.payload, event.actor)
        key = signing_key(message, event.payload.get("signature", ""))
        if key is None or key != event.payload.get("key_fingerprint"):
            faults.append(
                f"the signature of event {event.seq} ({event.kind}) is not one of it by its key"
            )
    return len(signed), faults
