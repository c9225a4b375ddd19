"""How HubSpot is asked: pages of a list, one question, and what an answer must look like.

Belongs here: paths, cursor paging with its guards, the rates, refusals that name the scope. Does
not belong here: what is asked for (`hubspot_objects`, `hubspot_search`, `hubspot_associations`,
`hubspot_lists`, `hubspot_forms`), retries (`http`).

Source: sources.md section 4.2; HubSpot's published OpenAPI of version 2026-09.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import orjson

from ingest.addresses import is_loopback
from ingest.errors import ForbiddenError, IngestError, LoopingPagesError
from ingest.http import Answer, HttpClient, UnusableAnswerError
from ingest.pull import Pull

PAGE_LIMIT = 100
INTERVAL_SECONDS = 10 / 90
"""At most 90 requests in ten seconds: the smallest plan grants 100, others use the account too."""
SEARCH_INTERVAL_SECONDS = 0.25
"""Searches have a limit of their own: five a second for the whole account."""
DAILY_POLICY = "DAILY"
DAILY_HEADER = "X-HubSpot-RateLimit-Daily-Remaining"

Check = Callable[[Any], None]


def objects_path(settings: Any, object_type: str) -> str:
    """Path of the list of one type of record."""
    return f"/crm/objects/{settings.api_version}/{object_type}"


def is_day_spent(headers: Mapping[str, str], body: bytes) -> bool:
    """Whether a 429 answer is about the day's requests and not about those of a few seconds."""
    if headers.get(DAILY_HEADER, "").strip() == "0":
        return True
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    return isinstance(content, dict) and content.get("policyName") == DAILY_POLICY


def next_after(content: Any) -> str | None:
    """Where the next page starts, None after the last one."""
    paging = content.get("paging")
    following = paging.get("next") if isinstance(paging, dict) else None
    return following["after"] if following else None


def check_paging(content: Any) -> None:
    """Whether the content tells soundly where the next page starts.

    Raises: UnusableAnswerError saying what is wrong.
    """
    paging = content.get("paging")
    following = paging.get("next") if isinstance(paging, dict) else None
    if following is None and (paging is None or isinstance(paging, dict)):
        return
    after = following.get("after") if isinstance(following, dict) else None
    if not isinstance(after, str) or not after:
        raise UnusableAnswerError("the answer does not say where the next page starts")


def check_results(id_name: str = "id") -> Check:
    """A check that the content is a page of records with an id. id_name: its name."""

    def check(content: Any) -> None:
        if not isinstance(content, dict) or not isinstance(content.get("results"), list):
            raise UnusableAnswerError("the answer has no list named results")
        for each in content["results"]:
            found = each.get(id_name) if isinstance(each, dict) else None
            if not isinstance(found, str) or not found:
                raise UnusableAnswerError(f"a record of the answer has no {id_name}")
        check_paging(content)

    return check


class Questions:
    """Questions of one running pull. scope: what the service key needs, for messages."""

    def __init__(self, pull: Pull, scope: str) -> None:
        self._client: HttpClient = pull.client
        self._settings = pull.settings
        self._source = pull.history.source
        self._stream = pull.history.stream
        self._scope = scope
        # A server on this machine has no limit to keep.
        self._is_paced = not is_loopback(urlsplit(pull.settings.base_url).hostname or "")

    def pages(
        self,
        path: str,
        params: Mapping[str, str],
        after: str | None = None,
        check: Check | None = None,
        missing: IngestError | None = None,
    ) -> Iterator[tuple[Answer, str | None]]:
        """Pages of a list from a cursor on, each with the cursor of the next one.

        missing: what a 404 means. Raises: it; LoopingPagesError if the server answers the same
        cursors again and again.
        """
        check = check or check_results()
        asked: set[str] = set()
        while True:
            if after is not None:
                asked.add(after)
            cursor = {} if after is None else {"after": after}
            accept = frozenset({404}) if missing else frozenset()
            answer = self.get(path, {**params, **cursor}, check, accept)
            if missing and answer.status == 404:
                raise missing
            after = next_after(answer.content)
            if after in asked:
                raise LoopingPagesError(
                    f"GET {path}: the server ignores after and repeats earlier pages",
                    "Report it to the maker of the server; HubSpot itself honours after.",
                )
            yield answer, after
            if after is None:
                return

    def get(
        self,
        path: str,
        params: Mapping[str, str],
        check: Check,
        accept: frozenset[int] = frozenset(),
    ) -> Answer:
        """One answer to a GET. Raises: IngestError; a refused key is told its missing scope."""
        try:
            return self._client.get(
                path,
                params,
                check,
                accept=accept,
                interval_seconds=INTERVAL_SECONDS if self._is_paced else 0.0,
            )
        except ForbiddenError as error:
            raise self._without_scope(error) from error

    def post(
        self,
        path: str,
        content: Any,
        check: Check,
        accept: frozenset[int] = frozenset(),
        interval_seconds: float = INTERVAL_SECONDS,
    ) -> Answer:
        """One answer to a POST that reads. Raises: as `get`."""
        try:
            return self._client.post(
                path,
                content,
                check,
                accept=accept,
                interval_seconds=interval_seconds if self._is_paced else 0.0,
            )
        except ForbiddenError as error:
            raise self._without_scope(error) from error

    def _without_scope(self, error: ForbiddenError) -> ForbiddenError:
        return ForbiddenError(
            str(error),
            f"Give the service key in {self._settings.token_env} the scope {self._scope}, or "
            f"remove {self._stream} from sources.{self._source}.streams.",
        )
