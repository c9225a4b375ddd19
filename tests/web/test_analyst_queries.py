"""The ten queries of docs/analysts.md on the sample: what they answer is what other tables say."""

import json
import re
from collections import Counter, defaultdict
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest

from dashboards.snapshot import open_snapshot
from orchestration.cli_common import REPOSITORY, open_control, open_workspace
from orchestration.known_partner import partner_statement

PAGE = (REPOSITORY / "docs" / "analysts.md").read_text(encoding="utf-8")
TAKING_BACK = ("refund", "chargeback", "credit_note", "churn", "correction", "reinstatement")


def queries():
    """Text of each query by its number on the page."""
    found = {}
    for chapter in re.split(r"^### ", PAGE, flags=re.M)[1:]:
        (query,) = re.findall(r"```sql\n(.*?)```", chapter, flags=re.S)
        found[int(chapter.partition(".")[0])] = query
    return found


@pytest.fixture(scope="module")
def snapshot(sample_home):
    with open_snapshot(sample_home) as connection:
        yield connection


@pytest.fixture(scope="module")
def ask(snapshot):
    """Rows of a query of the page, or of any other SQL, as dictionaries."""

    def asked(number_or_sql):
        sql = queries().get(number_or_sql, number_or_sql)
        found = snapshot.execute(sql)
        names = [column[0] for column in found.description]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
        assert rows
        return rows

    return asked


@pytest.fixture(scope="module")
def entries(ask):
    return ask("from marts.fct_commission_entries")


@pytest.fixture(scope="module")
def balances(ask):
    return ask("from marts.fct_partner_balances")


def sums(rows, amount, *names):
    """Sums of an amount by the values of columns; without zeros."""
    found = defaultdict(int)
    for row in rows:
        found[tuple(row[name] for name in names)] += row[amount] or 0
    return {key: total for key, total in found.items() if total}


def test_there_are_ten_and_none_needs_more_than_the_page_says():
    assert list(queries()) == list(range(1, 11))
    for query in queries().values():
        assert "current_date" not in query and "now()" not in query


def test_what_we_owe_is_the_sum_of_all_balances(ask, balances):
    owed = sums(ask(1), "amount_minor", "payout_currency_code")
    assert owed == sums(balances, "balance_amount_minor", "payout_currency_code")


def test_a_month_is_that_of_the_statement(ask, sample_home):
    with open_control(sample_home) as store, store.read() as connection:
        terms = open_workspace(REPOSITORY / "program").program
        record, _ = partner_statement(connection, sample_home, terms, "p_4", "2026-02", None)
    (eur,) = record["currencies"]
    assert ask(2) == [
        {
            "payout_currency_code": "EUR",
            "opening_amount_minor": eur["opening_amount_minor"],
            "moved_amount_minor": eur["closing_amount_minor"] - eur["opening_amount_minor"],
            "closing_amount_minor": eur["closing_amount_minor"],
        }
    ]


def test_taken_back_is_that_of_the_balances(ask, entries, balances):
    rows = ask(3)
    assert {row["entry_kind"] for row in rows} <= set(TAKING_BACK)
    negative = {entry["entry_id"] for entry in entries if entry["payout_amount_minor"] < 0}
    of_credited_lines = [
        entry
        for entry in entries
        if entry["entry_kind"] in TAKING_BACK and entry["reverses_entry_id"] in negative
    ]
    told = sums(rows, "payout_amount_minor", "payout_currency_code")
    for key, amount in sums(
        of_credited_lines, "payout_amount_minor", "payout_currency_code"
    ).items():
        told[key] -= amount
    assert told == sums(balances, "reversed_amount_minor", "payout_currency_code")
    assert sum(row["entries"] for row in rows) == sum(
        entry["entry_kind"] in TAKING_BACK for entry in entries
    )


def test_what_was_known_after_the_only_segment_are_the_balances(ask, balances):
    assert sums(ask(4), "balance_amount_minor", "partner_id", "payout_currency_code") == sums(
        balances, "balance_amount_minor", "partner_id", "payout_currency_code"
    )


def test_the_ranking_adds_up_the_entries_of_ninety_days(ask, entries):
    (as_of,) = ask("select as_of from marts.mart_metadata")[0].values()
    recent = [entry for entry in entries if (as_of - entry["effective_date"]).days < 90]
    key = ("payout_currency_code", "partner_id")
    rows = ask(5)
    assert sums(rows, "net_amount_minor", *key) == sums(recent, "payout_amount_minor", *key)
    for currency, count in Counter(row["payout_currency_code"] for row in rows).items():
        places = [row for row in rows if row["payout_currency_code"] == currency]
        amounts = [row["net_amount_minor"] for row in places]
        assert amounts == sorted(amounts, reverse=True)
        assert places[0]["place"] == 1 and places[-1]["place"] <= count


def test_parts_of_leads_make_whole_leads(ask):
    leads = {row["lead_id"] for row in ask("from marts.fct_attributions where is_paying")}
    rows = ask(6)
    assert all(isinstance(row["leads"], Decimal) for row in rows)
    assert sum(row["leads"] for row in rows) == len(leads)


def test_the_rate_of_a_plan_follows_from_its_lines(ask):
    lines = [row for row in ask("from marts.fct_commission_lines") if row["base_amount_minor"]]
    for row in ask(7):
        own = [
            line
            for line in lines
            if (line["plan_id"], line["currency_code"]) == (row["plan_id"], row["currency_code"])
        ]
        base = sum(line["base_amount_minor"] for line in own if line["kind"] == "earning")
        net = sum(line["amount_minor"] for line in own)
        assert (row["base_amount_minor"], row["net_amount_minor"]) == (base, net)
        exact = Fraction(net * 100, base)
        percent = Decimal(exact.numerator) / Decimal(exact.denominator)
        shown = Decimal(str(row["net_percent"]))
        assert shown == percent.quantize(Decimal("0.01"), ROUND_HALF_UP)


def test_what_is_not_paid_yet_is_the_sum_of_all_balances(ask, balances):
    rows = ask(8)
    assert sums(rows, "payout_amount_minor", "payout_currency_code") == sums(
        balances, "balance_amount_minor", "payout_currency_code"
    )
    assert all(row["unpaid_reason"] for row in rows)


def test_every_batch_holds_what_it_says(ask, balances):
    rows = ask(9)
    for row in rows:
        assert row["total_amount_minor"] == row["payouts_amount_minor"]
        assert row["total_amount_minor"] == row["claimed_amount_minor"] > 0
    assert sums(rows, "total_amount_minor", "currency_code") == {
        (currency,): amount
        for (currency,), amount in sums(
            balances, "in_batch_amount_minor", "payout_currency_code"
        ).items()
    }


def test_the_largest_moves_between_models_are_shown(ask):
    rows = ask(10)
    compared = ask("from marts.fct_attribution_comparison")
    shown = defaultdict(list)
    for row in rows:
        assert row["moved_amount_minor"] == row["model_amount_minor"] - row["paying_amount_minor"]
        shown[row["model"], row["currency_code"]].append(abs(row["moved_amount_minor"]))
    for key, moves in shown.items():
        of_key = [
            abs(row["moved_amount_minor"])
            for row in compared
            if (row["model"], row["currency_code"]) == key and row["moved_amount_minor"]
        ]
        assert sorted(moves, reverse=True) == sorted(of_key, reverse=True)[:5]


def test_the_ways_to_open_it_work_as_written(sample_home, monkeypatch, tmp_path):
    (python,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.S)
    (tmp_path / "var").symlink_to(sample_home)
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(compile(python, "docs/analysts.md", "exec"), names)  # noqa: S102  (our own page)
    names["snapshot"].close()
    assert names["balances"]
    pointer = json.loads((sample_home / "serving" / "current.json").read_text())
    assert (sample_home / "serving" / pointer["run_id"] / "fct_partner_balances.parquet").is_file()


def test_every_table_that_the_page_names_is_published(snapshot):
    named = set(re.findall(r"\b((?:fct|dim|mart)_\w+)", PAGE))
    tables = {
        name
        for (name,) in snapshot.execute(
            "select table_name from information_schema.tables"
        ).fetchall()
    }
    assert named <= tables
