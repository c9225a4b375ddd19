"""The chat of staff: one JSON POST per message to an incoming webhook.

What belongs here: the address from the environment, the request, what its answer means. What does
not: which message. Never account details, never e-mail addresses: texts come from the block
``chat`` of staff's templates, and an address in them is taken out once more here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlsplit

from dashboards.errors import (
    DeliveryRefusedError,
    MaybeSentError,
    NoticeSettingsError,
    NotSentError,
)

WEBHOOK_VARIABLE = "PARTNERLEDGER_CHAT_WEBHOOK"
TIMEOUT_SECONDS = 10
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_ADDRESS = re.compile(r"[^\s@:/<>,;|'\"]+@[^\s@:/<>,;|'\"]+\.[^\s@:/<>,;|'\"]+")
_TOO_MANY, _TIMEOUT, _SERVER_ERRORS = 429, 408, 500


def webhook_url(environment: Mapping[str, str]) -> str | None:
    """The address of the environment; None when there is none. It is a secret: nobody prints it.

    Raises: NoticeSettingsError for one that is no https address (http on loopback).
    """
    url = environment.get(WEBHOOK_VARIABLE, "").strip()
    if not url:
        return None
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        host = None
    is_safe = host and (parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK))
    if not is_safe:
        raise NoticeSettingsError(
            f"{WEBHOOK_VARIABLE} is no https address; copy it from the chat's settings"
        )
    return url


def post_text(url: str, text: str, now: datetime, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
    """Post one message. now: naive UTC, for a Retry-After that names a day.

    Raises: NotSentError (later can help), DeliveryRefusedError (never), MaybeSentError.
    """
    import requests

    try:
        answer = requests.post(
            url,
            json={"text": _ADDRESS.sub("…", text)},
            timeout=timeout_seconds,
            allow_redirects=False,
        )
    except (requests.ConnectTimeout, requests.exceptions.SSLError) as error:
        raise NotSentError(f"the webhook cannot be reached ({type(error).__name__})") from None
    except (requests.ReadTimeout, requests.exceptions.ChunkedEncodingError) as error:
        raise MaybeSentError(
            f"the webhook did not answer ({type(error).__name__}): it may have been sent"
        ) from None
    except requests.ConnectionError as error:
        if _was_refused(error):
            raise NotSentError("the webhook cannot be reached (ConnectionError)") from None
        raise MaybeSentError(
            "the webhook broke off without an answer (ConnectionError): it may have been sent"
        ) from None
    except requests.RequestException as error:
        raise DeliveryRefusedError(
            f"the webhook's address cannot be used ({type(error).__name__})"
        ) from None
    with answer:
        _judge(answer.status_code, answer.headers.get("Retry-After", ""), now)


def _judge(status: int, retry_after: str, now: datetime) -> None:
    if 200 <= status < 300:  # noqa: PLR2004  (HTTP: done)
        return
    if status == _TOO_MANY:
        wait = retry_seconds(retry_after, now)
        raise NotSentError(f"the webhook asks to wait ({status})", wait_seconds=wait)
    if status >= _SERVER_ERRORS or status == _TIMEOUT:
        raise NotSentError(f"the webhook cannot take it now ({status})")
    raise DeliveryRefusedError(f"the webhook refuses it ({status}); check {WEBHOOK_VARIABLE}")


def retry_seconds(text: str, now: datetime) -> int | None:
    """Seconds of a Retry-After, given as a number or as a day; None for anything else."""
    from datetime import UTC
    from email.utils import parsedate_to_datetime

    text = text.strip()
    if text.isascii() and text.isdigit():
        return int(text[:9])
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    if at.tzinfo is not None:
        at = at.astimezone(UTC).replace(tzinfo=None)
    return max(int((at - now).total_seconds()), 0)


def _was_refused(error: Exception) -> bool:
    """Whether the connection never stood, so that nothing was handed over."""
    from urllib3.exceptions import MaxRetryError, NewConnectionError

    cause = error.args[0] if error.args else None
    reason = cause.reason if isinstance(cause, MaxRetryError) else cause
    return isinstance(reason, NewConnectionError)
