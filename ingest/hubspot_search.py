"""Which records of a type changed in a window of time, by HubSpot's search.

Belongs here: the question, and going through its answers without missing or repeating a record.
Does not belong here: when a search is enough (`hubspot_objects`).

Every page is a question of its own: records with an id above the last one, by id. So neither the
10,000 records that one query gives at most, nor thousands of records with the same time of change,
nor records that change and leave the window meanwhile can hide another one (a cursor would count
positions, which move). HubSpot's index lags behind: the overlap of the windows covers that.

Source: sources.md section 4.2; HubSpot's published OpenAPI: all five of after, filterGroups,
limit, properties and sorts are required.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from ingest.errors import LoopingPagesError
from ingest.http import Answer, UnusableAnswerError
from ingest.hubspot_api import (
    SEARCH_INTERVAL_SECONDS,
    Check,
    Questions,
    check_results,
    next_after,
)

SEARCH_LIMIT = 200
FIRST_PAGE = "0"
ID_PROPERTY = "hs_object_id"
EPOCH = datetime(1970, 1, 1)


def milliseconds(instant: datetime) -> str:
    """An instant (naive UTC) as the search wants it: milliseconds since 1970."""
    return str((instant - EPOCH) // timedelta(milliseconds=1))


def question(
    modified_property: str,
    window: tuple[datetime, datetime],
    properties: Sequence[str],
    above_id: str,
) -> dict[str, Any]:
    """The body of a search. window: both ends belong to it, naive UTC. above_id: exclusive."""
    lower, upper = window
    return {
        "filterGroups": [
            {
                "filters": [
                    _filter(modified_property, "GTE", milliseconds(lower)),
                    _filter(modified_property, "LTE", milliseconds(upper)),
                    _filter(ID_PROPERTY, "GT", above_id),
                ]
            }
        ],
        "sorts": [ID_PROPERTY],
        "properties": list(properties),
        "limit": SEARCH_LIMIT,
        "after": FIRST_PAGE,
    }


def _filter(name: str, operator: str, value: str) -> dict[str, str]:
    return {"propertyName": name, "operator": operator, "value": value}


def changed_pages(
    questions: Questions,
    path: str,
    modified_property: str,
    window: tuple[datetime, datetime],
    properties: Sequence[str],
    above_id: str = "0",
) -> Iterator[tuple[Answer, str | None]]:
    """Pages of the records that were last changed in the window, each with the id above which the
    next one is; None with the last page.

    Raises: LoopingPagesError if the server does not sort by id or ignores the filter on it.
    """
    while True:
        asked = question(modified_property, window, properties, above_id)
        answer = questions.post(
            f"{path}/search", asked, _check(), interval_seconds=SEARCH_INTERVAL_SECONDS
        )
        ids = [each["id"] for each in answer.content["results"]]
        _require_order(path, above_id, ids)
        above_id = ids[-1] if ids else above_id
        is_complete = len(ids) < SEARCH_LIMIT and next_after(answer.content) is None
        yield answer, None if is_complete else above_id
        if is_complete:
            return


def _check() -> Check:
    is_page = check_results()

    def check(content: Any) -> None:
        is_page(content)
        if not all(each["id"].isdecimal() for each in content["results"]):
            raise UnusableAnswerError("a record of the answer has an id that is not a number")
        if not content["results"] and next_after(content) is not None:
            raise UnusableAnswerError("the answer is empty, yet says that more follows")

    return check


def _require_order(path: str, above_id: str, ids: Sequence[str]) -> None:
    numbers = [int(each) for each in (above_id, *ids)]
    if any(later <= earlier for earlier, later in zip(numbers, numbers[1:], strict=False)):
        raise LoopingPagesError(
            f"POST {path}/search: the server does not answer by {ID_PROPERTY}, as it was asked to",
            "Report it to the maker of the server; without that order records would be missed.",
        )
