"""E-mail addresses to which a partner may have a link sent to sign in.

What belongs here: who has which address, and taking over those of the directory. What does not:
links (``login_links``) and mail. An address may belong to several partners, an agency's for
example: each gets a link of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select, update

from payouts import events
from payouts.errors import DecisionRefusedError
from payouts.hashing import instant_text
from payouts.holds import check_decider
from payouts.schema import login_links, portal_addresses
from payouts.store import Store
from payouts.terms import ApprovalRules, person
from payouts.texts import email_address, identifier
from payouts.web_sessions import partner_subject, revoke_subject

DIRECTORY, INVITATION, PERSON = "directory", "invitation", "person"
ADDRESS_ADDED, ADDRESS_REMOVED = "portal_address_added", "portal_address_removed"


@dataclass(frozen=True)
class PortalAddress:
    """An address of a partner. ``added_at``: fixed-width UTC text."""

    partner_id: str
    email: str
    source: str
    added_at: str


@dataclass(frozen=True)
class DirectoryChanges:
    """What taking over the directory changed: numbers, and the partners that lost an address."""

    added: int
    removed: int
    partners_who_lost_one: tuple[str, ...]


def normalised(email: str) -> str:
    """One spelling per address: lower case, no surrounding space, equal characters alike."""
    return person(email)


def partners_of(connection: Connection, email: str) -> list[str]:
    """Ids of the partners that have this address, in order; usually one or none."""
    return list(
        connection.execute(
            select(portal_addresses.c.partner_id)
            .where(portal_addresses.c.email == normalised(email))
            .order_by(portal_addresses.c.partner_id)
        ).scalars()
    )


def list_addresses(connection: Connection, partner_id: str | None = None) -> list[PortalAddress]:
    """All addresses, or those of one partner."""
    wanted = select(portal_addresses)
    if partner_id is not None:
        wanted = wanted.where(portal_addresses.c.partner_id == partner_id)
    rows = connection.execute(
        wanted.order_by(portal_addresses.c.partner_id, portal_addresses.c.email)
    )
    return [PortalAddress(**row._mapping) for row in rows]


def add_address(
    connection: Connection, partner_id: str, email: str, *, source: str, now: datetime
) -> PortalAddress:
    """Give a partner an address, in the caller's write transaction.

    source: person or invitation; the directory does not take such an address away again, even
    where it names the same one. Raises: DecisionRefusedError for what is no address.
    """
    partner = identifier(partner_id, "the partner")
    address = email_address(email)
    if address is None or source not in (INVITATION, PERSON):
        raise DecisionRefusedError(
            "the address or where it comes from is missing; nothing was recorded"
        )
    _remove(connection, partner, normalised(address))
    added = PortalAddress(partner, normalised(address), source, instant_text(now))
    connection.execute(portal_addresses.insert().values(**vars(added)))
    return added


def allow_address(
    store: Store, partner_id: str, email: str, *, actor: str, rules: ApprovalRules, now: datetime
) -> PortalAddress:
    """Let somebody with this address sign in as a partner. The event that says so names no address.

    Raises: DecisionRefusedError without a role, or for what is no address.
    """
    check_decider(rules, actor, "an address", "let an address sign in")
    with store.write() as connection:
        added = add_address(connection, partner_id, email, source=PERSON, now=now)
        _record(connection, ADDRESS_ADDED, added.partner_id, actor, now)
    return added


def forbid_address(
    store: Store, partner_id: str, email: str, *, actor: str, rules: ApprovalRules, now: datetime
) -> None:
    """Take an address back; whoever is signed in as this partner is signed out.

    Raises: DecisionRefusedError without a role, when the partner has no such address, or when the
    directory names it: the next night would bring it back.
    """
    check_decider(rules, actor, "an address", "take an address back")
    wanted = normalised(email)
    with store.write() as connection:
        found = [each for each in list_addresses(connection, partner_id) if each.email == wanted]
        if not found:
            raise DecisionRefusedError(
                f"{partner_id} has no such address; `partnerledger access list` shows them"
            )
        if found[0].source == DIRECTORY:
            raise DecisionRefusedError(
                "this address comes from the partner directory and would come back with the next "
                "night; correct it there. Nothing was recorded"
            )
        _remove(connection, partner_id, wanted)
        end_access(connection, partner_id, now)
        _record(connection, ADDRESS_REMOVED, partner_id, actor, now)


def end_access(connection: Connection, partner_id: str, now: datetime) -> int:
    """End every session and open link of a partner; how many sessions were ended."""
    connection.execute(
        update(login_links)
        .where(login_links.c.partner_id == partner_id, login_links.c.used_at.is_(None))
        .values(used_at=instant_text(now))
    )
    return revoke_subject(connection, partner_subject(partner_id), now)


def take_over_directory(
    connection: Connection, directory: Iterable[tuple[str, str]], now: datetime
) -> DirectoryChanges:
    """Make the addresses of the directory those that it names now; others stay.

    directory: (partner_id, e-mail); what is no address is left out. Whoever is signed in as a
    partner that lost an address is signed out: it may have been theirs. An empty directory changes
    nothing: a source that is not there is no reason to shut every partner out.
    """
    wanted = {(partner_id, address) for partner_id, address in _usable(directory)}
    if not wanted:
        return DirectoryChanges(0, 0, ())
    known = {(each.partner_id, each.email): each.source for each in list_addresses(connection)}
    new = sorted(wanted - known.keys())
    gone = sorted(key for key, source in known.items() if source == DIRECTORY and key not in wanted)
    for partner_id, email in gone:
        _remove(connection, partner_id, email)
    lost = tuple(sorted({partner_id for partner_id, _ in gone}))
    for partner_id in lost:
        end_access(connection, partner_id, now)
    if new:
        connection.execute(
            portal_addresses.insert(),
            [
                {
                    "partner_id": partner_id,
                    "email": email,
                    "source": DIRECTORY,
                    "added_at": instant_text(now),
                }
                for partner_id, email in new
            ],
        )
    return DirectoryChanges(len(new), len(gone), lost)


def _remove(connection: Connection, partner_id: str, email: str) -> None:
    connection.execute(
        delete(portal_addresses).where(
            portal_addresses.c.partner_id == partner_id, portal_addresses.c.email == email
        )
    )


def _record(connection: Connection, kind: str, partner_id: str, actor: str, now: datetime) -> None:
    # Events stay for ever: they say that, and never to which address.
    events.append(
        connection,
        kind=kind,
        subject=partner_subject(partner_id),
        actor=person(actor),
        recorded_at=now,
    )


def _usable(directory: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    for partner_id, email in directory:
        try:
            address = email_address(email)
        except DecisionRefusedError:
            continue
        if address is not None:
            yield partner_id, normalised(address)
