"""Calendar events over HTTP: sync tokens, full lists after 410, a server that misbehaves."""

import json
from datetime import datetime, timedelta
from functools import partial
from types import SimpleNamespace

import pytest

from ingest.google_calendar import calendar_key
from ingest.landing import read_landings
from ingest.preview import preview
from ingest.pull import PullOptions
from ingest.run import REPORT_NAME
from tests.fakes.google_calendar_server import (
    PREFIX,
    FakeGoogle,
    Fault,
    cancelled,
    event,
    refusal,
)

TOKEN = "ya29.do-not-tell"
ANNA, TEAM = "anna.person@own.example", "team"
ANNAS = f"{PREFIX}/calendars/anna.person%40own.example/events"
TEAMS = f"{PREFIX}/calendars/team/events"
NOW = datetime(2026, 3, 1, 2, 0)
NIGHTS = [NOW + timedelta(days=day) for day in range(10)]


@pytest.fixture
def fake():
    calendars = {
        ANNA: [event(f"a{number}", f"2026-03-0{number + 1}") for number in range(5)],
        TEAM: [event(f"t{number}", f"2026-03-0{number + 1}") for number in range(3)],
    }
    with FakeGoogle(calendars=calendars, page_cap=2) as running:
        yield running


@pytest.fixture
def bookings(night, fake, monkeypatch):
    """A night with one source of two calendars against the fake."""
    monkeypatch.setenv("TEST_GOOGLE_TOKEN", TOKEN)
    settings = SimpleNamespace(
        kind="google_calendar",
        base_url=fake.api_url,
        token_env="TEST_GOOGLE_TOKEN",
        service_account_env=None,
        delegate=None,
        calendars=(ANNA, TEAM),
        streams=("events",),
        timeout_seconds=5,
        overlap_hours=1,
    )
    night.sources = {"bookings": settings}
    return night


def small_parts(monkeypatch) -> None:
    monkeypatch.setattr("ingest.run.PullOptions", partial(PullOptions, part_pages=1))


def newest(night) -> dict[tuple[str, str], str]:
    """Status of each event in its newest landed version, by calendar and id."""
    rows = night.rows(
        "select parent_id, payload ->> '$.id', payload ->> '$.status'"
        " from raw.google_calendar__events"
        " qualify row_number() over (partition by object_id order by _arrival desc, _row desc) = 1"
    )
    return {(parent, name): status for parent, name, status in rows}


def test_first_pull_lists_every_calendar_to_its_last_page(bookings, fake) -> None:
    report = bookings.stream("events")
    assert (report.status, report.rows_landed, report.pages, report.mode) == ("ok", 8, 5, "full")
    assert fake.asked() == [
        (ANNA, {}),
        (ANNA, {"pageToken": "page-5-2"}),
        (ANNA, {"pageToken": "page-5-4"}),
        (TEAM, {}),
        (TEAM, {"pageToken": "page-3-2"}),
    ]
    assert fake.log[0].path == ANNAS
    assert fake.log[0].headers["Authorization"] == f"Bearer {TOKEN}"
    assert bookings.rows(
        "select parent_id, payload ->> '$.extendedProperties.shared.partner_code', is_tombstone"
        " from raw.google_calendar__events where payload ->> '$.id' = 't1'"
    ) == [(TEAM, "ACME", False)]


def test_later_pulls_ask_with_each_calendars_sync_token(bookings, fake) -> None:
    bookings.run(now=NIGHTS[0])
    fake.log.clear()
    fake.calendars[ANNA] += [event("a1", "2026-03-20"), event("a9", "2026-03-21"), cancelled("a2")]
    report = bookings.stream("events", now=NIGHTS[1])
    assert fake.asked() == [
        (ANNA, {"syncToken": "sync-5"}),
        (ANNA, {"syncToken": "sync-5", "pageToken": "page-8-2"}),
        (TEAM, {"syncToken": "sync-3"}),
    ]
    assert (report.mode, report.rows_landed) == ("changes", 3)
    assert newest(bookings)[ANNA, "a2"] == "cancelled"
    fake.log.clear()
    assert bookings.stream("events", now=NIGHTS[2]).status == "unchanged"
    assert fake.asked() == [(ANNA, {"syncToken": "sync-8"}), (TEAM, {"syncToken": "sync-3"})]


def test_one_meeting_in_two_calendars_stays_two(bookings, fake) -> None:
    fake.calendars[TEAM].append(event("a0", "2026-03-01"))
    bookings.run(now=NIGHTS[0])
    fake.calendars[ANNA].append(cancelled("a0"))
    bookings.run(now=NIGHTS[1])
    assert newest(bookings)[ANNA, "a0"] == "cancelled"
    assert newest(bookings)[TEAM, "a0"] == "confirmed"
    fake.calendars[TEAM].append(cancelled("a0"))
    assert bookings.stream("events", now=NIGHTS[2]).rows_landed == 1
    assert newest(bookings)[TEAM, "a0"] == "cancelled"


def test_token_no_longer_accepted_reads_that_calendar_whole_and_says_so(
    bookings, fake, caplog
) -> None:
    bookings.run(now=NIGHTS[0])
    fake.log.clear()
    fake.expired = {"sync-5"}
    fake.calendars[ANNA] += [cancelled("a3"), event("a9", "2026-03-21")]
    report = bookings.stream("events", now=NIGHTS[1])
    assert fake.asked() == [
        (ANNA, {"syncToken": "sync-5"}),
        (ANNA, {}),
        (ANNA, {"pageToken": "page-7-2"}),
        (ANNA, {"pageToken": "page-7-4"}),
        (TEAM, {"syncToken": "sync-3"}),
    ]
    assert (report.status, report.rows_landed) == ("ok", 2)
    assert "calendar 1 no longer accepted: read whole" in report.message
    assert "calendar 1 no longer accepted: read whole" in caplog.text
    assert newest(bookings)[ANNA, "a3"] == "cancelled"
    assert newest(bookings)[TEAM, "t0"] == "confirmed"
    fake.log.clear()
    bookings.run(now=NIGHTS[2])
    assert fake.asked()[0] == (ANNA, {"syncToken": "sync-7"})


def test_token_that_expires_between_pages_reads_the_calendar_whole(bookings, fake) -> None:
    bookings.run(now=NIGHTS[0])
    fake.calendars[ANNA] += [event(f"b{number}", "2026-03-21") for number in range(5)]
    fake.script[ANNAS] = [Fault(), Fault(before=lambda: fake.expired.add("sync-5"))]
    assert bookings.stream("events", now=NIGHTS[1]).rows_landed >= 5
    assert {name for calendar, name in newest(bookings) if calendar == ANNA} == {
        *(f"a{number}" for number in range(5)),
        *(f"b{number}" for number in range(5)),
    }


def test_full_list_that_is_gone_too_fails(bookings, fake) -> None:
    fake.script[ANNAS] = [refusal(410)]
    report = bookings.stream("events")
    assert (report.status, report.is_transient) == ("failed", False)
    assert "although the calendar is read whole" in report.message


def test_calendar_added_later_is_read_whole_and_the_others_are_not(bookings, fake) -> None:
    bookings.sources["bookings"].calendars = (TEAM,)
    bookings.run(now=NIGHTS[0])
    fake.log.clear()
    bookings.sources["bookings"].calendars = (ANNA, TEAM)
    report = bookings.stream("events", now=NIGHTS[1])
    assert (report.mode, report.rows_landed) == ("changes", 5)
    assert "1 new calendars read whole" in report.message
    assert fake.asked()[-1] == (TEAM, {"syncToken": "sync-3"})


def test_calendar_left_out_for_a_while_goes_on_with_its_token(bookings, fake) -> None:
    bookings.run(now=NIGHTS[0])
    bookings.sources["bookings"].calendars = (TEAM,)
    bookings.run(now=NIGHTS[1])
    bookings.sources["bookings"].calendars = (TEAM, ANNA)
    fake.log.clear()
    bookings.run(now=NIGHTS[2])
    assert fake.asked() == [(TEAM, {"syncToken": "sync-3"}), (ANNA, {"syncToken": "sync-5"})]
    assert len(newest(bookings)) == 8


def test_events_inserted_while_paging_come_with_the_next_sync(bookings, fake) -> None:
    late = event("late", "2026-03-09")
    fake.script[ANNAS] = [Fault(), Fault(before=lambda: fake.calendars[ANNA].append(late))]
    assert bookings.stream("events", now=NIGHTS[0]).rows_landed == 8
    assert bookings.stream("events", now=NIGHTS[1]).rows_landed == 1


def test_killed_pull_goes_on_with_its_page(bookings, fake, monkeypatch) -> None:
    small_parts(monkeypatch)
    fake.script[TEAMS] = [Fault()] + [refusal(500) for _ in range(5)]
    report = bookings.stream("events")
    assert (report.status, report.is_transient) == ("failed", True)
    assert newest(bookings) == {}
    fake.log.clear()
    report = bookings.stream("events", now=NOW + timedelta(minutes=30))
    assert fake.asked() == [(TEAM, {"pageToken": "page-3-2"})]
    assert (report.rows_landed, report.last_arrival) == (8, 1)
    fake.log.clear()
    bookings.run(now=NIGHTS[1])
    assert fake.asked() == [(ANNA, {"syncToken": "sync-5"}), (TEAM, {"syncToken": "sync-3"})]


def test_killed_pull_whose_page_is_forgotten_begins_that_calendar_again(
    bookings, fake, monkeypatch
) -> None:
    small_parts(monkeypatch)
    fake.script[TEAMS] = [Fault()] + [refusal(500) for _ in range(5)]
    bookings.run()
    fake.log.clear()
    fake.forgotten = {"page-3-2"}
    fake.script[TEAMS] = [Fault(), Fault(before=fake.forgotten.clear)]
    report = bookings.stream("events")
    assert fake.asked() == [
        (TEAM, {"pageToken": "page-3-2"}),
        (TEAM, {}),
        (TEAM, {"pageToken": "page-3-2"}),
    ]
    assert report.status == "ok" and len(newest(bookings)) == 8


def test_killed_full_read_after_410_stays_full(bookings, fake, monkeypatch) -> None:
    bookings.run(now=NIGHTS[0])
    small_parts(monkeypatch)
    fake.expired = {"sync-5"}
    fake.calendars[ANNA].append(event("a9", "2026-03-21"))
    fake.script[ANNAS] = [Fault(), Fault(), Fault()] + [refusal(500) for _ in range(5)]
    assert bookings.stream("events", now=NIGHTS[1]).is_transient
    fake.log.clear()
    report = bookings.stream("events", now=NIGHTS[1] + timedelta(minutes=30))
    assert fake.asked()[0] == (ANNA, {"pageToken": "page-6-4"})
    assert report.rows_landed == 1
    assert "read whole" in report.message


def test_killed_pull_of_other_calendars_is_begun_anew(bookings, fake, monkeypatch) -> None:
    small_parts(monkeypatch)
    fake.script[TEAMS] = [refusal(500) for _ in range(5)]
    bookings.run()
    bookings.sources["bookings"].calendars = (TEAM, ANNA)
    assert bookings.stream("events").rows_landed == 8
    assert [each.is_abandoned for each in read_landings(bookings.home)] == [True, False]


def test_pages_that_repeat_are_an_error_instead_of_a_loop(bookings, fake) -> None:
    fake.same_page = True
    assert "repeats earlier pages" in bookings.stream("events").message


@pytest.mark.parametrize(
    "fault",
    [
        refusal(429, Retry_After="7"),
        refusal(429),
        refusal(500),
        Fault(truncate=True),
        Fault(body=b'{"items": [{"status": "confirmed"}], "nextSyncToken": "s"}'),
        Fault(body=b'{"items": []}'),
    ],
    ids=["429 with wait", "429", "500", "truncated", "no id", "no token"],
)
def test_passing_fault_is_survived(bookings, fake, fault) -> None:
    fake.script[ANNAS] = [fault]
    assert bookings.stream("events").rows_landed == 8
    assert (7.0 in bookings.pauses) == bool(fault.headers)


@pytest.mark.parametrize(
    ("code", "reason", "told", "is_transient"),
    [
        (401, "authError", "not accepted", False),
        (403, "forbidden", "may not read", False),
        (403, "rateLimitExceeded", "too many requests", True),
        (404, "notFound", "status 404", False),
    ],
)
def test_refusal_tells_neither_secret_nor_person(
    bookings, fake, caplog, code: int, reason: str, told: str, is_transient: bool
) -> None:
    caplog.set_level("INFO")
    fake.script[ANNAS] = [refusal(code, reason)]
    report = bookings.stream("events")
    assert (report.status, report.is_transient) == ("failed", is_transient)
    assert told in report.message
    for secret in (TOKEN, "person", "corp.example"):
        assert secret not in caplog.text + str(report) + report.cursor


def test_good_pull_tells_no_person_either(bookings, fake, caplog) -> None:
    caplog.set_level("INFO")
    steps = []
    report = bookings.run(progress=lambda each: steps.append(each.step)).streams[0]
    for secret in (TOKEN, "person", "corp.example"):
        assert secret not in caplog.text + str(report) + report.cursor + str(steps)


def test_sync_tokens_are_told_to_nobody(bookings, fake) -> None:
    report = bookings.stream("events", now=NIGHTS[0])
    keys = sorted(calendar_key(each) for each in (ANNA, TEAM))
    assert json.loads(report.cursor) == {"tokens": keys}
    stored = bookings.home / "landing" / REPORT_NAME
    told = [report.cursor, stored.read_text(encoding="utf-8")]
    told.append(str(bookings.rows("select * from raw.ingest__streams")))
    stored.unlink()
    told.append(str(bookings.rows("select * from raw.ingest__streams")))
    told.append(str(preview(bookings.workspace, bookings.home, now=NIGHTS[1])))
    for text in told:
        assert keys[0] in text
        assert "sync-5" not in text + str(report)
        assert "sync-3" not in text + str(report)
    # The next pull asks with them all the same.
    fake.log.clear()
    bookings.run(now=NIGHTS[1])
    assert fake.asked() == [(ANNA, {"syncToken": "sync-5"}), (TEAM, {"syncToken": "sync-3"})]
