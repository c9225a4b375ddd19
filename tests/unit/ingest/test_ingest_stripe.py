"""Billing over HTTP: paging, resuming, and every way in which a server can misbehave."""

import json
import logging
from datetime import datetime, timedelta

import pytest
import zstandard

from ingest.addresses import check_base_url
from ingest.errors import PermanentSourceError
from ingest.landing import read_landings
from tests.fakes.stripe_server import FakeStripe, Fault, status

KEY = "rk_test_do_not_tell"
CUSTOMERS = "/v1/customers"
LATER = datetime(2026, 3, 2, 2, 0)


def customers(count: int, **fields) -> list[dict]:
    return [{"id": f"cus_{number:03d}", "object": "customer", **fields} for number in range(count)]


@pytest.fixture
def fake():
    with FakeStripe(objects={CUSTOMERS: customers(12)}, page_cap=5) as running:
        yield running


@pytest.fixture
def billing(night, fake, stripe_settings, monkeypatch):
    """A night with one stripe source against the fake, its key set."""
    monkeypatch.setenv("TEST_STRIPE_KEY", KEY + "\n")
    night.sources = {"billing": stripe_settings(fake.base_url)}
    return night


def test_all_pages_land_and_objects_are_rows(billing, fake) -> None:
    report = billing.stream("customers")
    assert (report.status, report.rows_landed, report.pages) == ("ok", 12, 3)
    assert [params.get("starting_after") for _, params in fake.requests] == [
        None,
        "cus_004",
        "cus_009",
    ]
    assert billing.rows(
        "select object_id, payload ->> '$.object', _source, _arrival, _row, typeof(payload),"
        " typeof(_retrieved_at) from raw.stripe__customers order by _row limit 1"
    ) == [("cus_000", "customer", "billing", 1, 1_000_000, "JSON", "TIMESTAMP")]


def test_requests_carry_key_version_and_limit(billing, fake) -> None:
    billing.run()
    headers = fake.request_headers[0]
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert headers["Stripe-Version"] == "2025-02-24.acacia"
    assert fake.requests[0][1]["limit"] == "100"


def test_netrc_never_replaces_the_key(billing, fake, tmp_path, monkeypatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    billing.run()
    assert fake.request_headers[0]["Authorization"] == f"Bearer {KEY}"


def test_canceled_subscriptions_are_asked_for(billing, fake, stripe_settings) -> None:
    fake.objects["/v1/subscriptions"] = [{"id": "sub_1"}]
    billing.sources = {"billing": stripe_settings(fake.base_url, streams=("subscriptions",))}
    billing.run()
    assert fake.requests[0][1]["status"] == "all"


def test_bodies_are_kept_as_received(billing, fake) -> None:
    billing.run()
    (part,) = billing.home.glob("landing/billing/customers/*/pages-*.ndjson.zst")
    with part.open("rb") as opened:
        lines = zstandard.ZstdDecompressor().stream_reader(opened).read().splitlines()
    envelopes = [json.loads(line) for line in lines]
    assert [each["request_id"] for each in envelopes] == ["req_1", "req_2", "req_3"]
    first_page = {
        "object": "list",
        "url": CUSTOMERS,
        "data": customers(5),
        "has_more": True,
    }
    assert envelopes[0]["body"] == json.dumps(first_page, indent=2)


def test_second_pull_lands_only_what_changed(billing, fake) -> None:
    billing.run()
    fake.objects[CUSTOMERS][3]["email"] = "new@corp.example"
    fake.objects[CUSTOMERS].insert(0, {"id": "cus_new"})
    report = billing.stream("customers", now=LATER)
    assert (report.rows_landed, report.last_arrival) == (2, 2)
    assert billing.stream("customers", now=LATER).status == "unchanged"
    assert billing.rows("select count(*), max(_arrival) from raw.stripe__customers") == [(14, 2)]


def test_object_returning_to_an_earlier_state_lands_again(billing, fake) -> None:
    for name in ("a", "b", "a"):
        fake.objects[CUSTOMERS][0]["name"] = name
        billing.run()
    assert billing.rows(
        "select payload ->> '$.name' from raw.stripe__customers where object_id = 'cus_000'"
        " order by _arrival"
    ) == [("a",), ("b",), ("a",)]


def test_rows_inserted_while_paging_lose_nothing(billing, fake) -> None:
    newest = {"id": "cus_newest"}
    insert = Fault(before=lambda: fake.objects[CUSTOMERS].insert(0, newest))
    fake.script[CUSTOMERS] = [Fault(), insert]
    assert billing.stream("customers").rows_landed == 12
    assert billing.stream("customers", now=LATER).rows_landed == 1


def test_all_lines_of_long_invoices_land(billing, fake, stripe_settings) -> None:
    lines = [{"id": f"il_{number}", "amount": number} for number in range(12)]
    short = {"object": "list", "data": lines[:1], "has_more": False}
    long = {"object": "list", "data": lines[:10], "has_more": True}
    fake.objects["/v1/invoices"] = [
        {"id": "in_long", "lines": long},
        {"id": "in_short", "lines": short},
    ]
    fake.objects["/v1/invoices/in_long/lines"] = lines
    billing.sources = {"billing": stripe_settings(fake.base_url, streams=("invoices",))}
    assert billing.stream("invoices").rows_landed == 2 + 12
    query = (
        "select parent_id, count(*), sum((payload ->> '$.amount')::int), max(_arrival)"
        " from raw.stripe__invoice_lines group by 1"
    )
    assert billing.rows(query) == [("in_long", 12, 66, 1)]
    billing.run()
    assert billing.rows(query) == [("in_long", 12, 66, 1)]
    lines[11]["amount"] = 100
    billing.run()
    assert billing.rows(
        "select _arrival, count(*) from raw.stripe__invoice_lines group by 1 order by 1"
    ) == [(1, 12), (3, 12)]


@pytest.mark.parametrize(
    ("code", "is_transient", "words"),
    [
        (401, False, "environment variable TEST_STRIPE_KEY"),
        (403, False, "read permission"),
        (404, False, "sources.billing.base_url"),
        (400, False, "api_version"),
        (302, False, "base_url"),
        (429, True, "later"),
        (500, True, "later"),
        (503, True, "later"),
    ],
)
def test_refusals_say_what_to_do_and_never_the_key(
    billing, fake, caplog, code: int, is_transient: bool, words: str
) -> None:
    caplog.set_level(logging.DEBUG)
    fake.script[CUSTOMERS] = [status(code) for _ in range(20)]
    report = billing.stream("customers")
    assert report.status == "failed"
    assert report.is_transient is is_transient
    assert f"GET /v1/customers: status {code}" in report.message
    assert words in report.what_to_do
    assert len(fake.requests) == (5 if is_transient else 1)
    for told in (str(report), caplog.text):
        assert KEY not in told
        assert "sk_live" not in told
    assert read_landings(billing.home) == []


def test_403_on_one_stream_fails_it_and_others_land(billing, fake, stripe_settings) -> None:
    fake.objects["/v1/refunds"] = [{"id": "re_1"}]
    fake.script[CUSTOMERS] = [status(403)]
    billing.sources = {"billing": stripe_settings(fake.base_url, streams=("customers", "refunds"))}
    by_name = {each.stream: each.status for each in billing.run().streams}
    assert by_name == {"customers": "failed", "refunds": "ok"}


def test_429_with_retry_after_waits_as_asked(billing, fake) -> None:
    fake.script[CUSTOMERS] = [status(429, Retry_After="7"), Fault()]
    assert billing.stream("customers").status == "ok"
    assert billing.pauses == [7]


def test_429_without_retry_after_backs_off_longer_each_time(billing, fake) -> None:
    fake.script[CUSTOMERS] = [status(429) for _ in range(4)]
    assert billing.stream("customers").status == "ok"
    assert len(billing.pauses) == 4
    for number, pause in enumerate(billing.pauses):
        assert 2**number <= pause < 2**number + 1


def test_429_asking_for_hours_ends_the_stream_at_once(billing, fake) -> None:
    fake.script[CUSTOMERS] = [status(429, Retry_After="7200")]
    report = billing.stream("customers")
    assert report.is_transient
    assert "wait 7200 s" in report.message
    assert billing.pauses == []


def test_odd_retry_after_is_taken_as_none(billing, fake) -> None:
    fake.script[CUSTOMERS] = [status(503, Retry_After="soon")]
    assert billing.stream("customers").status == "ok"
    assert 1 <= billing.pauses[0] < 2


def test_500_then_ok_goes_on(billing, fake) -> None:
    fake.script[CUSTOMERS] = [Fault(), status(500), status(502)]
    assert billing.stream("customers").rows_landed == 12


def test_truncated_body_is_asked_for_again(billing, fake) -> None:
    fake.script[CUSTOMERS] = [Fault(truncate=True)]
    assert billing.stream("customers").rows_landed == 12


def test_body_truncated_every_time_is_transient(billing, fake) -> None:
    fake.script[CUSTOMERS] = [Fault(truncate=True) for _ in range(9)]
    report = billing.stream("customers")
    assert report.is_transient
    assert "broke off, 3 times" in report.message


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html>sign in</html>", "not JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[]", "no list named data"),
        (b'{"data": {}, "has_more": false}', "no list named data"),
        (b'{"data": []}', "no has_more"),
        (b'{"data": [{"name": "x"}], "has_more": false}', "no id"),
        (b'{"data": [], "has_more": true}', "more follows"),
    ],
)
def test_garbage_is_tried_again_then_permanent(billing, fake, body: bytes, words: str) -> None:
    fake.script[CUSTOMERS] = [Fault(body=body)]
    assert billing.stream("customers").status == "ok"
    fake.script[CUSTOMERS] = [Fault(body=body) for _ in range(3)]
    report = billing.stream("customers")
    assert (report.status, report.is_transient) == ("failed", False)
    assert words in report.message


def test_server_ignoring_the_cursor_is_named(billing, fake) -> None:
    fake.ignore_cursor = {CUSTOMERS}
    report = billing.stream("customers")
    assert (report.status, report.is_transient) == ("failed", False)
    assert "ignores starting_after" in report.message
    assert len(fake.requests) == 2


def test_no_server_is_transient(billing, stripe_settings) -> None:
    billing.sources = {"billing": stripe_settings("http://127.0.0.1:9")}
    report = billing.stream("customers")
    assert report.is_transient
    assert "no answer after 5 tries" in report.message


def test_unset_key_names_the_variable(billing, fake, monkeypatch) -> None:
    monkeypatch.delenv("TEST_STRIPE_KEY")
    report = billing.stream("customers")
    assert report.message == "the environment variable TEST_STRIPE_KEY is not set"
    assert fake.requests == []


def test_key_with_foreign_characters_is_refused_unseen(billing, monkeypatch) -> None:
    monkeypatch.setenv("TEST_STRIPE_KEY", "rk_\u2026secret")
    report = billing.stream("customers")
    assert report.status == "failed"
    assert "secret" not in str(report)


@pytest.mark.parametrize(
    "address",
    ["http://api.example", "https://user:pw@api.example", "ftp://api.example", "https://"],
)
def test_unsafe_addresses_are_refused(address: str) -> None:
    with pytest.raises(PermanentSourceError) as caught:
        check_base_url(address, "sources.billing.base_url")
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize(
    "address", ["https://api.stripe.com", "http://localhost:1", "http://[::1]:1"]
)
def test_safe_addresses_pass(address: str) -> None:
    check_base_url(address, "sources.billing.base_url")


def test_far_shorter_list_is_not_used_unless_accepted(billing, fake) -> None:
    billing.run()
    del fake.objects[CUSTOMERS][9:]
    report = billing.stream("customers", now=LATER)
    assert (report.status, report.last_arrival) == ("failed", 1)
    assert "9 objects, last time it had 12" in report.message
    assert "--accept-fewer" in report.what_to_do
    assert billing.stream("customers", now=LATER).status == "failed"
    assert "3 vanished" in billing.stream("customers", now=LATER, accept_fewer=True).message
    assert billing.stream("customers", now=LATER).status == "unchanged"


def test_slightly_shorter_list_is_used(billing, fake) -> None:
    billing.run()
    del fake.objects[CUSTOMERS][10:]
    assert billing.stream("customers", now=LATER).rows_landed == 2
    assert billing.rows(
        "select object_id, payload ->> '$.object' from raw.stripe__customers"
        " where is_tombstone order by 1"
    ) == [("cus_010", "customer"), ("cus_011", "customer")]


def small_parts(monkeypatch, pages: int = 1) -> None:
    import ingest.run

    original = ingest.run.PullOptions
    monkeypatch.setattr(
        ingest.run, "PullOptions", lambda *given: original(*given, part_pages=pages)
    )


def test_failed_pull_goes_on_after_its_last_part(billing, fake, monkeypatch) -> None:
    small_parts(monkeypatch)
    fake.script[CUSTOMERS] = [Fault(), Fault()] + [status(500) for _ in range(5)]
    assert billing.stream("customers").status == "failed"
    assert billing.rows("select count(*) from raw.stripe__customers") == [(0,)]
    fake.log.clear()
    report = billing.stream("customers", now=LATER - timedelta(hours=23, minutes=30))
    assert (report.rows_landed, report.pages, report.last_arrival) == (12, 3, 1)
    assert [params.get("starting_after") for _, params in fake.requests] == ["cus_009"]
    assert billing.rows(
        "select count(*), count(distinct object_id), count(distinct _row) from"
        " raw.stripe__customers"
    ) == [(12, 12, 12)]


def test_one_object_of_a_short_list_may_go(billing, fake) -> None:
    fake.objects[CUSTOMERS] = customers(4)
    billing.run()
    del fake.objects[CUSTOMERS][3:]
    assert "1 vanished" in billing.stream("customers", now=LATER).message


def test_list_of_another_account_is_refused(billing, fake) -> None:
    billing.run()
    fake.objects[CUSTOMERS] = [{"id": f"cus_x{number:02d}"} for number in range(12)]
    report = billing.stream("customers", now=LATER)
    assert report.status == "failed"
    assert "12 of the 12 objects of last time are gone" in report.message
    assert "--accept-fewer" in report.what_to_do


def test_old_failed_pull_is_begun_anew(billing, fake, monkeypatch) -> None:
    small_parts(monkeypatch)
    fake.script[CUSTOMERS] = [Fault()] + [status(500) for _ in range(5)]
    billing.run()
    report = billing.stream("customers", now=LATER + timedelta(days=1))
    assert (report.rows_landed, report.pages, report.last_arrival) == (12, 3, 2)
    assert [landing.is_abandoned for landing in read_landings(billing.home)] == [True, False]


def test_loop_is_seen_across_a_resumed_pull(billing, fake, monkeypatch) -> None:
    small_parts(monkeypatch)
    fake.script[CUSTOMERS] = [Fault(), Fault()] + [status(500) for _ in range(5)]
    billing.run()
    fake.ignore_cursor = {CUSTOMERS}
    assert "ignores starting_after" in billing.stream("customers").message


def test_parts_hold_at_most_the_configured_pages(billing, fake, monkeypatch) -> None:
    small_parts(monkeypatch, pages=2)
    fake.objects[CUSTOMERS] = customers(22)
    billing.run()
    (landing,) = read_landings(billing.home)
    assert [part.rows for part in landing.parts if part.role == "pages"] == [2, 2, 1]


def test_full_disk_while_pulling_is_told_and_continued(billing, fake, monkeypatch) -> None:
    import os

    small_parts(monkeypatch)
    real, calls = os.fsync, []

    def full_later(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) > 8:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full_later)
    report = billing.stream("customers")
    monkeypatch.setattr(os, "fsync", real)
    assert report.is_transient
    assert "no space left" in report.message
    assert billing.stream("customers").rows_landed == 12


def test_empty_list_lands_and_is_visible(billing, fake) -> None:
    fake.objects[CUSTOMERS] = []
    assert billing.stream("customers").status == "unchanged"
    assert billing.rows("select count(*) from raw.stripe__customers") == [(0,)]
