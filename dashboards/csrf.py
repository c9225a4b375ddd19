"""Forms are sent from our own pages only: a signed token of the session, and where they came from.

Before signing in there is no session; then where the request came from decides alone.
"""

from __future__ import annotations

import hmac
import secrets
from urllib.parse import urlsplit

from itsdangerous import BadSignature, URLSafeSerializer
from starlette.requests import Request

from dashboards.errors import ForbiddenError

FIELD = "form_token"
_SALT = "partnerledger form"
_OTHER = "this form was not sent from a page of this app; load the page again and send it anew"


def form_token(secret: bytes, session_id: str) -> str:
    """The token that a page of this session puts into its forms."""
    # The random part makes each page's token another text, so that compression tells nothing of it.
    return URLSafeSerializer(secret, salt=_SALT).dumps([session_id, secrets.token_hex(8)])


def check_form(request: Request, secret: bytes, session_id: str | None, token: str) -> None:
    """Refuse a form of another page, or of a session that has ended. Raises: ForbiddenError."""
    _check_origin(request)
    if session_id is None:
        return
    try:
        named, _random = URLSafeSerializer(secret, salt=_SALT).loads(token)
    except BadSignature:
        raise ForbiddenError(_OTHER) from None
    if not hmac.compare_digest(named, session_id):
        raise ForbiddenError(_OTHER)


def _check_origin(request: Request) -> None:
    # Browsers that send neither header are older than SameSite cookies, which we rely on anyway.
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        raise ForbiddenError(_OTHER)
    origin = request.headers.get("origin")
    if origin is not None and _host_of(origin) != request.headers.get("host", ""):
        raise ForbiddenError(_OTHER)


def _host_of(origin: str) -> str | None:
    """Host and port of an origin; None for what is none."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None
