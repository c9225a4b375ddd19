"""One HTTP client for all connectors: retries, waits, and errors that say what to do.

Belongs here: GET, and POST where a vendor reads by POST, with `requests` and urllib3's `Retry`,
obeying Retry-After within bounds, and the translation of answers into transient and permanent
errors. Does not belong here: pagination, what an answer holds, landing. Secrets travel in headers
only and are never logged or put in errors.

Source: sources.md section 2 (429, a 403 fails its stream) and 4.1 (Request-Id is logged).
"""

from __future__ import annotations

import ipaddress
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

import orjson
import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import InvalidHeader, MaxRetryError
from urllib3.util import Retry

from ingest.errors import (
    ForbiddenError,
    IngestError,
    PermanentSourceError,
    QuotaSpentError,
    TransientSourceError,
    UnreachableError,
    UntrustedServerError,
)
from ingest.http_codes import error_code, missing_scopes, plain

LOG = logging.getLogger(__name__)

MAXIMUM_TRIES = 5
MAXIMUM_UNUSABLE_ANSWERS = 3
MAXIMUM_RETRY_AFTER_SECONDS = 300
CONNECT_TIMEOUT_SECONDS = 10
BACKOFF_SECONDS = 1.0
BACKOFF_MAXIMUM_SECONDS = 60
REQUEST_ID_HEADERS = ("Request-Id", "X-Request-Id", "X-HubSpot-Correlation-Id")
RATE_REASONS = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded"})
"""Google says so with a 403 (its guide on errors of the Calendar API)."""
RETRIED_STATUSES = frozenset({408, 423, 429, 477, 500, 502, 503, 504, 521, 522, 523, 524})
"""Answers that can be better next time. 423 and 477 are HubSpot's for an account that is locked or
being moved, 521 to 524 those of the network in front of it."""
READ_OF_REFUSAL_BYTES = 10_000
LATER_ADVICE = "Run again later; what was landed so far is kept."
QUOTA_ADVICE = (
    "Run again tomorrow; what was landed so far is kept. If it happens often, find out which other "
    "programs use up the account's quota, or raise it."
)

CHUNK_BYTES = 1 << 16

Pause = Callable[[float], None]
_T = TypeVar("_T")
SpentCheck = Callable[[Mapping[str, str], bytes], bool]
"""Whether a 429 answer (headers, beginning of the body) says that today's requests are used up."""


class UnusableAnswerError(Exception):
    """An answer that is not what the endpoint promises. The text holds nothing of the answer."""


class _WaitTooLongError(Exception):
    """The server asks for a longer wait than a night can give."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"{seconds:.0f} s")
        self.seconds = seconds


class _DaySpentError(Exception):
    """The server answers nothing more today: asking again would only make it worse."""


class PacedRetry(Retry):
    """urllib3's Retry with an injectable pause, and Retry-After bounded instead of unlimited."""

    def __init__(
        self,
        *args: Any,
        pause: Pause = time.sleep,
        wait_header: str = "",
        is_day_spent: SpentCheck | None = None,
        **keywords: Any,
    ) -> None:
        super().__init__(*args, **keywords)
        self._pause = pause
        self._wait_header = wait_header
        self._is_day_spent = is_day_spent

    def new(self, **keywords: Any) -> PacedRetry:
        """A copy with other counts, as urllib3 makes before each try."""
        return super().new(
            pause=self._pause,
            wait_header=self._wait_header,
            is_day_spent=self._is_day_spent,
            **keywords,
        )

    def increment(self, *args: Any, **keywords: Any) -> Retry:
        """Count one try. Raises: _DaySpentError if the answer says that none succeeds today."""
        response = keywords.get("response")
        # The last try's answer is left unread: the caller makes an error of it.
        if self._is_day_spent and self.total and getattr(response, "status", 0) == 429:
            beginning = response.read(READ_OF_REFUSAL_BYTES, decode_content=True)
            if self._is_day_spent(response.headers, beginning):
                response.close()
                raise _DaySpentError
        return super().increment(*args, **keywords)

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
            asked = self.get_retry_after(response)
        except InvalidHeader:
            asked = None
        if asked is None and self._wait_header and response.status == 429:
            told = response.headers.get(self._wait_header, "")
            asked = float(told) if told.isdecimal() else None
        return asked


class _BearerAuth(requests.auth.AuthBase):
    """Sets the token itself: without it requests would prefer a .netrc entry of the host."""

    def __init__(self, token: str | Callable[[], str]) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        token = self._token if isinstance(self._token, str) else self._token()
        if token:
            request.headers["Authorization"] = f"Bearer {token}"
        return request


@dataclass(frozen=True)
class Answer:
    """A usable answer. body: the text as received; content: what it parses to (None for a status
    from 400 on, which the caller said it can use). error_code: short code of such a refusal as
    the server tells it, else empty."""

    status: int
    request_id: str
    body: str
    content: Any
    error_code: str = ""


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
    """Reading requests to one server with one secret.

    label: name of the source for messages. token: the secret, or what gives the current one; empty
    for a server that asks for none. token_env: the variable that holds it, for messages.
    pause: how to wait, injected by tests.
    wait_header: of a vendor that tells in it, instead of Retry-After, how many seconds a 429 lasts.
    is_day_spent: tells a 429 answer after which nothing more is asked in this run.
    requests, retries: how many were made so far, for reports.
    """

    def __init__(
        self,
        label: str,
        base_url: str,
        token: str | Callable[[], str],
        token_env: str,
        timeout_seconds: float,
        headers: Mapping[str, str] | None = None,
        pause: Pause = time.sleep,
        wait_header: str = "",
        is_day_spent: SpentCheck | None = None,
    ) -> None:
        check_base_url(base_url, f"sources.{label}.base_url")
        self._label = label
        self._base_url = base_url.rstrip("/")
        self._token_env = token_env
        self._timeout = (CONNECT_TIMEOUT_SECONDS, timeout_seconds)
        self._pause = pause
        self._last_sent = 0.0
        self._is_spent = False
        self.requests = 0
        self.retries = 0
        self._session = requests.Session()
        self._session.auth = _BearerAuth(token)
        self._session.headers.update({"Accept": "application/json", **(headers or {})})
        # A proxy is for the outside; a .netrc is never consulted because auth is set.
        self._session.trust_env = not is_loopback(urlsplit(base_url).hostname or "")
        retry = PacedRetry(
            total=MAXIMUM_TRIES - 1,
            redirect=0,
            status_forcelist=RETRIED_STATUSES,
            # POST is used for reading only (searches, batches by id), so it can be tried again.
            allowed_methods={"GET", "POST"},
            raise_on_status=False,
            backoff_factor=BACKOFF_SECONDS,
            backoff_jitter=1.0,
            # Never trimmed by urllib3: what is too long must be seen, not shortened.
            retry_after_max=10**9,
            pause=pause,
            wait_header=wait_header,
            is_day_spent=is_day_spent,
        )
        for prefix in ("https://", "http://"):
            self._session.mount(prefix, HTTPAdapter(max_retries=retry))
        self._tries = MAXIMUM_TRIES

    def limit_tries(self, tries: int) -> None:
        """Try the next requests at most so often, the first time included."""
        self._tries = tries
        for adapter in self._session.adapters.values():
            adapter.max_retries = adapter.max_retries.new(total=tries - 1)

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def get(
        self,
        path: str,
        params: Mapping[str, Any],
        check: Callable[[Any], None],
        *,
        accept: frozenset[int] = frozenset(),
        interval_seconds: float = 0.0,
        shown_path: str = "",
    ) -> Answer:
        """GET a JSON answer.

        check: raises UnusableAnswerError if the parsed content is not what the endpoint promises;
        such an answer, like a truncated one, is asked for again a few times. accept: statuses
        other than success that are answers too (404 of an object that is gone). interval_seconds:
        least time since the last request (a vendor's own limit). shown_path: for logs and
        messages, where the path itself holds a personal value.
        Raises: TransientSourceError or PermanentSourceError, with what to do.
        """
        what = f"{self._label}: GET {shown_path or path}"
        return self._ask("GET", path, what, params, None, check, accept, interval_seconds)

    def post(
        self,
        path: str,
        content: Any,
        check: Callable[[Any], None],
        *,
        accept: frozenset[int] = frozenset(),
        interval_seconds: float = 0.0,
    ) -> Answer:
        """POST a JSON question that changes nothing at the vendor; else like `get`."""
        body = orjson.dumps(content)
        what = f"{self._label}: POST {path}"
        return self._ask("POST", path, what, {}, body, check, accept, interval_seconds)

    def get_bytes(self, path: str, maximum_bytes: int, check: Callable[[bytes], None]) -> bytes:
        """GET a file as it is: retries, waits and refusals like those of `get`.

        check: raises UnusableAnswerError if the bytes cannot be the file. Raises also
        PermanentSourceError if there are more than maximum_bytes; no more than that are read.
        """
        what = f"{self._label}: GET {path}"

        def try_once() -> bytes:
            content = self._read_bytes(path, what, maximum_bytes)
            check(content)
            return content

        return self._retried(what, 0.0, try_once)

    def _read_bytes(self, path: str, what: str, maximum_bytes: int) -> bytes:
        with self._send("GET", path, {}, None, what, is_file=True) as response:
            request_id = _logged(response, what)
            if response.status_code != 200:
                raise self._refusal(response, what, request_id)
            content = bytearray()
            try:
                for chunk in response.iter_content(CHUNK_BYTES):
                    content += chunk
                    if len(content) > maximum_bytes:
                        raise PermanentSourceError(
                            f"{what}: the file has more than {maximum_bytes} bytes",
                            f"Check that sources.{self._label}.base_url is the right address.",
                        )
            except requests.RequestException:
                raise _BrokenAnswerError("the answer broke off") from None
            return bytes(content)

    def _ask(
        self,
        method: str,
        path: str,
        what: str,
        params: Mapping[str, Any],
        body: bytes | None,
        check: Callable[[Any], None],
        accept: frozenset[int],
        interval_seconds: float,
    ) -> Answer:
        def try_once() -> Answer:
            response = self._send(method, path, params, body, what)
            return self._read(response, what, check, accept)

        return self._retried(what, interval_seconds, try_once)

    def _retried(self, what: str, interval_seconds: float, try_once: Callable[[], _T]) -> _T:
        """The first usable answer. Raises: IngestError after so many that are not."""
        for number in range(1, MAXIMUM_UNUSABLE_ANSWERS + 1):
            self._pace(interval_seconds)
            try:
                return try_once()
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

    def _pace(self, interval_seconds: float) -> None:
        wait = self._last_sent + interval_seconds - time.monotonic()
        if interval_seconds and wait > 0:
            self._pause(wait)
        self._last_sent = time.monotonic()

    def _send(
        self,
        method: str,
        path: str,
        params: Mapping[str, Any],
        body: bytes | None,
        what: str,
        is_file: bool = False,
    ) -> requests.Response:
        """Send one request, with urllib3's retries. is_file: the body is not read yet."""
        if self._is_spent:
            raise QuotaSpentError(f"{what}: not asked: today's requests are used up", QUOTA_ADVICE)
        self.requests += 1
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if is_file:
            headers = {"Accept": "*/*"}
        try:
            response = self._session.request(
                method,
                self._base_url + path,
                params=dict(params),
                data=body,
                headers=headers,
                timeout=self._timeout,
                allow_redirects=False,
                stream=is_file,
            )
            tried = getattr(response.raw, "retries", None)
            self.retries += len(tried.history) if tried else 0
            return response
        except _DaySpentError:
            self._is_spent = True
            raise QuotaSpentError(
                f"{what}: status 429: the account's requests of today are used up", QUOTA_ADVICE
            ) from None
        except _WaitTooLongError as error:
            raise TransientSourceError(
                f"{what}: the server asks to wait {error}", LATER_ADVICE
            ) from None
        except requests.exceptions.SSLError as error:
            raise UntrustedServerError(
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
            raise UnreachableError(
                f"{what}: no answer after {self._tries} tries ({named})",
                f"Check the network and sources.{self._label}.base_url. {LATER_ADVICE}",
            ) from None

    def _read(
        self,
        response: requests.Response,
        what: str,
        check: Callable[[Any], None],
        accept: frozenset[int],
    ) -> Answer:
        request_id = _logged(response, what)
        if response.status_code in accept and response.status_code >= 400:
            return Answer(response.status_code, request_id, "{}", None, _error_code(response))
        if response.status_code != 200 and response.status_code not in accept:
            raise self._refusal(response, what, request_id)
        try:
            body = response.content.decode("utf-8")
            content = orjson.loads(body)
        except UnicodeDecodeError:
            raise UnusableAnswerError("the answer is not UTF-8 text") from None
        except orjson.JSONDecodeError:
            raise UnusableAnswerError("the answer is not JSON") from None
        check(content)
        return Answer(response.status_code, request_id, body, content)

    def _refusal(self, response: requests.Response, what: str, request_id: str) -> IngestError:
        """The error of a status other than 200. Of the body only short codes are told."""
        status = response.status_code
        code = _error_code(response)
        told = f"{what}: status {status}" + (f" ({code})" if code else "")
        if request_id:
            told += f", request id {request_id}"
        if status in (401, 403) and not self._token_env:
            return PermanentSourceError(
                f"{told}: the server refuses to be read, and no key is asked for",
                f"Check sources.{self._label}.base_url, and whether a proxy stands in between.",
            )
        if status == 401:
            return PermanentSourceError(
                f"{told}: the key is not accepted",
                f"Put a valid key into the environment variable {self._token_env}.",
            )
        if status == 403 and _reasons(response) & RATE_REASONS:
            return TransientSourceError(f"{told}: too many requests", LATER_ADVICE)
        if status == 403:
            scopes = ", ".join(missing_scopes(_parsed(response)))
            return ForbiddenError(
                f"{told}: the key may not read this" + (f", it lacks {scopes}" if scopes else ""),
                f"Give the key in {self._token_env} read permission for it.",
            )
        if status == 404:
            return PermanentSourceError(
                f"{told}: there is no such endpoint",
                f"Check sources.{self._label}.base_url, or remove the stream from streams.",
            )
        if status == 414:
            return PermanentSourceError(
                f"{told}: the address of the request is too long",
                f"Ask for fewer properties in sources.{self._label}.",
            )
        if status == 429:
            return TransientSourceError(
                f"{told}: too many requests, still so after {self._tries} tries",
                LATER_ADVICE,
            )
        if status in RETRIED_STATUSES or status >= 500:
            return TransientSourceError(
                f"{told}: the server fails, still so after {self._tries} tries",
                LATER_ADVICE,
            )
        return PermanentSourceError(
            f"{told}: the request is refused",
            f"Check base_url and api_version of sources.{self._label}.",
        )


class _BrokenAnswerError(UnusableAnswerError):
    """The connection ended before the answer did."""


def _logged(response: requests.Response, what: str) -> str:
    """Log that there is an answer; returns the server's id of the request, empty if none."""
    named = (response.headers[name] for name in REQUEST_ID_HEADERS if name in response.headers)
    request_id = plain(next(named, ""))
    LOG.info("%s: status %d, request id %s", what, response.status_code, request_id or "none")
    return request_id


def _parsed(response: requests.Response) -> Any:
    """The body of a refusal; None if it is not JSON."""
    try:
        return response.json()
    except ValueError:
        return None


def _error_code(response: requests.Response) -> str:
    return error_code(_parsed(response))


def _reasons(response: requests.Response) -> set[str]:
    """The reasons that Google's shape of an error names."""
    try:
        return {str(each["reason"]) for each in response.json()["error"]["errors"]}
    except (ValueError, KeyError, TypeError):
        return set()
