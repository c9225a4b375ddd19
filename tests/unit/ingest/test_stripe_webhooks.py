"""Webhook bodies in a folder: checked, landed as events, refused with file, line and reason."""

import json
import os
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
import stripe

from tests.fakes.stripe_server import Fault, status

SECRET = "whsec_do_not_tell"
RECEIVED = datetime(2026, 3, 1, 1, 0, tzinfo=UTC)
ROTATED = "00" * 32


def event(number: int, kind: str = "customer", name: str = "cus_1") -> dict:
    return {
        "id": f"evt_hook_{number}",
        "object": "event",
        "type": f"{kind}.updated",
        "created": int(RECEIVED.timestamp()),
        "data": {"object": {"id": name, "object": kind}},
    }


def signed(body: str, secret: str = SECRET, at: datetime = RECEIVED) -> str:
    """The header as the official SDK makes it."""
    return stripe.WebhookSignature.generate_signature_header(
        body, secret, timestamp=int(at.timestamp())
    )


def line(found: dict, *, received_at: str | None = None, **headers: str) -> str:
    """A line as a receiver drops it; the body keeps the sender's own spacing."""
    body = json.dumps(found, indent=2)
    given = {"Content-Type": "application/json", "Stripe-Signature": signed(body), **headers}
    received = received_at or RECEIVED.isoformat()
    return json.dumps({"body": body, "headers": given, "received_at": received})


@pytest.fixture
def hooks(account, monkeypatch):
    """The account with a folder of bodies whose signatures are checked, after its first night."""
    monkeypatch.setenv("TEST_WEBHOOK_SECRET", SECRET)
    account.folder = account.night.root / "hooks"
    account.folder.mkdir()
    webhooks = SimpleNamespace(path="hooks", secret_env="TEST_WEBHOOK_SECRET")
    account.settings(webhooks=webhooks)
    account.fake.put({"id": "cus_1", "object": "customer", "version": 1})
    account.pull(0)
    return account


def drop(hooks, name: str, *lines: str) -> None:
    (hooks.folder / name).write_text("".join(each + "\n" for each in lines), encoding="utf-8")


def change(hooks, version: int) -> None:
    """A change that the feed does not tell."""
    hooks.fake.put({"id": "cus_1", "object": "customer", "version": version})


def rejects(hooks) -> list[tuple]:
    return hooks.night.rows(
        "select file, line, column_name, reason from raw.ingest__rejects order by file, line"
    )


def test_bodies_land_as_events_and_objects_follow_them(hooks) -> None:
    change(hooks, 2)
    drop(hooks, "a.ndjson", line(event(1)))
    reports = hooks.pull(1)
    assert list(reports) == ["events", "webhooks", "customers", "invoices"]
    assert reports["webhooks"].rows_landed == 1
    assert hooks.paths() == ["/v1/customers/cus_1"]
    assert hooks.night.rows(
        "select object_id, payload ->> '$.data.object.id', is_tombstone from raw.stripe__events"
    ) == [("evt_hook_1", "cus_1", False)]
    assert hooks.night.rows(
        "select payload ->> '$.version' from raw.stripe__customers order by _arrival"
    ) == [("1",), ("2",)]
    hooks.pull(2)
    assert hooks.paths() == []


def test_event_that_is_pulled_too_has_one_id_and_one_question(hooks) -> None:
    hooks.at(0.5)
    told = hooks.fake.put({"id": "cus_1", "object": "customer", "version": 2}, "customer.updated")
    dropped = {**event(1), "id": "evt_0001"}
    assert dropped["data"]["object"]["id"] == told["id"]
    drop(hooks, "a.ndjson", line(dropped))
    hooks.pull(1)
    assert hooks.paths() == ["/v1/customers/cus_1"]
    assert hooks.night.rows("select count(distinct object_id) from raw.stripe__events") == [(1,)]


def test_same_bytes_twice_are_a_no_op_and_new_bytes_land(hooks) -> None:
    drop(hooks, "a.ndjson", line(event(1)))
    assert hooks.pull(1)["webhooks"].rows_landed == 1
    drop(hooks, "again.ndjson", line(event(1)))
    assert hooks.pull(2)["webhooks"].status == "unchanged"
    drop(hooks, "a.ndjson", line(event(1)), line(event(2)))
    assert hooks.pull(3)["webhooks"].rows_landed == 1
    assert hooks.pull(4)["webhooks"].pages == 0


def test_files_that_have_not_arrived_and_others_are_not_read(hooks) -> None:
    for name in ("a.ndjson.tmp", "b.ndjson.part", ".c.ndjson", "README.md", "d.PART"):
        drop(hooks, name, "not a body")
    (hooks.folder / "sub.ndjson").mkdir()
    report = hooks.pull(1)["webhooks"]
    assert (report.status, report.rows_rejected) == ("unchanged", 0)


def test_lines_that_fail_are_rejected_by_line_and_the_rest_lands(hooks) -> None:
    good = event(1)
    body = json.dumps(good, indent=2)
    late = (RECEIVED + timedelta(minutes=6)).isoformat()
    early = (RECEIVED - timedelta(minutes=6)).isoformat()
    cases = [
        (line(good), None),
        ("", None),
        ("not json", ("", "not a JSON object")),
        ("[1]", ("", "not a JSON object")),
        (json.dumps({"body": good}), ("body", "not the text")),
        (json.dumps({"body": body}), ("headers", "are missing")),
        (line(good, received_at="yesterday"), ("received_at", "ISO 8601")),
        (line(good, received_at="2026-03-01T01:00:00"), ("received_at", "with an offset")),
        (line(good, received_at=late), ("received_at", "more than 300 s")),
        (line(good, received_at=early), ("received_at", "more than 300 s")),
        (line(good, **{"Stripe-Signature": "v1=12"}), ("headers", "a time and a v1")),
        (line(good, **{"Stripe-Signature": "t=12"}), ("headers", "a time and a v1")),
        (line(good, **{"Stripe-Signature": "t=-1,v1=é"}), ("headers", "a time and a v1")),
        (line(good, **{"Stripe-Signature": "t=1,v1=é"}), ("headers", "not of this body")),
        (line(good, **{"Stripe-Signature": signed(body, "other")}), ("headers", "not of this")),
        (line(good, **{"Stripe-Signature": signed(body + " ")}), ("headers", "not of this body")),
        (line({"object": "charge", "id": "ch_1"}), ("body", "not an event")),
        (line({"object": "v2.core.event", "id": "evt_2"}), ("body", "not an event")),
        (line({"object": "event"}), ("body", "not an event")),
        (line({"object": "event", "id": ""}), ("body", "not an event")),
        (line({"object": "event", "id": "evt\0"}), ("body", "not an event")),
        (line(event(2)), None),
    ]
    drop(hooks, "a.ndjson", *[each for each, _ in cases])
    report = hooks.pull(1)["webhooks"]
    assert (report.status, report.rows_landed, report.rows_rejected) == ("ok", 2, 19)
    assert "19 rejected, first: a.ndjson, line 3" in report.message
    told = rejects(hooks)
    expected = [
        (number, column, words)
        for number, (_, refused) in enumerate(cases, start=1)
        if refused
        for column, words in [refused]
    ]
    assert [(row[1], row[2]) for row in told] == [
        (number, column) for number, column, _ in expected
    ]
    for (_, _, _, reason), (_, _, words) in zip(told, expected, strict=True):
        assert words in reason
    assert [each.line for each in report.rejects] == [row[1] for row in told]
    assert SECRET not in str(report) + str(report.rejects)


def test_one_of_several_signatures_is_enough_and_names_of_headers_have_any_case(hooks) -> None:
    found = event(1)
    header = signed(json.dumps(found, indent=2)).replace("v1=", f"v1={ROTATED},v0=1,v1=")
    dropped = json.loads(line(found))
    dropped["headers"] = {"stripe-signature": header}
    drop(hooks, "a.ndjson", json.dumps(dropped))
    assert hooks.pull(1)["webhooks"].rows_landed == 1


def test_wrong_secret_loses_nothing_once_it_is_put_right(hooks, monkeypatch) -> None:
    drop(hooks, "a.ndjson", line(event(1)), line(event(2)))
    monkeypatch.setenv("TEST_WEBHOOK_SECRET", "whsec_of_another_endpoint")
    for day in (1, 2):
        assert hooks.pull(day)["webhooks"].rows_rejected == 2
        assert len(rejects(hooks)) == 2
    monkeypatch.setenv("TEST_WEBHOOK_SECRET", SECRET)
    report = hooks.pull(3)["webhooks"]
    assert (report.rows_landed, report.rows_rejected) == (2, 0)
    assert rejects(hooks) == []


def test_unset_secret_names_its_variable(hooks, monkeypatch) -> None:
    monkeypatch.delenv("TEST_WEBHOOK_SECRET")
    drop(hooks, "a.ndjson", line(event(1)))
    reports = hooks.pull(1)
    assert reports["webhooks"].status == "failed"
    assert "TEST_WEBHOOK_SECRET is not set" in reports["webhooks"].message
    assert "webhooks.secret_env" in reports["webhooks"].what_to_do
    # The feed tells the same; objects do not wait for the folder.
    assert reports["customers"].status == "unchanged"


def test_without_a_secret_only_the_body_counts(hooks) -> None:
    hooks.settings(webhooks=SimpleNamespace(path="hooks", secret_env=None))
    drop(hooks, "a.ndjson", json.dumps({"body": json.dumps(event(1))}), "{}")
    report = hooks.pull(1)["webhooks"]
    assert (report.rows_landed, report.rows_rejected) == (1, 1)


def test_missing_folder_says_which_setting_names_it(hooks) -> None:
    hooks.settings(webhooks=SimpleNamespace(path="elsewhere", secret_env=None))
    report = hooks.pull(1)["webhooks"]
    assert report.status == "failed"
    assert "elsewhere" in report.message
    assert "sources.billing.webhooks.path" in report.what_to_do


def test_many_bodies_land_as_received_in_pages_of_bounded_size(hooks) -> None:
    lines = [line({**event(number), "text": 'a "quoted"\n\u2028 word'}) for number in range(1201)]
    drop(hooks, "a.ndjson", *lines)
    report = hooks.pull(1)["webhooks"]
    assert (report.rows_landed, report.pages) == (1201, 3)
    assert hooks.night.rows(
        "select count(distinct object_id), min(payload ->> '$.text') from raw.stripe__events"
    ) == [(1201, 'a "quoted"\n\u2028 word')]


def test_killed_reading_lands_each_event_once_and_tells_rejects_again(hooks, monkeypatch) -> None:
    drop(hooks, "a.ndjson", line(event(1)), "torn")
    drop(hooks, "b.ndjson", line(event(2)))
    hooks.small_parts(monkeypatch)
    real = os.fsync
    for allowed in range(20):
        left = iter(range(allowed))

        def full_later(descriptor: int, left=left) -> None:
            if next(left, None) is None:
                raise OSError(28, "No space left on device")
            real(descriptor)

        monkeypatch.setattr(os, "fsync", full_later)
        hooks.pull(1, streams=("webhooks",))
        monkeypatch.setattr(os, "fsync", real)
    report = hooks.pull(1.01, streams=("webhooks",))["webhooks"]
    assert report.status in ("ok", "unchanged")
    assert hooks.night.rows(
        "select object_id, count(*) from raw.stripe__events group by 1 order by 1"
    ) == [("evt_hook_1", 1), ("evt_hook_2", 1)]
    assert [row[:2] for row in rejects(hooks)] == [("a.ndjson", 2)]


def test_feed_that_lands_after_a_newer_webhook_is_not_skipped(hooks, monkeypatch) -> None:
    hooks.small_parts(monkeypatch)
    hooks.fake.page_cap = 1
    for number in range(2):
        hooks.at(0.5 + number / 10)
        hooks.fake.put({"id": f"cus_of_feed_{number}", "object": "customer"}, "customer.created")
    hooks.fake.script["/v1/events"] = [Fault()] + [status(500)] * 5
    assert hooks.pull(1, streams=("events",))["events"].is_transient
    drop(hooks, "a.ndjson", line(event(1)))
    hooks.pull(1.1, streams=("webhooks", "customers"))
    assert hooks.paths() == ["/v1/customers/cus_1"]
    # The feed's landing was begun before that of the webhooks, and is seen after it.
    hooks.pull(1.2)
    assert hooks.paths() == ["/v1/customers/cus_of_feed_0", "/v1/customers/cus_of_feed_1"]
