"""One HTTP client for all connectors: retries, waits, and errors that say what to do.

Belongs here: GET with `requests` and urllib3's `Retry`, obeying Retry-After within bounds, and the
translation of answers into transient and permanent errors. Does not belong here: pagination, what
an answer holds, landing. Secrets travel in headers only and are never logged or put in errors.

Source: sources.md section 2 (429, a 403 fails its stream) and 4.1 (Request-Id is logged).
"""

from __future__ import annotations

import ipaddress
import json
import logging
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import InvalidHeader, MaxRetryError
from urllib3.util import Retry

from ingest.errors import IngestError, PermanentSourceError, TransientSourceError

LOG = logging.getLogger(__name__)

MAXIMUM_TRIES = 5
MAXIMUM_UNUSABLE_ANSWERS = 3
MAXIMUM_RETRY_AFTER_SECONDS = 300
CONNECT_TIMEOUT_SECONDS = 10
BACKOFF_SECONDS = 1.0
BACKOFF_MAXIMUM_SECONDS = 60
RETRIED_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
LATER_ADVICE = "Run again later; what was landed so far is kept."

Pause = Callable[[float], None]


class UnusableAnswerError(Exception):
    """An answer that is not what the endpoint promises. The text holds nothing of the answer."""


class _WaitTooLongError(Exception):
    """The server asks for a longer wait than a night can give."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"{seconds:.0f} s")
        self.seconds = seconds


class PacedRetry(Retry):
    """urllib3's Retry with an injectable pause, and Retry-After bounded instead of unlimited."""

    def __init__(self, *args: Any, pause: Pause = time.sleep, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self._pause = pause

    def new(self, **keywords: Any) -> PacedRetry:
        """A copy with other counts, as urllib3 makes before each try."""
        return super().new(pause=self._pause, **keywords)

    def get_backoff_time(self) -> float:
        """Seconds before the next try: doubling from the first failure on, with jitter."""
        doubled = BACKOFF_SECONDS * 2 ** max(0, len(self.history) - 1)
        jitter = super().get_backoff_time() % 1 if self.backoff_jitter else 0.0
        return min(BACKOFF_MAXIMUM_SECONDS, doubled + jitter)

    def sleep(self, response: Any = None) -> None:
        """Wait as the server asks, else back off."""
        asked = self._asked_seconds(response)
        if asked and asked > MAXIMUM_RETRY_AFTER_SECONDS:
            raise _WaitTooLongError(asked)
        self._pause(asked or self.get_backoff_time())

    def _asked_seconds(self, response: Any) -> float | None:
        if response is None:
            return None
        try:
            return self.get_retry_after(response)
        except InvalidHeader:
            return None


class _BearerAuth(requests.auth.AuthBase):
    """Sets the token itself: without it requests would prefer a .netrc entry of the host."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


@dataclass(frozen=True)
class Answer:
    """A usable answer. body: the text as received; content: what it parses to."""

    status: int
    request_id: str
    body: str
    content: Any


def is_loopback(host: str) -> bool:
    """Whether the host is this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_base_url(base_url: str, setting: str) -> None:
    """Refuse addresses that would send a secret in the clear, or hold one.

    setting: dotted name of the setting, for the message. Raises: PermanentSourceError.
    """
    parts = urlsplit(base_url)
    if parts.username or parts.password:
        raise PermanentSourceError(
            f"{setting}: the address holds credentials",
            "Remove them; secrets are named by api_key_env.",
        )
    host = parts.hostname or ""
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))
    if not host or not is_safe:
        raise PermanentSourceError(
            f"{setting}: {parts.scheme}://{host} is not https",
            "Use an https address; plain http is allowed on loopback only.",
        )


class HttpClient:
    """GET requests to one server with one secret.

    label: name of the source for messages. token_env: the variable that holds the token, for
    messages. pause: how to wait, injected by tests.
    """

    def __init__(
        self,
        label: str,
        base_url: str,
        token: str,
        token_env: str,
        timeout_seconds: float,
        headers: Mapping[str, str] | None = None,
        pause: Pause = time.sleep,
    ) -> None:
        check_base_url(base_url, f"sources.{label}.base_url")
        self._label = label
        self._base_url = base_url.rstrip("/")
        self._token_env = token_env
        self._timeout = (CONNECT_TIMEOUT_SECONDS, timeout_seconds)
        self._pause = pause
        self._session = requests.Session()
        self._session.auth = _BearerAuth(token)
        self._session.headers.update({"Accept": "application/json", **(headers or {})})
        # A proxy is for the outside; a .netrc is never consulted because auth is set.
        self._session.trust_env = not is_loopback(urlsplit(base_url).hostname or "")
        retry = PacedRetry(
            total=MAXIMUM_TRIES - 1,
            redirect=0,
            status_forcelist=RETRIED_STATUSES,
            allowed_methods={"GET"},
            raise_on_status=False,
            backoff_factor=BACKOFF_SECONDS,
            backoff_jitter=1.0,
            # Never trimmed by urllib3: what is too long must be seen, not shortened.
            retry_after_max=10**9,
            pause=pause,
        )
        for prefix in ("https://", "http://"):
            self._session.mount(prefix, HTTPAdapter(max_retries=retry))

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def get(self, path: str, params: Mapping[str, Any], check: Callable[[Any], None]) -> Answer:
        """GET a JSON answer.

        check: raises UnusableAnswerError if the parsed content is not what the endpoint promises;
        such an answer, like a truncated one, is asked for again a few times.
        Raises: TransientSourceError or PermanentSourceError, with what to do.
        """
        what = f"{self._label}: GET {path}"
        for number in range(1, MAXIMUM_UNUSABLE_ANSWERS + 1):
            try:
                response = self._send(path, params, what)
                return self._read(response, what, check)
            except UnusableAnswerError as error:
                LOG.warning("%s: %s (answer %d)", what, error, number)
                last = error
            if number < MAXIMUM_UNUSABLE_ANSWERS:
                self._pause(BACKOFF_SECONDS * 2 ** (number - 1))
        if isinstance(last, _BrokenAnswerError):
            raise TransientSourceError(
                f"{what}: {last}, {MAXIMUM_UNUSABLE_ANSWERS} times", LATER_ADVICE
            )
        raise PermanentSourceError(
            f"{what}: {last}, {MAXIMUM_UNUSABLE_ANSWERS} times",
            f"Check that sources.{self._label}.base_url is the API itself, not a page or a proxy.",
        )

    def _send(self, path: str, params: Mapping[str, Any], what: str) -> requests.Response:
        try:
            return self._session.get(
                self._base_url + path,
                params=dict(params),
                timeout=self._timeout,
                allow_redirects=False,
            )
        except _WaitTooLongError as error:
            raise TransientSourceError(
                f"{what}: the server asks to wait {error}", LATER_ADVICE
            ) from None
        except requests.exceptions.SSLError as error:
            raise PermanentSourceError(
                f"{what}: the server's TLS certificate is not accepted",
                f"Check sources.{self._label}.base_url and the machine's certificates.",
            ) from error
        except (
            requests.exceptions.ChunkedEncodingError,
            requests.exceptions.ContentDecodingError,
        ):
            raise _BrokenAnswerError("the answer broke off") from None
        except (requests.ConnectionError, requests.Timeout) as error:
            cause = error.args[0] if error.args else None
            if not isinstance(cause, MaxRetryError) and isinstance(error, requests.ConnectionError):
                raise _BrokenAnswerError("the connection broke off") from None
            named = type(getattr(cause, "reason", None) or error).__name__
            raise TransientSourceError(
                f"{what}: no answer after {MAXIMUM_TRIES} tries ({named})",
                f"Check the network and sources.{self._label}.base_url. {LATER_ADVICE}",
            ) from None

    def _read(self, response: requests.Response, what: str, check: Callable[[Any], None]) -> Answer:
        request_id = _plain(response.headers.get("Request-Id", ""))
        LOG.info(
            "%s: status %d, request id %s",
            what,
            response.status_code,
            request_id or "none",
        )
        if response.status_code != 200:
            raise self._refusal(response, what, request_id)
        try:
            body = response.content.decode("utf-8")
            content = json.loads(body)
        except UnicodeDecodeError:
            raise UnusableAnswerError("the answer is not UTF-8 text") from None
        except (ValueError, RecursionError):
            raise UnusableAnswerError("the answer is not JSON") from None
        check(content)
        return Answer(response.status_code, request_id, body, content)

    def _refusal(self, response: requests.Response, what: str, request_id: str) -> IngestError:
        """The error of a status other than 200. Of the body only short codes are told."""
        status = response.status_code
        told = f"{what}: status {status}{_error_code(response)}"
        if request_id:
            told += f", request id {request_id}"
        if status == 401:
            return PermanentSourceError(
                f"{told}: the key is not accepted",
                f"Put a valid key into the environment variable {self._token_env}.",
            )
        if status == 403:
            return PermanentSourceError(
                f"{told}: the key may not read this",
                f"Give the key in {self._token_env} read permission for it.",
            )
        if status == 404:
            return PermanentSourceError(
                f"{told}: there is no such endpoint",
                f"Check sources.{self._label}.base_url, or remove the stream from streams.",
            )
        if status == 429:
            return TransientSourceError(
                f"{told}: too many requests, still so after {MAXIMUM_TRIES} tries",
                LATER_ADVICE,
            )
        if status in RETRIED_STATUSES or status >= 500:
            return TransientSourceError(
                f"{told}: the server fails, still so after {MAXIMUM_TRIES} tries",
                LATER_ADVICE,
            )
        return PermanentSourceError(
            f"{told}: the request is refused",
            f"Check base_url and api_version of sources.{self._label}.",
        )


class _BrokenAnswerError(UnusableAnswerError):
    """The connection ended before the answer did."""


def _plain(text: str) -> str:
    """The text if it is a short identifier; else nothing (it could be anything)."""
    return text if re.fullmatch("[A-Za-z0-9_.-]{1,80}", text) else ""


def _error_code(response: requests.Response) -> str:
    try:
        error = response.json()["error"]
        code = _plain(str(error.get("code") or error.get("type") or ""))
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
    return f" ({code})" if code else ""
