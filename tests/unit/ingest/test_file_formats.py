"""Declared formats of dropped files: encodings, delimiters, decimal commas, Excel's day numbers."""

from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any, get_args

import duckdb
import pyarrow
import pytest
from pyarrow import parquet

from ingest.entities import ENTITIES, Column, ColumnType
from ingest.file_formats import PLAIN, FileFormat, format_fault, format_of, plain_sql
from ingest.shapes import is_valid_sql, value_fault
from program.schema_sources import FileEntity
from program.schema_sources import FileFormat as DeclaredFormat

PARTNERS = "partner_id,name,email\n"
RATES = "rate_date,currency_code,rate\n"
LINES = "invoice_line_id,invoice_id,amount_minor,quantity,period_start\n"


def declare(night, entity: str, **format_settings: str) -> None:
    """Declare how the files of one entity are written."""
    declared = SimpleNamespace(**{**vars(PLAIN), **format_settings})
    night.sources["drop"].formats = {entity: declared}


def landed(night, columns: str, entity: str) -> list[tuple[Any, ...]]:
    return night.rows(f"select {columns} from raw.files__{entity} order by _row")


def plain(kind: ColumnType, value: str | None, declared: FileFormat) -> tuple[str | None, bool]:
    """The plain form, and whether its shape is accepted."""
    column = Column("subject", kind, is_required=True)
    query = (
        f"select plain, coalesce({is_valid_sql(column, 'plain')}, false) from "
        f"(select {plain_sql(kind, 'value', declared)} as plain from (select ?::varchar as value))"
    )
    return duckdb.execute(query, [value]).fetchall()[0]


def test_entities_that_can_have_a_format_are_those_that_are_read() -> None:
    assert get_args(FileEntity) == tuple(ENTITIES)


def test_defaults_are_those_of_the_settings() -> None:
    declared = SimpleNamespace(formats={"partners": DeclaredFormat()})
    assert format_of(declared, "partners") == PLAIN
    assert format_of(declared, "customers") is PLAIN
    assert format_of(SimpleNamespace(), "customers") is PLAIN


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252", "latin-1"])
@pytest.mark.parametrize("suffix", ["csv", "ndjson"])
def test_declared_encoding_is_read(night, encoding: str, suffix: str) -> None:
    declare(night, "partners", encoding=encoding)
    text = PARTNERS + "p1,Café,a@b.example\n"
    if suffix == "ndjson":
        text = '{"partner_id": "p1", "name": "Café", "email": "a@b.example"}\n'
    night.write(f"partners.{suffix}", text.encode(encoding))
    assert night.stream("partners").status == "ok"
    assert landed(night, "name", "partners") == [("Café",)]


def test_declared_encoding_stands_above_what_the_bytes_look_like(night) -> None:
    declare(night, "partners", encoding="latin-1")
    night.write("partners.csv", (PARTNERS + "p1,Café,a@b.example\n").encode("utf-8"))
    night.run()
    assert landed(night, "name", "partners") == [("CafÃ©",)]


@pytest.mark.parametrize("mark", [b"", b"\xff\xfe"])
def test_declared_utf_16_needs_no_mark_and_no_latin_letters(night, mark: bytes) -> None:
    declare(night, "partners", encoding="utf-16")
    content = "\n" + PARTNERS + "p1,日本,a@b.example\n"
    night.write("partners.csv", mark + content.encode("utf-16-le"))
    assert night.stream("partners").status == "ok"
    assert landed(night, "name", "partners") == [("日本",)]


@pytest.mark.parametrize(
    ("encoding", "words"), [("utf-8", "is not valid utf-8"), ("latin-1", "no letters for")]
)
def test_bytes_that_the_declared_encoding_has_not_are_refused(night, encoding, words) -> None:
    declare(night, "partners", encoding=encoding)
    night.write("partners.csv", (PARTNERS + "p1,5 €,a@b.example\n").encode("cp1252"))
    report = night.stream("partners")
    assert report.status == "failed"
    assert words in report.message
    assert report.rows_landed == 0


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_declared_delimiter_is_read_with_quotes_and_trailing_delimiters(night, delimiter) -> None:
    declare(night, "partners", delimiter=delimiter)
    rows = [
        ["partner_id", "name", "email"],
        ["p1", f'"a{delimiter}b ""c"""', "a@b.example"],
        ["p2", "a,b", "a@b.example", ""],
        ["p3", "short"],
        ["p4", "x", "a@b.example", "y"],
        ["p5", '"two\nlines"', "a@b.example"],
    ]
    night.write("partners.csv", "".join(delimiter.join(row) + "\n" for row in rows))
    report = night.stream("partners")
    assert [(each.row, each.line) for each in report.rejects] == [(3, 4), (4, 5)]
    assert "not quoted?" in report.rejects[1].reason
    assert "comma" not in report.rejects[1].reason
    assert landed(night, "partner_id, name", "partners") == [
        ("p1", f'a{delimiter}b "c"'),
        ("p2", "a,b"),
        ("p5", "two\nlines"),
    ]


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_both_ways_to_read_a_delimited_file_agree(night, delimiter: str) -> None:
    """A record over two lines sends the whole file through the slower way."""
    declare(night, "products", delimiter=delimiter)
    header = f"product_id{delimiter}name\n"
    records = [("1", '"x" '), ("2", "  y "), ("3", '"a, b"'), ("4", "'"), ("5", "")]
    text = "".join(f"{first}{delimiter}{second}\n" for first, second in records)
    night.write("products.csv", header + text)
    fast = night.stream("products")
    at_once = landed(night, "product_id, name", "products")
    night.write("products.csv", header + text + f'6{delimiter}"two\nlines"\n')
    slow = night.stream("products")
    by_record = night.rows(
        "select product_id, name from raw.files__products where _arrival = 2 order by _row"
    )
    assert by_record[:-1] == at_once
    assert [each.reason for each in slow.rejects] == [each.reason for each in fast.rejects]


@pytest.mark.parametrize(
    ("declared", "found", "named"),
    [(",", ";", "semicolons, not commas"), (";", ",", "commas, not semicolons"),
     ("\t", "|", "bars, not tabs")],
)  # fmt: skip
def test_another_delimiter_than_the_declared_one_is_told(night, declared, found, named) -> None:
    declare(night, "partners", delimiter=declared)
    night.write("partners.csv", PARTNERS.replace(",", found))
    report = night.stream("partners")
    assert f"the columns are separated by {named}" in report.message
    assert "formats.partners" in report.what_to_do


COMMA = FileFormat(decimals="comma")
COMMA_VALUES = {
    "1.234,56": "1234.56",
    "1234,56": "1234.56",
    "1,234": "1.234",
    "1234": "1234",
    "-1.234.567,5": "-1234567.5",
    "1.234.567": "1234567",
    "+0,5": "+0.5",
    "0,000001": "0.000001",
}
COMMA_FAULTS = ["1.234", "12.5", "1.0834", "1,234.56", "1.23,4", "1 234,5", ",5", "1,", "1,5,5",
                "0.123,45", "12.34.567,8", "1,1234567890123", "N/A", "1e5"]  # fmt: skip


@pytest.mark.parametrize("value", COMMA_VALUES)
def test_decimal_commas_become_points(value: str) -> None:
    assert plain(ColumnType.DECIMAL, value, COMMA) == (COMMA_VALUES[value], True)


@pytest.mark.parametrize("value", COMMA_FAULTS)
def test_what_is_no_decimal_comma_is_rejected_with_its_own_words(value: str) -> None:
    found, is_accepted = plain(ColumnType.DECIMAL, value, COMMA)
    assert not is_accepted
    reason = format_fault(Column("subject", ColumnType.DECIMAL, True), found, COMMA)
    assert reason
    assert "plain decimal" not in reason


def test_a_point_that_can_be_either_is_rejected_with_both_readings(night) -> None:
    declare(night, "fx_rates", decimals="comma", delimiter=";")
    text = RATES.replace(",", ";") + "2026-02-27;USD;1.083\n2026-02-27;JPY;1.155,5\n"
    night.write("fx_rates.csv", text + "2026-02-27;GBP;0,0\n")
    report = night.stream("fx_rates")
    assert [each.reason for each in report.rejects] == [
        "'1.083' can mean 1083 or 1,083; write it in one of these ways",
        "'0.0' must be above 0",
    ]
    assert landed(night, "currency_code, rate", "fx_rates") == [("JPY", "1155.5")]


def test_grouping_commas_stay_rejected_where_points_are_decimal(night) -> None:
    night.write("fx_rates.csv", RATES + '2026-02-27,USD,"1,234"\n2026-02-27,JPY,"1,234.56"\n')
    report = night.stream("fx_rates")
    assert [each.column_name for each in report.rejects] == ["rate", "rate"]
    assert "is not a plain decimal" in report.rejects[0].reason


def test_amounts_stay_whole_minor_units_under_decimal_commas(night) -> None:
    declare(night, "invoice_lines", decimals="comma", delimiter=";")
    header = LINES.replace(",", ";")
    night.write("invoice_lines.csv", header + "l1;i1;12,34;1,5;\nl2;i1;1234;1,5;\n")
    report = night.stream("invoice_lines")
    assert [each.column_name for each in report.rejects] == ["amount_minor"]
    assert landed(night, "amount_minor, quantity", "invoice_lines") == [("1234", "1.5")]


def test_numbers_of_ndjson_have_points_whatever_is_declared(night) -> None:
    declare(night, "fx_rates", decimals="comma", dates="excel_1900")
    night.write("fx_rates.ndjson", '{"rate_date": 46000, "currency_code": "USD", "rate": 1.083}\n')
    assert night.stream("fx_rates").rows_landed == 1
    assert landed(night, "rate_date, rate", "fx_rates") == [("2025-12-09", "1.083")]


EXCEL_1900 = FileFormat(dates="excel_1900")
EXCEL_1904 = FileFormat(dates="excel_1904")
DAYS = [
    (EXCEL_1900, "1", "1900-01-01"),
    (EXCEL_1900, "59", "1900-02-28"),
    (EXCEL_1900, "61", "1900-03-01"),
    (EXCEL_1900, "25569", "1970-01-01"),
    (EXCEL_1900, "45292", "2024-01-01"),
    (EXCEL_1900, "45351", "2024-02-29"),
    (EXCEL_1900, "60000", "2064-04-08"),
    (EXCEL_1900, "45292.0", "2024-01-01"),
    (EXCEL_1904, "1", "1904-01-02"),
    (EXCEL_1904, "59", "1904-02-29"),
    (EXCEL_1904, "60", "1904-03-01"),
    (EXCEL_1904, "24107", "1970-01-01"),
    (EXCEL_1904, "43830", "2024-01-01"),
    (FileFormat(dates="excel_1900", decimals="comma"), "45292,0", "2024-01-01"),
]
MOMENTS = [
    (EXCEL_1900, "45292.5", "2024-01-01T12:00:00"),
    (EXCEL_1900, "45292.7291666667", "2024-01-01T17:30:00"),
    (EXCEL_1900, "45292.999988426", "2024-01-01T23:59:59"),
    (EXCEL_1900, "45292.9999999", "2024-01-02T00:00:00"),
    (EXCEL_1900, "59.75", "1900-02-28T18:00:00"),
    (EXCEL_1900, "61.25", "1900-03-01T06:00:00"),
    (EXCEL_1904, "43830.25", "2024-01-01T06:00:00"),
    (FileFormat(dates="excel_1904", decimals="comma"), "43830,25", "2024-01-01T06:00:00"),
]


@pytest.mark.parametrize(("declared", "value", "day"), DAYS)
@pytest.mark.parametrize("kind", [ColumnType.DATE, ColumnType.INSTANT])
def test_day_numbers_become_iso_dates(kind, declared, value: str, day: str) -> None:
    assert plain(kind, value, declared) == (day, True)


@pytest.mark.parametrize(("declared", "value", "moment"), MOMENTS)
def test_fractions_of_a_day_become_local_times(declared, value: str, moment: str) -> None:
    assert plain(ColumnType.INSTANT, value, declared) == (moment, True)
    assert plain(ColumnType.DATE, value, declared)[1] is False


@pytest.mark.parametrize("declared", [EXCEL_1900, EXCEL_1904])
@pytest.mark.parametrize(
    "value", ["2026-03-31", "2026-03-31T23:59:59Z", "2026-03-31 10:00", "2026-03-31T10:00+02:00"]
)
def test_iso_values_stay_as_they_are_beside_day_numbers(declared, value: str) -> None:
    assert plain(ColumnType.INSTANT, value, declared) == (value, True)


@pytest.mark.parametrize(
    ("declared", "value", "words"),
    [
        (EXCEL_1900, "60", "29 February 1900, which only Excel has"),
        (EXCEL_1900, "60.5", "29 February 1900"),
        (EXCEL_1900, "0", "not a day number from 1 to 60000"),
        (EXCEL_1900, "0.5", "not a day number"),
        (EXCEL_1900, "60001", "not a day number"),
        (EXCEL_1904, "60001", "not a day number"),
        (EXCEL_1900, "45292.5", "has a time of day, and the column takes a date"),
        (EXCEL_1900, "45292.0000000000001", None),
        (EXCEL_1900, "31.03.2026", None),
        (EXCEL_1900, "-5", None),
        (EXCEL_1900, "20260331", None),
        (EXCEL_1900, "45292,5", None),
    ],
)
def test_other_numbers_are_no_dates(declared, value: str, words: str | None) -> None:
    column = Column("subject", ColumnType.DATE, is_required=True)
    found, is_accepted = plain(ColumnType.DATE, value, declared)
    assert (found, is_accepted) == (value, False)
    reason = format_fault(column, found, declared) or value_fault(column, found)
    assert reason
    assert words is None or words in reason


def test_every_second_of_a_day_is_read_to_the_second() -> None:
    """As a spreadsheet writes them: fifteen figures in all."""
    seconds = range(0, 86_400, 7)
    texts = [f"{45292 + second / 86_400:.10f}" for second in seconds]
    query = plain_sql(ColumnType.INSTANT, "value", EXCEL_1900)
    found = duckdb.execute(
        f"select {query} from (select unnest(?::varchar[]) as value)", [texts]
    ).fetchall()
    midnight = datetime(2024, 1, 1)
    expected = [(midnight + timedelta(seconds=second)).isoformat() for second in seconds]
    assert [row[0] for row in found[1:]] == expected[1:]
    assert found[0] == ("2024-01-01",)


def test_every_day_number_is_the_day_after_the_one_before() -> None:
    numbers = [str(number) for number in range(1, 60_001) if number != 60]
    query = plain_sql(ColumnType.DATE, "value", EXCEL_1900)
    found = duckdb.execute(
        f"select {query} from (select unnest(?::varchar[]) as value)", [numbers]
    ).fetchall()
    first = date(1900, 1, 1).toordinal()
    assert [date.fromisoformat(day).toordinal() - first for (day,) in found] == list(
        range(len(numbers))
    )


def test_empty_values_stay_empty_under_any_format() -> None:
    for kind in (ColumnType.DATE, ColumnType.INSTANT, ColumnType.DECIMAL):
        declared = FileFormat(decimals="comma", dates="excel_1900")
        assert plain(kind, None, declared) == (None, False)


def test_day_numbers_of_a_file_land_as_text_that_everything_after_knows(night) -> None:
    declare(night, "invoice_lines", dates="excel_1900")
    night.write(
        "invoice_lines.csv",
        LINES + "l1,i1,100,1.5,45292\nl2,i1,100,,45292.5\nl3,i1,100,,\nl4,i1,100,,60\n"
        "l5,i1,100,,2024-01-01T12:00:00Z\n",
    )
    report = night.stream("invoice_lines")
    assert [(each.line, each.column_name) for each in report.rejects] == [(5, "period_start")]
    assert landed(night, "period_start, quantity", "invoice_lines") == [
        ("2024-01-01", "1.5"),
        ("2024-01-01T12:00:00", None),
        (None, None),
        ("2024-01-01T12:00:00Z", None),
    ]


def test_day_numbers_are_rejected_where_none_are_declared(night) -> None:
    night.write("invoice_lines.csv", LINES + "l1,i1,100,,45292\n")
    report = night.stream("invoice_lines")
    assert "is not ISO 8601" in report.rejects[0].reason


def test_day_numbers_of_parquet_are_read(night) -> None:
    declare(night, "fx_rates", dates="excel_1900", delimiter=";", decimals="comma")
    table = pyarrow.table({"rate_date": [45292.0], "currency_code": ["USD"], "rate": [1.083]})
    parquet.write_table(table, night.drop / "fx_rates.parquet")
    assert night.stream("fx_rates").rows_landed == 1
    assert landed(night, "rate_date, rate", "fx_rates") == [("2024-01-01", "1.083")]


def test_a_format_concerns_its_entity_only(night) -> None:
    declare(night, "fx_rates", delimiter=";", encoding="utf-16")
    night.write("products.csv", "product_id,name\nx,Café\n")
    assert night.stream("products").rows_landed == 1


def test_a_changed_format_reads_landed_files_only_when_asked(night) -> None:
    from ingest.landing import LandingStore
    from ingest.reread import reread

    night.write("fx_rates.csv", RATES + '45292,USD,"1,0834"\n')
    assert night.stream("fx_rates").rows_rejected == 1
    declare(night, "fx_rates", decimals="comma", dates="excel_1900")
    assert night.stream("fx_rates").status == "unchanged"
    assert landed(night, "rate", "fx_rates") == []
    with LandingStore(night.home) as store:
        (told,) = reread(night.workspace, store, now=datetime(2026, 3, 2))
    assert (told.changed, told.rows_before, told.rows_after) == (1, 0, 1)
    assert landed(night, "rate_date, rate", "fx_rates") == [("2024-01-01", "1.0834")]
