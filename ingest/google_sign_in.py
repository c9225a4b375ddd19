"""Access tokens of a Google service account, from its key file.

Belongs here: reading the key file, exchanging a signed assertion for a token, both with the
google-auth library, and its errors in the words of this package. Does not belong here: calendars.
Nothing of the key, the account or the person it acts for is ever told. Source: Google's guide on
OAuth 2.0 for server-to-server applications; the reference of google-auth.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests

from ingest.addresses import check_base_url, is_loopback
from ingest.errors import IngestError, PermanentSourceError, TransientSourceError
from ingest.http_refusals import LATER_ADVICE

if TYPE_CHECKING:
    from google.oauth2.service_account import Credentials

SCOPE = "https://www.googleapis.com/auth/calendar.readonly"
TIMEOUT_SECONDS = 30


def service_account_token(source: str, variable: str, delegate: str | None) -> Callable[[], str]:
    """What gives a valid access token, exchanging for a new one shortly before it ends.

    variable: environment variable with the path of the key file. delegate: address of the user for
    whom the account acts (domain-wide delegation), None for the account itself.
    Raises: PermanentSourceError when the file cannot be used. The returned callable raises
    PermanentSourceError when Google refuses, TransientSourceError when it is out of reach.
    """
    key = _key(source, variable)
    credentials = _credentials(key, source, variable)
    if delegate:
        credentials = credentials.with_subject(delegate)
    exchange = _exchange(key["token_uri"])

    def token() -> str:
        if not credentials.valid:
            _refresh(credentials, exchange, source, variable)
        return credentials.token

    return token


def _key(source: str, variable: str) -> dict[str, Any]:
    """What the key file holds."""
    path = os.environ.get(variable, "").strip()
    if not path:
        raise PermanentSourceError(
            f"the environment variable {variable} is not set",
            f"Set it to the path of the service account's key file of source {source}.",
        )
    try:
        key = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise _unusable(source, variable, "cannot be read, or is not JSON") from None
    if not isinstance(key, dict) or key.get("type") != "service_account":
        raise _unusable(source, variable, "is not the key file of a service account")
    check_base_url(str(key.get("token_uri")), f"token_uri of the key file in {variable}")
    return key


def _credentials(key: dict[str, Any], source: str, variable: str) -> Credentials:
    from google.auth.exceptions import GoogleAuthError
    from google.oauth2.service_account import Credentials

    try:
        return Credentials.from_service_account_info(key, scopes=[SCOPE])
    except (GoogleAuthError, ValueError, TypeError, AttributeError):
        raise _unusable(source, variable, "does not hold a whole private key") from None


def _unusable(source: str, variable: str, told: str) -> PermanentSourceError:
    return PermanentSourceError(
        f"the file that the environment variable {variable} names {told}",
        f"Create a key of the service account of source {source} as JSON, save it where only the "
        "night's user can read it, and put its path there.",
    )


def _exchange(token_uri: str) -> Callable[..., Any]:
    """A transport of google-auth with a timeout of our own."""
    from google.auth.transport.requests import Request

    session = requests.Session()
    session.trust_env = not is_loopback(urlsplit(token_uri).hostname or "")
    transport = Request(session)

    def ask(*given: Any, **keywords: Any) -> Any:
        return transport(*given, **{**keywords, "timeout": TIMEOUT_SECONDS})

    return ask


def _refresh(
    credentials: Credentials, exchange: Callable[..., Any], source: str, variable: str
) -> None:
    from google.auth.exceptions import GoogleAuthError, TransportError

    try:
        credentials.refresh(exchange)
    except TransportError:
        raise TransientSourceError(
            f"{source}: Google's token endpoint is out of reach",
            f"Check the network. {LATER_ADVICE}",
        ) from None
    except GoogleAuthError as error:
        raise _refusal(error, source, variable) from None
    except (TypeError, ValueError):
        # What google-auth raises when the answer is no JSON object.
        raise TransientSourceError(
            f"{source}: Google's token endpoint answers something else than a token", LATER_ADVICE
        ) from None


def _refusal(error: Any, source: str, variable: str) -> IngestError:
    """The error of a token endpoint that answered. Of its answer only a short code is told."""
    answer = error.args[1] if len(error.args) > 1 else None
    code = str(answer.get("error", "")) if isinstance(answer, dict) else ""
    told = f" ({code})" if re.fullmatch("[a-z_]{1,40}", code) else ""
    if getattr(error, "retryable", False):
        return TransientSourceError(
            f"{source}: Google's token endpoint fails{told}",
            LATER_ADVICE,
        )
    return PermanentSourceError(
        f"{source}: Google does not accept the service account{told}",
        f"Check that the key in {variable} still exists, the machine's clock, and with delegate "
        "that the administrator allowed the account the scope calendar.readonly.",
    )
