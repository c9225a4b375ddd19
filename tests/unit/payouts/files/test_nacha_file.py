"""T20, T22: the NACHA file against its golden, achkit, the vendor's samples, and planted errors.

In a folder that PARTNERLEDGER_VENDOR_SAMPLES names, or in `shared/data/vendor` beside the
repository, moov's fixtures show that our field positions are theirs.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from file_world import (
    NACHA_PAYEES,
    NACHA_PAYER,
    PAY_DATE,
    TODAY,
    batch_of,
    faults_of,
    payout_id,
    with_content,
)

from payouts.errors import ExportRefusedError
from payouts.files import nacha, rails
from payouts.files.nacha_layout import LAYOUTS, fields_of
from payouts.identifiers import routing_number_problem

GOLDEN = Path(__file__).parent / "golden" / "nacha-1-of-1.ach"
ROOT = Path(__file__).resolve().parents[4]
VARIABLE = "PARTNERLEDGER_VENDOR_SAMPLES"
SAMPLES = Path(os.environ.get(VARIABLE) or ROOT.parent / "shared" / "data" / "vendor") / "nacha"


def _content() -> bytes:
    (file,) = rails.render("nacha", batch_of("nacha"))
    return file.content


def test_golden() -> None:
    """The golden was checked field by field against the layout of payouts reference 2.3."""
    (file,) = rails.render("nacha", batch_of("nacha"))
    assert (file.name, file.items, file.total_amount_minor) == (GOLDEN.name, 3, 670368)
    assert file.content == GOLDEN.read_bytes()
    assert rails.check("nacha", [file], batch_of("nacha"), TODAY) == []


def test_layout_of_the_golden() -> None:
    """94 characters a record, blocks of 10, and what stands where."""
    lines = GOLDEN.read_text("ascii").splitlines()
    assert all(len(line) == 94 for line in lines)
    assert len(lines) == 20 and lines[12:] == ["9" * 94] * 8
    assert all(layout[list(layout)[-1]].stop == 94 for layout in LAYOUTS.values())
    header, people, person = (fields_of(line) for line in lines[:3])
    assert header["destination"] == " 091000019" and header["size"] == "094"
    assert (people["class"], people["sec"], people["description"]) == ("220", "PPD", "PAYROLL   ")
    assert person["code"] == "22" and person["rdfi"] + person["check"] == "021000021"
    assert person["amount"] == "0000123456" and person["addenda"] == "1"
    assert person["id"] == payout_id(1).replace("-", "")[:15]
    business = fields_of(lines[5])
    assert (business["sec"], business["description"]) == ("CCD", "COMMISSION")
    assert business["number"] == "0000002"
    assert fields_of(lines[6])["code"] == "32"
    control = fields_of(lines[10])
    assert int(control["hash"]) == 12104288 + 1140153 and int(control["count"]) == 4
    total = fields_of(lines[11])
    assert int(total["hash"]) == 2100002 + 12104288 + 1140153
    assert (int(total["batches"]), int(total["blocks"]), int(total["count"])) == (2, 2, 6)
    assert int(total["credit"]) == 670368 and int(total["debit"]) == 0


def test_descriptions_follow_the_bank() -> None:
    payer = replace(NACHA_PAYER, entry_description="PARTNERS",
                    individual_entry_description="PAYROLL Q1")  # fmt: skip
    batch = batch_of("nacha", payer=payer)
    (file,) = rails.render("nacha", batch)
    assert b"PPDPAYROLL Q1" in file.content and b"CCDPARTNERS  " in file.content
    assert rails.check("nacha", [file], batch, TODAY) == []


def test_one_kind_of_payee_gives_one_batch() -> None:
    batch = batch_of("nacha", NACHA_PAYEES[1:])
    (file,) = rails.render("nacha", batch)
    assert b"PPD" not in file.content
    assert rails.check("nacha", [file], batch, TODAY) == []


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 13, 50])
def test_achkit_accepts_our_files(count: int) -> None:
    achkit = pytest.importorskip("achkit", reason="achkit is in the test extra")
    batch = batch_of("nacha", tuple(NACHA_PAYEES[number % 3] for number in range(count)))
    (file,) = rails.render("nacha", batch)
    text = file.content.decode("ascii")
    assert achkit.validate(text)["errors"] == []
    assert rails.check("nacha", [file], batch, TODAY) == []
    parsed = achkit.parse(text)
    entries = [entry for section in parsed["batches"] for entry in section["entries"]]
    assert len(entries) == count


LINES = GOLDEN.read_text("ascii").splitlines()


def _field(line: int, name: str, text: str) -> Callable[[bytes], bytes]:
    """Another text in one field; line counts from 0."""

    def change(content: bytes) -> bytes:
        lines = content.decode("ascii").split("\n")
        place = LAYOUTS[lines[line][0]][name]
        assert len(text) == place.stop - place.start, name
        lines[line] = lines[line][: place.start] + text + lines[line][place.stop :]
        return "\n".join(lines).encode("latin-1")

    return change


def _both(*changes: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    def change(content: bytes) -> bytes:
        for one in changes:
            content = one(content)
        return content

    return change


def _lines(choose: Callable[[list[str]], list[str]]) -> Callable[[bytes], bytes]:
    return lambda content: "".join(
        f"{line}\n" for line in choose(content.decode("ascii").splitlines())
    ).encode("ascii")


MUTATIONS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "wrong check digit": (_field(2, "check", "2"), "routing number has a wrong check digit"),
    "prefix that no bank has": (
        _both(_field(2, "rdfi", "00000000"), _field(2, "check", "0")), "that no bank has",
    ),
    "another account": (_field(2, "account", "123456780        "), "another account"),
    "account not left-justified": (_field(2, "account", "        123456789"), "account number"),
    "empty account": (_field(2, "account", " " * 17), "account number"),
    "another bank": (
        _both(_field(2, "rdfi", "01140153"), _field(2, "check", "3")), "another account",
    ),
    "one cent more": (_field(2, "amount", "0000123457"), "batch control's credit"),
    "one cent more in all sums": (
        _both(_field(2, "amount", "0000123457"), _field(4, "credit", "000000123457"),
              _field(11, "credit", "000000670369")), "P10",
    ),
    "cents moved to another payee": (
        _both(_field(6, "amount", "0000223457"), _field(8, "amount", "0000323455")), "P10",
    ),
    "zero amount": (_field(2, "amount", "0000000000"), "zero or no number"),
    "amount with a blank": (_field(2, "amount", "    123456"), "zero or no number"),
    "savings as checking": (_field(6, "code", "22"), "another account type"),
    "debit": (_field(2, "code", "27"), "transaction code"),
    "prenote": (_field(2, "code", "23"), "transaction code"),
    "unknown entry class": (_field(1, "sec", "XYZ"), "neither PPD nor CCD"),
    "person paid as business": (
        _both(_field(1, "sec", "CCD"), _field(1, "description", "COMMISSION")), "entry class",
    ),
    "PPD without PAYROLL": (_field(1, "description", "COMMISSION"), "description"),
    "mixed class": (_field(1, "class", "200"), "class"),
    "addenda indicator": (_field(2, "addenda", "0"), "addenda indicator"),
    "addenda type": (_field(3, "code", "99"), "type 05"),
    "addenda sequence": (_field(3, "addenda_sequence", "0000"), "sequence is not 1"),
    "addendum of another entry": (_field(3, "sequence", "0000002"), "another entry"),
    "addendum names another payout": (
        _field(3, "text", LINES[7][3:83]), "does not name its entry's payout",
    ),
    "duplicate trace": (
        _both(_field(8, "sequence", "0000002"), _field(9, "sequence", "0000002")), "used twice",
    ),
    "falling trace": (
        _both(_field(8, "sequence", "0000001"), _field(9, "sequence", "0000001")),
        "does not rise",
    ),
    "trace of another bank": (_field(2, "odfi", "02100002"), "of another bank"),
    "another id": (_field(2, "id", "f" * 15), "not in the batch"),
    "another name": (_field(2, "name", f"{'ZOE OHARA':22}"), "another name"),
    "name of points": (_field(2, "name", f"{'....':22}"), "letters and digits"),
    "lower-case name": (_field(2, "name", f"{'Zoe':22}"), "letters and digits"),
    "discretionary data": (_field(2, "discretionary", "S "), "discretionary"),
    "entry count of a batch": (_field(4, "count", "000003"), "batch control's count"),
    "hash of a batch": (_field(4, "hash", "0002100003"), "batch control's hash"),
    "debits of a batch": (_field(4, "debit", "000000000001"), "batch control's debit"),
    "credits of a batch": (_field(4, "credit", "000000123455"), "batch control's credit"),
    "control of another company": (_field(4, "company_id", "9234567890"), "company_id"),
    "control of another bank": (_field(4, "odfi", "02100002"), "odfi"),
    "control of another batch": (_field(4, "number", "0000002"), "number is not"),
    "batch number": (
        _both(_field(5, "number", "0000003"), _field(10, "number", "0000003")), "batch number",
    ),
    "company": (_field(1, "company", f"{'OTHER':16}"), "company"),
    "effective date": (_field(1, "effective", "260330"), "effective"),
    "settlement date filled": (_field(1, "settlement", "090"), "settlement"),
    "originator status": (_field(1, "status", "2"), "status"),
    "batches of the file": (_field(11, "batches", "000003"), "count the batches"),
    "blocks of the file": (_field(11, "blocks", "000003"), "count the blocks"),
    "entries of the file": (_field(11, "count", "00000007"), "file control's count"),
    "hash of the file": (_field(11, "hash", "0015344444"), "file control's hash"),
    "credits of the file": (_field(11, "credit", "000000670369"), "file control's credit"),
    "destination": (_field(0, "destination", " 091000018"), "destination"),
    "origin": (_field(0, "origin", "1234567891"), "origin"),
    "file date": (_field(0, "date", "260328"), "date"),
    "record size": (_field(0, "size", "095"), "size"),
    "file modifier": (_field(0, "modifier", "a"), "modifier"),
    "reference of another batch": (_field(0, "reference", "3F2A9C02"), "reference"),
    "missing filling": (_lines(lambda lines: lines[:12]), "blocks of 10"),
    "a block of filling too much": (
        _lines(lambda lines: [*lines, *["9" * 94] * 10]), "more than a block",
    ),
    "short record": (_lines(lambda lines: [lines[0], lines[1][:-1], *lines[2:]]), "94"),
    "an entry less": (
        _lines(lambda lines: [*lines[:6], *lines[8:], *["9" * 94] * 2]), "in no file",
    ),
    "an entry twice": (
        _lines(lambda lines: [*lines[:8], *lines[6:8], *lines[8:-2]]), "more than once",
    ),
    "no addendum": (_lines(lambda lines: [*lines[:3], *lines[4:], "9" * 94]), "may not stand"),
    "no batch control": (_lines(lambda lines: [*lines[:4], *lines[5:], "9" * 94]), "may not stand"),
    "no file header": (_lines(lambda lines: [*lines[1:], "9" * 94]), "may not stand"),
    "no file control": (
        _lines(lambda lines: [*lines[:11], *lines[12:], "9" * 94]), "does not end with",
    ),
    "carriage returns": (lambda content: content.replace(b"\n", b"\r\n"), "ASCII"),
    "letter with a mark": (lambda content: content.replace(b"ZOE", b"ZO\xcb"), "ASCII"),
    "control character": (lambda content: content.replace(b"ZOE O", b"ZOE\x00O"), "printable"),
    "no line break at the end": (lambda content: content[:-1], "ASCII"),
    "nothing": (lambda content: b"", "ASCII"),
}  # fmt: skip


@pytest.mark.parametrize("name", MUTATIONS)
def test_every_planted_error_is_found(name: str) -> None:
    change, told = MUTATIONS[name]
    content = _content()
    changed = change(content)
    assert changed != content
    faults = faults_of("nacha", changed)
    assert any(told in fault for fault in faults), faults
    for fault in faults:
        for details in NACHA_PAYEES:
            assert details.account_number not in fault and details.holder_name not in fault


def test_every_single_changed_character_is_found() -> None:
    """Nothing in the file is free: any other digit or letter anywhere is a fault."""
    batch = batch_of("nacha", NACHA_PAYEES[:2])
    (file,) = rails.render("nacha", batch)
    lines = file.content.decode("ascii").splitlines()
    free = []
    for number, line in enumerate(lines):
        for position in range(len(line) if line.strip("9") else 0):
            other = "8" if line[position] != "8" else "7"
            changed = [*lines]
            changed[number] = line[:position] + other + line[position + 1 :]
            content = "".join(f"{text}\n" for text in changed).encode("ascii")
            if not rails.check("nacha", [with_content(file, content)], batch, TODAY):
                free.append((number, position))
    assert free == [(0, LAYOUTS["1"]["modifier"].start)], "any of its 36 signs would do"


@pytest.mark.parametrize(
    ("pay_date", "told"),
    [
        (date(2026, 3, 31), None),
        (date(2026, 4, 3), None),  # Good Friday: the Federal Reserve is open
        (date(2026, 5, 25), "no business day"),  # Memorial Day
        (date(2026, 3, 29), "no business day"),  # Sunday
        (date(2026, 3, 26), "is over"),
    ],
)
def test_effective_day(pay_date: date, told: str | None) -> None:
    batch = batch_of("nacha", pay_date=pay_date)
    faults = rails.check("nacha", rails.render("nacha", batch), batch, TODAY)
    assert [told in fault for fault in faults] == ([True] if told else [])


def test_files_are_split_at_the_control_total_and_traces_go_on() -> None:
    count = 102
    payees = (NACHA_PAYEES[0],) * count
    batch = batch_of("nacha", payees, (nacha.MAX_AMOUNT_MINOR,) * count)
    files = rails.render("nacha", batch)
    assert [file.items for file in files] == [100, 2]
    assert [file.name for file in files] == ["nacha-1-of-2.ach", "nacha-2-of-2.ach"]
    assert files[0].total_amount_minor == 100 * nacha.MAX_AMOUNT_MINOR <= nacha.MAX_TOTAL_MINOR
    assert rails.check("nacha", files, batch, TODAY) == []
    second = fields_of(files[1].content.decode("ascii").splitlines()[2])
    assert second["sequence"] == "0000101"
    modifiers = {file.content[33:34] for file in files}
    assert len(modifiers) == 2


def test_what_the_format_cannot_carry_is_refused() -> None:
    payees = (NACHA_PAYEES[0], replace(NACHA_PAYEES[1], routing_number="000000000"))
    with pytest.raises(ExportRefusedError) as refused:
        rails.render("nacha", batch_of("nacha", payees, (nacha.MAX_AMOUNT_MINOR + 1, 1)))
    assert f"payout {payout_id(1)}: the amount is above" in str(refused.value)
    assert f"payout {payout_id(2)}: routing_number" in str(refused.value)
    with pytest.raises(ExportRefusedError, match="USD only"):
        rails.render("nacha", batch_of("nacha", currency_code="EUR"))


def test_dates_come_from_the_batch() -> None:
    header = fields_of(LINES[1])
    assert header["effective"] == header["descriptive"] == f"{PAY_DATE:%y%m%d}"


@pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"no NACHA samples; set {VARIABLE}")
@pytest.mark.parametrize("name", ["cor-example.ach", "ppd-debit.ach", "return-WEB.ach",
                                  "return-PPD-custom-reason-code.ach"])  # fmt: skip
def test_field_positions_are_those_of_the_vendors_samples(name: str) -> None:
    """Routing numbers, counts and hashes of moov's own files come out right at our positions."""
    lines = [line.ljust(94) for line in (SAMPLES / name).read_text("ascii").splitlines()]
    records = [fields_of(line) for line in lines if line.strip("9")]
    count = routing = total = 0
    for record in records:
        if record["type"] == "6":
            assert routing_number_problem(record["rdfi"] + record["check"]) is None
            count, routing = count + 1, routing + int(record["rdfi"])
        elif record["type"] == "7":
            count += 1
        elif record["type"] == "8":
            assert (int(record["count"]), int(record["hash"])) == (count, routing)
            total += routing
            count = routing = 0
    assert int(records[-1]["hash"]) == total
    assert int(records[-1]["blocks"]) == -(-len(records) // 10)
