"""Full lists of Stripe: chains of pages by month of `created`, and what a page leaves out.

Belongs here: the windows, resuming inside one, the lines of long invoices and the items of large
subscriptions. Does not belong here: when a full list is due (`stripe_changes`), requests
(`stripe_api`). Source: sources.md section 4.1.

A full list is split into chains, each newest first by itself: one for everything older than
MONTHS calendar months (UTC), one for each of these months. The newest is open at its end: a clock
of ours that is behind must not hide the newest objects. What is created or changed while the list
is read is told by the event feed, whose cursor is always older than the list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from ingest.errors import PermanentSourceError
from ingest.pull import Pull
from ingest.stripe_api import MISSING, Questions

MONTHS = 24
"""Months with a window of their own; older objects are usually few and share one."""

Chain = Mapping[str, str]
"""Parameters of one list request, without limit and cursor."""


@dataclass(frozen=True)
class Embedded:
    """A list inside an object, of which only the first few are in the object itself.

    kind: of the answers that page all of it. path: where, with `{id}` for the object's id. param:
    the parameter that names the object, if the path does not.
    """

    field: str
    kind: str
    path: str
    param: str = ""


def seconds(instant: datetime) -> int:
    """A naive UTC instant as Unix seconds, rounded down."""
    return int(instant.replace(tzinfo=UTC).timestamp())


def month_chains(now: datetime, variants: Sequence[Chain]) -> list[dict[str, str]]:
    """The chains of a full list, oldest window first. now: naive UTC.

    variants: parameters under which the list must be asked for, one after the other. Bounds are
    inclusive whole seconds, `gte` and `lte`: servers that speak the API know these two for sure.
    """
    last = now.year * 12 + now.month - 1
    starts = [
        seconds(datetime(month // 12, month % 12 + 1, 1))
        for month in range(last - MONTHS + 1, last + 1)
    ]
    windows: list[dict[str, str]] = [{"created[lte]": str(starts[0] - 1)}]
    for start, end in zip(starts, starts[1:], strict=False):
        windows.append({"created[gte]": str(start), "created[lte]": str(end - 1)})
    windows.append({"created[gte]": str(starts[-1])})
    return [{**variant, **window} for window in windows for variant in variants]


def fetch_chains(
    pull: Pull, questions: Questions, path: str, embedded: Embedded | None = None
) -> None:
    """Page the chains of the plan from the cursor on, and what their objects leave out.

    Raises: IngestError.
    """
    chains: Sequence[Chain] = pull.plan.bounds["chains"]
    cursor = pull.cursor or {"chain": 0, "starting_after": None}
    first, after = cursor["chain"], cursor["starting_after"]
    for number in range(first, len(chains)):
        chain = chains[number]
        for answer in questions.pages(path, chain, after if number == first else None):
            objects = answer.content["data"]
            _refuse_unfiltered(objects, chain, path, pull)
            pull.add("list", path, answer)
            for each in objects:
                fetch_embedded(pull, questions, each, embedded)
            if answer.content["has_more"]:
                pull.advance({"chain": number, "starting_after": objects[-1]["id"]})
        pull.advance({"chain": number + 1, "starting_after": None})


def fetch_embedded(
    pull: Pull, questions: Questions, found: Mapping[str, Any], embedded: Embedded | None
) -> None:
    """Page the whole list inside an object that holds only its beginning."""
    inside = found.get(embedded.field) if embedded else None
    if embedded is None or not isinstance(inside, Mapping) or not inside.get("has_more"):
        return
    parent_id = found["id"]
    path = embedded.path.replace("{id}", quote(parent_id, safe=""))
    params = {embedded.param: parent_id} if embedded.param else {}
    continues = False
    for answer in questions.pages(path, params, accept=MISSING):
        pull.add(
            embedded.kind,
            path,
            answer,
            parent_id=parent_id,
            asked_ids=[parent_id],
            continues=continues,
        )
        continues = True


def _refuse_unfiltered(
    objects: Sequence[Mapping[str, Any]], chain: Chain, path: str, pull: Pull
) -> None:
    """Raises: PermanentSourceError if a page holds nothing of its window, as of a server that
    does not know the filter: each window would repeat the whole list."""
    lower = int(chain.get("created[gte]", 0))
    upper = int(chain.get("created[lte]", 2**62))
    created = [each["created"] for each in objects if isinstance(each.get("created"), int)]
    if created and not any(lower <= each <= upper for each in created):
        raise PermanentSourceError(
            f"GET {path}: the server ignores the filter by created",
            f"Set created_windows: false in sources.{pull.history.source}; Stripe itself filters.",
        )
