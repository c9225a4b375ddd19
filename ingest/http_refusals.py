"""The error that a refused request becomes: transient or permanent, and what a person can do.

Belongs here: what a status means. Does not belong here: sending requests (`http`), when they are
made again (`http_retry`), which parts of a body may be told (`http_codes`).
"""

from __future__ import annotations

from typing import Any

import requests

from ingest.errors import ForbiddenError, IngestError, PermanentSourceError, TransientSourceError
from ingest.http_codes import error_code, missing_scopes

RATE_REASONS = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded"})
"""Google says so with a 403 (its guide on errors of the Calendar API)."""
RETRIED_STATUSES = frozenset({408, 423, 429, 477, 500, 502, 503, 504, 521, 522, 523, 524})
"""Answers that can be better next time. 423 and 477 are HubSpot's for an account that is locked or
being moved, 521 to 524 those of the network in front of it."""
LATER_ADVICE = "Run again later; what was landed so far is kept."


def refusal(
    response: requests.Response,
    what: str,
    request_id: str,
    *,
    label: str,
    token_env: str,
    tries: int,
) -> IngestError:
    """The error of a status other than 200. Of the body only short codes are told.

    what: the request, for the message. label: name of the source. token_env: the variable of its
    key, empty if it has none. tries: how often it was asked.
    """
    status = response.status_code
    code = error_code_of(response)
    told = f"{what}: status {status}" + (f" ({code})" if code else "")
    if request_id:
        told += f", request id {request_id}"
    if status in (401, 403) and not token_env:
        return PermanentSourceError(
            f"{told}: the server refuses to be read, and no key is asked for",
            f"Check sources.{label}.base_url, and whether a proxy stands in between.",
        )
    if status == 401:
        return PermanentSourceError(
            f"{told}: the key is not accepted",
            f"Put a valid key into the environment variable {token_env}.",
        )
    if status == 403 and _reasons(response) & RATE_REASONS:
        return TransientSourceError(f"{told}: too many requests", LATER_ADVICE)
    if status == 403:
        scopes = ", ".join(missing_scopes(parsed(response)))
        return ForbiddenError(
            f"{told}: the key may not read this" + (f", it lacks {scopes}" if scopes else ""),
            f"Give the key in {token_env} read permission for it.",
        )
    if status == 404:
        return PermanentSourceError(
            f"{told}: there is no such endpoint",
            f"Check sources.{label}.base_url, or remove the stream from streams.",
        )
    if status == 414:
        return PermanentSourceError(
            f"{told}: the address of the request is too long",
            f"Ask for fewer properties in sources.{label}.",
        )
    if status == 429:
        return TransientSourceError(
            f"{told}: too many requests, still so after {tries} tries",
            LATER_ADVICE,
        )
    if status in RETRIED_STATUSES or status >= 500:
        return TransientSourceError(
            f"{told}: the server fails, still so after {tries} tries",
            LATER_ADVICE,
        )
    return PermanentSourceError(
        f"{told}: the request is refused",
        f"Check base_url and api_version of sources.{label}.",
    )


def parsed(response: requests.Response) -> Any:
    """The body of a refusal; None if it is not JSON."""
    try:
        return response.json()
    except ValueError:
        return None


def error_code_of(response: requests.Response) -> str:
    """The short code of a refusal, empty if it has none."""
    return error_code(parsed(response))


def _reasons(response: requests.Response) -> set[str]:
    """The reasons that Google's shape of an error names."""
    try:
        return {str(each["reason"]) for each in response.json()["error"]["errors"]}
    except (ValueError, KeyError, TypeError):
        return set()
