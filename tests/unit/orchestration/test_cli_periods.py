"""`partnerledger period …`: months close in order, by finance, once their last night was posted."""

from datetime import date, datetime

import pytest
from cli_world import run_cli, write_home
from ledger_home import approved_adjustment, earning, post

ANA, BEN = "ana@acme.example", "ben@acme.example"


@pytest.fixture
def home(tmp_path):
    home = write_home(tmp_path / "var")
    post(home, date(2026, 1, 31), earning("l1", date(2026, 1, 10)), earning("l2", date(2026, 1, 9)))
    post(home, date(2026, 2, 28), earning("l3", date(2026, 2, 10)))
    return home


def period(home, *arguments, who=BEN):
    return run_cli("period", *arguments, "--as", who, home=home)


def states(home):
    records = run_cli("period", "list", "--json", home=home).records
    return {row["period"]: row["state"] for row in records}


def refused(outcome, *parts):
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (1, "", 1), outcome
    for part in parts:
        assert part in outcome.err


def test_a_closed_month_is_listed_with_who_closed_it_and_when(home):
    closed = period(home, "close", "2026-01")
    assert (closed.code, closed.err) == (0, "")
    assert "closed with 2 entries, after segment 2" in closed.out and "in 2026-02" in closed.out
    assert states(home) == {"2026-01": "closed", "2026-02": "open"}
    record = run_cli("period", "list", "--json", home=home).records[0]
    assert (record["entries"], record["decided_by"], record["after_segment"]) == (2, "ben", 2)
    shown = run_cli("period", "list", home=home).out
    assert "closed" in shown and "ben" in shown


def test_json_of_a_closing_and_a_reopening(home):
    closed = period(home, "close", "2026-01", "--reason", "reported on 3 February", "--json")
    assert (closed.records["state"], closed.records["reason"]) == (
        "closed", "reported on 3 February",
    )  # fmt: skip
    opened = period(home, "reopen", "2026-01", "--reason", "booked twice", "--json")
    assert (opened.records["state"], opened.records["reason"]) == ("open", "booked twice")
    assert states(home) == {"2026-01": "open", "2026-02": "open"}


@pytest.mark.parametrize(
    ("before", "arguments", "who", "parts"),
    [
        ((), ("close", "2026-01"), ANA, ("roles.finance",)),
        ((), ("close", "2026-02"), BEN, ("close 2026-01 first",)),
        (("2026-01",), ("close", "2026-01"), BEN, ("closed already",)),
        (("2026-01", "2026-02"), ("close", "2026-03"), BEN, ("2026-03-31 or later", "2026-02-28")),
        ((), ("reopen", "2026-01", "--reason", "r"), BEN, ("not closed",)),
        (("2026-01",), ("reopen", "2026-01", "--reason", "r"), ANA, ("roles.finance",)),
        (("2026-01",), ("reopen", "2026-01", "--reason", " "), BEN, ("reason is missing",)),
        (
            ("2026-01", "2026-02"),
            ("reopen", "2026-01", "--reason", "r"),
            BEN,
            ("which is 2026-02",),
        ),
    ],
)
def test_what_breaks_the_order_is_refused(home, before, arguments, who, parts):
    for each in before:
        assert period(home, "close", each).code == 0
    known = states(home)
    refused(period(home, *arguments, who=who), *parts)
    assert states(home) == known


@pytest.mark.parametrize(("approved_at", "is_told"), [("2026-01-20", True), ("2026-02-20", False)])
def test_a_closing_tells_of_adjustments_that_wait(home, approved_at, is_told):
    approved_adjustment(home, datetime.fromisoformat(approved_at))
    told = period(home, "close", "2026-01").out
    assert ("Not posted yet: 1 approved adjustment of 2026-01 or before" in told) == is_told


def test_verify_proves_it(home):
    period(home, "close", "2026-01")
    findings = run_cli("verify", "--json", home=home).out
    assert "1 closed periods, no entry posted in one while it was closed" in findings


def test_a_home_without_nights_lists_nothing(tmp_path):
    home = write_home(tmp_path / "var")
    assert run_cli("period", "list", "--json", home=home).records == []
    assert "none" in run_cli("period", "list", home=home).out
    refused(period(home, "close", "2026-01"), "none was posted")
