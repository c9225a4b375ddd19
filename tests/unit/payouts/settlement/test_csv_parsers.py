"""The generic status file and PayPal's report: columns, states, amounts, and clear refusals."""

from __future__ import annotations

from datetime import date

import pytest
from bank_files import paypal, status_csv

from payouts.errors import SettlementFileError
from payouts.ids import payout_id
from payouts.settlement.paypal_report import STATES, read_amount
from payouts.settlement.reading import MAXIMUM_BYTES, read_outcomes

ID = payout_id("b-1", "p_1")


def _refused(content: bytes, match: str) -> str:
    with pytest.raises(SettlementFileError, match=match) as caught:
        read_outcomes(content, "f.csv")
    text = str(caught.value)
    assert text.startswith("f.csv: ")
    assert "Nothing of the file was applied" in text
    return text


def test_status_csv_reads_every_status():
    rows = [
        (ID, status, 15000, "USD", "2026-03-17", "AC04", "REF 1")
        for status in ("sent", "settled", "failed", "returned", "unclaimed")
    ]
    found, outcomes = read_outcomes(status_csv(*rows), "f.csv")
    assert found == "status_csv"
    assert [each.outcome for each in outcomes] == [row[1] for row in rows]
    first = outcomes[0]
    assert (first.key, first.key_kind, first.amount_minor, first.currency_code) == (
        ID, "payout_id", 15000, "USD",
    )  # fmt: skip
    assert (first.value_date, first.reason_code, first.reference, first.line) == (
        date(2026, 3, 17), "AC04", "REF 1", 2,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [("150.00", "USD", 15000), ("150", "JPY", 150), ("1.005", "BHD", 1005), ("0.1", "EUR", 10)],
)
def test_status_csv_reads_major_units_exactly(amount, currency, minor):
    content = f"payout_id,status,amount,currency_code\n{ID},settled,{amount},{currency}\n"
    _, (outcome,) = read_outcomes(content.encode(), "f.csv")
    assert outcome.amount_minor == minor


def test_status_csv_takes_a_batch_total():
    _, (outcome,) = read_outcomes(status_csv(("b-1", "settled", 5, "USD", "", "", "")), "f.csv")
    assert outcome.key_kind == "batch_total"


@pytest.mark.parametrize(
    ("row", "match"),
    [
        (("", "settled", 1, "USD", "", "", ""), "line 2: the payout_id is missing"),
        ((ID, "paid", 1, "USD", "", "", ""), "the status is not one of sent, settled"),
        ((ID, "settled", "", "USD", "", "", ""), "the amount is missing"),
        ((ID, "settled", "1.5", "USD", "", "", ""), "amount_minor is not a whole number"),
        ((ID, "settled", -1, "USD", "", "", ""), "amount_minor is not a whole number"),
        ((ID, "settled", 0, "USD", "", "", ""), "the amount is not positive"),
        ((ID, "settled", 1, "usd!", "", "", ""), "not a known ISO 4217"),
        ((ID, "settled", 1, "USD", "17.03.2026", "", ""), "as in 2026-03-17"),
        ((ID, "settled", 1, "USD", "", ""), "has 6 cells, the header 7"),
    ],
)
def test_status_csv_names_the_line_of_a_fault(row, match):
    _refused(status_csv(row), match)


def test_status_csv_names_every_faulty_line_in_one_error():
    bad = (ID, "paid", 1, "USD", "", "", "")
    text = _refused(status_csv(*[bad] * 7), "line 2")
    assert "line 6" in text
    assert "line 7" not in text
    assert "and 2 more" in text


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"payout_id,status,currency_code\n", "lacks the column amount_minor or amount"),
        (b"payout_id,status,amount\n", "lacks the column currency_code"),
        (b"payout_id,status,amount,currency_code,iban\n", "column 5 is not one of"),
        (b"payout_id,status,status,amount,currency_code\n", "the column status twice"),
        (b"payout_id,status,amount,currency_code\n\xff,a,1,USD\n", "line 2: is no UTF-8"),
        (b'payout_id,status,amount,currency_code\n"a,b\n', "is no CSV"),
        (b"a,b\n1,2\n", "has no known format.*--format"),
        (b" \n", "is empty"),
    ],
)
def test_bad_csv_files_are_refused(content, match):
    _refused(content, match)


STATUS = status_csv((ID, "settled", 15000, "USD", "2026-03-17", "", "Zürich")).decode()
PAYPAL = paypal((ID, "SUCCESS", "150.00", "USD", "2026-03-17T10:00:00Z", "")).decode()


@pytest.mark.parametrize("text", [STATUS, PAYPAL])
@pytest.mark.parametrize(
    ("encoding", "mark", "found"),
    [
        ("utf-16-le", b"\xff\xfe", "is UTF-16 text, not UTF-8"),
        ("utf-16-be", b"\xfe\xff", "is UTF-16 text, not UTF-8"),
        ("utf-16-le", b"", "is UTF-16 text without a byte-order mark, not UTF-8"),
        ("utf-16-be", b"", "is UTF-16 text without a byte-order mark, not UTF-8"),
        ("utf-32-le", b"\xff\xfe\x00\x00", "is UTF-32 text, not UTF-8"),
        ("utf-32-be", b"\x00\x00\xfe\xff", "is UTF-32 text, not UTF-8"),
    ],
)
@pytest.mark.parametrize("file_format", [None, "status_csv"])
def test_text_in_another_unicode_encoding_is_refused(text, encoding, mark, found, file_format):
    with pytest.raises(SettlementFileError, match=f"f.csv: {found}.*Save it as UTF-8 text"):
        read_outcomes(mark + text.encode(encoding), "f.csv", file_format)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (STATUS.encode("cp1252"), "line 2: is no UTF-8 text: byte 0xFC, found Windows-1252 or"),
        ("Zürich,b\n".encode("latin-1"), "line 1: is no UTF-8 text: byte 0xFC, found Windows"),
        (b"a,b\n\x01\x90\xff", "line 2: is no UTF-8 text: byte 0x90, found no encoding of text"),
        (b"PK\x03\x04\x14\x00", "is an Excel workbook or a zip archive"),
        (b"\xd0\xcf\x11\xe0\xa1", "is an old Excel workbook"),
        (b"\x1f\x8b\x08", "is a gzip archive"),
        (b"%PDF-1.7", "is a PDF document"),
        (b"abc\x00\x00\x00\x01\x02", r"is no text \(it holds zero bytes\)"),
    ],
)
def test_what_is_no_text_is_refused_by_its_name(content, found):
    text = _refused(content, found)
    assert "Save it as" in text and "rich" not in text


def test_mark_of_utf_8_is_no_fault():
    assert read_outcomes(b"\xef\xbb\xbf" + STATUS.encode(), "f.csv")[0] == "status_csv"


def test_amounts_that_differ_in_one_row_are_refused():
    content = f"payout_id,status,amount,amount_minor,currency_code\n{ID},settled,1.00,101,USD\n"
    _refused(content.encode(), "amount and amount_minor differ")


def test_too_large_file_is_refused_before_it_is_read():
    _refused(b"payout_id,status\n" + b"x" * MAXIMUM_BYTES, "more than 33554432.*split it")


def test_account_number_as_reference_is_not_kept():
    row = (ID, "settled", 1, "USD", "", "Erika Mustermann GmbH", "DE89370400440532013000")
    _, (outcome,) = read_outcomes(status_csv(row), "f.csv")
    assert (outcome.reference, outcome.reason_code) == (None, "other")


@pytest.mark.parametrize(("state", "outcome"), STATES.items())
def test_paypal_reads_every_state(state, outcome):
    content = paypal((ID, state, "150.00", "USD", "2026-03-17T10:00:00Z", ""))
    found, (read,) = read_outcomes(content, "f.csv")
    assert found == "paypal"
    assert (read.outcome, read.amount_minor, read.value_date) == (
        outcome, 15000, date(2026, 3, 17),
    )  # fmt: skip
    assert read.reason_code == (None if outcome == "settled" else state)
    assert read.reference == "TX0"


@pytest.mark.parametrize("state", ["On hold", "ON_HOLD", "onhold"])
def test_paypal_spellings_of_a_state(state):
    _, (read,) = read_outcomes(paypal((ID, state, "1.00", "USD", "", "")), "f.csv")
    assert (read.outcome, read.reason_code) == ("sent", "ONHOLD")


def test_paypal_id_of_the_web_upload_is_a_prefix():
    short = ID.replace("-", "")[:30]
    _, (read,) = read_outcomes(
        paypal((short, "FAILED", "1.00", "USD", "", "RECEIVER_UNREGISTERED")), "f.csv"
    )
    assert (read.key, read.key_kind, read.reason_code) == (
        short, "payout_prefix", "RECEIVER_UNREGISTERED",
    )  # fmt: skip


def test_paypal_summary_line_before_the_header():
    content = b"PAYOUT_SUMMARY,1.00,USD,1\n" + paypal((ID, "SUCCESS", "1.00", "USD", "", ""))
    found, (read,) = read_outcomes(content, "f.csv")
    assert (found, read.line) == ("paypal", 3)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("1,234.56", "USD", 123456), ("1.234,56", "EUR", 123456), ("-12,5", "EUR", 1250),
        ("1,234", "USD", 123400), ("1 234,50", "EUR", 123450), ("1,234", "JPY", 1234),
    ],
)  # fmt: skip
def test_paypal_amounts_with_either_mark(text, currency, minor):
    assert read_amount(text, currency) == minor


@pytest.mark.parametrize(
    ("text", "currency"),
    [("1,234", "BHD"), ("1.2.3", "USD"), ("0.00", "USD"), ("1.234", "BHD"), ("", "USD")],
)
def test_paypal_amount_that_can_be_two_or_none_is_refused(text, currency):
    with pytest.raises(ValueError, match="amount"):
        read_amount(text, currency)


@pytest.mark.parametrize(
    ("time", "day"),
    [
        ("17/03/2026", date(2026, 3, 17)), ("3/17/2026 10:00", date(2026, 3, 17)),
        ("03/03/2026", date(2026, 3, 3)), ("02/03/2026", None), ("", None),
    ],
)  # fmt: skip
def test_paypal_dates_that_could_be_two_days_are_left_out(time, day):
    _, (read,) = read_outcomes(paypal((ID, "SUCCESS", "1.00", "USD", time, "")), "f.csv")
    assert read.value_date == day


@pytest.mark.parametrize(
    ("row", "match"),
    [
        ((ID, "GONE", "1.00", "USD", "", ""), "line 2: the state is not one of SUCCESS"),
        ((ID, "SUCCESS", "x", "USD", "", ""), "amount cannot be read"),
        ((ID, "SUCCESS", "1.00", "XXQ", "", ""), "ISO 4217"),
        ((ID, "SUCCESS", "1.00", "USD", "soon", ""), "the date cannot be read"),
    ],
)
def test_paypal_faults_name_the_line(row, match):
    text = _refused(paypal(row), match)
    assert "jane@" not in text
