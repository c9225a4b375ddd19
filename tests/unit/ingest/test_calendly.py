"""Booked meetings over HTTP: the moving window, invitees of what changed, a misbehaving server."""

from datetime import datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from ingest.calendly import windows
from ingest.landing import read_landings
from ingest.pull import PullOptions
from tests.fakes.calendly_server import (
    API,
    ORGANIZATION,
    FakeCalendly,
    Fault,
    event,
    invitee,
    refusal,
)

TOKEN = "cal_do_not_tell"
EVENTS = "/scheduled_events"
NOW = datetime(2026, 3, 1, 2, 0)
NIGHTS = [NOW + timedelta(days=day) for day in range(120)]
DAYS = ("2024-06-01", "2025-12-24", "2026-02-20", "2026-02-27", "2026-03-05")


@pytest.fixture
def fake():
    events = [event(f"E{number}", day) for number, day in enumerate(DAYS)]
    invitees = {each["uri"]: [invitee(each, f"I{each['uri'][-1]}")] for each in events}
    with FakeCalendly(events=events, invitees=invitees, page_cap=2) as running:
        yield running


@pytest.fixture
def meetings(night, fake, monkeypatch):
    """A night with one Calendly source against the fake."""
    monkeypatch.setenv("TEST_CALENDLY_TOKEN", TOKEN)
    settings = SimpleNamespace(
        kind="calendly",
        base_url=fake.base_url,
        token_env="TEST_CALENDLY_TOKEN",
        organization=ORGANIZATION,
        event_types=(),
        streams=("events", "invitees"),
        timeout_seconds=5,
        overlap_hours=1,
        window_days_before=45,
        window_days_after=90,
        history_days=730,
    )
    night.sources = {"meetings": settings}
    return night


def small_parts(monkeypatch) -> None:
    monkeypatch.setattr("ingest.run.PullOptions", partial(PullOptions, part_pages=1))


def run(night, now: datetime = NOW) -> dict[str, Any]:
    return {each.stream: each for each in night.run(now=now).streams}


def ids(night, relation: str) -> list[str]:
    rows = night.rows(f"select object_id from raw.calendly__{relation} order by _arrival, _row")
    return [row[0].rsplit("/", 1)[-1] for row in rows]


def test_first_pull_reads_the_history_in_windows_and_all_invitees(meetings, fake) -> None:
    reports = run(meetings)
    assert ids(meetings, "events") == ["E0", "E1", "E2", "E3", "E4"]
    assert sorted(ids(meetings, "invitees")) == ["I0", "I1", "I2", "I3", "I4"]
    assert (reports["events"].mode, reports["events"].rows_landed) == ("changes", 5)
    assert "first pull, 730 days back" in reports["events"].message
    asked = [each.params for each in fake.log if each.path == EVENTS]
    assert {each["sort"] for each in asked} == {"start_time:asc"}
    assert {each["count"] for each in asked} == {"100"}
    assert not any("status" in each for each in asked)
    assert asked[0]["min_start_time"] == "2024-03-01T01:59:59.000000Z"
    assert asked[-1]["max_start_time"] == "2026-05-30T02:00:00.000000Z"
    assert fake.log[0].headers["Authorization"] == f"Bearer {TOKEN}"
    assert meetings.rows(
        "select parent_id, payload ->> '$.tracking.utm_content' from raw.calendly__invitees"
        " where payload ->> '$.email' = 'i3@corp.example'"
    ) == [(f"{API}/scheduled_events/E3", "ACME")]


def test_windows_have_no_gap_between_exclusive_bounds() -> None:
    found = list(windows(datetime(2026, 1, 1), datetime(2026, 7, 15)))
    assert found == [
        ("2025-12-31T23:59:59.000000Z", "2026-04-01T00:00:00.000000Z"),
        ("2026-03-31T23:59:59.000000Z", "2026-06-30T00:00:00.000000Z"),
        ("2026-06-29T23:59:59.000000Z", "2026-07-15T00:00:00.000000Z"),
    ]


def test_event_on_the_edge_of_two_windows_is_read(meetings, fake) -> None:
    fake.events = [event("EDGE", "2025-11-21", start_time="2025-11-21T02:00:00.000000Z")]
    run(meetings)
    bounds = {each.params["max_start_time"] for each in fake.log if each.path == EVENTS}
    assert "2025-11-21T02:00:00.000000Z" in bounds
    assert set(ids(meetings, "events")) == {"EDGE"}


def test_later_pulls_read_the_moving_window_and_nothing_vanishes(meetings, fake) -> None:
    run(meetings, NIGHTS[0])
    fake.log.clear()
    fake.events = [each for each in fake.events if each["uri"][-1] not in "04"]
    reports = run(meetings, NIGHTS[1])
    assert (reports["events"].status, reports["events"].rows_landed) == ("unchanged", 0)
    asked = [each.params for each in fake.log if each.path == EVENTS]
    assert asked[0]["min_start_time"] == "2026-01-16T01:59:59.000000Z"
    assert asked[-1]["max_start_time"] == "2026-05-31T02:00:00.000000Z"
    assert meetings.rows("select count(*) from raw.calendly__events where is_tombstone") == [(0,)]


def test_long_pause_is_read_from_where_the_last_pull_stood(meetings, fake) -> None:
    run(meetings, NIGHTS[0])
    fake.events[4]["status"] = "canceled"
    fake.log.clear()
    reports = run(meetings, NIGHTS[100])
    assert "100 days without a pull" in reports["events"].message
    assert fake.log[0].params["min_start_time"] == "2026-03-01T00:59:59.000000Z"
    assert reports["events"].rows_landed == 1


def test_invitees_are_asked_for_when_their_event_changed(meetings, fake) -> None:
    run(meetings, NIGHTS[0])
    run(meetings, NIGHTS[12])
    fake.log.clear()
    fake.events[4]["status"] = "canceled"
    fake.events[4]["cancellation"] = {"canceled_by": "x", "canceler_type": "invitee"}
    fake.invitees[fake.events[4]["uri"]][0]["status"] = "canceled"
    later = event("E5", "2026-03-20")
    fake.events.append(later)
    fake.invitees[later["uri"]] = [
        invitee(later, "I5", old_invitee=fake.invitees[fake.events[4]["uri"]][0]["uri"])
    ]
    reports = run(meetings, NIGHTS[20])
    assert fake.asked_invitees() == ["E4", "E5"]
    assert reports["invitees"].rows_landed == 2
    assert run(meetings, NIGHTS[21])["invitees"].status == "unchanged"


def test_no_show_marked_within_a_week_of_the_end_is_seen(meetings, fake) -> None:
    run(meetings, NIGHTS[0])
    fake.log.clear()
    fake.invitees[fake.events[3]["uri"]][0]["no_show"] = {"uri": "x", "created_at": "y"}
    reports = run(meetings, NIGHTS[1])
    assert fake.asked_invitees() == ["E3"]
    assert reports["invitees"].rows_landed == 1
    fake.log.clear()
    run(meetings, NIGHTS[8])
    assert fake.asked_invitees() == ["E3", "E4"]
    fake.log.clear()
    run(meetings, NIGHTS[30])
    assert fake.asked_invitees() == ["E4"], "read last on the 9th, so a week before that counts"


def test_only_the_named_event_types_have_their_invitees_read(meetings, fake) -> None:
    fake.events[1]["event_type"] = f"{API}/event_types/SUPPORT"
    meetings.sources["meetings"].event_types = (f"{API}/event_types/DEMO",)
    run(meetings, NIGHTS[0])
    assert fake.asked_invitees() == ["E0", "E2", "E3", "E4"]
    assert len(ids(meetings, "events")) == 5
    fake.log.clear()
    meetings.sources["meetings"].event_types = ()
    assert "other event types" in run(meetings, NIGHTS[1])["invitees"].message
    assert fake.asked_invitees() == ["E0", "E1", "E2", "E3", "E4"]


def test_many_invitees_of_one_event_are_paged(meetings, fake) -> None:
    group = fake.events[2]
    fake.invitees[group["uri"]] = [invitee(group, f"G{number}") for number in range(5)]
    run(meetings)
    assert {f"G{number}" for number in range(5)} <= set(ids(meetings, "invitees"))


def test_event_that_is_gone_does_not_stop_the_others(meetings, fake) -> None:
    gone = fake.events[1]["uri"]
    path = f"{EVENTS}/{gone.rsplit('/', 1)[-1]}/invitees"
    fake.script[path] = [refusal(404)]
    reports = run(meetings)
    assert (reports["invitees"].status, reports["invitees"].rows_landed) == ("ok", 4)


def test_invitees_wait_when_events_failed(meetings, fake) -> None:
    fake.script[EVENTS] = [refusal(403)]
    reports = run(meetings)
    assert reports["events"].status == "failed"
    assert "because events failed" in reports["invitees"].message
    assert fake.asked_invitees() == []


def test_events_inserted_while_paging_are_seen_now_or_the_next_night(meetings, fake) -> None:
    for day in ("2026-02-21", "2026-02-22", "2026-02-23"):
        fake.events.append(event(f"X{day[-2:]}", day))
    run(meetings, NIGHTS[0])
    early = event("EARLY", "2026-02-20", start_time="2026-02-20T08:00:00.000000Z")
    fake.script[EVENTS] = [Fault(), Fault(before=lambda: fake.events.append(early))]
    run(meetings, NIGHTS[1])
    run(meetings, NIGHTS[2])
    assert set(ids(meetings, "events")) >= {"EARLY", "X21", "X22", "X23", "E2", "E3", "E4"}


def test_killed_events_pull_goes_on_with_its_page(meetings, fake, monkeypatch) -> None:
    small_parts(monkeypatch)
    fake.script[EVENTS] = [Fault() for _ in range(9)] + [refusal(500) for _ in range(5)]
    reports = run(meetings)
    assert (reports["events"].status, reports["events"].is_transient) == ("failed", True)
    assert ids(meetings, "events") == []
    asked = len(fake.log)
    reports = run(meetings, NOW + timedelta(minutes=30))
    assert fake.log[asked].params == fake.log[asked - 1].params
    assert "page_token" in fake.log[asked].params
    assert sorted(ids(meetings, "events")) == ["E0", "E1", "E2", "E3", "E4"]
    assert [each.arrival for each in read_landings(meetings.home)] == [1, 2]


def test_killed_pull_whose_page_is_forgotten_begins_its_window_again(
    meetings, fake, monkeypatch
) -> None:
    small_parts(monkeypatch)
    fake.script[EVENTS] = [Fault() for _ in range(9)] + [refusal(500) for _ in range(5)]
    run(meetings)
    fake.forgotten = {fake.log[-1].params["page_token"]}
    asked = len(fake.log)
    fake.script[EVENTS] = [Fault(), Fault(before=fake.forgotten.clear)]
    assert run(meetings)["events"].status == "ok"
    assert "page_token" not in fake.log[asked + 1].params
    assert set(ids(meetings, "events")) == {"E0", "E1", "E2", "E3", "E4"}


def test_killed_invitees_pull_goes_on_after_its_last_event(meetings, fake, monkeypatch) -> None:
    small_parts(monkeypatch)
    fake.script[f"{EVENTS}/E3/invitees"] = [refusal(500) for _ in range(5)]
    reports = run(meetings)
    assert (reports["events"].status, reports["invitees"].status) == ("ok", "failed")
    assert ids(meetings, "invitees") == []
    fake.log.clear()
    fake.events.append(event("E2X", "2026-02-21"))
    reports = run(meetings, NOW + timedelta(minutes=30))
    assert [each.status for each in reports.values()] == ["ok", "ok"], reports
    assert fake.asked_invitees() == ["E3", "E4"]
    assert ids(meetings, "invitees") == ["I0", "I1", "I2", "I3", "I4"]
    fake.log.clear()
    run(meetings, NIGHTS[1])
    assert "E2X" in fake.asked_invitees()


def test_pages_that_repeat_are_an_error_instead_of_a_loop(meetings, fake) -> None:
    fake.same_token = True
    meetings.sources["meetings"].history_days = 0
    assert "repeats earlier pages" in run(meetings)["events"].message


def test_limit_without_retry_after_waits_until_the_vendors_reset(meetings, fake) -> None:
    fake.script[EVENTS] = [refusal(429, X_RateLimit_Reset="42", X_RateLimit_Remaining="0")]
    assert run(meetings)["events"].status == "ok"
    assert 42.0 in meetings.pauses


@pytest.mark.parametrize(
    "fault",
    [
        refusal(429, Retry_After="7"),
        refusal(429),
        refusal(500),
        Fault(truncate=True),
        Fault(body=b'{"collection": [{"name": "x"}], "pagination": {"next_page_token": null}}'),
        Fault(body=b'{"collection": []}'),
    ],
    ids=["429 with wait", "429", "500", "truncated", "no uri", "no pagination"],
)
def test_passing_fault_is_survived(meetings, fake, fault) -> None:
    fake.script[EVENTS] = [fault]
    assert run(meetings)["events"].rows_landed == 5
    assert (7.0 in meetings.pauses) == bool(fault.headers)


@pytest.mark.parametrize(("code", "told"), [(401, "not accepted"), (403, "may not read")])
def test_refused_token_fails_the_stream_without_telling_anything(
    meetings, fake, caplog, code: int, told: str
) -> None:
    caplog.set_level("DEBUG")
    fake.script[EVENTS] = [refusal(code)]
    report = run(meetings)["events"]
    assert (report.status, report.is_transient) == ("failed", False)
    assert told in report.message and "TEST_CALENDLY_TOKEN" in report.what_to_do
    for secret in (TOKEN, "person@example.com", "corp.example"):
        assert secret not in caplog.text + str(report)


def test_one_stream_that_is_forbidden_leaves_the_other(meetings, fake) -> None:
    fake.script[f"{EVENTS}/E0/invitees"] = [refusal(403)]
    reports = run(meetings)
    assert (reports["events"].status, reports["invitees"].status) == ("ok", "failed")
