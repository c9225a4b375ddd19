"""Tax forms: which one a payee signed, how long it is valid, and who is to be reminded.

What belongs here: the status that the gate ``tax_form`` needs. What does not: the form itself and
the number on it; they stay with who checked them and are never stored here (I24).
Source: payouts reference 6 (W-9, W-8BEN, W-8BEN-E, 1042-S); not tax advice. Decision 0047.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from payouts import events
from payouts.errors import DecisionRefusedError
from payouts.holds import check_decider
from payouts.payee_state import PARTNER_PREFIX, TAX_FORM_RECORDED, Payee
from payouts.payees import load_payees
from payouts.signed_decisions import Proof, decision_message, following, proved
from payouts.store import Store
from payouts.terms import ApprovalRules, person
from payouts.texts import identifier, optional_written

W9, W8BEN, W8BENE, NONE = "w9", "w8ben", "w8bene", "none"
FORM_TYPES = (W9, W8BEN, W8BENE, NONE)
ENTITIES = ("individual", "business")
_FOREIGN = (W8BEN, W8BENE)
# Who may sign it; a W-9 is for both.
_ENTITY_OF = {W8BEN: "individual", W8BENE: "business"}
_A = {"individual": "an individual", "business": "a business"}
# A W-8 is valid to the end of the third calendar year after that of its signature.
_YEARS_AFTER_SIGNATURE = 3
REMINDER_DAYS = (60, 30)


@dataclass(frozen=True)
class TaxFormReminder:
    """A form that ends soon, or has ended. ``days_left`` counts its last day; below 1: it ended.

    ``stage_days`` is the reminder that is due: 60, 30, or 0 for a form that has ended.
    """

    partner_id: str
    form_type: str
    valid_until: date
    days_left: int
    stage_days: int


def valid_until(form_type: str, signed_on: date) -> date | None:
    """The last day of a form; None for one that does not end by the calendar."""
    if form_type not in _FOREIGN:
        return None
    return date(signed_on.year + _YEARS_AFTER_SIGNATURE, 12, 31)


def record_tax_form(
    store: Store,
    partner_id: str,
    *,
    form_type: str,
    signed_on: date | None,
    actor: str,
    rules: ApprovalRules,
    recorded_at: datetime,
    entity: str | None = None,
    services_in_us: bool | None = None,
    reason: str = "",
    identity_level: str = "os_user",
    signature: str | None = None,
) -> Payee:
    """Record a signed form; ``none`` takes back what was recorded and needs a reason.

    entity: who signed; by the form where it says so. services_in_us: where the services are
    performed; a W-8 needs it, and with True the gate stays shut until somebody has reviewed the
    case and records the status by hand (``payees.record_payee``).
    signature: over ``tax_form_message``; who takes a form back is not asked for one.
    Raises: DecisionRefusedError when the form and the entity do not match, a value is missing, the
    form was signed later than it is recorded, or the person is not known surely enough.
    """
    recorder = identifier(person(actor), "the person who records the form")
    note = optional_written(reason, "the reason")
    check_decider(rules, recorder, note or form_type, "record a tax form")
    payload = _payload(form_type, signed_on, entity, services_in_us, note, recorded_at)
    owner = f"{PARTNER_PREFIX}{identifier(partner_id, 'the partner')}"
    with store.write() as connection:
        proof = Proof(identity_level, payload)
        if payload["is_valid"] or signature:
            proof = proved(
                rules,
                kind=TAX_FORM_RECORDED,
                subject=owner,
                payload=following(connection, owner, payload),
                actor=recorder,
                at=recorded_at,
                identity_level=identity_level,
                signature=signature,
            )
        events.append(
            connection,
            kind=TAX_FORM_RECORDED,
            subject=owner,
            actor=recorder,
            recorded_at=recorded_at,
            payload=proof.payload,
            reason=note,
            identity_level=proof.identity_level,
        )
        return load_payees(connection)[partner_id.strip()]


def tax_form_message(
    connection: Connection,
    partner_id: str,
    *,
    form_type: str,
    signed_on: date | None,
    entity: str | None,
    services_in_us: bool | None,
    reason: str,
    actor: str,
    at: datetime,
) -> str:
    """What ``actor`` signs to record a form.

    Raises: DecisionRefusedError, as ``record_tax_form`` does.
    """
    payload = _payload(form_type, signed_on, entity, services_in_us, reason.strip(), at)
    owner = f"{PARTNER_PREFIX}{identifier(partner_id, 'the partner')}"
    return decision_message(TAX_FORM_RECORDED, owner, following(connection, owner, payload), actor)


def reminders(payees: Iterable[Payee], as_of: date) -> list[TaxFormReminder]:
    """Forms of which the end is 60 days away or nearer, or has passed; the most urgent first."""
    due = []
    for payee in payees:
        last_day = payee.tax_form_valid_until
        if last_day is None or payee.tax_form_type is None:
            continue
        days_left = (last_day - as_of).days + 1
        reached = [days for days in REMINDER_DAYS if days_left <= days]
        if reached:
            stage_days = min(reached) if days_left > 0 else 0
            due.append(
                TaxFormReminder(
                    payee.partner_id, payee.tax_form_type, last_day, days_left, stage_days
                )
            )
    return sorted(due, key=lambda reminder: (reminder.days_left, reminder.partner_id))


def _payload(
    form_type: str,
    signed_on: date | None,
    entity: str | None,
    services_in_us: bool | None,
    note: str,
    recorded_at: datetime,
) -> dict[str, Any]:
    """What is recorded of a form, checked. Raises: DecisionRefusedError."""
    if form_type not in FORM_TYPES:
        raise DecisionRefusedError(
            f"{form_type!r} is not a tax form; use {', '.join(FORM_TYPES)}. Nothing was recorded"
        )
    if form_type == NONE:
        _check_taking_back(note, signed_on)
        entity = services_in_us = None
    else:
        _check_signature(form_type, signed_on, recorded_at)
        entity = _checked_entity(form_type, entity)
        _check_services(form_type, services_in_us)
    is_us_source = form_type in _FOREIGN and bool(services_in_us)
    return {
        "form_type": form_type,
        "entity": entity,
        "signed_on": signed_on,
        "valid_until": valid_until(form_type, signed_on) if signed_on else None,
        "services_in_us": services_in_us,
        "is_valid": form_type != NONE and not is_us_source,
    }


def _check_taking_back(note: str, signed_on: date | None) -> None:
    if not note or signed_on is not None:
        raise DecisionRefusedError(
            "taking a tax form back needs a reason and has no day of signature; nothing was "
            "recorded"
        )


def _check_signature(form_type: str, signed_on: date | None, recorded_at: datetime) -> None:
    if signed_on is None:
        raise DecisionRefusedError(
            f"the {form_type} needs the day on which it was signed; nothing was recorded"
        )
    # The day is one of the partner's own calendar, which may be a day ahead of UTC.
    if signed_on > recorded_at.date() + timedelta(days=1) or signed_on.year < 1970:
        raise DecisionRefusedError(
            f"the {form_type} cannot have been signed on {signed_on}; correct the day. Nothing was "
            "recorded"
        )


def _checked_entity(form_type: str, entity: str | None) -> str | None:
    expected = _ENTITY_OF.get(form_type)
    if entity is not None and entity not in ENTITIES:
        raise DecisionRefusedError(
            f"{entity!r} is not an entity; use {' or '.join(ENTITIES)}. Nothing was recorded"
        )
    if expected is not None and entity not in (None, expected):
        raise DecisionRefusedError(
            f"a {form_type} is the form of {_A[expected]}, not of {_A[entity]}; ask for the right "
            "one. Nothing was recorded"
        )
    return entity or expected


def _check_services(form_type: str, services_in_us: bool | None) -> None:
    if form_type in _FOREIGN and services_in_us is None:
        raise DecisionRefusedError(
            f"a {form_type} needs the declaration whether services are performed in the United "
            "States (--services-in-us yes or no); nothing was recorded"
        )
