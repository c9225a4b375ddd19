"""Inviting a partner from its page: the mail is on its way, or the link is shown once.

What does not belong here: the partner's page itself (`programme_partner`), and the invitation
(`invitations`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from payouts.hashing import parse_instant

from dashboards import addresses
from dashboards.access import TERMINATED
from dashboards.errors import NotFoundError, RefusedError
from dashboards.invitations import invite_partner
from dashboards.mailer import mail_settings
from dashboards.routing import action
from dashboards.templating import plural
from dashboards.users import DECIDERS

if TYPE_CHECKING:
    from starlette.responses import Response

    from dashboards.visit import Visit


def invite(visit: Visit) -> Response:
    """Invite the partner; without a mail server, or an address, whoever asks gets the link."""
    partner = visit.row("programme/partner", partner_id=visit.path("partner_id"))
    if partner is None:
        raise NotFoundError(
            f"there is no partner {visit.path('partner_id')[:100]} in the directory"
        )
    if partner["status"] == TERMINATED:
        raise RefusedError(
            "the partner is terminated and could not sign in; nothing was recorded",
            "Correct the partner directory first.",
        )
    settings, partner_id = visit.settings, partner["partner_id"]
    invited = invite_partner(
        visit.store, partner_id, partner["name"] or partner_id,
        # The demo sends nothing.
        with_mail=not settings.is_demo and mail_settings(settings.environment) is not None,
        base_url=settings.base_url, email=visit.field("email", 400), actor=visit.user.subject,
        rules=visit.approval_rules, now=visit.now, identity_level=visit.user.identity_level,
    )  # fmt: skip
    back = addresses.partner(partner_id) or "/partners"
    if invited.mailed_to:
        count = plural(len(invited.mailed_to), "address", "addresses")
        return visit.redirect(back, f"The invitation is on its way to {count}.")
    return visit.render(
        "programme/invited.html",
        partner=partner,
        link=invited.link,
        expires_at=parse_instant(invited.expires_at),
        back=back,
    )


ENTRIES = [action("/partners/{partner_id}/invite", invite, DECIDERS)]
