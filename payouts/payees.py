"""Payee records: statuses only, each change an event. No bank detail, no personal data.

What belongs here: what is known about a payee's readiness to be paid, and the gates (P2).
What does not: the documents and accounts behind a status; those stay with who checked them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from payouts import events
from payouts.errors import DecisionRefusedError
from payouts.store import Store

EVENT_KIND = "payee_recorded"
_FLAGS = ("terms_accepted", "payee_verified", "tax_form", "screening")
_ACTIVE = "active"
_FINGERPRINT = re.compile(r"[0-9a-f]{16,64}")
# Digits alone, or a country code before digits: an account number that happens to look like hex.
_ACCOUNT_NUMBER = re.compile(r"[a-f]{0,2}[0-9]+")


@dataclass(frozen=True)
class Payee:
    """Statuses of one partner. ``screening`` True: clear. Cooling off ends on the day named.

    ``payee_fingerprint`` is a keyed hash of the account, made where the account is kept: partners
    with the same one are paid to the same account (L4).
    """

    partner_id: str
    terms_accepted: bool = False
    payee_verified: bool = False
    tax_form: bool = False
    screening: bool = False
    cooling_off_until: date | None = None
    payee_fingerprint: str | None = None


def record_payee(
    store: Store,
    partner_id: str,
    *,
    actor: str,
    recorded_at: datetime,
    terms_accepted: bool | None = None,
    payee_verified: bool | None = None,
    tax_form: bool | None = None,
    screening: bool | None = None,
    cooling_off_until: date | None = None,
    clear_cooling_off: bool = False,
    payee_fingerprint: str | None = None,
    reason: str = "",
    identity_level: str = "os_user",
) -> Payee:
    """Record what changed about a payee; None leaves a status as it is.

    An approved batch whose gates fail because of it goes stale at its export or in the next night.
    Recording what is known already adds no event.
    payee_fingerprint: 16 to 64 hexadecimal digits, never an account number.
    Raises: DecisionRefusedError when nothing is given, the partner id is empty, or the fingerprint
    is none.
    """
    changes: dict[str, Any] = {
        name: value
        for name, value in (
            ("terms_accepted", terms_accepted),
            ("payee_verified", payee_verified),
            ("tax_form", tax_form),
            ("screening", screening),
            ("cooling_off_until", cooling_off_until),
            ("payee_fingerprint", _checked_fingerprint(payee_fingerprint)),
        )
        if value is not None
    }
    if clear_cooling_off:
        if cooling_off_until is not None:
            raise DecisionRefusedError("give a cooling-off date or clear it, not both")
        changes["cooling_off_until"] = None
    if not partner_id or not changes:
        raise DecisionRefusedError(
            "a payee record needs a partner and at least one status; nothing was recorded"
        )
    with store.write() as connection:
        before = load_payees(connection).get(partner_id, Payee(partner_id))
        after = replace(before, **changes)
        if after != before:
            events.append(
                connection,
                kind=EVENT_KIND,
                subject=f"partner:{partner_id}",
                actor=actor,
                recorded_at=recorded_at,
                payload=changes,
                reason=reason,
                identity_level=identity_level,
            )
    return after


def load_payees(connection: Connection) -> dict[str, Payee]:
    """Statuses of every partner that has a record, folded from the events."""
    payees: dict[str, Payee] = {}
    for event in events.of_kinds(connection, (EVENT_KIND,)):
        partner_id = event.subject.removeprefix("partner:")
        changes = dict(event.payload)
        if changes.get("cooling_off_until"):
            changes["cooling_off_until"] = date.fromisoformat(changes["cooling_off_until"])
        payees[partner_id] = replace(payees.get(partner_id, Payee(partner_id)), **changes)
    return payees


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
    ``status`` and ``cooling_off`` alone. Cooling off fails while its date is later than ``as_of``.
    """
    known: Mapping[str, Any] = vars(payee) if payee else vars(Payee(""))
    for gate in gates:
        if gate == "status":
            is_passed = partner_status == _ACTIVE
        elif gate == "cooling_off":
            until = known["cooling_off_until"]
            is_passed = until is None or until <= as_of
        elif gate in _FLAGS:
            is_passed = bool(known[gate])
        else:
            raise ValueError(f"{gate} is not a gate")
        if not is_passed:
            return gate
    return None
