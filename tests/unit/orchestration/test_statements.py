"""Statements: opening balance, movements by cause, closing balance; nobody else is named."""

import json
from datetime import date

import pytest

from orchestration.cli_common import print_json
from orchestration.document_pages import page
from orchestration.documents import print_document
from orchestration.known import Known
from orchestration.statement_document import statement_document
from orchestration.statements import MOVEMENTS, masked, statement
from payouts.journal_schema import ENTRY_KINDS

KNOWN = Known("2026-02-28", date(2026, 2, 28), date(2026, 2, 28), "run_3", 41, 3, "ab" * 32)
PAY_DAY = date(2026, 3, 16)


def entry(kind, amount_minor, day, state="available", **changes):
    return {
        "entry_id": f"{kind}-{day}-{amount_minor}", "commission_id": "k", "entry_kind": kind,
        "partner_id": "p_1", "customer_id": "c_1", "component_id": "recurring",
        "source_type": "invoice_line", "source_id": "l1", "cause_type": "", "cause_id": "",
        "amount_minor": amount_minor, "currency_code": "USD", "payout_amount_minor": amount_minor,
        "payout_currency_code": "USD", "effective_date": day, "available_date": day,
        "posting_period": f"{day:%Y-%m}", "segment": 1, "state": state, "hold_reason": None,
        "batch_id": None, "payout_id": None, "pay_date": None, **changes,
    }  # fmt: skip


# January: 200.00 earned, 150.00 of it paid in February. February: 40.00 earned, a bonus, a refund
# and a chargeback that was given back; an adjustment was posted in March already.
ENTRIES = [
    entry("earning", 15_000, date(2026, 1, 5), "paid", pay_date=date(2026, 2, 16), batch_id="b-1"),
    entry("earning", 5_000, date(2026, 1, 9)),
    entry("earning", 4_000, date(2026, 2, 3), "on_hold"),
    entry("bonus", 10_000, date(2026, 2, 20), "held", hold_reason="partner_hold: see p_2"),
    entry("refund", -1_250, date(2026, 2, 4), cause_type="refund", cause_id="r1"),
    entry("chargeback", -5_000, date(2026, 2, 5), cause_type="dispute", cause_id="d1"),
    entry("reinstatement", 5_000, date(2026, 2, 25), cause_type="dispute", cause_id="d1"),
    entry("payout", -15_000, date(2026, 2, 16), "paid", source_type="payout", source_id="pay_1"),
    entry("adjustment", 300, date(2026, 3, 1), "on_hold"),
]


def told(entries=ENTRIES, period="2026-02", expected=lambda *_: PAY_DAY, closed=None):
    return statement("p_1", period, KNOWN, entries, expected, closed)


def test_opening_and_movements_make_the_closing_balance():
    (usd,) = told()["currencies"]
    assert {name: usd[f"{name}_amount_minor"] for name in ("opening", "closing", "later")} == {
        "opening": 20_000, "closing": 17_750, "later": 300,
    }  # fmt: skip
    moved = {name: usd[f"{name}_amount_minor"] for name in MOVEMENTS}
    assert moved == {
        "earned": 4_000, "bonuses": 10_000, "adjustments": 0, "rulings": 0, "taken_back": -1_250,
        "withheld": 0, "written_off": 0, "paid": -15_000, "returned": 0,
    }  # fmt: skip
    assert usd["opening_amount_minor"] + sum(moved.values()) == usd["closing_amount_minor"]
    assert usd["balance_amount_minor"] == sum(row["payout_amount_minor"] for row in ENTRIES)


def test_what_was_taken_back_is_told_by_cause():
    (usd,) = told()["currencies"]
    assert usd["taken_back_by_cause"] == [
        {"kind": "refund", "entries": 1, "amount_minor": -1_250},
        {"kind": "chargeback", "entries": 1, "amount_minor": -5_000},
        {"kind": "reinstatement", "entries": 1, "amount_minor": 5_000},
    ]


def test_each_month_opens_where_the_one_before_closed():
    months = [told(period=month)["currencies"][0] for month in ("2026-01", "2026-02", "2026-03")]
    assert months[0]["opening_amount_minor"] == 0
    for before, after in zip(months, months[1:], strict=False):
        assert after["opening_amount_minor"] == before["closing_amount_minor"]
    assert months[-1]["closing_amount_minor"] == months[-1]["balance_amount_minor"]


def test_lines_are_those_posted_in_the_month_in_order_of_their_day():
    (usd,) = told()["currencies"]
    assert [line["entry_kind"] for line in usd["lines"]] == [
        "earning", "refund", "chargeback", "payout", "bonus", "reinstatement",
    ]  # fmt: skip
    assert sum(line["payout_amount_minor"] for line in usd["lines"]) == (
        usd["closing_amount_minor"] - usd["opening_amount_minor"]
    )


def test_a_late_difference_of_a_closed_month_stands_in_the_month_that_took_it():
    late = entry("refund", -700, date(2026, 1, 30), posting_period="2026-02")
    record = told([*ENTRIES, late], closed="2026-01")
    assert record["is_closed"] is False
    assert record["currencies"][0]["lines"][0]["effective_date"] == date(2026, 1, 30)
    january = told([*ENTRIES, late], "2026-01", closed="2026-01")
    assert january["is_closed"] is True
    assert january["currencies"][0]["closing_amount_minor"] == 20_000


def test_every_month_up_to_the_last_closed_one_is_closed():
    months = ("2025-12", "2026-01", "2026-02", "2026-03")
    closed = [month for month in months if told(period=month, closed="2026-02")["is_closed"]]
    assert closed == ["2025-12", "2026-01", "2026-02"]
    assert not any(told(period=month)["is_closed"] for month in months)


def test_each_line_has_its_expected_or_its_paid_date():
    lines = {line["entry_kind"]: line for line in told()["currencies"][0]["lines"]}
    assert lines["earning"]["expected_pay_date"] == PAY_DAY
    assert lines["bonus"]["expected_pay_date"] is None  # held: nobody can say
    assert lines["payout"]["paid_date"] == date(2026, 2, 16)
    (january,) = told(period="2026-01")["currencies"]
    paid, open_line = january["lines"]
    assert (paid["paid_date"], paid["expected_pay_date"]) == (date(2026, 2, 16), None)
    assert (open_line["paid_date"], open_line["expected_pay_date"]) == (None, PAY_DAY)


def test_expected_payouts_add_up_what_is_neither_paid_nor_held():
    in_batch = entry("earning", 900, date(2026, 1, 7), "in_batch", pay_date=date(2026, 3, 2))
    (usd,) = told([*ENTRIES, in_batch])["currencies"]
    assert usd["expected_payouts"] == [
        expected_payout(date(2026, 3, 2), 900, is_in_batch=True),
        expected_payout(PAY_DAY, 8_050),
    ]
    assert usd["unpaid"]["held_amount_minor"] == 10_000
    assert sum(usd["unpaid"].values()) == usd["balance_amount_minor"]
    assert told(expected=lambda *_: None)["currencies"][0]["expected_payouts"] == []


def expected_payout(day, amount_minor, carried_amount_minor=0, *, is_in_batch=False):
    return {
        "pay_date": day, "is_in_batch": is_in_batch, "amount_minor": amount_minor,
        "carried_amount_minor": carried_amount_minor,
    }  # fmt: skip


def test_a_negative_expected_payout_is_nothing_and_carried_to_the_next_day(capsys):
    """-50.00 in March, +30.00 in April, +45.00 in May: 0, 0 and 25.00."""
    moved = [("refund", -5_000, 3), ("earning", 3_000, 4), ("bonus", 4_500, 5)]
    entries = [entry(kind, amount, date(2026, month, 1)) for kind, amount, month in moved]
    record = told(entries, expected=lambda day, *_: day.replace(day=15))
    (usd,) = record["currencies"]
    assert usd["expected_payouts"] == [
        expected_payout(date(2026, 3, 15), 0, -5_000),
        expected_payout(date(2026, 4, 15), 0, -2_000),
        expected_payout(date(2026, 5, 15), 2_500),
    ]
    assert usd["balance_amount_minor"] == 2_500
    print_document(statement_document(record))
    printed = capsys.readouterr().out
    assert "-50.00 USD carried" in printed
    assert "25.00 USD" in printed


def test_a_negative_expected_payout_never_lowers_a_batch():
    entries = [
        entry("refund", -5_000, date(2026, 3, 1)),
        entry("earning", 900, date(2026, 3, 2), "in_batch", pay_date=PAY_DAY),
    ]
    (usd,) = told(entries)["currencies"]
    assert usd["expected_payouts"] == [
        expected_payout(PAY_DAY, 0, -5_000),
        expected_payout(PAY_DAY, 900, is_in_batch=True),
    ]


def test_currencies_are_never_added():
    yen = entry("earning", 700, date(2026, 2, 3), payout_currency_code="JPY")
    record = told([*ENTRIES, yen])
    assert [row["payout_currency_code"] for row in record["currencies"]] == ["JPY", "USD"]
    assert record["currencies"][0]["closing_amount_minor"] == 700


def test_every_kind_of_entry_has_a_place_and_an_unknown_one_adds_up_too():
    assert {kind for kinds in MOVEMENTS.values() for kind in kinds} == set(ENTRY_KINDS)
    (usd,) = told([entry("of tomorrow", 5, date(2026, 2, 1))])["currencies"]
    assert (usd["other_amount_minor"], usd["closing_amount_minor"]) == (5, 5)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ann.lee@buyer.example", "a***@buyer.example"),
        ("drop:contacts:ann@buyer.example", "drop:contacts:a***@buyer.example"),
        ("in_123", "in_123"),
        ("", ""),
        (None, None),
    ],
)
def test_addresses_are_masked(text, shown):
    assert masked(text) == shown


def test_a_statement_names_no_other_partner_no_reason_and_no_address(capsys):
    rows = [
        *ENTRIES,
        entry(
            "earning", 111, date(2026, 2, 9), source_type="meeting", source_id="eve@buyer.example",
            customer_id="eve@buyer.example",
            explanation={"credits": [{"partner_id": "p_2", "credit_ppm": 1}]},
        ),
    ]  # fmt: skip
    record = told(rows)
    print_json(record)
    print_document(statement_document(record, "Ann Partner"))
    shown = capsys.readouterr().out + page(statement_document(record, "Ann Partner"))
    assert "e***@buyer.example" in shown
    for secret in ("eve@", "p_2", "partner_hold"):
        assert secret not in shown


def test_the_document_shows_the_sums_in_major_units(capsys):
    print_document(statement_document(told(closed="2026-02"), "Ann Partner"))
    text = capsys.readouterr().out
    assert "Statement of p_1 Ann Partner" in text
    assert "2026-02, closed, as known on 2026-02-28: up to the night of 2026-02-28" in text
    for row in ("Opening balance", "200.00 USD", "-12.50 USD", "by chargeback (1 line)",
                "Closing balance", "177.50 USD", "Posted in later months"):  # fmt: skip
        assert row in text


def test_a_partner_without_entries_has_an_empty_statement(capsys):
    record = told([])
    assert record["currencies"] == []
    print_document(statement_document(record))
    assert "nothing was posted" in capsys.readouterr().out


def test_the_record_is_plain_json(capsys):
    print_json(told())
    assert json.loads(capsys.readouterr().out)["as_known"]["segment"] == 3
