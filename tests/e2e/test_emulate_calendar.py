"""The shape of Google Calendar's answers against emulate 0.12.2 (see `tests/emulate_peer.py`).

It pages and knows the fields of an event, yet never gives a sync token: a check of shapes, and of
what becomes of a list that has no end.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from ingest.google_calendar import check_events
from ingest.http import UnusableAnswerError
from ingest.run import ingest
from tests.emulate_peer import running_emulate
from tests.fakes.google_calendar_server import event

pytestmark = pytest.mark.e2e

EVENTS = "/calendar/v3/calendars/primary/events"
HEADERS = {"Authorization": "Bearer partnerledger"}
TOKEN_VARIABLE = "EMULATE_CALENDAR_TOKEN"


@pytest.fixture
def base_url(tmp_path: Path) -> Iterator[str]:
    with running_emulate("google", tmp_path) as address:
        for number in range(7):
            booked = {
                "summary": f"Demo {number}",
                "start": {"dateTime": f"2026-03-0{number + 1}T10:00:00Z"},
                "end": {"dateTime": f"2026-03-0{number + 1}T10:30:00Z"},
                "attendees": [{"email": f"c{number}@corp.example", "responseStatus": "accepted"}],
            }
            answer = requests.post(address + EVENTS, json=booked, headers=HEADERS, timeout=10)
            answer.raise_for_status()
        yield address


def pages(base_url: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    asked = {"maxResults": "3", "showDeleted": "true", "singleEvents": "true"}
    while True:
        answer = requests.get(base_url + EVENTS, params=asked, headers=HEADERS, timeout=10)
        answer.raise_for_status()
        found.append(answer.json())
        if "nextPageToken" not in found[-1]:
            return found
        asked["pageToken"] = found[-1]["nextPageToken"]


def test_pages_and_events_have_the_shape_that_is_read(base_url: str) -> None:
    *earlier, last = pages(base_url)
    assert earlier
    for page in earlier:
        check_events(page)
    with pytest.raises(UnusableAnswerError, match="neither nextPageToken nor nextSyncToken"):
        check_events(last)
    check_events({**last, "nextSyncToken": "given by Google only"})
    demos = [
        each
        for page in (*earlier, last)
        for each in page["items"]
        if each.get("summary", "").startswith("Demo")
    ]
    assert len({each["id"] for each in demos}) == 7
    made_up = event("x", "2026-03-01")
    for each in demos:
        assert set(made_up) - {"extendedProperties"} <= set(each)
        assert each["status"] == made_up["status"]
        assert "dateTime" in each["start"] and "dateTime" in each["end"]
        assert set(made_up["attendees"][0]) <= set(each["attendees"][0])


def test_list_that_never_gives_a_sync_token_is_not_taken_as_complete(
    base_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, "partnerledger")
    source = SimpleNamespace(
        kind="google_calendar",
        base_url=f"{base_url}/calendar/v3",
        token_env=TOKEN_VARIABLE,
        service_account_env=None,
        delegate=None,
        calendars=("primary",),
        streams=("events",),
        timeout_seconds=10,
        overlap_hours=1,
    )
    workspace = SimpleNamespace(root=tmp_path, sources={"calendar": source})
    pauses: list[float] = []
    report = ingest(workspace, tmp_path / "home", now=datetime.now(UTC), pause=pauses.append)
    assert [each.status for each in report.streams] == ["failed"]
    assert "neither nextPageToken nor nextSyncToken" in report.streams[0].message
