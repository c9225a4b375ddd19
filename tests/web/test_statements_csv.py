"""Statements as CSV: what adds up, what a spreadsheet may not run."""

import csv
import io
import re

import pytest
from statement_world import ENTRIES, HOSTILE_NAMES, told

from dashboards.statements.csv_file import COLUMNS, render_csv


def rows(record):
    content = render_csv(record)
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.endswith(b"\r\n")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))


def test_opening_and_lines_make_the_closing_balance():
    found = rows(told())
    assert tuple(found[0]) == COLUMNS
    for currency, closing in (("EUR", 17_750), ("BHD", -1_234_005)):
        of_currency = [row for row in found if row["payout_currency_code"] == currency]
        amounts = [int(row["payout_amount_minor"]) for row in of_currency]
        assert [of_currency[0]["row"], of_currency[-1]["row"]] == [
            "opening_balance", "closing_balance",
        ]  # fmt: skip
        assert sum(amounts[:-1]) == amounts[-1] == closing


def test_amounts_stand_in_minor_units_and_as_decimals_and_days_are_iso():
    found = rows(told())
    (refund,) = (row for row in found if row["cause_id"] == "re_2")
    assert (refund["payout_amount"], refund["payout_amount_minor"]) == ("-1234.005", "-1234005")
    (earned,) = (row for row in found if row["currency_code"] == "USD")
    assert (earned["amount"], earned["amount_minor"], earned["payout_amount"]) == (
        "44.00", "4400", "40.00",
    )  # fmt: skip
    assert earned["effective_date"] == "2026-02-03"
    assert earned["expected_pay_date"] == "2026-03-16"
    for row in found:
        for name, value in row.items():
            if name.endswith("_date") and value:
                assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", value)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", " =", "＝", "＋", "－", "＠"])
def test_a_text_that_a_spreadsheet_would_run_is_neutralised(start):
    record = told([ENTRIES[2]])
    record["currencies"][0]["lines"][0] |= {
        "customer_id": f"{start}cmd()", "source_id": f"{start}1",
    }  # fmt: skip
    (line,) = (row for row in rows(record) if row["row"] == "line")
    assert line["customer_id"] == f"'{start.strip()}cmd()"
    assert line["source_id"] == f"'{start.strip()}1"


def test_numbers_are_never_touched():
    for row in rows(told()):
        assert re.fullmatch(r"-?\d+", row["payout_amount_minor"])
        assert re.fullmatch(r"-?\d+\.\d{2,3}", row["payout_amount"])


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=lambda name: ascii(name)[1:20])
def test_any_name_is_one_cell(name):
    record = told([ENTRIES[2]], partner_id=name)
    record["currencies"][0]["lines"][0]["customer_id"] = name
    found = rows(record)
    assert len(found) == 3
    assert all(None not in row for row in found)


def test_equal_statements_are_equal_bytes():
    assert render_csv(told()) == render_csv(told())


def test_a_statement_without_entries_is_its_head():
    assert rows(told([])) == []
