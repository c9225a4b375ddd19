"""Sending a partner the link with which it signs in: into the outbox, or onto the demo's page.

Whether an address is known shows nowhere: not in the answer, and not in how long it takes, because
the work is done once the answer has left.
"""

from __future__ import annotations

import logging
import secrets
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from payouts import outbox
from payouts.errors import PayoutsError
from payouts.login_links import LIFETIME, issue_link, may_request
from payouts.portal_addresses import normalised, partners_of

from dashboards.access import may_enter, partner_row
from dashboards.notices.kinds import SIGN_IN_LINK

if TYPE_CHECKING:
    from dashboards.visit import Kernel

_LOG = logging.getLogger("partnerledger.web")
_TOKEN_BYTES = 32
# An address of more partners than that is a mistake in the directory.
_MOST_PARTNERS = 10


def send_links(kernel: Kernel, email: str, wanted: str, now: datetime) -> list[tuple[str, str]]:
    """Issue a link for each partner that has the address; (partner id, address of the link).

    wanted: the page to go on to. Nothing is issued, and nothing said, for an unknown address, a
    partner that may not enter, or an address that asked three times in a quarter of an hour.
    The links of the demo are not sent: its sign-in page shows them.
    """
    sent = []
    with kernel.store.read() as connection:
        partners = partners_of(connection, email)[:_MOST_PARTNERS]
    allowed = [each for each in partners if may_enter(each, kernel.snapshots)]
    if not allowed:
        return []
    with kernel.store.write() as connection:
        if not may_request(connection, email, now):
            return []
        for partner_id in allowed:
            token = secrets.token_urlsafe(_TOKEN_BYTES)
            link = issue_link(connection, token, email=email, partner_id=partner_id, now=now)
            address = link_address(kernel.settings.base_url, token, wanted)
            sent.append((partner_id, address))
            if kernel.settings.is_demo:
                continue
            known = partner_row(partner_id, kernel.snapshots) or {}
            outbox.enqueue_in(
                connection,
                SIGN_IN_LINK,
                link.reference,
                outbox.MAIL,
                # The address as we know it: never the one that somebody typed.
                normalised(email),
                {
                    "link": address,
                    "partner_id": partner_id,
                    "partner_name": known.get("name") or partner_id,
                    "expires_at": link.expires_at,
                },
                now,
                expires_at=now + LIFETIME,
            )
    return sent


def send_links_quietly(kernel: Kernel, email: str, wanted: str, now: datetime) -> None:
    """As ``send_links``, after the answer has left: a failure is logged, without the address."""
    try:
        send_links(kernel, email, wanted, now)
    except PayoutsError as error:
        _LOG.error("a link to sign in could not be sent: %s", error)


def link_address(base_url: str, token: str, wanted: str) -> str:
    """Where a link leads."""
    address = f"{base_url}/sign-in/link/{token}"
    return f"{address}?next={quote(wanted, safe='')}" if wanted else address
