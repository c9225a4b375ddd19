"""Data health: exceptions, sources, sums that tie, the last night; told from what is there."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from dashboards.pages.programme_health import subject_address
from dashboards.snapshot import open_snapshot
from orchestration.last_night import FAILED, SUCCEEDED, write_last_night
from tests.web.changed_snapshot import change_snapshot
from tests.web.page_tables import csv_rows, page_of, table_rows, text_of
from tests.web_app import ANA


@pytest.fixture(scope="module")
def marts(sample_home):
    with open_snapshot(sample_home) as connection:
        yield connection


def test_exceptions_by_kind_are_those_of_the_mart(sample_app, marts):
    client = sample_app.client(ANA)
    for row in csv_rows(client.get("/health?csv=kinds")):
        query = f"kind={row['kind']}&severity={row['severity']}"
        listed = csv_rows(client.get(f"/health?{query}&csv=exceptions"))
        currency = row["amount_minor_currency_code"]
        own = [each for each in listed if each["amount_minor_currency_code"] == currency]
        assert len(own) == int(row["exceptions"])
        if currency:
            assert int(row["amount_minor"]) == sum(int(each["amount_minor"]) for each in own)
    (count,) = marts.execute("select count(*) from marts.fct_exceptions").fetchone()
    everything = csv_rows(client.get("/health?csv=exceptions"))
    assert len({row["exception_id"] for row in everything}) == len(everything) == count


def test_exceptions_are_paged_whole_and_the_pressing_ones_first(sample_app):
    client = sample_app.client(ANA)
    whole = csv_rows(client.get("/health?csv=exceptions"))
    order = ["error", "warning", "info"]
    ranks = [order.index(row["severity"]) for row in whole]
    assert ranks == sorted(ranks)
    shown = []
    for number in range(1, 1 + -(-len(whole) // 50)):
        shown += table_rows(client.get(f"/health?page={number}"), "exceptions")
    assert [row["About"] for row in shown] == [row["subject"] for row in whole]


def test_exceptions_of_an_owner(sample_app):
    client = sample_app.client(ANA)
    whole = csv_rows(client.get("/health?csv=exceptions"))
    for owner in {row["owner"] for row in whole}:
        own = csv_rows(client.get(f"/health?owner={owner}&csv=exceptions"))
        assert own == [row for row in whole if row["owner"] == owner]
    assert client.get("/health?severity=nix").status_code == 400


def test_money_ties_and_says_both_sides(sample_app, marts):
    rows = csv_rows(sample_app.client(ANA).get("/health?csv=reconciliation"))
    assert {row["statement"] for row in rows} == {
        "lines", "balances", "liability", "ledger", "batches",
    }  # fmt: skip
    assert all(row["is_equal"] == "true" for row in rows)
    balances = dict(
        marts.execute(
            "select payout_currency_code, sum(balance_amount_minor) "
            "from marts.fct_partner_balances group by 1"
        ).fetchall()
    )
    assert {
        row["amount_minor_currency_code"]: int(row["amount_minor"])
        for row in rows
        if row["statement"] == "balances"
    } == balances


def test_every_paid_line_is_earned_or_unearned(sample_app, marts):
    client = sample_app.client(ANA)
    rows = csv_rows(client.get("/health?csv=paid-lines"))
    reasons = csv_rows(client.get("/health?csv=unearned"))
    for row in rows:
        earned, unearned = int(row["earned_lines"]), int(row["unearned_lines"])
        assert earned + unearned == int(row["paid_lines"])
        own = [
            each for each in reasons if each["amount_minor_currency_code"] == row["currency_code"]
        ]
        assert unearned == sum(int(each["lines"]) for each in own)
        assert int(row["unearned_amount_minor"]) == sum(int(each["amount_minor"]) for each in own)


def test_streams_tell_when_they_were_read(sample_app):
    rows = csv_rows(sample_app.client(ANA).get("/health?csv=streams"))
    invoices = next(row for row in rows if row["stream"] == "invoices")
    assert (invoices["source"], invoices["freshness"], invoices["rows"]) == ("drop", "fresh", "756")


def test_failed_night_and_failed_checks_are_told(own_home, own_app):
    at, day = datetime(2026, 3, 1, 5, 30), date(2026, 2, 28)
    write_last_night(own_home, SUCCEEDED, "r-1", day, at, "", ["Check <b>x</b> failed for 3 rows"])
    page = page_of(own_app.client(ANA).get("/health"))
    assert "Check <b>x</b> failed for 3 rows" in text_of(page.get_element_by_id("night"))
    write_last_night(own_home, FAILED, "r-2", day, at, "ingest: the source is away")
    shown = text_of(page_of(own_app.client(ANA).get("/health")))
    assert "ingest: the source is away" in shown
    assert "The last night failed" in shown


def test_journal_and_snapshot_are_named(sample_app, marts):
    (head,) = marts.execute("select journal_head from marts.mart_metadata").fetchone()
    shown = text_of(page_of(sample_app.client(ANA).get("/health")).get_element_by_id("night"))
    # The last registered segment is the one of the snapshot.
    assert shown.count(head) == 2
    assert "posted since these numbers" not in shown


def test_subjects_lead_to_their_pages():
    assert subject_address("lead:lead_1") == "/leads/lead_1"
    assert subject_address("customer:cus 1") == "/unearned?customer=cus+1"
    assert subject_address("partner:p_1") == "/partners/p_1"
    assert subject_address("drop:invoices:in_1") is None
    assert subject_address(None) is None


def test_the_app_answers_whether_it_is_alive_to_anybody(sample_app):
    assert sample_app.client(None).get("/alive").text == "ok"
    assert sample_app.client(None).get("/health").status_code == 303
    assert sample_app.client("partner:p_1").get("/health").status_code == 404


def test_sums_that_do_not_tie_are_an_alarm(own_home, own_app):
    change_snapshot(
        own_home,
        ["update marts.fct_partner_balances set balance_amount_minor = balance_amount_minor + 1 "
         "where partner_id = (select min(partner_id) from marts.fct_partner_balances "
         "where payout_currency_code = 'USD') and payout_currency_code = 'USD'"],
    )  # fmt: skip
    client = own_app.client(ANA)
    (row,) = [
        each
        for each in csv_rows(client.get("/health?csv=reconciliation"))
        if each["is_equal"] == "false"
    ]
    assert (row["statement"], row["amount_minor_currency_code"]) == ("balances", "USD")
    assert int(row["amount_minor"]) - int(row["other_amount_minor"]) == 1
    assert "Sums do not tie" in text_of(page_of(client.get("/health")))


def test_stream_that_failed_or_was_not_read_is_told(own_home, own_app):
    import json

    from ingest.run import REPORT_NAME

    target = own_home / "landing" / REPORT_NAME
    rows = json.loads(target.read_text(encoding="utf-8"))
    # The file may share its bytes with the home that other tests read.
    target.unlink()
    for row in rows:
        if row["stream"] == "invoices":
            row |= {"status": "failed", "message": "columns are missing", "what_to_do": "ask"}
        if row["stream"] == "payments":
            row["pulled_at"] = "2026-02-27T05:00:00"
    target.write_text(json.dumps(rows), encoding="utf-8")
    told = {row["stream"]: row for row in csv_rows(own_app.client(ANA).get("/health?csv=streams"))}
    assert (told["invoices"]["freshness"], told["invoices"]["message"]) == (
        "failed", "columns are missing",
    )  # fmt: skip
    assert told["payments"]["freshness"] == "late"
    assert told["refunds"]["freshness"] == "fresh"
