"""A loopback server that speaks Calendly's scheduled events and invitees, and misbehaves on demand.

Events are listed by start time within exclusive bounds, with page tokens that say after which
event a page begins. Nothing here imports the product.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from tests.fakes.server import FakeServer, Fault, Reply, Request

__all__ = ["FakeCalendly", "Fault", "event", "invitee", "refusal"]

API = "https://api.calendly.com"
ORGANIZATION = f"{API}/organizations/ORG1"
LARGEST_PAGE = 100


def refusal(code: int, **headers: str) -> Fault:
    """An error answer in Calendly's shape; header names are given with underscores."""
    body = json.dumps({"title": "Refused", "message": "person@example.com said no"})
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Fault(status=code, body=body.encode(), headers=named)


def event(uuid: str, day: str, **changes: Any) -> dict[str, Any]:
    """One scheduled event of half an hour at ten o'clock."""
    return {
        "uri": f"{API}/scheduled_events/{uuid}",
        "name": "Demo",
        "status": "active",
        "start_time": f"{day}T10:00:00.000000Z",
        "end_time": f"{day}T10:30:00.000000Z",
        "event_type": f"{API}/event_types/DEMO",
        "location": {"type": "custom", "location": "call"},
        "invitees_counter": {"total": 1, "active": 1, "limit": 1},
        "created_at": "2026-01-02T03:04:05.678123Z",
        "updated_at": "2026-01-02T03:04:05.678123Z",
        "event_memberships": [{"user": f"{API}/users/HOST"}],
        "event_guests": [],
        **changes,
    }


def invitee(of: dict[str, Any], uuid: str, **changes: Any) -> dict[str, Any]:
    """One invitee of an event."""
    return {
        "uri": f"{of['uri']}/invitees/{uuid}",
        "event": of["uri"],
        "email": f"{uuid.lower()}@corp.example",
        "name": uuid,
        "first_name": None,
        "last_name": None,
        "status": "active",
        "timezone": "Europe/Berlin",
        "created_at": "2026-01-02T03:04:05.678123Z",
        "updated_at": "2026-01-02T03:04:05.678123Z",
        "questions_and_answers": [
            {"question": "partner_code", "answer": "ACME", "position": 0},
        ],
        "tracking": {
            "utm_campaign": None,
            "utm_source": None,
            "utm_medium": None,
            "utm_content": "ACME",
            "utm_term": None,
            "salesforce_uuid": None,
        },
        "rescheduled": False,
        "old_invitee": None,
        "new_invitee": None,
        "no_show": None,
        "cancellation": None,
        **changes,
    }


@dataclass
class FakeCalendly(FakeServer):
    """A running fake. Use as a context manager.

    events: in any order. invitees: by event address. page_cap: upper bound of a page. forgotten:
    page tokens that are refused. same_token: name the same next page for ever.
    """

    events: list[dict[str, Any]] = field(default_factory=list)
    invitees: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    page_cap: int = LARGEST_PAGE
    forgotten: set[str] = field(default_factory=set)
    same_token: bool = False

    def asked_invitees(self) -> list[str]:
        """Ids of the events whose invitees were asked for, in order."""
        return [each.split("/")[2] for each in self.paths() if each.endswith("/invitees")]

    def reply(self, request: Request) -> Reply:
        """A page of events, or of one event's invitees."""
        if request.path == "/scheduled_events":
            return self._events(request)
        parts = request.path.split("/")
        if len(parts) == 4 and parts[1] == "scheduled_events" and parts[3] == "invitees":
            uri = f"{API}/scheduled_events/{parts[2]}"
            if all(each["uri"] != uri for each in self.events):
                return Reply({"title": "Resource Not Found"}, 404)
            return self._page(request, self.invitees.get(uri, []))
        return Reply({"title": "Resource Not Found"}, 404)

    def _events(self, request: Request) -> Reply:
        params = request.params
        if params.get("organization") != ORGANIZATION:
            return Reply({"title": "Permission Denied"}, 403)
        found = [
            each
            for each in self.events
            if params["min_start_time"] < each["start_time"] < params["max_start_time"]
            and params.get("status") in (None, each["status"])
        ]
        return self._page(
            request, sorted(found, key=lambda each: (each["start_time"], each["uri"]))
        )

    def _page(self, request: Request, found: list[dict[str, Any]]) -> Reply:
        token, start = request.params.get("page_token"), 0
        if token in self.forgotten:
            return Reply({"title": "Invalid Argument", "details": []}, 400)
        if token and not self.same_token:
            ahead = [each for each in found if _key(each) <= token]
            start = len(ahead)
        size = min(int(request.params.get("count", "20")), LARGEST_PAGE, self.page_cap)
        page = found[start : start + size]
        following = _key(page[-1]) if start + size < len(found) or self.same_token else None
        query = urlencode({**request.params, "page_token": following or ""})
        pagination = {
            "count": len(page),
            "next_page": f"{API}{request.path}?{query}" if following else None,
            "next_page_token": following,
            "previous_page": None,
            "previous_page_token": None,
        }
        return Reply({"collection": page, "pagination": pagination})


def _key(each: dict[str, Any]) -> str:
    return f"{each.get('start_time', each['created_at'])}|{each['uri']}"
