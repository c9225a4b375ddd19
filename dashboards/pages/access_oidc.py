"""Signing in with a work account: to the provider and back (``dashboards.oidc``)."""

from __future__ import annotations

import hmac
from dataclasses import asdict
from datetime import timedelta

from itsdangerous import BadSignature, URLSafeSerializer
from payouts.terms import person
from payouts.web_sessions import STAFF
from starlette.responses import RedirectResponse, Response

from dashboards import access, oidc
from dashboards.access import Proved
from dashboards.current_terms import roles_of, workspace_of
from dashboards.errors import NotFoundError, ProviderUnreachableError, SignInRefusedError
from dashboards.limits import client_of, limits_of
from dashboards.oidc import Pending
from dashboards.pages.access_pages import sign_in_page
from dashboards.routing import page
from dashboards.users import PUBLIC
from dashboards.visit import Visit

_COOKIE = "pl_oidc"
_SALT = "partnerledger oidc"
_LEVEL = "oidc"
_PER_CLIENT, _WITHIN = 60, timedelta(minutes=15)
_ANEW = "This sign-in was begun elsewhere, or too long ago. Begin anew."


def to_provider(visit: Visit) -> Response:
    """Send the browser to the provider, with what it must bring back in a signed cookie."""
    provider = _provider(visit)
    if not limits_of(visit.request).take(
        "oidc", client_of(visit.request), visit.now, most=_PER_CLIENT, within=_WITHIN
    ):
        return sign_in_page(visit, "That was too often. Wait a quarter of an hour.", 429)
    wanted = access.next_page(visit.asked("next"), None)
    try:
        address, pending = oidc.begin(provider, visit.settings.base_url, wanted, visit.now)
    except ProviderUnreachableError as error:
        return _failed(visit, error, 502)
    answer = RedirectResponse(address, status_code=303)
    answer.set_cookie(
        _cookie_name(visit),
        _serializer(visit).dumps(asdict(pending)),
        max_age=int(oidc.PENDING_FOR.total_seconds()),
        path="/",
        httponly=True,
        # Lax: the provider sends the browser back with a plain link.
        samesite="lax",
        secure=visit.settings.is_secure,
    )
    return answer


def from_provider(visit: Visit) -> Response:
    """Check the provider's answer and sign a member of staff in."""
    provider = _provider(visit)
    pending = _pending(visit)
    state = visit.asked("state")
    if pending is None or not hmac.compare_digest(pending.state.encode(), state.encode()):
        return _forgetting(visit, sign_in_page(visit, _ANEW, 400))
    # The provider takes a code once; should it not, the same answer is still refused here.
    is_first = limits_of(visit.request).take(
        "oidc state", state, visit.now, most=1, within=oidc.PENDING_FOR
    )
    if not is_first:
        return _forgetting(visit, sign_in_page(visit, _ANEW, 400))
    try:
        email = oidc.finish(
            provider,
            visit.settings.base_url,
            dict(visit.request.query_params),
            pending,
            visit.now,
        )
    except SignInRefusedError as error:
        return _forgetting(visit, _failed(visit, error, 403))
    except ProviderUnreachableError as error:
        return _forgetting(visit, _failed(visit, error, 502))
    if not roles_of(workspace_of(visit.request, visit.settings), email):
        problem = (
            f"You have proved to be {person(email)}, and program.yml gives that address no role. "
            "Ask whoever keeps the terms."
        )
        return _forgetting(visit, sign_in_page(visit, problem, 403))
    target = access.next_page(pending.wanted, None)
    return _forgetting(visit, access.begin(visit, Proved(email, STAFF, _LEVEL), target))


def _provider(visit: Visit) -> dict[str, str]:
    provider = oidc.from_environment(visit.settings.environment)
    if not provider:
        raise NotFoundError("there is no such page")
    return provider


def _pending(visit: Visit) -> Pending | None:
    signed = visit.request.cookies.get(_cookie_name(visit))
    if not signed:
        return None
    try:
        pending = Pending(**_serializer(visit).loads(signed))
    except (BadSignature, TypeError):
        return None
    return pending if pending.is_in_time(visit.now) else None


def _forgetting(visit: Visit, answer: Response) -> Response:
    answer.delete_cookie(
        _cookie_name(visit), path="/", httponly=True, samesite="lax",
        secure=visit.settings.is_secure,
    )  # fmt: skip
    return answer


def _failed(visit: Visit, error: Exception, status: int) -> Response:
    text = str(error)
    return sign_in_page(visit, f"{text[:1].upper()}{text[1:]}.", status)


def _cookie_name(visit: Visit) -> str:
    return f"__Host-{_COOKIE}" if visit.settings.is_secure else _COOKIE


def _serializer(visit: Visit) -> URLSafeSerializer:
    return URLSafeSerializer(visit.settings.secret, salt=_SALT)


ENTRIES = [
    page("/sign-in/oidc", to_provider, PUBLIC),
    page("/sign-in/oidc/callback", from_provider, PUBLIC),
]
