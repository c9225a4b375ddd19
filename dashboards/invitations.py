"""Inviting a partner to the portal: by mail where that is possible, else the link is for staff.

What belongs here: token, link and mail of an invitation, recorded together. What does not: who may
invite and what an invitation is (`payouts.onboarding`), and using it (`pages.access_pages`).
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote

from payouts import outbox
from payouts.hashing import sha256_text
from payouts.onboarding import invite_in
from payouts.portal_addresses import INVITATION as BY_INVITATION
from payouts.portal_addresses import add_address, list_addresses, normalised
from payouts.texts import email_address

from dashboards.errors import RefusedError
from dashboards.notices.kinds import INVITATION

if TYPE_CHECKING:
    from payouts.store import Store
    from payouts.terms import ApprovalRules
    from sqlalchemy import Connection

DAYS = 14
_TOKEN_BYTES = 32


@dataclass(frozen=True)
class Invited:
    """An invitation that was recorded. expires_at: fixed-width UTC text.

    mailed_to: addresses to which its link goes; empty where somebody has to hand it over. token,
    link: shown once, and kept nowhere but in a waiting mail; link is empty without a base address.
    """

    partner_id: str
    expires_at: str
    mailed_to: tuple[str, ...]
    token: str = field(repr=False)
    link: str = field(repr=False)


def invite_partner(
    store: Store,
    partner_id: str,
    partner_name: str,
    *,
    with_mail: bool,
    base_url: str,
    actor: str,
    rules: ApprovalRules,
    now: datetime,
    email: str = "",
    days: int = DAYS,
    reason: str = "",
    identity_level: str = "os_user",
) -> Invited:
    """Invite a partner; an earlier invitation ends. The mail waits in the outbox with it.

    with_mail: whether a mail server is named; else nothing is kept for sending. base_url: where
    people reach the app, without a slash at the end. email: send it there alone, and let that
    address sign in from now on; empty: to all addresses of the partner. now: naive UTC.
    Raises: DecisionRefusedError, RefusedError where an address is named and no mail can go there.
    """
    named = email_address(email)
    if named is not None and not with_mail:
        raise RefusedError(
            "no mail server is named, so that no invitation can be sent; nothing was recorded",
            "Leave the address out and hand the link over, or name a mail server first.",
        )
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    link = f"{base_url}/invitation/{quote(token, safe='')}" if base_url else ""
    digest, expires_at = sha256_text(token), now + timedelta(days=days)
    with store.write() as connection:
        invitation = invite_in(
            connection, partner_id, token_sha256=digest, expires_at=expires_at, actor=actor,
            rules=rules, recorded_at=now, reason=reason, identity_level=identity_level,
        )  # fmt: skip
        recipients = _recipients(connection, partner_id, named, now) if with_mail else ()
        if recipients and not link:
            raise RefusedError(
                "the invitation cannot be sent without the address of the web app; nothing was "
                "recorded",
                "Set PARTNERLEDGER_BASE_URL to where partners reach it.",
            )
        for recipient in recipients:
            outbox.enqueue_in(
                connection,
                INVITATION,
                f"invitation:{digest[:16]}",
                outbox.MAIL,
                recipient,
                {
                    "link": link,
                    "partner_id": partner_id,
                    "partner_name": partner_name,
                    "expires_at": invitation.expires_at,
                },
                now,
                expires_at=expires_at,
            )
    return Invited(partner_id, invitation.expires_at, tuple(recipients), token, link)


def _recipients(
    connection: Connection, partner_id: str, named: str | None, now: datetime
) -> Sequence[str]:
    """Addresses to write to; one that is new may sign in from here on."""
    known = [each.email for each in list_addresses(connection, partner_id)]
    if named is None:
        return known
    if normalised(named) not in known:
        add_address(connection, partner_id, named, source=BY_INVITATION, now=now)
    return [normalised(named)]
