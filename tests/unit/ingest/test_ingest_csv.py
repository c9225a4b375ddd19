"""CSV traps: encodings, headers, ragged and malformed records, physical lines."""

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import csv_rows
from ingest.entities import ENTITIES
from ingest.received import Received

HEADER = "payment_id,invoice_id,amount_minor,paid_at\n"
GOOD = "p1,i1,100,2026-01-01\n"
PARTNERS = "partner_id,name,email\n"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
)
def test_encodings_of_common_programs_are_read(night, encoding: str) -> None:
    night.write("partners.csv", (PARTNERS + "p1,Café “€”,a@b.example\n").encode(encoding))
    assert night.stream("partners").status == "ok"
    assert night.rows("select name from raw.files__partners") == [("Café “€”",)]


@pytest.mark.parametrize("order", ["le", "be"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_utf_16_of_either_order_is_read_with_and_without_its_mark(night, order, mark) -> None:
    text = mark + PARTNERS + "p1,Café €,a@b.example\n"
    night.write("partners.csv", text.encode(f"utf-16-{order}"))
    assert night.stream("partners").status == "ok"
    assert night.rows("select name, _line from raw.files__partners") == [("Café €", 2)]


def test_text_in_no_known_encoding_is_refused(night) -> None:
    night.write("partners.csv", PARTNERS.encode() + b"p1,\x81\xff,a@b.example\n")
    assert "neither UTF-8 nor cp1252" in night.stream("partners").message


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("payment_id,invoice_id,amount_minor,paid_at,paid_at", "'paid_at' appears 2 times"),
        ("payment_id,invoice_id,amount,paid_at", "did you mean amount_minor?"),
        ("payment_id,invoice_id,paid_at", "required column amount_minor is missing"),
        ("payment_id,invoice_id,amount_minor,paid_at,", "column 5 has no name"),
        ("payment_id;invoice_id;amount_minor;paid_at", "separated by semicolons"),
        ("payment_id\tinvoice_id", "separated by tabs"),
    ],
)
def test_wrong_header_refuses_the_file_and_says_what_is_wrong(night, header, expected) -> None:
    night.write("payments.csv", header + "\n" + GOOD)
    report = night.stream("payments")
    assert (report.status, report.rows_landed) == ("failed", 0)
    assert expected in report.message
    assert "payments.csv, line 1" in report.message
    assert report.what_to_do


def test_file_without_header_never_shows_its_values(night) -> None:
    night.write("partners.csv", "p1,Ana Lopez,ana@corp.example\n")
    report = night.stream("partners")
    assert "is not a header of partners" in report.message
    assert "Lopez" not in str(report)
    assert "@" not in str(report)


def test_touchpoints_need_a_code_or_a_partner(night) -> None:
    night.write("touchpoints.csv", "touchpoint_id,occurred_at,touch_type\n")
    assert "code or partner_id is missing" in night.stream("touchpoints").message
    night.write(
        "touchpoints.csv",
        "touchpoint_id,occurred_at,touch_type,code\nt1,2026-01-01,referral_link,\n",
    )
    assert "one of code or partner_id" in night.stream("touchpoints").message


@pytest.mark.parametrize("content", ["", "\n\n", "\ufeff"])
def test_empty_file_is_refused(night, content: str) -> None:
    night.write("payments.csv", content)
    assert "is empty" in night.stream("payments").message


def test_header_alone_lands_no_rows(night) -> None:
    night.write("payments.csv", HEADER.strip())
    report = night.stream("payments")
    assert (report.status, report.rows_landed) == ("ok", 0)


@pytest.mark.parametrize("ragged", ["p2,i2,100", "p2,i2,100,2026-01-01,more", "p2"])
def test_ragged_rows_are_rejected_alone_with_their_line(night, ragged: str) -> None:
    night.write("payments.csv", HEADER + GOOD + ragged + "\n" + "p3,i3,1,2026-01-01\n")
    report = night.stream("payments")
    assert (report.rows_landed, report.rows_rejected) == (2, 1)
    assert (report.rejects[0].line, report.rejects[0].row) == (3, 2)
    assert night.rows("select _row, _line from raw.files__payments order by 1") == [(1, 2), (3, 4)]


def test_physical_line_is_right_after_quoted_line_breaks_and_blank_lines(night) -> None:
    night.write(
        "partners.csv",
        PARTNERS + '\np1,"two\nlines",a@b.example\n\np2,x,no-mail\np3,y,c@d.example\n',
    )
    report = night.stream("partners")
    assert (report.rejects[0].row, report.rejects[0].line) == (2, 6)
    assert night.rows("select name, _row, _line from raw.files__partners order by 2") == [
        ("two\nlines", 1, 3),
        ("y", 3, 7),
    ]


def test_trailing_comma_does_no_harm(night) -> None:
    night.write("payments.csv", HEADER + GOOD.strip() + ",\n" + "p2,i2\n")
    report = night.stream("payments")
    assert (report.rows_landed, report.rows_rejected) == (1, 1)


def test_quote_never_closed_refuses_the_file_naming_its_line(night) -> None:
    night.write("payments.csv", HEADER + GOOD + 'p2,"i2,1,2026-01-01\n' + GOOD)
    report = night.stream("payments")
    assert report.status == "failed"
    assert "payments.csv, line 3: a quote is opened and never closed" in report.message


def test_text_after_a_quote_is_rejected_and_the_rest_read(night) -> None:
    night.write("payments.csv", HEADER + 'p1,"i"1,100,2026-01-01\n' + GOOD)
    report = night.stream("payments")
    assert (report.rows_landed, report.rows_rejected) == (1, 1)
    assert "closing quote" in report.rejects[0].reason


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_all_line_ends_are_read(night, line_end: str) -> None:
    night.write("payments.csv", (HEADER + GOOD + GOOD.replace("p1", "p2")).replace("\n", line_end))
    assert night.stream("payments").rows_landed == 2
    assert night.rows("select _line from raw.files__payments order by 1") == [(2,), (3,)]


def test_nul_is_rejected_with_its_line_but_stripped_from_codes(night) -> None:
    night.write(
        "partner_codes.csv",
        "code,partner_id,code_type\nAN\0NA,p1,referral_link\nBEN,p\x002,referral_link\n",
    )
    report = night.stream("partner_codes")
    assert str(report.rejects[0]).startswith("partner_codes.csv, line 3, column partner_id: holds")
    assert night.rows("select code from raw.files__partner_codes") == [("ANNA",)]


def test_codes_and_emails_equal_to_the_eye_land_equal(night) -> None:
    rows = [
        ("ANNA\u200b20", "\u202aAnna@Corp.Example\u202c"),
        ("\ufeffANNA20\u00a0", "ANNA@corp.example"),
        ("e\u0301", "\u0130x@corp.example"),
    ]
    content = "contact_id,email,created_at,code\n"
    for number, (code, email) in enumerate(rows):
        content += f"{number},{email},2026-01-01,{code}\n"
    night.write("contacts.csv", content)
    night.run()
    assert night.rows("select code, email from raw.files__contacts order by _row") == [
        ("ANNA20", "anna@corp.example"),
        ("ANNA20", "anna@corp.example"),
        ("\u00e9", "i\u0307x@corp.example"),
    ]


def test_value_kept_when_it_looks_like_null_or_formula(night) -> None:
    night.write("products.csv", "product_id,name\nNULL,\\N\nx,=1+1\n")
    assert night.stream("products").rows_landed == 2
    assert night.rows("select product_id, name from raw.files__products order by _row") == [
        ("NULL", "\\N"),
        ("x", "=1+1"),
    ]


FORMULAS = ["=1+1", "+441632960000", "-2+3", "@SUM(A1)", "=cmd|'/C calc'!A0", "'=quoted"]


@pytest.mark.parametrize("is_unusual", [False, True])
def test_text_that_looks_like_a_formula_is_kept_byte_for_byte(night, is_unusual: bool) -> None:
    content = "product_id,name\n" + "".join(f"{each},{each}\n" for each in FORMULAS)
    night.write("products.csv", content + ('x,"two\nlines"\n' if is_unusual else ""))
    assert night.stream("products").rows_rejected == 0
    landed = night.rows("select product_id, name from raw.files__products order by _row")
    assert landed[: len(FORMULAS)] == [(each, each) for each in FORMULAS]


def test_advice_for_wrong_columns_names_a_page_that_lists_them(night) -> None:
    from pathlib import Path

    night.write("payments.csv", "payment_id,oops\n1,2\n")
    assert "docs/files-source.md lists them" in night.stream("payments").what_to_do
    page = Path(__file__).parents[3] / "docs" / "files-source.md"
    written = page.read_text(encoding="utf-8")
    for entity in ENTITIES.values():
        listed = written.partition(f"\n## {entity.name}\n")[2].partition("\n## ")[0]
        assert all(f"| `{name}` |" in listed for name in entity.column_names), entity.name


def test_million_byte_value_in_a_quote_is_refused_with_its_line(night) -> None:
    night.write("products.csv", 'product_id,name\nx,"' + "a\n" * 200_000)
    assert "line 2: a quote is opened" in night.stream("products").message


FIELD = st.text(alphabet='ab,"\n \u00e9', max_size=6)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(FIELD, FIELD, st.booleans()), max_size=8))
def test_both_readers_agree_on_well_formed_files(tmp_path_factory, records) -> None:
    lines = ["product_id,name"]
    for first, second, is_quoted in records:
        fields = [first, second]
        if is_quoted or any(set(text) & set(',"\n ') for text in fields):
            fields = ['"' + text.replace('"', '""') + '"' for text in fields]
        lines.append(",".join(fields))
    text = "\n".join(lines) + "\n"
    path = tmp_path_factory.mktemp("csv") / "products.csv"
    path.write_text(text, newline="")
    received = Received("", len(text), "utf-8", path, text.count("\n"), False)
    names = ["product_id", "name"]
    query = "select nullif(product_id, ''), nullif(name, ''), _row, _line from staged order by _row"
    found = []
    for read in (
        lambda each: csv_rows._stage_at_once(each, names, received),
        lambda each: csv_rows._stage_by_record(each, names, received, "products.csv"),
    ):
        connection = duckdb.connect()
        if read(connection):
            found.append(connection.execute(query).fetchall())
    assert found[0] == found[-1]
    assert len(found[-1]) == len(records)
    assert ENTITIES["products"].column_names[:2] == ("product_id", "name")
