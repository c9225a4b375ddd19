"""Proposals of payout details and what became of them, folded from events.

What belongs here: reading, and accounts that several partners share. What does not: deciding
(``payee_details``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import Connection

from payouts import events
from payouts.payee_state import (
    DETAILS_APPROVED,
    DETAILS_CONFIRMED,
    DETAILS_ERASED,
    DETAILS_PROPOSED,
    DETAILS_REJECTED,
    PARTNER_PREFIX,
    PAYER_APPROVED,
    PAYER_PROPOSED,
    PAYER_REJECTED,
)
from payouts.payees import load_payees

PROPOSED, APPROVED, REJECTED, ERASED = "proposed", "approved", "rejected", "erased"
_STATES = {
    DETAILS_PROPOSED: PROPOSED, DETAILS_APPROVED: APPROVED, DETAILS_REJECTED: REJECTED,
    PAYER_PROPOSED: PROPOSED, PAYER_APPROVED: APPROVED, PAYER_REJECTED: REJECTED,
}  # fmt: skip


@dataclass(frozen=True)
class DetailsRecord:
    """One proposal of details and what became of it. Instants are fixed-width UTC text.

    ``confirmation_needed``: the contact known with ``replaces`` has to be told and to agree.
    ``same_account_as`` names partners that are, or would be, paid to the same account.
    ``proposal_level``: how surely it was known who proposed.
    """

    owner: str
    details_id: str
    rail: str
    fingerprint: str
    account_fingerprint: str
    last_four: str
    state: str
    proposed_by: str
    proposed_at: str
    replaces: str | None = None
    confirmation_needed: bool = False
    same_account_as: tuple[str, ...] = ()
    confirmed_by: str | None = None
    decided_by: str | None = None
    decided_at: str | None = None
    was_approved: bool = False
    cooling_off_until: date | None = None
    proposal_level: str = "os_user"

    @property
    def waits_for_confirmation(self) -> bool:
        """Whether the old contact has still to agree before anybody may approve."""
        return self.state == PROPOSED and self.confirmation_needed and self.confirmed_by is None


@dataclass(frozen=True)
class SharedAccount:
    """One account that several partners are, or would be, paid to."""

    account_fingerprint: str
    partner_ids: tuple[str, ...]


def load_details(connection: Connection, owner: str) -> list[DetailsRecord]:
    """Every proposal of an owner's details and what became of it, oldest first."""
    records: list[DetailsRecord] = []
    for event in events.of_subject(connection, owner):
        if event.kind == DETAILS_ERASED:
            records = [replace(record, state=ERASED) for record in records]
        elif event.kind == DETAILS_CONFIRMED:
            records[-1] = replace(records[-1], confirmed_by=event.actor)
        elif _STATES.get(event.kind) == PROPOSED:
            records.append(_record(owner, event))
        elif event.kind in _STATES:
            until = event.payload.get("cooling_off_until")
            records[-1] = replace(
                records[-1],
                state=_STATES[event.kind],
                was_approved=_STATES[event.kind] == APPROVED,
                decided_by=event.actor,
                decided_at=event.recorded_at,
                cooling_off_until=date.fromisoformat(until) if until else None,
            )
    return records


def load_duplicate_accounts(connection: Connection) -> list[SharedAccount]:
    """Accounts that several partners are, or would be, paid to; holders may differ (L4)."""
    partners: dict[str, set[str]] = {}
    for partner_id, payee in load_payees(connection).items():
        if payee.account_fingerprint:
            partners.setdefault(payee.account_fingerprint, set()).add(partner_id)
        if payee.pending_details_id:
            pending = load_details(connection, f"{PARTNER_PREFIX}{partner_id}")[-1]
            partners.setdefault(pending.account_fingerprint, set()).add(partner_id)
    return [
        SharedAccount(fingerprint, tuple(sorted(ids)))
        for fingerprint, ids in sorted(partners.items())
        if len(ids) > 1
    ]


def last_approved(records: list[DetailsRecord]) -> DetailsRecord | None:
    """The details that were approved last, also when they were erased since."""
    approved = [record for record in records if record.was_approved]
    return approved[-1] if approved else None


def same_account(connection: Connection, account_fingerprint: str, partner_id: str) -> list[str]:
    """Other partners that are, or would be, paid to this account."""
    found = set()
    for other_id, payee in load_payees(connection).items():
        fingerprints = {payee.account_fingerprint}
        if payee.pending_details_id:
            owner = f"{PARTNER_PREFIX}{other_id}"
            fingerprints.add(load_details(connection, owner)[-1].account_fingerprint)
        if account_fingerprint in fingerprints:
            found.add(other_id)
    return sorted(found - {partner_id})


def _record(owner: str, event: events.Event) -> DetailsRecord:
    values = event.payload
    return DetailsRecord(
        owner=owner,
        details_id=values["details_id"],
        rail=values["rail"],
        fingerprint=values["fingerprint"],
        account_fingerprint=values["account_fingerprint"],
        last_four=values["last_four"],
        state=PROPOSED,
        proposed_by=event.actor,
        proposed_at=event.recorded_at,
        replaces=values["replaces"],
        confirmation_needed=values["confirmation_needed"],
        same_account_as=tuple(values["same_account_as"]),
        proposal_level=event.identity_level,
    )
