"""Which version of an object counts, and answers that are unlike others, whatever the vendor."""

import json
from urllib.parse import quote

import pytest

from ingest.landing import LandingWriter
from tests.fakes.server import Fault
from tests.fakes.stripe_server import FakeStripe

CUSTOMERS = "/v1/customers"
LARGE_BYTES = 40_000_000


def emails(account) -> dict[str, str]:
    found = account.night.rows(
        "select object_id, max_by(payload, (_arrival, _row)) from raw.stripe__customers group by 1"
    )
    return {name: json.loads(payload)["email"] for name, payload in found}


def test_an_object_that_a_list_shows_changed_and_then_as_before_is_as_before(account) -> None:
    fake: FakeStripe = account.fake
    for number in range(4):
        fake.put({"id": f"cus_{number}", "object": "customer", "email": "before"})
    account.settings(changes="full_list", created_windows=False, streams=("customers",))
    account.pull(0)
    fake.page_cap = 2
    fake.repeat_rows = {CUSTOMERS}
    listed = fake.objects[CUSTOMERS]
    before = listed[1]

    def change() -> None:
        listed[1] = {**before, "email": "meanwhile"}

    def change_back() -> None:
        listed[1] = before

    fake.script[CUSTOMERS] = [Fault(before=change), Fault(before=change_back)]
    assert account.pull(1)["customers"].status == "ok"
    assert set(emails(account).values()) == {"before"}


def test_one_very_large_answer_is_landed(account) -> None:
    account.fake.put({"id": "cus_0", "object": "customer", "email": "x" * LARGE_BYTES})
    report = account.pull(0)["customers"]
    assert (report.status, report.rows_landed) == ("ok", 1), report.message


def test_lines_of_an_invoice_are_asked_for_under_its_id_whatever_it_is(account) -> None:
    lines = [{"id": f"il_{number}", "amount": number} for number in range(3)]
    names = ["in/1", "in?1", 'in"1', "in 1", "in_ü"]
    for name in names:
        embedded = {"data": lines[:1], "has_more": True}
        account.fake.put({"id": name, "object": "invoice", "lines": embedded})
        account.fake.objects[f"/v1/invoices/{quote(name, safe='')}/lines"] = lines
    account.pull(0)
    assert account.night.rows(
        "select parent_id, count(*) from raw.stripe__invoice_lines group by 1 order by 1"
    ) == [(name, 3) for name in sorted(names)]


def test_a_short_list_that_was_read_before_a_kill_is_not_read_again_beside_its_rows(
    portal, monkeypatch
) -> None:
    portal.fake.add_pipeline("first", ("open", False, "0.4"))
    portal.choose("pipelines")

    def die(*_: object) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(LandingWriter, "finalise", die)
        with pytest.raises(SystemExit):
            portal.pull(0)
    portal.fake.add_pipeline("second", ("won", True, "1.0"))
    assert portal.pull(0.02)["pipelines"].rows_landed == 1
    assert portal.fake.log == []
    assert portal.pull(1)["pipelines"].rows_landed == 1
    assert set(portal.newest("pipelines")) == {"first", "second"}


@pytest.mark.parametrize(
    ("sent", "landed"),
    [
        ('"cut \\ud83d"', "cut \ufffd"),
        ('"\\ude00 cut"', "\ufffd cut"),
        ('"whole \\ud83d\\ude00 and half \\ud83d\\ud83d\\ude00"', "whole 😀 and half \ufffd😀"),
        ('"a path \\\\ud83d, \\ud83d"', "a path \\ud83d, \ufffd"),
    ],
)
def test_half_a_character_does_not_stop_a_source(account, sent, landed) -> None:
    body = f'{{"data":[{{"id":"cus_0","created":1,"email":{sent}}}],"has_more":false}}'
    account.settings(created_windows=False, streams=("events", "customers"))
    account.fake.script[CUSTOMERS] = [Fault(body=body.encode())]
    assert account.pull(0)["customers"].status == "ok"
    assert emails(account) == {"cus_0": landed}
