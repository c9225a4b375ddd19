"""Whether a webhook body comes from Stripe: its signature, and one line that a receiver dropped.

Belongs here: the check of one line. Does not belong here: folders and landing (`stripe_webhooks`).
Source: Stripe's documentation of webhook signatures: `Stripe-Signature: t=TIME,v1=HEX[,v1=HEX]`,
where v1 is the HMAC-SHA256 of `TIME.BODY` with the endpoint's secret. Several v1 values stand there
while a secret is being rolled.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

HEADER = "stripe-signature"
TOLERANCE_SECONDS = 300
"""How far the signed time may be from the time of arrival: an older body may be a replay."""


class RefusedBodyError(Exception):
    """A line is not an event of Stripe. column: field of the line; the text holds no value."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(reason)
        self.column = column


def event_of_line(line: bytes, secret: str | None) -> str:
    """The body of a line `{"body": text, "headers": {...}, "received_at": instant}`, checked.

    secret: the endpoint's signing secret; None: the signature is not checked.
    Raises: RefusedBodyError.
    """
    found = _parsed(line, "", "the line is not a JSON object")
    body = found.get("body")
    if not isinstance(body, str):
        raise RefusedBodyError("body", "is not the text of the body as received")
    if secret is not None:
        headers = found.get("headers")
        if not isinstance(headers, Mapping):
            raise RefusedBodyError("headers", "are missing")
        header = next((each for name, each in headers.items() if name.lower() == HEADER), None)
        check_signature(body, header, _instant(found.get("received_at")), secret)
    event = _parsed(body.encode(), "body", "is not a JSON object")
    event_id = event.get("id")
    is_named = isinstance(event_id, str) and event_id.isascii() and event_id.isprintable()
    if event.get("object") != "event" or not is_named or not event_id:
        raise RefusedBodyError("body", "is not an event with an id")
    return body


def check_signature(body: str, header: Any, received_at: datetime, secret: str) -> None:
    """Whether one of the header's signatures is that of the body, at about the time of arrival.

    received_at: aware. Raises: RefusedBodyError.
    """
    if not isinstance(header, str):
        raise RefusedBodyError("headers", "have no Stripe-Signature")
    given = [each.strip().partition("=") for each in header.split(",")]
    times = [value for name, _, value in given if name == "t"]
    signatures = [value for name, _, value in given if name == "v1"]
    if len(times) != 1 or not (times[0].isascii() and times[0].isdigit()) or not signatures:
        raise RefusedBodyError("headers", "have no Stripe-Signature with a time and a v1 value")
    expected = hmac.new(secret.encode(), f"{times[0]}.{body}".encode(), "sha256").hexdigest()
    # Every value is compared, each in constant time.
    matches = [hmac.compare_digest(expected.encode(), each.encode()) for each in signatures]
    if not any(matches):
        raise RefusedBodyError("headers", "have a Stripe-Signature that is not of this body")
    if abs(received_at.timestamp() - int(times[0])) > TOLERANCE_SECONDS:
        raise RefusedBodyError(
            "received_at", f"is more than {TOLERANCE_SECONDS} s from the signed time"
        )


def _parsed(text: bytes, column: str, reason: str) -> dict[str, Any]:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise RefusedBodyError(column, reason) from None
    if not isinstance(found, dict):
        raise RefusedBodyError(column, reason)
    return found


def _instant(text: Any) -> datetime:
    """An ISO 8601 instant with its offset. Raises: RefusedBodyError."""
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        found = None
    if found is None or found.tzinfo is None:
        raise RefusedBodyError("received_at", "is not an ISO 8601 instant with an offset")
    return found
