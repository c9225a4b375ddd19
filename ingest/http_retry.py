"""When a request is made again, and how long is waited before it.

Belongs here: urllib3's `Retry` with bounds. Does not belong here: requests, what a refusal means.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

MAXIMUM_RETRY_AFTER_SECONDS = 300
BACKOFF_SECONDS = 1.0
BACKOFF_MAXIMUM_SECONDS = 60
READ_OF_REFUSAL_BYTES = 10_000

Pause = Callable[[float], None]
SpentCheck = Callable[[Mapping[str, str], bytes], bool]
"""Whether a 429 answer (headers, beginning of the body) says that today's requests are used up."""


class WaitTooLongError(Exception):
    """The server asks for a longer wait than a night can give."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"{seconds:.0f} s")
        self.seconds = seconds


class DaySpentError(Exception):
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
        """Count one try. Raises: DaySpentError if the answer says that none succeeds today."""
        response = keywords.get("response")
        # The last try's answer is left unread: the caller makes an error of it.
        if self._is_day_spent and self.total and getattr(response, "status", 0) == 429:
            beginning = response.read(READ_OF_REFUSAL_BYTES, decode_content=True)
            if self._is_day_spent(response.headers, beginning):
                response.close()
                raise DaySpentError
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
            raise WaitTooLongError(asked)
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
