"""What is known of a payee and of the accounts that are paid from, folded from events. Pure.

What belongs here: the state and how each kind of event changes it. What does not: who may record
what (``payees``, ``payee_details``, ``tax_forms``, ``screening``, ``onboarding``).

No bank detail and no tax id: ids of the vault, keyed hashes, last four characters, days (I24).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from payouts.events import Event

RECORDED = "payee_recorded"
DETAILS_PROPOSED = "payee_details_proposed"
DETAILS_CONFIRMED = "payee_details_confirmed"
DETAILS_APPROVED = "payee_details_approved"
DETAILS_REJECTED = "payee_details_rejected"
DETAILS_ERASED = "payee_details_erased"
PAYER_PROPOSED = "payer_details_proposed"
PAYER_APPROVED = "payer_details_approved"
PAYER_REJECTED = "payer_details_rejected"
TERMS_ACCEPTED = "payee_terms_accepted"
TAX_FORM_RECORDED = "payee_tax_form_recorded"
SCREENED = "payee_screened"
INVITED = "partner_invited"
INVITATION_USED = "partner_invitation_used"

PARTNER_PREFIX, PAYER_PREFIX = "partner:", "payer:"
CLEAR = "clear"
# What a record by hand may change; whatever else its event holds is of its signature.
RECORDED_FIELDS = (
    "terms_accepted", "payee_verified", "tax_form", "screening", "cooling_off_until",
    "payee_fingerprint",
)  # fmt: skip


@dataclass(frozen=True)
class Payee:
    """What is known of one partner. ``screening`` True: clear. Cooling off ends on the day named.

    ``details_id`` names the details in force in the vault, ``pending_details_id`` those that wait
    for a decision. ``details_cooling_off_until`` ends the cooling-off after a change of them, which
    nobody shortens. ``payee_fingerprint`` is a keyed hash of rail, account and holder.
    ``account_fingerprint`` leaves the holder out: partners with the same one are paid to the same
    account (L4). ``tax_form_valid_until`` is the last day of the form; None when it has none.
    Instants are fixed-width UTC text.
    """

    partner_id: str
    terms_accepted: bool = False
    payee_verified: bool = False
    tax_form: bool = False
    screening: bool = False
    cooling_off_until: date | None = None
    payee_fingerprint: str | None = None
    account_fingerprint: str | None = None
    details_id: str | None = None
    rail: str | None = None
    last_four: str | None = None
    pending_details_id: str | None = None
    details_cooling_off_until: date | None = None
    terms_version: str | None = None
    terms_hash: str | None = None
    terms_accepted_at: str | None = None
    tax_form_type: str | None = None
    tax_form_entity: str | None = None
    tax_form_signed_on: date | None = None
    tax_form_valid_until: date | None = None
    services_in_us: bool | None = None
    screening_result: str | None = None
    screening_list_version: str | None = None
    screened_at: str | None = None
    invited_at: str | None = None
    invitation_used_at: str | None = None

    def has_valid_tax_form(self, as_of: date) -> bool:
        """Whether a form is recorded that has not ended before a day; its last day counts."""
        last_day = self.tax_form_valid_until
        return self.tax_form and (last_day is None or as_of <= last_day)

    def has_cooled_off(self, as_of: date) -> bool:
        """Whether no cooling-off lasts beyond a day; its end is the first day that pays."""
        return self.cooling_off_until is None or self.cooling_off_until <= as_of


@dataclass(frozen=True)
class PayerAccount:
    """The account that a rail pays from; ids and keyed hashes of the vault.

    ``details_id`` is None as long as nothing was approved.
    """

    rail: str
    details_id: str | None = None
    fingerprint: str | None = None
    last_four: str | None = None
    pending_details_id: str | None = None


def after(payee: Payee, event: Event) -> Payee:
    """The payee after one event; unchanged by kinds that say nothing of it."""
    change = _CHANGES.get(event.kind)
    return change(payee, event) if change else payee


def payer_after(payer: PayerAccount, event: Event) -> PayerAccount:
    """The account that is paid from after one event of `PAYER_KINDS`."""
    values = event.payload
    if event.kind == PAYER_PROPOSED:
        return replace(payer, pending_details_id=values["details_id"])
    if event.kind == PAYER_REJECTED:
        return replace(payer, pending_details_id=None)
    return replace(
        payer,
        details_id=values["details_id"],
        fingerprint=values["fingerprint"],
        last_four=values["last_four"],
        pending_details_id=None,
    )


def _recorded(payee: Payee, event: Event) -> Payee:
    changes = {name: event.payload[name] for name in RECORDED_FIELDS if name in event.payload}
    if changes.get("cooling_off_until"):
        changes["cooling_off_until"] = date.fromisoformat(changes["cooling_off_until"])
    if changes.get("payee_fingerprint"):
        # Recorded by hand it is that of the account: nobody made another one.
        changes["account_fingerprint"] = changes["payee_fingerprint"]
    if "screening" in changes:
        changes |= {"screening_result": None, "screening_list_version": None, "screened_at": None}
    return replace(payee, **changes)


def _proposed(payee: Payee, event: Event) -> Payee:
    return replace(payee, pending_details_id=event.payload["details_id"])


def _rejected(payee: Payee, event: Event) -> Payee:
    return replace(payee, pending_details_id=None)


def _approved(payee: Payee, event: Event) -> Payee:
    values = event.payload
    until = _day(values["cooling_off_until"])
    return replace(
        payee,
        payee_verified=True,
        details_id=values["details_id"],
        rail=values["rail"],
        payee_fingerprint=values["fingerprint"],
        account_fingerprint=values["account_fingerprint"],
        last_four=values["last_four"],
        pending_details_id=None,
        cooling_off_until=until or payee.cooling_off_until,
        details_cooling_off_until=until or payee.details_cooling_off_until,
    )


def _erased(payee: Payee, event: Event) -> Payee:
    return replace(
        payee,
        payee_verified=False,
        details_id=None,
        rail=None,
        payee_fingerprint=None,
        account_fingerprint=None,
        last_four=None,
        pending_details_id=None,
    )


def _terms_accepted(payee: Payee, event: Event) -> Payee:
    return replace(
        payee,
        terms_accepted=True,
        terms_version=event.payload["terms_version"],
        terms_hash=event.payload["terms_hash"],
        terms_accepted_at=event.recorded_at,
    )


def _tax_form(payee: Payee, event: Event) -> Payee:
    values = event.payload
    return replace(
        payee,
        tax_form=values["is_valid"],
        tax_form_type=values["form_type"],
        tax_form_entity=values["entity"],
        tax_form_signed_on=_day(values["signed_on"]),
        tax_form_valid_until=_day(values["valid_until"]),
        services_in_us=values["services_in_us"],
    )


def _screened(payee: Payee, event: Event) -> Payee:
    values = event.payload
    return replace(
        payee,
        screening=values["result"] == CLEAR,
        screening_result=values["result"],
        screening_list_version=values["list_version"],
        screened_at=event.recorded_at,
    )


def _invited(payee: Payee, event: Event) -> Payee:
    return replace(payee, invited_at=event.recorded_at, invitation_used_at=None)


def _invitation_used(payee: Payee, event: Event) -> Payee:
    return replace(payee, invitation_used_at=event.recorded_at)


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


_CHANGES: Mapping[str, Callable[[Payee, Event], Payee]] = {
    RECORDED: _recorded,
    DETAILS_PROPOSED: _proposed,
    DETAILS_APPROVED: _approved,
    DETAILS_REJECTED: _rejected,
    DETAILS_ERASED: _erased,
    TERMS_ACCEPTED: _terms_accepted,
    TAX_FORM_RECORDED: _tax_form,
    SCREENED: _screened,
    INVITED: _invited,
    INVITATION_USED: _invitation_used,
}
PAYEE_KINDS: tuple[str, ...] = tuple(_CHANGES)
PAYER_KINDS: tuple[str, ...] = (PAYER_PROPOSED, PAYER_APPROVED, PAYER_REJECTED)
