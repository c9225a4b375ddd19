"""How Stripe is asked: pages of a list, one object by its id, and what an answer must look like.

Belongs here: cursor paging with its guards, the rate, a refusal that names the permission. Does
not belong here: which lists there are (`stripe`), what is asked for (`stripe_lists`,
`stripe_changes`, `stripe_events`), retries (`http`). Source: sources.md section 4.1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from ingest.addresses import is_loopback
from ingest.errors import ForbiddenError, LoopingPagesError, PermanentSourceError
from ingest.http import Answer, HttpClient, UnusableAnswerError
from ingest.pull import Pull

PAGE_LIMIT = 100
INTERVAL_SECONDS = 0.05
"""At most 20 requests a second: Stripe allows 25 per endpoint, others use the account too."""
MISSING = frozenset({400, 404})
"""Statuses of an answer about an object that does not exist: 404 when the path names it, 400 when
a parameter does."""
MISSING_CODES = {
    400: frozenset({"resource_missing"}),
    404: frozenset({"resource_missing", "invalid_request_error"}),
}
"""What such an answer says, by status. Servers that speak the API may leave out the code of a 404
and keep its type."""

Check = Callable[[Any], None]


def check_list(content: Any) -> None:
    """Whether the content is a page of a list. Raises: UnusableAnswerError saying what is not."""
    if not isinstance(content, dict) or not isinstance(content.get("data"), list):
        raise UnusableAnswerError("the answer has no list named data")
    if not isinstance(content.get("has_more"), bool):
        raise UnusableAnswerError("the answer has no has_more")
    for each in content["data"]:
        if not isinstance(each, dict) or not isinstance(each.get("id"), str) or not each["id"]:
            raise UnusableAnswerError("an object of the answer has no id")
    if content["has_more"] and not content["data"]:
        raise UnusableAnswerError("the answer is empty, yet says that more follows")


def check_object(object_id: str) -> Check:
    """A check that the content is the object that was asked for."""

    def check(content: Any) -> None:
        if not isinstance(content, dict) or content.get("id") != object_id:
            raise UnusableAnswerError("the answer is not the object that was asked for")

    return check


class Questions:
    """Questions of one running pull. subject: what is read, as people call it, for messages."""

    def __init__(self, pull: Pull, subject: str) -> None:
        self._client: HttpClient = pull.client
        self._settings = pull.settings
        self._source = pull.history.source
        self._subject = subject
        # A server on this machine has no limit to keep.
        is_local = is_loopback(urlsplit(pull.settings.base_url).hostname or "")
        self._interval_seconds = 0.0 if is_local else INTERVAL_SECONDS

    def pages(
        self,
        path: str,
        params: Mapping[str, str],
        starting_after: str | None = None,
        check: Check = check_list,
        accept: frozenset[int] = frozenset(),
    ) -> Iterator[Answer]:
        """Pages of a list from a cursor on; none if the object whose list it is does not exist
        and `accept` has MISSING.

        Raises: LoopingPagesError if the server answers the same pages again and again.
        """
        ended: set[str] = set()
        while True:
            asked = {**params, "limit": str(PAGE_LIMIT)}
            if starting_after is not None:
                ended.add(starting_after)
                asked["starting_after"] = starting_after
            answer = self.get(path, asked, check, accept)
            if answer.content is None:
                return
            # Rows can repeat where others were inserted meanwhile; an end can not.
            last = answer.content["data"][-1]["id"] if answer.content["data"] else None
            if answer.content["has_more"] and last in ended:
                raise LoopingPagesError(
                    f"GET {path}: the server ignores starting_after and repeats earlier pages",
                    "Report it to the maker of the server; Stripe itself honours starting_after.",
                )
            yield answer
            if not answer.content["has_more"]:
                return
            starting_after = last

    def one(self, path: str, object_id: str, params: Mapping[str, str]) -> Answer:
        """One object of a list's path, or an answer of status 404."""
        asked = f"{path}/{quote(object_id, safe='')}"
        return self.get(asked, params, check_object(object_id), frozenset({404}))

    def get(
        self,
        path: str,
        params: Mapping[str, str],
        check: Check,
        accept: frozenset[int] = frozenset(),
    ) -> Answer:
        """One answer.

        accept: statuses that say that the object is gone, if the server itself says so.
        Raises: IngestError; of a restricted key it names the missing permission.
        """
        try:
            answer = self._client.get(
                path,
                params,
                check,
                accept=accept,
                interval_seconds=self._interval_seconds,
            )
        except ForbiddenError as error:
            raise ForbiddenError(
                str(error),
                f"Give the restricted key in {self._settings.api_key_env} read permission for "
                f"{self._subject}, or remove the stream from sources.{self._source}.streams.",
            ) from error
        if answer.content is None and answer.error_code not in MISSING_CODES[answer.status]:
            raise PermanentSourceError(
                f"{self._source}: GET {path}: status {answer.status} "
                f"({answer.error_code or 'no code'}), which is not about the object",
                f"Check base_url and api_version of sources.{self._source}.",
            )
        return answer
