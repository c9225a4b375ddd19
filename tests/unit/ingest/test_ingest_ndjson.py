"""NDJSON traps: numbers as written, malformed lines, unknown keys, odd values."""

import pytest

GOOD = '{"payment_id": "p1", "invoice_id": "i1", "amount_minor": 100, "paid_at": "2026-01-01"}\n'


def test_values_are_kept_as_written(night) -> None:
    night.write(
        "fx_rates-2026.ndjson",
        '{"rate_date": "2026-01-02", "currency_code": "USD", "rate": 1.10}\n'
        '{"rate_date": "2026-01-02", "currency_code": "JPY", "rate": "160.123456789012"}\r\n'
        "\n"
        '{"rate_date": "2026-01-02", "currency_code": "GBP", "rate": 0.8, }\n',
    )
    report = night.stream("fx_rates")
    assert (report.rows_landed, report.rows_rejected) == (2, 1)
    assert (report.rejects[0].line, report.rejects[0].row) == (4, 3)
    assert night.rows("select rate, _row, _line from raw.files__fx_rates order by _row") == [
        ("1.10", 1, 1),
        ("160.123456789012", 2, 2),
    ]


def test_booleans_and_null_become_text_and_absent(night) -> None:
    night.write(
        "companies.jsonl",
        '{"company_id": 7, "domain": "a.example", "is_deleted": true, "name": null}\n',
    )
    assert night.stream("companies").rows_landed == 1
    assert night.rows("select company_id, is_deleted, name from raw.files__companies") == [
        ("7", "true", None)
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{broken", "not valid JSON"),
        ("[1, 2]", "not a JSON object"),
        ('"text"', "not a JSON object"),
        (GOOD.strip() + " {}", "not valid JSON"),
        ('{"payment_id": {"a": 1}}', "nested value"),
        ('{"payment_id": []}', "nested value"),
        ('{"payment_id": "a", "payment_id": "b"}', "a key appears twice"),
        ('{"payment_id" : "a", "payment_id": "b"}', "a key appears twice"),
        ('{"payment_id"\t: "a", "payment_id": "\\":"}', "a key appears twice"),
        ('{"amount_minor": NaN}', "NaN is not a JSON value"),
        ('{"payment_id": "\\ud800"}', "surrogate"),
        ('{"payment_id":' + "[" * 100_000 + "}", "nested too deeply"),
    ],
)
def test_malformed_line_is_rejected_alone_with_its_line(night, line: str, reason: str) -> None:
    night.write("payments.ndjson", GOOD + line + "\n")
    report = night.stream("payments")
    assert (report.rows_landed, report.rows_rejected) == (1, 1)
    assert report.rejects[0].line == 2
    assert reason in report.rejects[0].reason


def test_unknown_key_refuses_the_whole_file(night) -> None:
    night.write("payments.ndjson", GOOD + GOOD.replace("invoice_id", "invoise_id"))
    report = night.stream("payments")
    assert (report.status, report.rows_landed) == ("failed", 0)
    assert "payments.ndjson, line 2" in report.message
    assert "did you mean invoice_id?" in report.message


def test_required_key_on_no_line_refuses_the_file(night) -> None:
    night.write("payments.ndjson", '{"payment_id": "a", "invoice_id": "b", "amount_minor": 1}\n')
    assert "required column paid_at is missing" in night.stream("payments").message


def test_required_key_absent_on_one_line_rejects_that_line(night) -> None:
    night.write("payments.ndjson", GOOD + '{"payment_id": "a", "amount_minor": 1}\n')
    report = night.stream("payments")
    assert (report.rows_landed, report.rows_rejected) == (1, 1)
    assert report.rejects[0].column_name == "invoice_id"


def test_number_with_exponent_is_rejected_not_rounded(night) -> None:
    night.write("payments.ndjson", GOOD.replace("100", "1e2"))
    report = night.stream("payments")
    assert report.rows_rejected == 1
    assert "whole number of minor units" in report.rejects[0].reason


def test_empty_file_is_refused(night) -> None:
    night.write("payments.ndjson", "\n")
    assert "is empty" in night.stream("payments").message
