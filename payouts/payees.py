"""Payee records: statuses only, each change an event. No bank detail, no personal data.

What belongs here: statuses that people record by hand, reading payees and payers, the gates (P2).
What does not: how an event changes them (``payee_state``) and decisions of their own: payout
details (``payee_details``), tax forms, screening, onboarding.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select

from payouts import events
from payouts.errors import DecisionRefusedError
from payouts.payee_state import (
    PARTNER_PREFIX,
    PAYEE_KINDS,
    PAYER_KINDS,
    PAYER_PREFIX,
    PAYER_PROPOSED,
    RECORDED,
    RECORDED_FIELDS,
    Payee,
    PayerAccount,
    after,
    payer_after,
)
from payouts.schema import batches
from payouts.signed_decisions import Proof, decision_message, following, proved
from payouts.store import Store
from payouts.terms import ADMIN, ROLES, ApprovalRules
from payouts.texts import optional_written, refuse_secrets

EVENT_KIND = RECORDED
_FLAGS = ("terms_accepted", "payee_verified", "screening")
_STATUSES = (*_FLAGS, "tax_form")
_OPENERS = (*ROLES, ADMIN)
_ACTIVE = "active"
_FINGERPRINT = re.compile(r"[0-9a-f]{16,64}")
# Digits alone, or a country code before digits: an account number that happens to look like hex.
_ACCOUNT_NUMBER = re.compile(r"[a-f]{0,2}[0-9]+")


def record_payee(
    store: Store,
    partner_id: str,
    *,
    actor: str,
    recorded_at: datetime,
    rules: ApprovalRules | None = None,
    terms_accepted: bool | None = None,
    payee_verified: bool | None = None,
    tax_form: bool | None = None,
    screening: bool | None = None,
    cooling_off_until: date | None = None,
    clear_cooling_off: bool = False,
    payee_fingerprint: str | None = None,
    reason: str = "",
    identity_level: str = "os_user",
    signature: str | None = None,
) -> Payee:
    """Record what changed about a payee; None leaves a status as it is.

    An approved batch whose gates fail because of it goes stale at its export or in the next night.
    Recording what is known already adds no event. Anybody may shut a gate; what opens one, shortens
    a cooling-off or names another account needs a role. rules: who has one; None: nobody.
    payee_fingerprint: 16 to 64 hexadecimal digits, never an account number. signature: over
    ``record_message`` of the same changes; who opens something is known as surely as
    ``approvals.min_identity`` asks for, who only shuts is not asked.
    Raises: DecisionRefusedError when nothing is given, the partner id is empty, the fingerprint
    is none, a role is missing, or the person is not known surely enough.
    """
    changes = payee_changes(
        terms_accepted=terms_accepted, payee_verified=payee_verified, tax_form=tax_form,
        screening=screening, cooling_off_until=cooling_off_until,
        clear_cooling_off=clear_cooling_off, payee_fingerprint=payee_fingerprint,
    )  # fmt: skip
    if not partner_id:
        raise DecisionRefusedError("a payee record needs a partner; nothing was recorded")
    owner = f"{PARTNER_PREFIX}{partner_id}"
    reason = optional_written(reason, "the reason")
    refuse_secrets(reason, "the reason")
    with store.write() as connection:
        before = load_payees(connection).get(partner_id, Payee(partner_id))
        changed = replace(before, **changes)
        _check_vault_decides(before, changes)
        opened = _opened(before, changes)
        _check_opener(partner_id, opened, actor, rules)
        if changed != before:
            proof = Proof(identity_level, changes)
            if opened or signature:
                proof = proved(
                    rules or ApprovalRules({}),
                    kind=EVENT_KIND,
                    subject=owner,
                    payload=following(connection, owner, changes),
                    actor=actor,
                    at=recorded_at,
                    identity_level=identity_level,
                    signature=signature,
                )
            events.append(
                connection,
                kind=EVENT_KIND,
                subject=owner,
                actor=actor,
                recorded_at=recorded_at,
                payload=proof.payload,
                reason=reason,
                identity_level=proof.identity_level,
            )
        return load_payees(connection).get(partner_id, changed)


def payee_changes(
    *,
    terms_accepted: bool | None = None,
    payee_verified: bool | None = None,
    tax_form: bool | None = None,
    screening: bool | None = None,
    cooling_off_until: date | None = None,
    clear_cooling_off: bool = False,
    payee_fingerprint: str | None = None,
) -> dict[str, Any]:
    """What a record would change, by field of ``Payee``; None leaves a status as it is.

    Raises: DecisionRefusedError when nothing is given, or the fingerprint is none.
    """
    given = (
        terms_accepted, payee_verified, tax_form, screening, cooling_off_until,
        _checked_fingerprint(payee_fingerprint),
    )  # fmt: skip
    changes: dict[str, Any] = {
        name: value for name, value in zip(RECORDED_FIELDS, given, strict=True) if value is not None
    }
    if clear_cooling_off:
        if cooling_off_until is not None:
            raise DecisionRefusedError("give a cooling-off date or clear it, not both")
        changes["cooling_off_until"] = None
    if not changes:
        raise DecisionRefusedError("a payee record needs at least one status; nothing was recorded")
    return changes


def record_message(
    connection: Connection, partner_id: str, changes: Mapping[str, Any], actor: str
) -> str:
    """What ``actor`` signs to record these changes (``payee_changes``) of a partner.

    It names the last event of the partner: a gate that was shut since is not opened by it again.
    """
    owner = f"{PARTNER_PREFIX}{partner_id}"
    return decision_message(EVENT_KIND, owner, following(connection, owner, changes), actor)


def load_payees(connection: Connection) -> dict[str, Payee]:
    """What is known of every partner that has a record, folded from the events."""
    payees: dict[str, Payee] = {}
    for event in events.of_kinds(connection, PAYEE_KINDS):
        partner_id = event.subject.removeprefix(PARTNER_PREFIX)
        payees[partner_id] = after(payees.get(partner_id, Payee(partner_id)), event)
    return payees


def load_payers(connection: Connection) -> dict[str, PayerAccount]:
    """The approved account that each rail pays from; a rail that has none is not here."""
    return {
        rail: payer
        for rail, payer in known_payers(connection).items()
        if payer.details_id is not None
    }


def known_payers(connection: Connection) -> dict[str, PayerAccount]:
    """As `load_payers`, with rails whose first account waits for a decision."""
    payers: dict[str, PayerAccount] = {}
    for event in events.of_kinds(connection, PAYER_KINDS):
        rail = event.subject.removeprefix(PAYER_PREFIX)
        payers[rail] = payer_after(payers.get(rail, PayerAccount(rail)), event)
    return payers


def payer_last_fours(connection: Connection) -> dict[str, str]:
    """Last four characters of the account that each batch is paid from, where it names one."""
    proposed = {
        event.payload["details_id"]: event.payload["last_four"]
        for event in events.of_kinds(connection, (PAYER_PROPOSED,))
    }
    rows = connection.execute(
        select(batches.c.batch_id, batches.c.payer_details_id).where(
            batches.c.payer_details_id.is_not(None)
        )
    )
    return {
        row.batch_id: proposed[row.payer_details_id]
        for row in rows
        if row.payer_details_id in proposed
    }


def _check_vault_decides(before: Payee, changes: Mapping[str, Any]) -> None:
    """What follows from decisions on payout details is not changed beside them."""
    if "payee_fingerprint" in changes and before.details_id is not None:
        raise DecisionRefusedError(
            f"the account of {before.partner_id} is in the vault, which makes its fingerprint; "
            "propose new details to change it. Nothing was recorded"
        )
    kept = before.details_cooling_off_until
    if kept is None or "cooling_off_until" not in changes:
        return
    until = changes["cooling_off_until"]
    if until is None or until < kept:
        raise DecisionRefusedError(
            f"the cooling-off of {before.partner_id} until {kept} follows a change of its payout "
            "details and is not shortened; wait for that day. Nothing was recorded"
        )


def _opened(before: Payee, changes: Mapping[str, Any]) -> list[str]:
    """What of these changes lets money go, in words."""
    opened = [name for name in _STATUSES if changes.get(name) and not getattr(before, name)]
    if "cooling_off_until" in changes and before.cooling_off_until is not None:
        until = changes["cooling_off_until"]
        if until is None or until < before.cooling_off_until:
            opened.append("an earlier end of the cooling-off")
    if changes.get("payee_fingerprint", before.payee_fingerprint) != before.payee_fingerprint:
        opened.append("another account")
    return opened


def _check_opener(
    partner_id: str, opened: list[str], actor: str, rules: ApprovalRules | None
) -> None:
    """Who opens a gate lets money go, so it is somebody whom the terms name."""
    if not opened or (rules and any(rules.has_role(actor, role) for role in _OPENERS)):
        return
    raise DecisionRefusedError(
        f"{actor} may not record {', '.join(opened)} of {partner_id}: roles in program.yml name "
        f"nobody of that name for {', '.join(_OPENERS[:-1])} or {_OPENERS[-1]}. Anybody may shut "
        "a gate. Nothing was recorded"
    )


def _checked_fingerprint(text: str | None) -> str | None:
    """Lower case, so that equal hashes are equal. What was given is in no message: see I24."""
    if text is None:
        return None
    fingerprint = text.strip().lower()
    if not _FINGERPRINT.fullmatch(fingerprint) or _ACCOUNT_NUMBER.fullmatch(fingerprint):
        raise DecisionRefusedError(
            "the payee fingerprint is not a keyed hash: give 16 to 64 hexadecimal digits made "
            "where the account is kept, never the account number; nothing was recorded"
        )
    return fingerprint


def failed_gate(
    gates: tuple[str, ...], partner_status: str | None, payee: Payee | None, as_of: date
) -> str | None:
    """The first gate, in configured order, that the partner does not pass; None when all pass.

    partner_status: from the partner directory. payee: None when nothing was recorded, which passes
    ``status`` and ``cooling_off`` alone. Cooling off fails while its date is later than ``as_of``,
    a tax form from the day after its last one on.
    """
    known = payee or Payee("")
    for gate in gates:
        if gate == "status":
            is_passed = partner_status == _ACTIVE
        elif gate == "cooling_off":
            is_passed = known.has_cooled_off(as_of)
        elif gate == "tax_form":
            is_passed = known.has_valid_tax_form(as_of)
        elif gate in _FLAGS:
            is_passed = getattr(known, gate)
        else:
            raise ValueError(f"{gate} is not a gate")
        if not is_passed:
            return gate
    return None
