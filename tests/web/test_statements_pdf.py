"""Statements as PDF: the record's amounts, tagged, equal bytes for equal records, any name."""

import hashlib
import json
import os
import re
import subprocess
import sys
import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pdf_reader import read_pdf
from statement_world import ENTRIES, HOSTILE_NAMES, PROGRAMME, entry, many, told

from dashboards.errors import StatementError
from dashboards.statements.content import content_hash
from dashboards.statements.glyphs import covered, shown
from dashboards.statements.pdf import render_pdf
from dashboards.statements.wording import ENTRY_STATES, MOVEMENTS
from dashboards.templating import money
from orchestration.cli_common import REPOSITORY, json_text
from orchestration.known_ledger import AVAILABLE, HELD, IN_BATCH, ON_HOLD, PAID
from orchestration.statements import MOVEMENTS as POSTED_MOVEMENTS
from orchestration.statements import OTHER


@pytest.fixture(scope="module")
def pdf():
    return read_pdf(render_pdf(told(), PROGRAMME, "Rivermark"))


def eur(minor, is_signed=True):
    return money(minor, "EUR", is_signed=is_signed)


def test_the_sums_stand_with_the_balance_after_each(pdf):
    assert pdf.tables[3] == [
        ["What", "Of which", "Amount", "Balance"],
        ["Opening balance of 2026-02", "", "", eur(20_000, False)],
        ["Earned", "", eur(4_000), eur(24_000, False)],
        ["Bonuses", "", eur(10_000), eur(34_000, False)],
        ["Taken back", "", eur(-1_250), eur(32_750, False)],
        ["Refund, 1 line", eur(-1_250), "", ""],
        ["Chargeback, 1 line", eur(-5_000), "", ""],
        ["Given back, 1 line", eur(5_000), "", ""],
        ["Paid out", "", eur(-15_000), eur(17_750, False)],
        ["Closing balance of 2026-02", "", "", eur(17_750, False)],
    ]
    assert "Posted in later months: 3.00\u202fEUR. Balance with them: 180.50\u202fEUR." in [
        sentence.text for sentence in pdf.root.all("P")
    ]


def test_every_currency_is_a_chapter_with_its_own_decimals(pdf):
    assert [head.text for head in pdf.root.all("Title", "H1", "H2")] == [
        "Acme Partners: statement 2026-02",
        "Balance in BHD", "Not paid yet", "Expected payouts", "Lines of 2026-02 in BHD",
        "Balance in EUR", "Not paid yet", "Expected payouts", "Lines of 2026-02 in EUR",
    ]  # fmt: skip
    assert pdf.tables[0][-1][-1] == money(-1_234_005, "BHD") == "−1\u202f234.005\u202fBHD"
    carried = f"{money(-1_234_005, 'BHD')} carried to the next pay date"
    assert pdf.tables[1][1:] == [["2026-03-16", "0.000\u202fBHD", carried]]


def test_every_line_stands_with_its_amount(pdf):
    heads, *rows = pdf.tables[-1]
    assert heads == [
        "Day", "What", "For", "Because of", "State", "Entry", "Earned as", "Amount",
    ]  # fmt: skip
    (record,) = (each for each in told()["currencies"] if each["payout_currency_code"] == "EUR")
    assert [row[-1] for row in rows] == [
        eur(line["payout_amount_minor"], False) for line in record["lines"]
    ]
    assert rows[0] == [
        "2026-02-03", "Earned, recurring", "invoice line il_1 c_1", "",
        "waiting, expected 2026-03-16", "00004000", "44.00\u202fUSD", eur(4_000, False),
    ]  # fmt: skip
    assert rows[1][3] == "refund re_1"
    assert ["2026-02-16", "paid 2026-02-16"] in [[row[0], row[4]] for row in rows]


def test_a_column_without_anything_to_say_is_left_out():
    plain = read_pdf(render_pdf(told([entry("earning", 100, ENTRIES[2]["effective_date"])]),
                                PROGRAMME))  # fmt: skip
    assert plain.tables[-1][0] == ["Day", "What", "For", "State", "Entry", "Amount"]
    assert plain.tables[0][0] == ["What", "Amount", "Balance"]


def test_the_bar_says_every_amount_in_words(pdf):
    assert [figure.alt for figure in pdf.root.all("Figure")] == [
        "Not paid yet, by state: waiting 43.00\u202fEUR; held 100.00\u202fEUR; "
        "available 37.50\u202fEUR.",
    ], "the debt in BHD has no width, so there is no bar"
    assert f"available {money(-1_234_005, 'BHD')}" in [
        sentence.text for sentence in pdf.root.all("P")
    ]


def test_the_file_is_tagged_and_says_its_language_and_title(pdf):
    whole = b"\n".join(pdf.objects.values())
    for mark in (b"/MarkInfo<</Marked true", b"/Lang(en)", b"/DisplayDocTitle true",
                 b"<pdfuaid:part>1</pdfuaid:part>"):  # fmt: skip
        assert mark in whole
    for table in pdf.root.all("Table"):
        assert [group.tag for group in table.children] == ["THead", "TBody"]
        assert len(table.children[0].all("TH")) == len(table.children[1].all("TR")[0].all("TD"))
        assert all(head.text for head in table.all("TH"))
    assert set(re.findall(rb"/FontName/[A-Z]+\+(\w+)", whole)) == {b"DejaVuSans"}
    assert len(re.findall(rb"/FontName/", whole)) == len(re.findall(rb"/FontFile2 ", whole))


def test_the_file_is_dated_by_its_last_night_and_names_what_was_known(pdf):
    assert b"/CreationDate(D:20260227000000Z)" in pdf.info
    assert pdf.artifacts[0].splitlines() == [
        "Acme Partners, statement of p_1, 2026-02",
        "As known on 2026-02-28, up to the night of 2026-02-27: journal segment 3, event 41",
        f"Journal {'ab' * 32}",
        f"Statement {content_hash(told())}",
        f"Page 1 of {len(pdf.artifacts)}",
    ]


def test_days_as_dates_or_as_text_are_the_same_statement():
    as_text = json.loads(json_text(told()))
    assert content_hash(as_text) == content_hash(told())
    assert render_pdf(as_text, PROGRAMME) == render_pdf(told(), PROGRAMME)


@pytest.mark.parametrize("lines", [2, 700])
def test_equal_statements_are_equal_bytes_in_any_process_zone_and_place(lines, tmp_path):
    record = many(lines)
    (tmp_path / "statement.json").write_text(json_text(record), encoding="utf-8")
    program = (
        "import hashlib, json, pathlib\n"
        "from dashboards.statements.pdf import render_pdf\n"
        f"record = json.loads(pathlib.Path({str(tmp_path / 'statement.json')!r}).read_text())\n"
        f"print(hashlib.sha256(render_pdf(record, {PROGRAMME!r}, 'Rivermark')).hexdigest())\n"
    )
    digests = {hashlib.sha256(render_pdf(record, PROGRAMME, "Rivermark")).hexdigest()}
    for number, zone in enumerate(("Pacific/Auckland", "America/Los_Angeles")):
        made = subprocess.run(
            [sys.executable, "-c", program], cwd=tmp_path, check=True, capture_output=True,
            text=True, timeout=120,
            env={**os.environ, "TZ": zone, "LC_ALL": "C.UTF-8", "PYTHONPATH": str(REPOSITORY),
                 "PYTHONHASHSEED": str(number + 1), "SOURCE_DATE_EPOCH": str(number)},
        )  # fmt: skip
        digests.add(made.stdout.strip())
    assert len(digests) == 1


def test_the_head_is_repeated_on_every_page_and_pages_are_counted():
    record = many(300)
    pdf = read_pdf(render_pdf(record, PROGRAMME))
    pages = [page.splitlines() for page in pdf.artifacts]
    assert len(pages) > 5
    assert [page[-1] for page in pages] == [
        f"Page {number} of {len(pages)}" for number in range(1, len(pages) + 1)
    ]
    for page in pages[1:]:
        assert page[:6] == ["Day", "What", "For", "State", "Entry", "Amount"]
    (lines,) = (table for table in pdf.tables if table[0][0] == "Day")
    assert len(lines) == 301, "structure has the head once"
    assert sorted(row[4] for row in lines[1:]) == [f"{number:08d}" for number in range(300)]


def test_five_thousand_lines_are_set():
    content = render_pdf(many(5_000), PROGRAMME)
    of_head_and_sums, of_expected = 6, 2
    assert content.count(b"/S/TR/") == 5_000 + 1 + of_head_and_sums + of_expected


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=lambda name: ascii(name)[1:20])
def test_a_name_is_text_and_never_markup(name):
    record = told([ENTRIES[2]])
    record["currencies"][0]["lines"][0] |= {"source_id": name, "component_id": name}
    pdf = read_pdf(render_pdf(record, {"name": name, "legal_entity": name}, name))
    facts = [cell.text for cell in pdf.root.all("Div") if not cell.all("Div")]
    assert _squeezed(facts[1]) == _squeezed(shown(name) or "p_1")
    line = pdf.tables[-1][1]
    assert _squeezed(line[1]) == _squeezed(f"Earned, {shown(name)}")
    assert _squeezed(line[2]) == _squeezed(f"invoice line {shown(name)} c_1")


def _squeezed(text):
    """Without blanks: a line may break, and right-to-left runs may stand apart."""
    return sorted("".join(unicodedata.normalize("NFD", text).split()))


def test_what_the_font_lacks_is_a_mark_and_what_steers_is_left_out():
    assert shown("漢字 a\u202eb\u200d\0") == "\ufffd\ufffd ab\ufffd"
    assert shown("#let [x] $y$ É \N{NO-BREAK SPACE}z") == "#let [x] $y$ É z"
    assert {ord(character) for character in "aé−\u202f\ufffdאب"} <= covered()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(st.characters(), max_size=60))
def test_no_name_stops_a_statement(name):
    assert render_pdf(told([{**ENTRIES[2], "source_id": name}]), PROGRAMME, name)


def test_a_statement_that_does_not_add_up_is_refused():
    record = told()
    record["currencies"][1]["closing_amount_minor"] += 1
    with pytest.raises(StatementError, match="EUR does not add up.* verify"):
        render_pdf(record, PROGRAMME)


def test_a_statement_without_entries_says_so():
    pdf = read_pdf(render_pdf(told([]), PROGRAMME))
    assert "Nothing was posted for this partner." in [each.text for each in pdf.root.all("P")]


def test_paper_is_a4_unless_asked_for():
    assert b"/MediaBox[0 0 595.2756 841.8898]" in render_pdf(told(), PROGRAMME)
    assert b"/MediaBox[0 0 612 792]" in render_pdf(told(), PROGRAMME, paper="us-letter")
    with pytest.raises(ValueError, match="no paper"):
        render_pdf(told(), PROGRAMME, paper='a4"; #panic()')


def test_every_movement_and_state_of_a_record_has_a_word():
    assert list(MOVEMENTS) == [*POSTED_MOVEMENTS, OTHER]
    assert set(ENTRY_STATES) == {PAID, IN_BATCH, HELD, AVAILABLE, ON_HOLD}
