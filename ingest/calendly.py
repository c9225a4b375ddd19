"""Pull booked meetings and their invitees from Calendly.

Belongs here: the moving window of start times, its pages, which events' invitees are asked for.
Does not belong here: retries (`http`), landing and resuming (`pull`), reading landed events
(`calendly_events`), whether a meeting counts as held (the dbt project).

Calendly has no filter for what changed, so a window of start times is read again each time; what
is equal to the newest landed version is not written again. Nothing counts as vanished, because the
window moves. Source: sources.md section 4.4; Calendly's reference of `GET /scheduled_events`,
`GET /scheduled_events/{uuid}/invitees` and its page on rate limits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from ingest.calendly_events import event_uris
from ingest.connectors import Connector, chosen, token_client
from ingest.errors import LoopingPagesError
from ingest.http import Answer, HttpClient, UnusableAnswerError
from ingest.objects import Records
from ingest.pull import Plan, Pull, Stream, StreamHistory

PAGE_COUNT = 100
WINDOW_DAYS = 90
"""A long span is asked for in windows of so many days, each with pages of its own."""
NO_SHOW_DAYS = 7
"""Invitees of a meeting are read again for so long after its end: a no-show mark is a change of
the invitee, and no document says that it changes the event."""
INTERVAL_SECONDS = 0.12
"""500 requests per minute on paid plans; on others the server says how long to wait."""
WAIT_HEADER = "X-RateLimit-Reset"


def check_collection(content: Any) -> None:
    """Whether the content is a page of a collection. Raises: UnusableAnswerError."""
    if not isinstance(content, dict) or not isinstance(content.get("collection"), list):
        raise UnusableAnswerError("the answer has no list named collection")
    for each in content["collection"]:
        if not isinstance(each, dict) or not isinstance(each.get("uri"), str) or not each["uri"]:
            raise UnusableAnswerError("a member of the collection has no uri")
    following = content.get("pagination")
    if not isinstance(following, dict) or "next_page_token" not in following:
        raise UnusableAnswerError("the answer does not say whether a page follows")
    if not isinstance(following["next_page_token"], str | None):
        raise UnusableAnswerError("the answer's next_page_token is no text")


def collection_pages(
    client: HttpClient,
    path: str,
    params: Mapping[str, str],
    page_token: str | None = None,
    accept: frozenset[int] = frozenset(),
) -> Iterator[Answer]:
    """Pages of a collection.

    page_token: of a pull that was killed; when the server no longer knows it, from the beginning.
    accept: statuses without a page that end the reading too.
    Raises: LoopingPagesError if a page names a page that was read before as the next one.
    """
    resumed = page_token
    seen = {page_token}
    while True:
        asked = {**params, "count": str(PAGE_COUNT)}
        if page_token is not None:
            asked["page_token"] = page_token
        is_resumed = page_token is not None and page_token == resumed
        answer = client.get(
            path,
            asked,
            check_collection,
            accept=accept | ({400} if is_resumed else frozenset()),
            interval_seconds=INTERVAL_SECONDS,
        )
        if answer.status == 400:
            page_token, resumed, seen = None, None, {None}
            continue
        yield answer
        page_token = next_token(answer)
        if page_token is None:
            return
        if page_token in seen:
            raise LoopingPagesError(
                f"GET {path}: the server repeats earlier pages",
                "Run again; if it stays, report it to the maker of the server.",
            )
        seen.add(page_token)


def next_token(answer: Answer) -> str | None:
    """Token of the page that follows, None when none does."""
    return answer.content["pagination"]["next_page_token"] if answer.content else None


@dataclass(frozen=True)
class EventsStream:
    """Scheduled events of an organisation, of any status, whose start lies in the window."""

    name: str = "events"
    needs: tuple[str, ...] = ()

    @property
    def records(self) -> Sequence[Records]:
        """Events by their address."""
        return [Records("events", "events", items="collection", id="uri", is_listing=True)]

    def fingerprint(self, settings: Any) -> Mapping[str, Any]:
        """The server and the organisation: a killed pull of another one is not continued."""
        return {"base_url": settings.base_url, "organization": settings.organization}

    def plan(self, history: StreamHistory) -> Plan:
        """The moving window; the first time `history_days` back instead, and after a long pause
        as far back as the last pull's present."""
        settings, now, state = history.settings, history.now.replace(microsecond=0), history.state
        start, reason = now - timedelta(days=settings.window_days_before), ""
        if state.get("organization") != settings.organization:
            start = min(start, now - timedelta(days=settings.history_days))
            reason = f"first pull, {(now - start).days} days back"
        else:
            read_at = datetime.fromisoformat(state["read_at"])
            since_then = read_at - timedelta(hours=settings.overlap_hours)
            if since_then < start:
                start, reason = since_then, f"{(now - since_then).days} days without a pull"
        end = now + timedelta(days=settings.window_days_after)
        bounds = {"windows": list(windows(start, end)), "read_at": now.isoformat()}
        return Plan("changes", bounds, reason)

    def fetch(self, pull: Pull) -> Mapping[str, Any]:
        """Page each window from the cursor on."""
        cursor = pull.cursor or {"index": 0, "page_token": None}
        spans = pull.plan.bounds["windows"]
        for index in range(cursor["index"], len(spans)):
            params = {
                "organization": pull.settings.organization,
                "min_start_time": spans[index][0],
                "max_start_time": spans[index][1],
                "sort": "start_time:asc",
            }
            token = cursor["page_token"] if index == cursor["index"] else None
            for answer in collection_pages(pull.client, "/scheduled_events", params, token):
                pull.add("events", "/scheduled_events", answer)
                following = next_token(answer)
                pull.advance({"index": index if following else index + 1, "page_token": following})
        return {
            "organization": pull.settings.organization,
            "read_at": pull.plan.bounds["read_at"],
        }


def windows(start: datetime, end: datetime) -> Iterator[tuple[str, str]]:
    """Windows of start times that together cover a span, as Calendly writes instants.

    Its bounds are exclusive ("after", "prior to"): each window begins a second early.
    """
    while start < end:
        until = min(start + timedelta(days=WINDOW_DAYS), end)
        yield (
            f"{start - timedelta(seconds=1):%Y-%m-%dT%H:%M:%S.%fZ}",
            f"{until:%Y-%m-%dT%H:%M:%S.%fZ}",
        )
        start = until


@dataclass(frozen=True)
class InviteesStream:
    """Invitees of events that are new or changed, or that ended a few days ago."""

    name: str = "invitees"
    needs: tuple[str, ...] = ("events",)

    @property
    def records(self) -> Sequence[Records]:
        """Invitees by their address, below their event's."""
        return [
            Records(
                "invitees",
                "invitees",
                items="collection",
                id="uri",
                parent="envelope",
                is_listing=True,
            )
        ]

    def fingerprint(self, settings: Any) -> Mapping[str, Any]:
        """The server and the event types: they decide which events are asked for."""
        return {"base_url": settings.base_url, "event_types": sorted(settings.event_types)}

    def plan(self, history: StreamHistory) -> Plan:
        """Events that landed since the arrival consumed last; all of them again when
        `event_types` lets events in that it kept out before."""
        state, now = history.state, history.now.replace(microsecond=0)
        landed = history.of_stream("events")
        after, reason = state.get("events_arrival", 0), ""
        before = state.get("event_types", [])
        types = sorted(history.settings.event_types)
        if before and not (types and set(types) <= set(before)):
            after, reason = 0, "other event types: all events again"
        read_at = min(now, datetime.fromisoformat(state.get("read_at", now.isoformat())))
        bounds = {
            "after_arrival": after,
            "to_arrival": landed[-1].arrival if landed else after,
            "ended_from": (read_at - timedelta(days=NO_SHOW_DAYS)).isoformat(),
            "ended_to": now.isoformat(),
        }
        return Plan("changes", bounds, reason)

    def fetch(self, pull: Pull) -> Mapping[str, Any]:
        """Ask event by event, in order of their addresses, from the cursor on."""
        bounds = pull.plan.bounds
        types = sorted(pull.settings.event_types)
        last = (pull.cursor or {}).get("event", "")
        for event in event_uris(pull.history.of_stream("events"), bounds, types):
            if event <= last:
                continue
            path = f"/scheduled_events/{quote(event.rsplit('/', 1)[-1], safe='')}/invitees"
            for answer in collection_pages(pull.client, path, {}, accept=frozenset({404})):
                # An event that is gone has no invitees to ask for; the answer is kept all the same.
                pull.add("invitees", path, answer, parent_id=event)
            pull.advance({"event": event})
        return {
            "events_arrival": bounds["to_arrival"],
            "read_at": bounds["ended_to"],
            "event_types": types,
        }


STREAMS = (EventsStream(), InviteesStream())


def streams(settings: Any) -> list[Stream]:
    """The streams that the settings choose, in order."""
    return chosen(STREAMS, settings)


def open_client(source: str, settings: Any, pause: Callable[[float], None]) -> HttpClient:
    """The client of the source. Raises: PermanentSourceError without a usable token."""
    return token_client(source, settings, pause, wait_header=WAIT_HEADER)


CONNECTOR = Connector(streams, open_client)
