"""Pull events of Google calendars.

Belongs here: sync tokens and pages per calendar, what to do when a token is no longer accepted.
Does not belong here: signing in (`google_sign_in`), retries (`http`), landing and resuming
(`pull`), who is a guest and what counts as held (the dbt project).

The first pull of a calendar lists all its events and ends with a sync token; later pulls ask with
that token for what changed, deletions included. Status 410 means that the token is no longer
accepted: the calendar is then read whole, within the same pull. Source: sources.md section 4.5;
Google's reference of `events.list` and its guide on synchronising.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ingest.connectors import Connector, chosen
from ingest.errors import LoopingPagesError, PermanentSourceError
from ingest.google_sign_in import service_account_token
from ingest.http import HttpClient, UnusableAnswerError
from ingest.objects import Records
from ingest.pull import Plan, Pull, Stream, StreamHistory
from ingest.secrets import read_secret

PAGE_SIZE = 2500
ABSENT = 404
GONE = 410
REFUSED = 400


def check_events(content: Any) -> None:
    """Whether the content is a page of events: a page token or, on the last, a sync token.
    Raises: UnusableAnswerError."""
    if not isinstance(content, dict) or not isinstance(content.get("items"), list):
        raise UnusableAnswerError("the answer has no list named items")
    for each in content["items"]:
        if not isinstance(each, dict) or not isinstance(each.get("id"), str) or not each["id"]:
            raise UnusableAnswerError("an event of the answer has no id")
    tokens = [content.get("nextPageToken"), content.get("nextSyncToken")]
    if sum(1 for each in tokens if isinstance(each, str) and each) != 1:
        raise UnusableAnswerError("the answer has neither nextPageToken nor nextSyncToken")


def calendar_key(calendar: str) -> str:
    """A name for a calendar in states and cursors, which people see: its id is often an address of
    a person."""
    return hashlib.sha256(calendar.encode()).hexdigest()[:16]


@dataclass
class _Place:
    """Where the reading of one calendar stands. sync_token None: it is read whole."""

    index: int
    sync_token: str | None
    page_token: str | None = None
    is_resumed: bool = False


@dataclass(frozen=True)
class EventsStream:
    """Events of all calendars of the settings, calendar by calendar."""

    name: str = "events"
    needs: tuple[str, ...] = ()

    @property
    def records(self) -> Sequence[Records]:
        """Events below their calendar: the same meeting has one id in several calendars.

        Nothing counts as vanished: deleted events come with status `cancelled`, also in a full
        list (`showDeleted`), and one calendar that is read whole says nothing of the others.
        """
        return [
            Records(
                "events",
                "events",
                items="items",
                parent="envelope",
                id_within_parent=True,
                is_listing=True,
            )
        ]

    def fingerprint(self, settings: Any) -> Mapping[str, Any]:
        """The server and the calendars: a killed pull of others is not continued."""
        return {"base_url": settings.base_url, "calendars": list(settings.calendars)}

    def plan(self, history: StreamHistory) -> Plan:
        """What changed since each calendar's sync token; a calendar without one is read whole."""
        known = history.state.get("tokens", {})
        calendars = [
            {"calendar": each, "sync_token": known.get(calendar_key(each))}
            for each in history.settings.calendars
        ]
        whole = sum(1 for each in calendars if each["sync_token"] is None)
        bounds = {"calendars": calendars, "scope": sorted(history.settings.calendars)}
        if whole == len(calendars):
            return Plan("full", bounds, "all events")
        return Plan("changes", bounds, f"{whole} new calendars read whole" if whole else "")

    def fetch(self, pull: Pull) -> Mapping[str, Any]:
        """Read each calendar from the cursor on; the tokens count when all pages have landed."""
        calendars = pull.plan.bounds["calendars"]
        cursor = pull.cursor or {"index": 0, "tokens": {}}
        tokens: dict[str, str] = dict(cursor["tokens"])
        for index in range(cursor["index"], len(calendars)):
            place = _Place(index, calendars[index]["sync_token"])
            if index == cursor["index"] and cursor.get("page_token"):
                place.page_token, place.is_resumed = cursor["page_token"], True
                if cursor["is_whole"] and place.sync_token:
                    self._read_whole(pull, place)
            tokens[calendar_key(calendars[index]["calendar"])] = self._read(pull, place, tokens)
            pull.advance({"index": index + 1, "tokens": tokens})
        return {"tokens": {**pull.history.state.get("tokens", {}), **tokens}}

    def _read(self, pull: Pull, place: _Place, tokens: Mapping[str, str]) -> str:
        """Page one calendar; returns its new sync token. tokens: of the calendars before it."""
        calendar = pull.plan.bounds["calendars"][place.index]["calendar"]
        path = f"/calendars/{quote(calendar, safe='')}/events"
        shown = f"/calendars/{{calendar {place.index + 1}}}/events"
        seen = {place.page_token}
        while True:
            answer = pull.client.get(
                path,
                _params(place),
                check_events,
                # Nothing is asked for that a server could refuse, but a token from before a kill.
                accept=frozenset({GONE, ABSENT} | ({REFUSED} if place.is_resumed else set())),
                shown_path=shown,
            )
            if answer.status == ABSENT:
                raise PermanentSourceError(
                    f"GET {shown}: status {ABSENT}: no such calendar for this account",
                    "Check the id in calendars, and that the calendar is shared with the account "
                    "that signs in.",
                )
            if answer.status in (GONE, REFUSED):
                self._begin_again(pull, place, answer.status, shown)
                seen = {None}
                continue
            pull.add("events", shown, answer, parent_id=calendar)
            place.page_token = answer.content.get("nextPageToken")
            place.is_resumed = False
            if place.page_token is None:
                return answer.content["nextSyncToken"]
            if place.page_token in seen:
                raise LoopingPagesError(
                    f"GET {shown}: the server repeats earlier pages",
                    "Run again; if it stays, report it to the maker of the server.",
                )
            seen.add(place.page_token)
            pull.advance(
                {
                    "index": place.index,
                    "tokens": dict(tokens),
                    "page_token": place.page_token,
                    "is_whole": place.sync_token is None,
                }
            )

    def _begin_again(self, pull: Pull, place: _Place, status: int, shown: str) -> None:
        """Drop the token that is no longer accepted: the page's, if it is from before a kill, else
        the calendar's."""
        if place.is_resumed:
            place.page_token, place.is_resumed = None, False
        elif place.sync_token is not None:
            self._read_whole(pull, place)
            place.page_token = None
        elif place.page_token is not None:
            place.page_token = None
        else:
            raise PermanentSourceError(
                f"GET {shown}: status {status} although the calendar is read whole",
                "Run again; if it stays, check the calendar in Google.",
            )

    def _read_whole(self, pull: Pull, place: _Place) -> None:
        place.sync_token = None
        pull.note(f"sync token of calendar {place.index + 1} no longer accepted: read whole")


def _params(place: _Place) -> dict[str, str]:
    """Parameters of a request. Those beside the tokens may not differ between pulls."""
    asked = {"maxResults": str(PAGE_SIZE), "showDeleted": "true", "singleEvents": "true"}
    if place.sync_token is not None:
        asked["syncToken"] = place.sync_token
    if place.page_token is not None:
        asked["pageToken"] = place.page_token
    return asked


STREAMS = (EventsStream(),)


def streams(settings: Any) -> list[Stream]:
    """The streams that the settings choose, in order."""
    return chosen(STREAMS, settings)


def open_client(source: str, settings: Any, pause: Callable[[float], None]) -> HttpClient:
    """The client of a Google Calendar source. Raises: PermanentSourceError without a usable token
    or key file."""
    token: str | Callable[[], str]
    if settings.token_env:
        variable = settings.token_env
        token = read_secret(source, variable, "token_env")
    else:
        variable = settings.service_account_env
        token = service_account_token(source, variable, settings.delegate)
    return HttpClient(
        label=source,
        base_url=settings.base_url,
        token=token,
        token_env=variable,
        timeout_seconds=settings.timeout_seconds,
        pause=pause,
    )


CONNECTOR = Connector(streams, open_client)
