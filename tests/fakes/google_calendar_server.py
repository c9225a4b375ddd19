"""A loopback server that speaks Google's `events.list` and its token endpoint, and misbehaves.

A calendar is a sequence of changes. A full list gives the newest version of each event; a sync
token gives what changed since it was issued, cancelled events included. The sync token comes with
the last page only. Nothing here imports the product.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote

from tests.fakes.server import FakeServer, Fault, Reply, Request

__all__ = ["FakeGoogle", "Fault", "cancelled", "event", "refusal"]

LARGEST_PAGE = 2500
PREFIX = "/calendar/v3"
FORBIDDEN_WITH_SYNC = {"timeMin", "timeMax", "updatedMin", "q", "orderBy", "iCalUID"}


def refusal(code: int, reason: str = "backendError", **headers: str) -> Fault:
    """An error answer in Google's shape; header names are given with underscores."""
    error = {"domain": "calendar", "reason": reason, "message": "person@example.com said no"}
    body = {"error": {"errors": [error], "code": code, "message": error["message"]}}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Fault(status=code, body=json.dumps(body).encode(), headers=named)


def event(name: str, day: str, **changes: Any) -> dict[str, Any]:
    """One confirmed meeting of half an hour with a guest."""
    return {
        "kind": "calendar#event",
        "etag": f'"{name}-{day}"',
        "id": name,
        "status": "confirmed",
        "created": "2026-01-02T03:04:05.000Z",
        "updated": "2026-01-02T03:04:05.678Z",
        "start": {"dateTime": f"{day}T10:00:00+01:00", "timeZone": "Europe/Berlin"},
        "end": {"dateTime": f"{day}T10:30:00+01:00", "timeZone": "Europe/Berlin"},
        "attendees": [{"email": f"{name}@corp.example", "responseStatus": "accepted"}],
        "extendedProperties": {"shared": {"partner_code": "ACME"}},
        **changes,
    }


def cancelled(name: str) -> dict[str, Any]:
    """What remains of a deleted event."""
    return {"kind": "calendar#event", "etag": '"x"', "id": name, "status": "cancelled"}


@dataclass
class FakeGoogle(FakeServer):
    """A running fake. Use as a context manager.

    calendars: changes by calendar id, oldest first. page_cap: upper bound of a page. expired: sync
    tokens that answer 410. forgotten: page tokens that are refused. same_page: name the same next
    page for ever. token_answer: of the token endpoint, with its status. assertions: what was sent
    to it.
    """

    calendars: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    page_cap: int = LARGEST_PAGE
    expired: set[str] = field(default_factory=set)
    forgotten: set[str] = field(default_factory=set)
    same_page: bool = False
    token_answer: tuple[int, dict[str, Any]] = (200, {})
    assertions: list[str] = field(default_factory=list)

    @property
    def api_url(self) -> str:
        """Address of the Calendar API of this fake."""
        return self.base_url + PREFIX

    def asked(self) -> list[tuple[str, dict[str, str]]]:
        """Calendar and parameters of each list request, those that never change left out."""
        same = {"maxResults": "2500", "showDeleted": "true", "singleEvents": "true"}
        return [
            (
                unquote(each.path.split("/")[4]),
                {name: value for name, value in each.params.items() if same.get(name) != value},
            )
            for each in self.log
            if each.path.startswith(PREFIX)
        ]

    def reply(self, request: Request) -> Reply:
        """A page of a calendar's events, or an access token."""
        if request.path == "/token":
            return self._token(request)
        parts = request.path.split("/")
        if len(parts) != 6 or parts[3] != "calendars" or parts[5] != "events":
            return _error(404, "notFound")
        changes = self.calendars.get(unquote(parts[4]))
        return _error(404, "notFound") if changes is None else self._list(request, changes)

    def _token(self, request: Request) -> Reply:
        sent = parse_qs(bytes(request.content).decode())
        self.assertions.append(sent["assertion"][0])
        status, answer = self.token_answer
        issued = {"access_token": f"issued-{len(self.assertions)}", "expires_in": 3600}
        return Reply(answer or {**issued, "token_type": "Bearer"}, status)

    def _list(self, request: Request, changes: list[dict[str, Any]]) -> Reply:
        params = request.params
        sync, page = params.get("syncToken"), params.get("pageToken")
        if sync and (set(params) & FORBIDDEN_WITH_SYNC or params.get("showDeleted") == "false"):
            return _error(400, "syncTokenWithRequestRestrictions")
        if page in self.forgotten:
            return _error(400, "invalidPageToken")
        if sync in self.expired:
            return _error(410, "fullSyncRequired")
        # A page token holds the state of the calendar at the first page, as a snapshot does.
        upto, start = map(int, page.split("-")[1:]) if page else (len(changes), 0)
        since = int(sync.split("-")[1]) if sync else 0
        newest = {each["id"]: each for each in changes[since:upto]}
        found = list(newest.values())
        if params.get("showDeleted") != "true" and not sync:
            found = [each for each in found if each["status"] != "cancelled"]
        size = min(int(params.get("maxResults", "250")), LARGEST_PAGE, self.page_cap)
        answer = {"kind": "calendar#events", "items": found[start : start + size]}
        if start + size < len(found) or self.same_page:
            answer["nextPageToken"] = f"page-{upto}-{start + (0 if self.same_page else size)}"
        else:
            answer["nextSyncToken"] = f"sync-{upto}"
        return Reply(answer)


def _error(code: int, reason: str) -> Reply:
    fault = refusal(code, reason)
    return Reply(fault.body, fault.status)
