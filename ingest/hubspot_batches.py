"""What an answer of HubSpot to a batch of associations must look like, and what it tells.

Belongs here: reading one answer. Does not belong here: asking (`hubspot_associations`).

An answer of status 207 tells refusals of single records. A record without associations is one of
them; a record that does not exist (any more) is another, and says nothing about its set. Anything
else means that the batch has to be asked for again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ingest.http import UnusableAnswerError
from ingest.hubspot_api import check_paging, next_after

BATCH_LIMIT = 100
"""HubSpot's changelog announced this limit for January 2025; its specification names none."""
NOT_FOUND = "OBJECT_NOT_FOUND"
NO_ASSOCIATIONS = "NO_ASSOCIATIONS_FOUND"


def check_batch(content: Any) -> None:
    """Whether the content answers a batch. Raises: UnusableAnswerError saying what is not."""
    if not isinstance(content, dict) or not isinstance(content.get("results"), list):
        raise UnusableAnswerError("the answer has no list named results")
    if content.get("status", "COMPLETE") != "COMPLETE":
        raise UnusableAnswerError("the batch is not complete")
    for each in content["results"]:
        if not isinstance(each, dict) or not _from_id(each) or not isinstance(each.get("to"), list):
            raise UnusableAnswerError("a result of the batch has no from or no to")
        check_paging(each)
    for error in _errors(content):
        if not isinstance(error, dict) or error.get("category") != NOT_FOUND:
            raise UnusableAnswerError("a part of the batch failed")


def following_pages(content: Any) -> list[tuple[str, str]]:
    """Which sets have more pages: the record's id and where its next page starts."""
    pages = [(_from_id(each), next_after(each)) for each in content["results"]]
    return [(record, after) for record, after in pages if after is not None]


def known_ids(content: Any, asked: Sequence[str]) -> list[str]:
    """Those of the asked ids whose set the answer tells, be it empty."""
    errors = _errors(content)
    if all(_is_empty_set(each) for each in errors):
        return list(asked)
    told = {_from_id(each) for each in content["results"]}
    for error in errors:
        context = error.get("context")
        if _is_empty_set(error) and isinstance(context, dict):
            told.update(str(each) for each in context.get("fromObjectId", ()))
    return [each for each in asked if each in told]


def _errors(content: Mapping[str, Any]) -> list[Any]:
    errors = content.get("errors")
    return errors if isinstance(errors, list) else []


def _is_empty_set(error: Mapping[str, Any]) -> bool:
    return str(error.get("subCategory", "")).endswith(NO_ASSOCIATIONS)


def _from_id(result: Mapping[str, Any]) -> str:
    """The record that a result is about; empty if it does not say."""
    source = result.get("from")
    found = source.get("id") if isinstance(source, dict) else None
    return found if isinstance(found, str) else ""
