"""Pulls that go on after a kill: what changed meanwhile, and sets that were cut in the middle."""

from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from ingest.landing import read_landings
from tests.fakes.stripe_server import Fault, status

CUSTOMERS = "/v1/customers"
LINES = "/v1/invoices/in_1/lines"
MINUTES = 1 / 24 / 60


@pytest.fixture
def cut(account, monkeypatch):
    """An account whose first pull of customers failed after its first page."""
    account.small_parts(monkeypatch)
    account.settings(created_windows=False)
    account.fake.page_cap = 1
    for name in ("cus_1", "cus_2", "cus_3"):
        account.fake.put({"id": name, "object": "customer", "email": "before"})
    account.fake.script[CUSTOMERS] = [Fault(), *[status(500)] * 5]
    assert account.pull(0)["customers"].is_transient
    return account


def change(account, day: float) -> None:
    """The customer that was read before the failure changes, and an event tells it."""
    account.at(day)
    found = {"id": "cus_3", "object": "customer", "email": "after"}
    account.fake.put(found, "customer.updated")


def emails(account) -> dict[str, str]:
    return dict(
        account.night.rows(
            "select object_id, max_by(payload ->> '$.email', _arrival)"
            " from raw.stripe__customers group by 1 order by 1"
        )
    )


def customers_landed(account) -> list[int]:
    return [
        each.arrival
        for each in read_landings(account.night.home)
        if each.stream == "customers" and each.is_final
    ]


def test_a_pull_that_goes_on_the_next_night_brings_what_changed_since(cut) -> None:
    change(cut, 0.5)
    report = cut.pull(1)["customers"]
    assert emails(cut) == {"cus_1": "before", "cus_2": "before", "cus_3": "after"}
    assert (report.status, report.rows_landed, report.pages) == ("ok", 4, 4)
    assert len(customers_landed(cut)) == 2
    assert customers_landed(cut)[-1] == report.last_arrival
    assert report.message.startswith("1 listed, 1 new or changed; before it")
    assert "pull begun 24 h ago was completed: 3 listed, 3 new or changed" in report.message
    assert report.requests == 3
    assert cut.pull(2)["customers"].status == "unchanged"
    assert cut.paths() == []


def test_a_pull_that_goes_on_within_the_hour_is_one_landing(cut) -> None:
    report = cut.pull(50 * MINUTES)["customers"]
    assert (report.rows_landed, report.mode) == (3, "full")
    assert len(customers_landed(cut)) == 1


def test_when_the_second_pull_fails_the_stream_has_and_the_first_landing_stays(cut) -> None:
    change(cut, 0.5)
    cut.fake.script[f"{CUSTOMERS}/cus_3"] = [status(500)] * 5
    report = cut.pull(1)["customers"]
    assert (report.status, report.is_transient) == ("failed", True)
    assert customers_landed(cut) == [report.last_arrival]
    assert set(emails(cut).values()) == {"before"}
    assert cut.pull(2)["customers"].rows_landed == 1
    assert emails(cut)["cus_3"] == "after"


def test_a_backfill_that_goes_on_is_not_read_from_the_beginning_twice(cut) -> None:
    cut.pull(10 * MINUTES)
    cut.fake.script[CUSTOMERS] = [Fault(), *[status(500)] * 5]
    assert cut.pull(1, force_full=["customers"])["customers"].is_transient
    change(cut, 1.5)
    report = cut.pull(2, force_full=["customers"])["customers"]
    assert (report.mode, report.rows_landed) == ("changes", 1)
    assert len(cut.asked(CUSTOMERS)) == 3


@pytest.fixture
def invoice(account, monkeypatch):
    """An invoice with five lines, read two by two, of which the third page fails."""
    account.small_parts(monkeypatch)
    account.settings(streams=("events", "invoices"))
    account.fake.page_cap = 2
    lines = [{"id": f"il_{number}", "amount": number} for number in range(5)]
    account.fake.put(
        {"id": "in_1", "object": "invoice", "lines": {"data": lines[:1], "has_more": True}}
    )
    account.fake.objects[LINES] = lines
    account.fake.script[LINES] = [Fault(), Fault(), *[status(500)] * 5]
    return account


def lines_of(account) -> list[str]:
    rows = account.night.rows("select object_id from raw.stripe__invoice_lines order by 1")
    return [row[0] for row in rows]


def test_a_set_that_is_read_again_after_a_kill_keeps_nothing_that_was_removed(invoice) -> None:
    assert invoice.pull(0)["invoices"].is_transient
    del invoice.fake.objects[LINES][0]
    assert invoice.pull(10 * MINUTES)["invoices"].status == "ok"
    assert lines_of(invoice) == ["il_1", "il_2", "il_3", "il_4"]


def test_a_set_that_became_empty_between_a_kill_and_the_end_is_empty(invoice) -> None:
    assert invoice.pull(0)["invoices"].is_transient
    invoice.fake.objects[LINES].clear()
    assert invoice.pull(10 * MINUTES)["invoices"].status == "ok"
    assert lines_of(invoice) == [""]


def test_answers_that_do_not_say_whether_they_continue_a_set_belong_together(
    invoice, monkeypatch
) -> None:
    def as_before(envelope: dict[str, Any], option: int) -> bytes:
        del envelope["continues"]
        return orjson.dumps(envelope, option=option)

    older = SimpleNamespace(dumps=as_before, OPT_APPEND_NEWLINE=orjson.OPT_APPEND_NEWLINE)
    monkeypatch.setattr("ingest.pull.orjson", older)
    invoice.fake.script.clear()
    assert invoice.pull(0)["invoices"].status == "ok"
    assert lines_of(invoice) == [f"il_{number}" for number in range(5)]
