"""One HTTP client for all connectors: retries, waits, and errors that say what to do.

Belongs here: GET, and POST where a vendor reads by POST, with `requests` and urllib3's `Retry`,
obeying Retry-After within bounds, and the translation of answers into transient and permanent
errors. Does not belong here: pagination, what an answer holds, landing. Secrets travel in headers
only and are never logged or put in errors.

Source: sources.md section 2 (429, a 403 fails its stream) and 4.1 (Request-Id is logged).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

import orjson
import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import MaxRetryError

from ingest.addresses import check_base_url, is_loopback
from ingest.errors import (
    IngestError,
    PermanentSourceError,
    QuotaSpentError,
    TransientSourceError,
    UnreachableError,
    UntrustedServerError,
)
from ingest.http_codes import plain
from ingest.http_refusals import LATER_ADVICE, RETRIED_STATUSES, error_code_of, refusal
from ingest.http_retry import (
    BACKOFF_SECONDS,
    DaySpentError,
    PacedRetry,
    Pause,
    SpentCheck,
    WaitTooLongError,
)
from ingest.json_text import without_halves

LOG = logging.getLogger(__name__)
# They tell each try with the whole address, which can hold a calendar's id (the address of a
# person) or a sync token. What failed is told here, without them.
for _name in ("urllib3.connectionpool", "urllib3.util.retry"):
    logging.getLogger(_name).setLevel(logging.ERROR)

MAXIMUM_TRIES = 5
MAXIMUM_UNUSABLE_ANSWERS = 3
CONNECT_TIMEOUT_SECONDS = 10
REQUEST_ID_HEADERS = ("Request-Id", "X-Request-Id", "X-HubSpot-Correlation-Id")
QUOTA_ADVICE = (
    "Run again tomorrow; what was landed so far is kept. If it happens often, find out which other "
    "programs use up the account's quota, or raise it."
)

CHUNK_BYTES = 1 << 16

_T = TypeVar("_T")


class UnusableAnswerError(Exception):
    """An answer that is not what the endpoint promises. The text holds nothing of the answer."""


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
                raise self._refused(response, what, request_id)
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
        except DaySpentError:
            self._is_spent = True
            raise QuotaSpentError(
                f"{what}: status 429: the account's requests of today are used up", QUOTA_ADVICE
            ) from None
        except WaitTooLongError as error:
            raise TransientSourceError(
                f"{what}: the server asks to wait {error}", LATER_ADVICE
            ) from None
        except requests.exceptions.SSLError:
            raise UntrustedServerError(
                f"{what}: the server's TLS certificate is not accepted",
                f"Check sources.{self._label}.base_url and the machine's certificates.",
            ) from None
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
            return Answer(response.status_code, request_id, "{}", None, error_code_of(response))
        if response.status_code != 200 and response.status_code not in accept:
            raise self._refused(response, what, request_id)
        try:
            body = response.content.decode("utf-8")
            # From the bytes: text that is not all ASCII would be encoded once more.
            content = orjson.loads(response.content)
        except UnicodeDecodeError:
            raise UnusableAnswerError("the answer is not UTF-8 text") from None
        except orjson.JSONDecodeError:
            body = without_halves(body)
            content = _content_of(body)
            LOG.warning("%s: halves of characters in the answer were replaced by U+FFFD", what)
        check(content)
        return Answer(response.status_code, request_id, body, content)

    def _refused(self, response: requests.Response, what: str, request_id: str) -> IngestError:
        return refusal(
            response,
            what,
            request_id,
            label=self._label,
            token_env=self._token_env,
            tries=self._tries,
        )


def _content_of(body: str) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise UnusableAnswerError("the answer is not JSON") from None


class _BrokenAnswerError(UnusableAnswerError):
    """The connection ended before the answer did."""


def _logged(response: requests.Response, what: str) -> str:
    """Log that there is an answer; returns the server's id of the request, empty if none."""
    named = (response.headers[name] for name in REQUEST_ID_HEADERS if name in response.headers)
    request_id = plain(next(named, ""))
    LOG.info("%s: status %d, request id %s", what, response.status_code, request_id or "none")
    return request_id
