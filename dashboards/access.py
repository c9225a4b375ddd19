"""From the cookie to the person who asks, and back: web sessions of the app.

What belongs here: the cookie, who a session stands for now, beginning and ending one. What does
not: how somebody proves who they are (``pages.access_*``, ``oidc``) and what they may open
(``routing``). Roles are read from the terms and a partner's status from the snapshot with every
request: what was taken from somebody ends at once.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from itsdangerous import BadSignature, Signer
from payouts.web_sessions import (
    DEMO,
    LIFETIMES,
    WebSession,
    find_session,
    open_session,
    partner_subject,
    revoke_session,
)
from starlette.requests import Request
from starlette.responses import Response

from dashboards import queries
from dashboards.current_terms import roles_of, workspace_of
from dashboards.errors import DashboardError, SignInRefusedError
from dashboards.settings import Settings
from dashboards.users import PARTNER, User

if TYPE_CHECKING:
    from payouts.store import Store
    from sqlalchemy import Connection

    from dashboards.snapshots import Snapshots
    from dashboards.visit import Visit

TERMINATED = "terminated"
_COOKIE = "pl_session"
# A browser sends a cookie of this name over HTTPS only, and to the host alone that has set it.
_HOST_PREFIX = "__Host-"
_SALT = "partnerledger session"
_TOKEN_BYTES = 32


@dataclass(frozen=True)
class Proved:
    """Who somebody has proved to be. kind: staff, partner or demo (``payouts.web_sessions``).

    subject: e-mail address, or ``partner:<partner_id>``. identity_level: ``payouts.identity``.
    """

    subject: str
    kind: str
    identity_level: str
    partner_id: str | None = None


def user_of(
    request: Request, settings: Settings, store: Store, now: datetime, snapshots: Snapshots
) -> User | None:
    """Who asks, or None: no session, an ended one, no role any more, or a terminated partner."""
    token = _token_of(request, settings)
    if token is None:
        return None
    with store.read() as connection:
        session = find_session(connection, token, now)
    # A session of the local demo proves nothing to an app that is no demo.
    if session is None or (session.kind == DEMO and not settings.is_demo):
        return None
    if session.partner_id is not None:
        return _partner(session, session.partner_id, snapshots)
    roles = roles_of(workspace_of(request, settings), session.subject)
    if not roles:
        return None
    return User(
        session.subject, session.subject, roles, None, session.identity_level,
        session.session_sha256,
    )  # fmt: skip


def check_may_enter(partner_id: str, snapshots: Snapshots) -> None:
    """Refuse a partner whose status is terminated. Raises: SignInRefusedError."""
    if _is_terminated(partner_row(partner_id, snapshots)):
        raise SignInRefusedError(
            "this partner account is closed; write to the people of the programme"
        )


def may_enter(partner_id: str, snapshots: Snapshots) -> bool:
    """Whether a partner may sign in, as far as the snapshot says."""
    return not _is_terminated(partner_row(partner_id, snapshots))


def partner_row(partner_id: str, snapshots: Snapshots) -> dict[str, Any] | None:
    """What the published snapshot says of a partner; None when it does not know it.

    Also None where no snapshot can be read: an invited partner may come before the first night.
    """
    try:
        _, connection = snapshots.current()
    except DashboardError:
        return None
    try:
        found = queries.run(connection, "access/partner", {"partner_id": partner_id})
    finally:
        connection.close()
    return found[0] if found else None


def begin(visit: Visit, proved: Proved, path: str) -> Response:
    """Sign somebody in and go on to a page. The session they had in this browser ends."""
    with visit.store.write() as connection:
        return begin_in(connection, visit, proved, path)


def begin_in(connection: Connection, visit: Visit, proved: Proved, path: str) -> Response:
    """As ``begin``, in the caller's write transaction."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    if visit.is_signed_in:
        revoke_session(connection, visit.user.session_id, visit.now)
    open_session(
        connection,
        token,
        subject=proved.subject,
        kind=proved.kind,
        identity_level=proved.identity_level,
        partner_id=proved.partner_id,
        now=visit.now,
    )
    answer = visit.redirect(path)
    set_cookie(answer, visit.settings, token, proved.kind)
    return answer


def set_cookie(answer: Response, settings: Settings, token: str, kind: str) -> None:
    """Give the browser its token, signed; no script can read it, no other site send it along."""
    answer.set_cookie(
        cookie_name(settings),
        _signer(settings).sign(token).decode("ascii"),
        max_age=int(LIFETIMES[kind].total_seconds()),
        path="/",
        httponly=True,
        samesite="lax",
        secure=settings.is_secure,
    )


def forget_cookie(answer: Response, settings: Settings) -> None:
    """Take the token back from the browser."""
    answer.delete_cookie(
        cookie_name(settings), path="/", httponly=True, samesite="lax", secure=settings.is_secure
    )


def cookie_name(settings: Settings) -> str:
    """Name of the session's cookie."""
    return f"{_HOST_PREFIX}{_COOKIE}" if settings.is_secure else _COOKIE


def first_page(partner_id: str | None) -> str:
    """Where somebody begins who asked for no page."""
    return "/" if partner_id is None else "/portal"


def next_page(wanted: str, partner_id: str | None) -> str:
    """The page to go on to after signing in: one of this app, and of the own area.

    wanted: as it stood in an address, that is anything. Whatever a browser could take for another
    host (``//``, backslashes, control characters) leads to the first page instead.
    """
    is_plain = wanted.isascii() and wanted.isprintable() and " " not in wanted
    is_ours = wanted.startswith("/") and not wanted.startswith("//") and "\\" not in wanted
    path = wanted.partition("?")[0]
    is_portal = path == "/portal" or path.startswith("/portal/")
    is_allowed = not path.startswith(("/sign-", "/invitation"))
    if is_plain and is_ours and is_allowed and is_portal == (partner_id is not None):
        return wanted
    return first_page(partner_id)


def _token_of(request: Request, settings: Settings) -> str | None:
    signed = request.cookies.get(cookie_name(settings))
    if not signed:
        return None
    try:
        return _signer(settings).unsign(signed).decode("ascii")
    except (BadSignature, UnicodeError):
        return None


def _signer(settings: Settings) -> Signer:
    return Signer(settings.secret, salt=_SALT)


def _partner(session: WebSession, partner_id: str, snapshots: Snapshots) -> User | None:
    known = partner_row(partner_id, snapshots)
    if _is_terminated(known):
        return None
    name = (known or {}).get("name") or partner_id
    return User(
        partner_subject(partner_id), name, PARTNER, partner_id, session.identity_level,
        session.session_sha256,
    )  # fmt: skip


def _is_terminated(known: dict[str, Any] | None) -> bool:
    return known is not None and known["status"] == TERMINATED
