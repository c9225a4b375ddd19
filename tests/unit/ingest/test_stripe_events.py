"""The event feed: where it begins, how far it was read, clocks that differ, gaps that are told."""

from datetime import timedelta

from tests.fakes.stripe_server import DAY, Fault, status

EVENTS = "/v1/events"
HOUR = 3600


def customer(account, name: str, day: float, event_type: str = "customer.updated") -> None:
    """A customer that is new or changed at that time of the server."""
    account.at(day)
    account.fake.put({"id": f"cus_{name}", "object": "customer", "day": day}, event_type)


def landed(account) -> list[str]:
    rows = account.night.rows("select distinct object_id from raw.stripe__events order by 1")
    return [row[0] for row in rows]


def days_of(account, name: str) -> list[float]:
    """What the landed versions of a customer say, oldest first."""
    rows = account.night.rows(
        "select cast(payload ->> '$.day' as double) from raw.stripe__customers"
        f" where object_id = 'cus_{name}' order by _arrival, _row"
    )
    return [row[0] for row in rows]


def test_first_pull_only_finds_where_the_feed_stands(account) -> None:
    for day in (-9, -5, -1):
        customer(account, "old", day)
    report = account.pull(0)["events"]
    assert account.asked(EVENTS) == [{"limit": "1"}]
    assert (report.mode, report.rows_landed) == ("changes", 1)
    assert "followed from here on" in report.message
    assert landed(account) == ["evt_0003"]


def test_next_pull_asks_from_the_newest_event_less_the_overlap_to_the_frozen_end(account) -> None:
    customer(account, "a", -0.5)
    account.pull(0)
    customer(account, "b", 0.5)
    account.pull(1)
    (asked,) = account.asked(EVENTS)
    newest = account.fake.objects[EVENTS][1]["created"]
    assert asked == {
        "created[gte]": str(newest - HOUR),
        "created[lte]": str(account.fake.clock),
        "limit": "100",
    }
    assert landed(account) == ["evt_0001", "evt_0002"]


def test_overlap_reads_events_that_appear_late_and_lands_each_once(account) -> None:
    account.pull(0)
    customer(account, "a", 0.9)
    account.pull(1)
    # It happened before the newest event that was seen, but was not there yet.
    customer(account, "b", 0.88)
    assert account.pull(2)["customers"].rows_landed == 1
    assert account.night.rows(
        "select object_id, count(*) from raw.stripe__events group by 1 order by 1"
    ) == [("evt_0001", 1), ("evt_0002", 1)]
    assert days_of(account, "b") == [0.88]


def test_account_without_events_is_read_from_the_beginning_until_one_is_seen(account) -> None:
    account.pull(0)
    account.pull(1)
    assert account.asked(EVENTS) == [{"created[lte]": str(account.fake.clock), "limit": "100"}]
    customer(account, "a", 1.5)
    account.pull(2)
    assert landed(account) == ["evt_0001"]


def test_clock_ahead_of_stripes_leaves_out_nothing(account) -> None:
    account.skew = timedelta(hours=5)
    customer(account, "a", -1)
    account.pull(0)
    # After the pull, yet before what our clock called its end, less the overlap.
    customer(account, "b", 0.1)
    account.pull(1)
    customer(account, "c", 1.1)
    account.pull(2)
    assert landed(account) == ["evt_0001", "evt_0002", "evt_0003"]
    assert days_of(account, "b") == [0.1]
    assert days_of(account, "c") == [1.1]


def test_clock_behind_stripes_reads_the_rest_the_next_night(account) -> None:
    account.skew = timedelta(hours=-5)
    account.pull(0)
    customer(account, "a", 0.9)
    account.pull(1)
    assert landed(account) == []
    assert account.pull(2)["customers"].rows_landed == 1
    assert landed(account) == ["evt_0001"]


def test_events_that_happen_while_the_feed_is_paged_come_the_next_night(account) -> None:
    account.pull(0)
    for number in range(6):
        customer(account, str(number), 0.5 + number / 100)
    account.fake.page_cap = 2
    account.fake.script[EVENTS] = [Fault(), Fault(before=lambda: customer(account, "new", 1.01))]
    account.pull(1)
    assert len(landed(account)) == 6
    account.pull(2)
    assert len(landed(account)) == 7
    assert days_of(account, "new") == [1.01]


def test_events_with_one_time_on_more_than_a_page_all_land(account) -> None:
    account.pull(0)
    for number in range(7):
        customer(account, str(number), 0.5)
    account.fake.page_cap = 2
    account.pull(1)
    assert len(landed(account)) == 7


def test_killed_feed_goes_on_at_its_cursor_with_the_same_end(account, monkeypatch) -> None:
    account.pull(0)
    for number in range(6):
        customer(account, str(number), 0.5 + number / 100)
    account.fake.page_cap = 2
    account.small_parts(monkeypatch)
    account.fake.script[EVENTS] = [Fault()] + [status(500)] * 5
    reports = account.pull(1)
    frozen = account.asked(EVENTS)[0]["created[lte]"]
    assert reports["events"].is_transient
    # What follows the feed is not pulled without it.
    assert reports["customers"].status == "failed"
    assert "because events failed" in reports["customers"].message
    assert account.asked("/v1/customers") == []
    customer(account, "later", 1.01)
    reports = account.pull(1.02)
    asked = account.asked(EVENTS)
    assert asked[0]["starting_after"] == "evt_0005"
    assert {each["created[lte]"] for each in asked} == {frozen}
    assert (reports["events"].rows_landed, reports["customers"].rows_landed) == (6, 6)
    assert days_of(account, "later") == []
    account.pull(2)
    assert days_of(account, "later") == [1.01]


def test_gap_longer_than_the_feeds_memory_lists_everything_and_says_why(account) -> None:
    customer(account, "a", -1)
    account.pull(0)
    customer(account, "b", 2)
    customer(account, "a", 3)
    reports = account.pull(40)
    assert "last read 40 days ago" in reports["events"].message
    assert account.asked(EVENTS) == [{"limit": "1"}]
    for name in ("customers", "invoices"):
        assert reports[name].mode == "full"
        assert "everything listed: the event feed was last read 40 days ago" in (
            reports[name].message
        )
    assert days_of(account, "a") == [-1, 3]
    assert days_of(account, "b") == [2]
    assert account.pull(41)["customers"].mode == "changes"


def test_gap_within_the_feeds_memory_is_read_from_it(account) -> None:
    account.pull(0)
    customer(account, "a", 1)
    reports = account.pull(24)
    assert reports["customers"].mode == "changes"
    assert days_of(account, "a") == [1]


def test_gap_is_told_to_a_stream_that_failed_on_the_night_it_was_seen(account) -> None:
    account.pull(0)
    customer(account, "a", 2)
    account.fake.script["/v1/customers"] = [status(500)] * 5
    assert account.pull(40)["customers"].status == "failed"
    report = account.pull(41)["customers"]
    assert report.mode == "full"
    assert days_of(account, "a") == [2]


def test_stream_that_failed_for_months_consumes_what_the_feed_landed_meanwhile(account) -> None:
    account.settings(full_scan_days=0)
    account.pull(0)
    customer(account, "a", 1)
    for day in range(2, 62, 20):
        account.fake.script["/v1/customers/cus_a"] = [status(403)]
        assert account.pull(day)["customers"].status == "failed"
    assert account.pull(62)["customers"].mode == "changes"
    assert days_of(account, "a") == [1]


def test_fake_forgets_events_after_30_days(account) -> None:
    customer(account, "a", 0)
    account.pull(0)
    account.at(31)
    assert account.fake.clock - account.fake.objects[EVENTS][0]["created"] > 30 * DAY
    account.pull(31)
    assert landed(account) == ["evt_0001"]
