"""Refusals, limits and broken answers of HubSpot: what stops, what is tried again, what is said."""

import logging

import pytest

from ingest.http import HttpClient
from ingest.http_codes import error_code, missing_scopes
from ingest.hubspot_api import INTERVAL_SECONDS, SEARCH_INTERVAL_SECONDS, is_day_spent
from tests.fakes.hubspot_server import VERSION
from tests.fakes.hubspot_shapes import DAILY, error, missing_scope, refused
from tests.fakes.server import Fault
from tests.unit.ingest.hubspot_portal import KEY, at

CONTACTS = f"/crm/objects/{VERSION}/contacts"


@pytest.fixture
def contacts(portal):
    """Three contacts in pages of two, and three streams."""
    portal.fake.list_cap = 2
    for number in ("1", "2", "3"):
        portal.fake.put("contacts", number, at(), email="someone@corp.example")
    portal.choose("owners", "contacts", "companies")
    return portal


def test_a_limit_without_a_wait_is_backed_off_and_tried_again(contacts) -> None:
    contacts.fake.script[CONTACTS] = [refused(429), refused(429)]
    report = contacts.pull()["contacts"]
    assert (report.status, report.retries) == ("ok", 2)
    assert len(contacts.pauses) == 2
    assert 1 <= contacts.pauses[0] < 2 <= contacts.pauses[1] < 3


def test_a_limit_of_some_seconds_is_not_the_limit_of_the_day(contacts) -> None:
    rolling = {**DAILY, "policyName": "TEN_SECONDLY_ROLLING"}
    named = {"X_HubSpot_RateLimit_Daily_Remaining": "4711"}
    contacts.fake.script[CONTACTS] = [refused(429, rolling, Retry_After="7", **named)]
    assert contacts.pull()["contacts"].status == "ok"
    assert contacts.pauses == [7]


@pytest.mark.parametrize(
    "refusal",
    [
        refused(429, DAILY),
        refused(429, {}, X_HubSpot_RateLimit_Daily_Remaining="0"),
        refused(429, DAILY, Retry_After="3600"),
    ],
)
def test_a_spent_day_stops_the_source_at_once(contacts, refusal) -> None:
    contacts.fake.script[CONTACTS] = [Fault(), refusal]
    reports = contacts.pull()
    assert contacts.pauses == []
    assert [each.status for each in reports.values()] == ["unchanged", "failed", "failed"]
    for name in ("contacts", "companies"):
        assert reports[name].is_transient
        assert "used up" in reports[name].message
        assert "tomorrow" in reports[name].what_to_do
    assert reports["companies"].requests == 0
    assert [each.path for each in contacts.fake.log][-2:] == [CONTACTS, CONTACTS]
    assert contacts.pull(1)["contacts"].status == "ok"


def test_what_tells_a_spent_day() -> None:
    assert is_day_spent({}, b'{"policyName": "DAILY"}')
    assert is_day_spent({"X-HubSpot-RateLimit-Daily-Remaining": " 0"}, b"<html>")
    assert not is_day_spent({"X-HubSpot-RateLimit-Daily-Remaining": "10"}, b"{}")
    assert not is_day_spent({}, b'["DAILY"]')
    assert not is_day_spent({}, b'{"policyName": "DAI')


def test_a_missing_scope_fails_its_stream_and_is_named(contacts) -> None:
    contacts.fake.script[CONTACTS] = [missing_scope("crm.objects.contacts.read")]
    reports = contacts.pull()
    report = reports["contacts"]
    assert (report.status, report.is_transient, report.requests) == ("failed", False, 1)
    assert "MISSING_SCOPES" in report.message
    assert "it lacks crm.objects.contacts.read" in report.message
    assert "TEST_HUBSPOT_KEY the scope crm.objects.contacts.read" in report.what_to_do
    assert "sources.crm.streams" in report.what_to_do
    assert reports["companies"].status == "unchanged"


@pytest.mark.parametrize(
    ("code", "is_transient", "words"),
    [
        (400, False, "api_version"),
        (401, False, "environment variable TEST_HUBSPOT_KEY"),
        (404, False, "sources.crm.base_url"),
        (414, False, "fewer properties"),
        (423, True, "Run again later"),
        (477, True, "Run again later"),
        (502, True, "Run again later"),
        (524, True, "Run again later"),
    ],
)
def test_refusals_say_what_helps(contacts, code, is_transient, words) -> None:
    contacts.fake.script[CONTACTS] = [refused(code)] * 5
    report = contacts.pull()["contacts"]
    assert (report.status, report.is_transient) == ("failed", is_transient)
    assert words in report.what_to_do
    assert f"status {code}" in report.message


def test_neither_key_nor_words_of_the_server_are_told(contacts, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    contacts.fake.script[CONTACTS] = [refused(400, error("VALIDATION_ERROR", "a@corp.example"))]
    report = contacts.pull()["contacts"]
    told = report.message + report.what_to_do + caplog.text
    assert "VALIDATION_ERROR" in told
    assert "request id req_" in told
    for private in (KEY, "corp.example"):
        assert private not in told


def test_codes_and_scopes_are_short_names_or_nothing() -> None:
    assert error_code({"error": {"code": "resource_missing"}}) == "resource_missing"
    assert error_code({"category": "RATE_LIMITS"}) == "RATE_LIMITS"
    assert error_code({"category": "someone@corp.example wrote this"}) == ""
    assert error_code(["nothing"]) == ""
    context = {"requiredScopes": ["a.read", "words of the server", "b", "c", "d"]}
    assert missing_scopes({"errors": [{"context": context}, "x"]}) == ["a.read", "b", "c"]
    assert missing_scopes({"errors": "none"}) == []


def test_a_missing_key_names_its_variable(contacts, monkeypatch) -> None:
    monkeypatch.delenv("TEST_HUBSPOT_KEY")
    reports = contacts.pull()
    assert {each.status for each in reports.values()} == {"failed"}
    assert "TEST_HUBSPOT_KEY" in reports["contacts"].message
    assert contacts.fake.log == []


def test_truncated_answers_and_failing_servers_are_asked_again(contacts) -> None:
    contacts.fake.script[CONTACTS] = [Fault(truncate=True), refused(500), Fault(), refused(504)]
    report = contacts.pull()["contacts"]
    assert (report.status, report.rows_landed) == ("ok", 3)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>maintenance</html>",
        b'{"results": {}}',
        b'{"results": [{"id": 7}]}',
        b'{"results": [], "paging": {"next": {}}}',
        b'{"results": [], "paging": "more"}',
    ],
)
def test_answers_that_are_no_list_are_not_used(contacts, body) -> None:
    contacts.fake.script[CONTACTS] = [Fault(body=body)] * 3
    report = contacts.pull()["contacts"]
    assert (report.status, report.is_transient) == ("failed", False)
    assert contacts.rows("select count(*) from raw.hubspot__contacts") == [(0,)]


def test_a_list_that_ignores_its_cursor_does_not_loop(contacts) -> None:
    contacts.fake.ignore_after = True
    report = contacts.pull()["contacts"]
    assert (report.status, report.is_transient) == ("failed", False)
    assert "ignores after" in report.message


@pytest.mark.parametrize(
    ("ids", "above"),
    [(["9", "8"], False), (["7", "abc"], False), (["1"], True)],
)
def test_a_search_out_of_order_is_refused(contacts, ids, above) -> None:
    contacts.pull()
    listed = ", ".join(f'{{"id": "{each}"}}' for each in ids)
    first = b'{"results": [{"id": "5"}], "paging": {"next": {"after": "1"}}}'
    page = f'{{"results": [{listed}]}}'.encode()
    bodies = [first, page] if above else [page] * 3
    contacts.fake.script[f"{CONTACTS}/search"] = [Fault(body=each) for each in bodies]
    assert contacts.pull(1)["contacts"].status == "failed"


def test_a_server_that_does_not_sort_is_refused(contacts) -> None:
    contacts.pull()
    contacts.fake.ignore_sort = True
    for number in ("30", "20"):
        contacts.fake.put("contacts", number, at(0.5))
    report = contacts.pull(1)["contacts"]
    assert report.status == "failed"
    assert "hs_object_id" in report.message


def test_requests_keep_their_distance(contacts) -> None:
    pauses: list[float] = []
    client = HttpClient("crm", contacts.fake.base_url, KEY, "X", 5, pause=pauses.append)
    for _ in range(3):
        client.get("/crm/owners/2026-09", {}, lambda _: None, interval_seconds=30)
    client.close()
    assert len(pauses) == 2
    assert all(0 < each <= 30 for each in pauses)


def test_the_vendors_own_address_is_paced_and_a_local_one_is_not(contacts, monkeypatch) -> None:
    intervals: list[float] = []
    monkeypatch.setattr(HttpClient, "_pace", lambda self, seconds: intervals.append(seconds))
    contacts.pull()
    assert set(intervals) == {0}
    intervals.clear()
    monkeypatch.setattr("ingest.hubspot_api.is_loopback", lambda host: False)
    contacts.pull(1)
    assert set(intervals) == {INTERVAL_SECONDS, SEARCH_INTERVAL_SECONDS}
    assert min(intervals) >= 10 / 90
