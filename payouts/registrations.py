"""Deal registrations and leads that are entered here, and decisions on these and delivered ones.

What belongs here: who may enter and decide what, and reading both. What does not: what a
registration is worth to a lead; the models judge that (L1, L3).
Rules: L1, L3 (semantics.md); four eyes as for batches.

A key is ``source:entity:id``: ``control:deal_registrations:reg_3f2a9c01b7d4`` was entered here,
``drop:deal_registrations:R1`` was delivered. Whether a delivered one exists, the caller knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, select

from payouts import events
from payouts.errors import DecisionRefusedError
from payouts.hashing import instant_text, parse_instant
from payouts.holds import check_decider
from payouts.lead_rows import REGISTRATIONS, insert_row
from payouts.schema import events as event_table
from payouts.schema import lead_registrations
from payouts.store import Store
from payouts.terms import ApprovalRules, person
from payouts.texts import (
    domain_name,
    email_address,
    identifier,
    instant,
    optional_identifier,
    optional_written,
    shown_actor,
    written,
)

SOURCE = "control"
ENTITIES = ("deal_registrations", "lead_entries")
PENDING, APPROVED, DECLINED, WITHDRAWN = "pending", "approved", "declined", "withdrawn"
EXTENDED = "extended"
DECISIONS = (APPROVED, DECLINED, WITHDRAWN, EXTENDED)
_VERBS = {
    APPROVED: "approve a registration",
    DECLINED: "decline a registration",
    WITHDRAWN: "withdraw a registration",
    EXTENDED: "extend a registration",
}
_KINDS = {decision: f"registration_{decision}" for decision in DECISIONS}
_LARGEST_AMOUNT = 2**63 - 1


@dataclass(frozen=True)
class Registration:
    """One registration or lead entered here. Instants are fixed-width UTC text.

    ``expected_amount_minor`` is in minor units of ``currency_code``. ``arrival`` is the number of
    its event. ``email`` is personal: for joining identity, not for showing.
    """

    registration_id: str
    entity: str
    partner_id: str
    submitted_at: str
    email: str | None
    company_domain: str | None
    deal_id: str | None
    expected_amount_minor: int | None
    currency_code: str | None
    arrival: int
    entered_by: str
    entered_at: str

    @property
    def key(self) -> str:
        """The key that decisions name: ``control:entity:id``."""
        return f"{SOURCE}:{self.entity}:{self.registration_id}"


@dataclass(frozen=True)
class RegistrationDecision:
    """One decision; ``expires_at`` when it names an end, ``decided_by`` without the domain."""

    seq: int
    registration_key: str
    decision: str
    decided_at: str
    expires_at: str | None
    decided_by: str
    reason: str
    evidence: str | None


@dataclass(frozen=True)
class DeliveredRegistration:
    """What the caller knows of a registration from a file. Instants are naive UTC.

    Of its own decision and one recorded here the later counts; a withdrawal always does.
    """

    status: str = PENDING
    submitted_at: datetime | None = None
    decided_at: datetime | None = None
    expires_at: datetime | None = None


def submit_registration(
    store: Store,
    *,
    partner_id: str,
    submitted_at: datetime,
    actor: str,
    recorded_at: datetime,
    entity: str = "deal_registrations",
    email: str | None = None,
    company_domain: str | None = None,
    deal_id: str | None = None,
    expected_amount_minor: int | None = None,
    currency_code: str | None = None,
    identity_level: str = "os_user",
) -> Registration:
    """Enter a deal registration, or a lead for a partner; it waits for a decision.

    submitted_at: when the partner named the prospect, naive UTC; may lie in the past.
    expected_amount_minor: minor units of ``currency_code``; both or neither.
    Raises: DecisionRefusedError when no prospect is named, a value is malformed, or the same
    person has entered the same already and nobody has decided on it.
    """
    if entity not in ENTITIES:
        raise DecisionRefusedError(
            f"{entity!r} cannot be entered here; use {' or '.join(ENTITIES)}"
        )
    enterer = identifier(person(actor), "the person who enters the registration")
    content = {
        "entity": entity,
        "partner_id": identifier(partner_id, "the partner"),
        "email": email_address(email),
        "company_domain": domain_name(company_domain),
        "deal_id": optional_identifier(deal_id, "the deal"),
        **_expected(expected_amount_minor, currency_code),
    }
    if not any(content[name] for name in ("email", "company_domain", "deal_id")):
        raise DecisionRefusedError(
            "a registration names its prospect by e-mail, company domain or deal; give at least "
            "one. Nothing was recorded"
        )
    values = {**content, "submitted_at": instant(submitted_at, "the day of submission")}
    with store.write() as connection:
        _refuse_repetition(connection, content, enterer)
        registration_id, event = insert_row(
            connection,
            REGISTRATIONS,
            values,
            subject=f"partner:{values['partner_id']}",
            actor=enterer,
            recorded_at=recorded_at,
            payload={"entity": entity},
            identity_level=identity_level,
        )
    return Registration(
        registration_id=registration_id,
        **values,
        arrival=event.seq,
        entered_by=shown_actor(enterer),
        entered_at=event.recorded_at,
    )


def decide_registration(
    store: Store,
    *,
    registration_key: str,
    decision: str,
    reason: str,
    actor: str,
    rules: ApprovalRules,
    recorded_at: datetime,
    expires_at: datetime | None = None,
    evidence: str | None = None,
    delivered: DeliveredRegistration | None = None,
    protection_days: int = 0,
    identity_level: str = "os_user",
) -> RegistrationDecision:
    """Approve, decline, withdraw or extend a registration (``DECISIONS``).

    expires_at: the end of its protection, naive UTC, excluded; an extension needs it, an approval
    may name it. evidence: a reference; an extension needs it. delivered: what the files say of a
    registration that was not entered here. protection_days: of the terms; without an end of its own
    a registration lasts so many days of 24 hours, and an extension must go beyond them.
    A declined one may be approved and an approved one declined; a withdrawn one stays withdrawn.
    Raises: DecisionRefusedError when the registration is unknown or not in a state for it, a
    reason, role, end or evidence is missing, or the person who entered it would approve it.
    """
    if decision not in DECISIONS:
        raise DecisionRefusedError(f"{decision!r} is no decision; use {', '.join(DECISIONS)}")
    key = registration_key.strip()
    reason = written(reason, "the reason")
    proof = optional_written(evidence, "the evidence") or None
    decider = identifier(person(actor), "the person who decides")
    _check_extent(decision, expires_at, proof)
    end = None if expires_at is None else instant(expires_at, "the end")
    with store.write() as connection:
        entered = find_entered(connection, key)
        entered_by = entered["actor"] if entered else None
        if not (decision == WITHDRAWN and decider == entered_by):
            check_decider(rules, decider, reason, _VERBS[decision])
        if decision == APPROVED and decider == entered_by:
            raise DecisionRefusedError(
                f"{decider} entered {key} and may not approve it (four eyes); another person "
                "with a role must. Nothing was recorded"
            )
        known = delivered or DeliveredRegistration()
        recorded = load_decisions(connection, key)
        _check_possible(key, decision, _status(recorded, known))
        if end is not None:
            submitted_at = entered["submitted_at"] if entered else _text(known.submitted_at)
            present_end = _end(recorded, known) or _end_by_terms(submitted_at, protection_days)
            _check_later(key, decision, end, submitted_at, present_end)
        event = events.append(
            connection,
            kind=_KINDS[decision],
            subject=f"registration:{key}",
            actor=decider,
            recorded_at=recorded_at,
            payload={"expires_at": end, "evidence": proof},
            reason=reason,
            identity_level=identity_level,
        )
    return _decision(event)


def load_registrations(connection: Connection) -> list[Registration]:
    """All registrations and leads entered here, oldest first."""
    rows = connection.execute(_entered().order_by(lead_registrations.c.seq)).mappings()
    return [_registration(row) for row in rows]


def load_decisions(
    connection: Connection, registration_key: str | None = None
) -> list[RegistrationDecision]:
    """All decisions, or those on one registration, oldest first."""
    if registration_key is None:
        return [_decision(event) for event in events.of_kinds(connection, _KINDS.values())]
    found = events.of_subject(connection, f"registration:{registration_key}")
    return [_decision(event) for event in found if event.kind in _KINDS.values()]


def find_entered(connection: Connection, registration_key: str) -> RowMapping | None:
    """The row of a registration entered here with its ``actor``; None for a delivered one.

    Raises: DecisionRefusedError for a malformed key, or one that should be here and is not.
    """
    key = identifier(registration_key, "the registration")
    source, _, rest = key.partition(":")
    entity, _, registration_id = rest.partition(":")
    if not source or entity not in ENTITIES or not registration_id:
        raise DecisionRefusedError(
            f"{key!r} is not the key of a registration; write source:entity:id as in "
            "control:deal_registrations:reg_3f2a9c01b7d4"
        )
    if source != SOURCE:
        return None
    query = _entered().where(
        lead_registrations.c.registration_id == registration_id,
        lead_registrations.c.entity == entity,
    )
    row = connection.execute(query).mappings().first()
    if row is None:
        raise DecisionRefusedError(
            f"no registration {key} was entered here; look up its key. Nothing was recorded"
        )
    return row


def _expected(amount_minor: int | None, currency_code: str | None) -> dict[str, Any]:
    from program.currencies import is_currency

    code = (currency_code or "").strip().upper() or None
    if (amount_minor is None) != (code is None):
        raise DecisionRefusedError(
            "an expected amount needs its currency, and the other way round; nothing was recorded"
        )
    if code is not None and not is_currency(code):
        raise DecisionRefusedError(
            f"{code!r} is not a currency; write three capitals such as USD. Nothing was recorded"
        )
    if amount_minor is not None and not 0 <= amount_minor <= _LARGEST_AMOUNT:
        from program.currencies import to_major

        raise DecisionRefusedError(
            f"the expected amount is from 0 to {to_major(_LARGEST_AMOUNT, code):,} {code}; correct "
            "it. Nothing was recorded"
        )
    return {"expected_amount_minor": amount_minor, "currency_code": code}


def _refuse_repetition(connection: Connection, content: dict[str, Any], actor: str) -> None:
    same = [lead_registrations.c[name].is_not_distinct_from(content[name]) for name in content]
    query = _entered().where(event_table.c.actor == actor, *same)
    for row in connection.execute(query).mappings().all():
        found = _registration(row)
        if _status(load_decisions(connection, found.key), DeliveredRegistration()) == PENDING:
            raise DecisionRefusedError(
                f"the same was entered already as {found.registration_id} and waits for a "
                "decision; nothing was recorded"
            )


def _check_extent(decision: str, expires_at: datetime | None, evidence: str | None) -> None:
    if decision == EXTENDED and (expires_at is None or evidence is None):
        raise DecisionRefusedError(
            "an extension needs its new end and evidence; nothing was recorded"
        )
    if decision in (DECLINED, WITHDRAWN) and expires_at is not None:
        raise DecisionRefusedError(
            f"a registration that is {decision} has no end; leave it away. Nothing was recorded"
        )


def _check_possible(key: str, decision: str, status: str) -> None:
    if status == WITHDRAWN:
        raise DecisionRefusedError(
            f"{key} was withdrawn, which is final; enter a new registration. Nothing was recorded"
        )
    if decision == EXTENDED and status != APPROVED:
        raise DecisionRefusedError(
            f"{key} is {status}: only an approved registration can be extended; approve it first"
        )
    if decision == status:
        hint = "; extend it to move its end" if status == APPROVED else ""
        raise DecisionRefusedError(f"{key} is {status} already{hint}. Nothing was recorded")


def _check_later(
    key: str, decision: str, end: str, submitted_at: str | None, present_end: str | None
) -> None:
    """Half-open as all windows: an end at the submission itself would protect nothing."""
    if submitted_at is not None and end <= submitted_at:
        raise DecisionRefusedError(
            f"the end {end} is not later than the submission of {key} at {submitted_at}; nothing "
            "was recorded"
        )
    if decision == EXTENDED and present_end is not None and end <= present_end:
        raise DecisionRefusedError(
            f"{key} lasts until {present_end}; an extension must end later. Nothing was recorded"
        )


def _status(recorded: list[RegistrationDecision], delivered: DeliveredRegistration) -> str:
    """What a registration is now; the same rule as the model of delivered registrations."""
    turns = [decision for decision in recorded if decision.decision != EXTENDED]
    if not turns or delivered.status == WITHDRAWN:
        return delivered.status
    newest = turns[-1]
    decided_at = _text(delivered.decided_at)
    if newest.decision == WITHDRAWN or decided_at is None or newest.decided_at >= decided_at:
        return newest.decision
    return delivered.status


def _end(recorded: list[RegistrationDecision], delivered: DeliveredRegistration) -> str | None:
    """The end that was named last; without one the terms set it."""
    ends = [decision.expires_at for decision in recorded if decision.expires_at is not None]
    return ends[-1] if ends else _text(delivered.expires_at)


def _end_by_terms(submitted_at: str | None, protection_days: int) -> str | None:
    """L3: without an end of its own a registration protects for the days of the terms."""
    if submitted_at is None:
        return None
    return instant_text(parse_instant(submitted_at) + timedelta(hours=24 * protection_days))


def _text(value: datetime | None) -> str | None:
    return None if value is None else instant_text(value)


def _entered() -> Select:
    return select(lead_registrations, event_table.c.actor, event_table.c.recorded_at).join(
        event_table, event_table.c.seq == lead_registrations.c.seq
    )


def _registration(row: RowMapping) -> Registration:
    return Registration(
        **{name: row[name] for name in REGISTRATIONS.columns if name != "seq"},
        registration_id=row["registration_id"],
        arrival=row["seq"],
        entered_by=shown_actor(row["actor"]),
        entered_at=row["recorded_at"],
    )


def _decision(event: events.Event) -> RegistrationDecision:
    return RegistrationDecision(
        seq=event.seq,
        registration_key=event.subject.removeprefix("registration:"),
        decision=event.kind.removeprefix("registration_"),
        decided_at=event.recorded_at,
        expires_at=event.payload["expires_at"],
        decided_by=shown_actor(event.actor),
        reason=event.reason,
        evidence=event.payload["evidence"],
    )
