"""Signing in and out: the choice, links by mail, the local demo, invitations.

Work accounts are in ``access_oidc``. Nothing here is used up by looking at it: programs that read
mail open every link, so that a link only shows a button.
"""

from __future__ import annotations

import hmac
from datetime import timedelta

from payouts.errors import DecisionRefusedError
from payouts.hashing import sha256_text
from payouts.login_links import LIFETIME, find_link, use_link
from payouts.onboarding import accept_invite, open_invitations
from payouts.texts import email_address
from payouts.web_sessions import (
    DEMO,
    PARTNER,
    partner_subject,
    revoke_session,
    revoke_subject,
)
from starlette.background import BackgroundTask
from starlette.responses import Response

from dashboards import access, oidc
from dashboards.access import Proved
from dashboards.current_terms import roles_of, staff_of, workspace_of
from dashboards.errors import DashboardError, NotFoundError, SignInRefusedError
from dashboards.limits import client_of, limits_of
from dashboards.routing import action, page
from dashboards.sign_in_links import send_links, send_links_quietly
from dashboards.users import PUBLIC
from dashboards.visit import Visit

# Generous, because an office shares one address; a mailbox is protected by its own limit.
_LINKS_PER_CLIENT, _TRIES_PER_CLIENT = 20, 60
_WITHIN = timedelta(minutes=15)
_MINUTES = int(LIFETIME.total_seconds()) // 60
_DEMO_PARTNERS = 100
_LEVEL = "os_user"
_TOO_OFTEN = "That was too often. Wait a quarter of an hour, then try again."
_LINK_ENDED = "This link has been used, or has ended. Ask for another one."
_INVITATION_ENDED = "This invitation is not valid, or not any more. Ask for a new one."


def sign_in_page(visit: Visit, problem: str = "", status: int = 200) -> Response:
    """The ways to sign in. problem: what went wrong before, for people."""
    is_demo = visit.settings.is_demo
    return visit.render(
        "access/sign_in.html",
        status=status,
        problem=problem,
        wanted=visit.asked("next") or visit.field("next", 2000),
        has_oidc=bool(oidc.from_environment(visit.settings.environment)),
        staff=staff_of(workspace_of(visit.request, visit.settings)) if is_demo else [],
        partners=_demo_partners(visit) if is_demo else [],
    )


def request_link(visit: Visit) -> Response:
    """Send a link. The answer is the same whether or not anybody has the address."""
    if not _may_try(visit, "link", _LINKS_PER_CLIENT):
        return sign_in_page(visit, _TOO_OFTEN, 429)
    try:
        email = email_address(visit.field("email", 400))
    except DecisionRefusedError:
        email = None
    if email is None:
        return sign_in_page(visit, "That is no e-mail address.", 400)
    wanted = visit.field("next", 2000)
    wanted = wanted if access.next_page(wanted, "any") == wanted else ""
    if visit.settings.is_demo:
        links = send_links(visit.kernel, email, wanted, visit.now)
        return visit.render("access/link_sent.html", links=links, minutes=_MINUTES)
    answer = visit.render("access/link_sent.html", links=[], minutes=_MINUTES)
    answer.background = BackgroundTask(send_links_quietly, visit.kernel, email, wanted, visit.now)
    return answer


def show_link(visit: Visit) -> Response:
    """The button that uses a link."""
    with visit.control() as connection:
        link = find_link(connection, visit.path("token"), visit.now)
    if link is None:
        return sign_in_page(visit, _LINK_ENDED, 410)
    return _button(visit, link.partner_id, "Sign in", "")


def use_sign_in_link(visit: Visit) -> Response:
    """Use a link, once: the session begins in the transaction that uses it."""
    if not _may_try(visit, "token", _TRIES_PER_CLIENT):
        return sign_in_page(visit, _TOO_OFTEN, 429)
    with visit.control() as connection:
        link = find_link(connection, visit.path("token"), visit.now)
    if link is None:
        return sign_in_page(visit, _LINK_ENDED, 410)
    try:
        access.check_may_enter(link.partner_id, visit.kernel.snapshots)
    except SignInRefusedError as error:
        return sign_in_page(visit, _sentence(error), 403)
    with visit.store.write() as connection:
        used = use_link(connection, visit.path("token"), visit.now)
        if used is not None:
            target = access.next_page(visit.field("next", 2000), used.partner_id)
            return access.begin_in(connection, visit, _partner(used.partner_id), target)
    return sign_in_page(visit, _LINK_ENDED, 410)


def sign_out(visit: Visit) -> Response:
    """End the session of this browser, or all sessions of who asks."""
    answer = visit.redirect("/sign-in", "You have signed out.")
    if visit.is_signed_in:
        with visit.store.write() as connection:
            if visit.field("everywhere"):
                revoke_subject(connection, visit.user.subject, visit.now)
            else:
                revoke_session(connection, visit.user.session_id, visit.now)
    access.forget_cookie(answer, visit.settings)
    return answer


def sign_in_demo(visit: Visit) -> Response:
    """Become a person of the terms or a partner, on the local demo alone."""
    if not visit.settings.is_demo:
        raise NotFoundError("there is no such page")
    subject = visit.required("subject", 400)
    if subject.startswith(partner_subject("")):
        partner_id = subject.removeprefix(partner_subject(""))
        known = access.partner_row(partner_id, visit.kernel.snapshots)
        if known is None or not access.may_enter(partner_id, visit.kernel.snapshots):
            return sign_in_page(visit, f"There is no partner {partner_id} who may sign in.", 403)
        proved = Proved(subject, DEMO, _LEVEL, partner_id)
    else:
        if not roles_of(workspace_of(visit.request, visit.settings), subject):
            return sign_in_page(visit, f"The terms give {subject} no role.", 403)
        proved = Proved(subject, DEMO, _LEVEL)
    target = access.next_page(visit.field("next", 2000), proved.partner_id)
    return access.begin(visit, proved, target)


def show_invitation(visit: Visit) -> Response:
    """The button that accepts an invitation."""
    partner_id = _invited(visit)
    if partner_id is None:
        return sign_in_page(visit, _INVITATION_ENDED, 410)
    return _button(visit, partner_id, "Accept the invitation", "invitation")


def accept_invitation(visit: Visit) -> Response:
    """Accept an invitation, once, and sign the partner in."""
    if not _may_try(visit, "token", _TRIES_PER_CLIENT):
        return sign_in_page(visit, _TOO_OFTEN, 429)
    partner_id = _invited(visit)
    if partner_id is None:
        return sign_in_page(visit, _INVITATION_ENDED, 410)
    try:
        access.check_may_enter(partner_id, visit.kernel.snapshots)
        accept_invite(
            visit.store, visit.path("token"), recorded_at=visit.now, partner_id=partner_id
        )
    except SignInRefusedError as error:
        return sign_in_page(visit, _sentence(error), 403)
    except DecisionRefusedError:
        # Somebody else used it between the two looks.
        return sign_in_page(visit, _INVITATION_ENDED, 410)
    return access.begin(visit, _partner(partner_id), access.first_page(partner_id))


def _button(visit: Visit, partner_id: str, label: str, kind: str) -> Response:
    known = access.partner_row(partner_id, visit.kernel.snapshots) or {}
    return visit.render(
        "access/use_link.html",
        partner_name=known.get("name") or partner_id,
        label=label,
        is_invitation=kind == "invitation",
        wanted=visit.asked("next"),
    )


def _invited(visit: Visit) -> str | None:
    given = sha256_text(visit.path("token")[:500])
    with visit.control() as connection:
        for invitation in open_invitations(connection, visit.now):
            if hmac.compare_digest(invitation.token_sha256, given):
                return invitation.partner_id
    return None


def _demo_partners(visit: Visit) -> list[dict[str, str]]:
    try:
        return visit.rows("access/partners", most=_DEMO_PARTNERS)
    except DashboardError:
        # No night has published yet: staff can look around all the same.
        return []


def _partner(partner_id: str) -> Proved:
    return Proved(partner_subject(partner_id), PARTNER, _LEVEL, partner_id)


def _may_try(visit: Visit, what: str, most: int) -> bool:
    return limits_of(visit.request).take(
        what, client_of(visit.request), visit.now, most=most, within=_WITHIN
    )


def _sentence(error: Exception) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:]}."


ENTRIES = [
    page("/sign-in", sign_in_page, PUBLIC),
    action("/sign-in/link", request_link, PUBLIC),
    page("/sign-in/link/{token}", show_link, PUBLIC),
    action("/sign-in/link/{token}", use_sign_in_link, PUBLIC),
    action("/sign-out", sign_out, PUBLIC),
    action("/sign-in/demo", sign_in_demo, PUBLIC),
    page("/invitation/{token}", show_invitation, PUBLIC),
    action("/invitation/{token}", accept_invitation, PUBLIC),
]
