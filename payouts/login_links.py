"""Links by mail with which a partner signs in: once each, within 15 minutes.

What belongs here: issuing, looking at and using them. What does not: sending them (the outbox) and
the session that follows (``web_sessions``). Tokens are made at the edge; only hashes are stored, of
the token and of the address.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, delete, func, select, update

from payouts.hashing import instant_text, sha256_text
from payouts.portal_addresses import normalised
from payouts.schema import login_links

LIFETIME = timedelta(minutes=15)
# Nobody's mailbox is filled by a stranger who knows its address. Links that were sent still work.
MOST_REQUESTS = 3
REQUESTS_WITHIN = timedelta(minutes=15)
# Nothing needs a link longer; a mail that is opened later says that it has ended.
KEPT_AFTER_END = timedelta(days=1)
_TOKEN_CHARACTERS = 500


@dataclass(frozen=True)
class LoginLink:
    """One link. Instants are fixed-width UTC text; ``expires_at`` is excluded."""

    token_sha256: str
    partner_id: str
    created_at: str
    expires_at: str

    @property
    def reference(self) -> str:
        """Names the link in records without being of use to anybody: a part of its hash."""
        return f"login_link:{self.token_sha256[:16]}"


def may_request(connection: Connection, email: str, now: datetime) -> bool:
    """Whether another link may go to this address: three requests in 15 minutes.

    A request may have sent several links, one for each partner that has the address.
    """
    asked = connection.execute(
        select(func.count(login_links.c.created_at.distinct())).where(
            login_links.c.email_sha256 == _address_hash(email),
            login_links.c.created_at > instant_text(now - REQUESTS_WITHIN),
        )
    ).scalar_one()
    return asked < MOST_REQUESTS


def issue_link(
    connection: Connection, token: str, *, email: str, partner_id: str, now: datetime
) -> LoginLink:
    """Record a link, in the caller's write transaction; old rows go.

    token: of at least 128 random bits; it is in the mail alone.
    """
    remove_old(connection, now)
    link = LoginLink(
        token_sha256=sha256_text(token),
        partner_id=partner_id,
        created_at=instant_text(now),
        expires_at=instant_text(now + LIFETIME),
    )
    connection.execute(
        login_links.insert().values(**vars(link), email_sha256=_address_hash(email), used_at=None)
    )
    return link


def find_link(connection: Connection, token: str, now: datetime) -> LoginLink | None:
    """The link of a token while it can be used; looking does not use it."""
    row = connection.execute(select(login_links).where(*_is_open(token, now))).first()
    if row is None:
        return None
    return LoginLink(row.token_sha256, row.partner_id, row.created_at, row.expires_at)


def use_link(connection: Connection, token: str, now: datetime) -> LoginLink | None:
    """Use a link, once, in the caller's write transaction; None when it cannot be used.

    Of two who use it at once the second finds it used: the row changes under its own condition.
    Other links that went to the same address for the same partner end with it.
    """
    link = find_link(connection, token, now)
    if link is None:
        return None
    used = connection.execute(
        update(login_links).where(*_is_open(token, now)).values(used_at=instant_text(now))
    )
    if used.rowcount != 1:
        return None
    same_address = select(login_links.c.email_sha256).where(
        login_links.c.token_sha256 == link.token_sha256
    )
    connection.execute(
        update(login_links)
        .where(
            login_links.c.partner_id == link.partner_id,
            login_links.c.email_sha256 == same_address.scalar_subquery(),
            login_links.c.used_at.is_(None),
        )
        .values(used_at=instant_text(now))
    )
    return link


def end_links(connection: Connection, partner_id: str, now: datetime) -> int:
    """End every open link of a partner; how many there were."""
    return _end(connection, now, login_links.c.partner_id == partner_id)


def end_all_links(connection: Connection, now: datetime) -> int:
    """End every open link there is; how many there were."""
    return _end(connection, now)


def remove_old(connection: Connection, now: datetime) -> int:
    """Remove links that ended more than a day ago; how many were removed."""
    before = instant_text(now - KEPT_AFTER_END)
    return connection.execute(
        delete(login_links).where(login_links.c.expires_at <= before)
    ).rowcount


def _end(connection: Connection, now: datetime, *conditions: ColumnElement[bool]) -> int:
    return connection.execute(
        update(login_links)
        .where(
            login_links.c.used_at.is_(None),
            login_links.c.expires_at > instant_text(now),
            *conditions,
        )
        .values(used_at=instant_text(now))
    ).rowcount


def _is_open(token: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        login_links.c.token_sha256 == sha256_text(token[:_TOKEN_CHARACTERS]),
        login_links.c.used_at.is_(None),
        login_links.c.expires_at > instant_text(now),
    )


def _address_hash(email: str) -> str:
    return sha256_text(normalised(email))
