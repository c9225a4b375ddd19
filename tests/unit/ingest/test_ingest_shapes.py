"""Shapes of values: what passes, what is rejected with which words, SQL and Python alike."""

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.entities import ENTITIES, TOUCH_TYPES, Column, ColumnType, help_rows
from ingest.shapes import IDENTIFIER_TYPES, clean, clean_sql, is_valid_sql, value_fault


def column(column_type: ColumnType, *choices: str) -> Column:
    return Column("subject", column_type, is_required=True, choices=choices)


CASES = {
    ColumnType.INSTANT: (
        ["2026-03-31", "2026-03-31T23:59", "2026-03-31 23:59:59", "2026-03-31T23:59:59.123456Z",
         "2026-03-31T23:59+05:30", "2024-02-29", "9999-12-31", "2026-03-31T00:00:00-00:00",
         "2026-03-31T23:59Z"],
        ["2026-02-30", "2025-02-29", "2026-13-01", "31.03.2026", "2026-3-1", "0001-01-01",
         "2026-03-31T24:00", "2026-03-31T23:60", "2026-03-31T23:59:60", "2026-03-31T10:00+15:00",
         "2026-03-31T10:00:00.1234567", "2026-03-31T10", "2026-03-31Z", "20260331", "now",
         "2026-03-31T10:00z", "1767225600", "2026-03-31T10:00 Z"],
    ),
    ColumnType.DATE: (["2026-03-31"], ["2026-03-31T00:00", "2026-02-30", "46000"]),
    ColumnType.MINOR_UNITS: (
        ["0", "-5", "+5", "9223372036854775807", "-9223372036854775808", "007"],
        ["12.34", "12.00", "9223372036854775808", "1,234", "1 234", "1e3", "$5", "٣", "--5", "5-",
         "0x10", "NaN", "-"],
    ),
    ColumnType.DECIMAL: (["1", "-1.5", "0.000001"], [".5", "1.", "1e-5", "1,5", "inf"]),
    ColumnType.POSITIVE_DECIMAL: (["1.0834"], ["0", "0.00", "-1.2", "N/A", "1e-5"]),
    ColumnType.BOOLEAN: (["true", "FALSE", "1", "0", "Yes", "no"], ["t", "2", "ja"]),
    ColumnType.CURRENCY: (["USD", "JPY", "BHD"], ["usd", "US", "XYZ", "EURO", "€"]),
    ColumnType.EMAIL: (["a@b", "a+b@c.example"], ["ab", "a@b@c", "@b", "a@", "a b@c"]),
}  # fmt: skip
EXAMPLES = [
    (kind, value, is_good)
    for kind, (good, bad) in CASES.items()
    for values, is_good in ((good, True), (bad, False))
    for value in values
]


@pytest.mark.parametrize(("kind", "value", "is_good"), EXAMPLES)
def test_value_passes_or_fails_in_sql_and_python_alike(kind, value, is_good) -> None:
    assert (value_fault(column(kind), value) is None) is is_good
    condition = is_valid_sql(column(kind), "value")
    query = f"select coalesce({condition}, false) from (select ?::varchar as value)"
    assert duckdb.execute(query, [value]).fetchall() == [(is_good,)]


def test_values_that_pass_can_be_cast_by_the_warehouse() -> None:
    for value in CASES[ColumnType.INSTANT][0]:
        kind = "timestamptz" if value[-1] == "Z" or value[-6] in "+-" else "timestamp"
        duckdb.execute(f"select cast(? as {kind})", [clean(ColumnType.INSTANT, value)])
    for value in CASES[ColumnType.MINOR_UNITS][0]:
        duckdb.execute("select cast(? as bigint)", [value])


TEXTS = st.text(alphabet="0123456789-+:.TZ etrus@UD\u00e9\u200b\u0130\0\n", max_size=24)


@settings(max_examples=50, deadline=None)
@given(st.lists(TEXTS, min_size=1, max_size=60))
def test_sql_and_python_agree_on_any_text(texts: list[str]) -> None:
    for kind in ColumnType:
        subject = column(kind, "true", "USD")
        cleaned = [clean(kind, text) for text in texts]
        values = [value for value in cleaned if value is not None]
        condition = is_valid_sql(subject, "value")
        query = f"select coalesce({condition}, false) from (select unnest(?::varchar[]) as value)"
        found = [row[0] for row in duckdb.execute(query, [values]).fetchall()]
        assert found == [value_fault(subject, value) is None for value in values]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(alphabet=" ab\t\n\u00a0\u200b\ufeff\u3000@A~!", max_size=8), min_size=1))
def test_sql_cleaning_equals_python_cleaning_where_it_is_used(texts: list[str]) -> None:
    for kind in ColumnType:
        used = [
            text
            for text in texts
            if kind not in IDENTIFIER_TYPES or (text.isascii() and text.isprintable())
        ]
        query = f"select {clean_sql(kind, 'value')} from (select unnest(?::varchar[]) as value)"
        found = [row[0] for row in duckdb.execute(query, [used]).fetchall()]
        assert found == [clean(kind, text) for text in used]


@pytest.mark.parametrize(
    ("received", "landed"),
    [
        ("2026-03-31T23:59+05:30", "2026-03-31T23:59:00+05:30"),
        ("2026-03-31 23:59Z", "2026-03-31 23:59:00Z"),
        ("2026-03-31T23:59", "2026-03-31T23:59"),
        ("2026-03-31T23:59:01.5Z", "2026-03-31T23:59:01.5Z"),
        ("2026-03-31", "2026-03-31"),
    ],
)
def test_instant_without_seconds_lands_so_that_it_can_be_cast(received: str, landed: str) -> None:
    assert clean(ColumnType.INSTANT, received) == landed
    query = f"select {clean_sql(ColumnType.INSTANT, 'value')} from (select ?::varchar as value)"
    assert duckdb.execute(query, [received]).fetchall() == [(landed,)]


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        (ColumnType.MINOR_UNITS, "12.34", "write minor units: 1234"),
        (ColumnType.MINOR_UNITS, "-0.5", "write minor units: -50"),
        (ColumnType.MINOR_UNITS, "1234.0", "minor units are whole numbers: 1234"),
        (ColumnType.MINOR_UNITS, "99999999999999999999", "not a whole number"),
        (ColumnType.MINOR_UNITS, "9223372036854775808", "too large"),
        (ColumnType.INSTANT, "2026-02-30", "not a day of the calendar"),
        (ColumnType.INSTANT, "0001-01-01", "before 1900"),
        (ColumnType.CURRENCY, "usd", "in capitals: USD"),
        (ColumnType.POSITIVE_DECIMAL, "0", "above 0"),
    ],
)
def test_fault_says_what_to_write(kind: ColumnType, value: str, words: str) -> None:
    assert words in value_fault(column(kind), value)


def test_closed_list_fault_names_the_nearest() -> None:
    subject = column(ColumnType.CHOICE, "scheduled", "canceled")
    assert "did you mean canceled?" in value_fault(subject, "cancelled")


@pytest.mark.parametrize("kind", list(ColumnType))
@pytest.mark.parametrize("value", ["ana.lopez@corp.example x", "Ana Lopez"])
def test_faults_never_repeat_a_person(kind: ColumnType, value: str) -> None:
    fault = value_fault(column(kind, "open", "won"), value) or ""
    assert "Lopez" not in fault
    assert "corp" not in fault


def test_help_table_has_each_declared_column() -> None:
    rows = help_rows()
    assert len(rows) == sum(len(entity.columns) for entity in ENTITIES.values())
    assert ("touchpoints", "touch_type", ", ".join(TOUCH_TYPES), "yes", "no") in rows
    assert ("touchpoints", "code", "code", "code or partner_id", "no") in rows
    assert ("contacts", "email", "e-mail", "yes", "yes") in rows


def test_every_entity_of_the_interface_is_declared() -> None:
    assert list(ENTITIES) == [
        "partners", "partner_codes", "touchpoints", "form_submissions", "deal_registrations",
        "contacts", "companies", "deals", "meetings", "product_events", "customers",
        "subscriptions", "products", "invoices", "invoice_lines", "payments", "refunds",
        "disputes", "credit_notes", "fx_rates", "manual_commissions",
    ]  # fmt: skip
