"""NACHA returns and notices of change, and the vendor's own samples where they are present."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import pytest
from bank_files import nacha, nacha_notice, nacha_return

from payouts.errors import SettlementFileError
from payouts.ids import payout_id
from payouts.settlement.reading import read_outcomes

ID = payout_id("b-1", "p_1").replace("-", "")
VARIABLE = "PARTNERLEDGER_VENDOR_SAMPLES"
BESIDE = Path(__file__).resolve().parents[5] / "shared" / "data" / "vendor"
SAMPLES = Path(os.environ.get(VARIABLE) or BESIDE) / "nacha"
needs_samples = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason=f"no vendor samples: set {VARIABLE} to their folder"
)


def _refused(content: bytes, match: str) -> None:
    with pytest.raises(SettlementFileError, match=match) as caught:
        read_outcomes(content, "ret.ach")
    assert "JANE" not in str(caught.value)


@pytest.mark.parametrize("code", ["R01", "R02", "R03", "R04", "R16", "R23", "R97"])
def test_return_is_read_by_the_beginning_of_the_payout_id(code):
    found, (read,) = read_outcomes(nacha([nacha_return(ID, 15000, code)]), "ret.ach")
    assert found == "nacha"
    assert (read.key, read.key_kind, read.outcome, read.reason_code) == (
        ID[:15], "payout_prefix", "returned", code,
    )  # fmt: skip
    assert (read.amount_minor, read.currency_code) == (15000, "USD")
    # Day 77 of the year in which the file was made.
    assert read.value_date == date(2026, 3, 18)


@pytest.mark.parametrize("code", ["C01", "C02", "C03", "C05"])
def test_notice_of_change_keeps_the_code_alone(code):
    _, (read,) = read_outcomes(nacha([nacha_notice(ID, code)], "COR"), "ret.ach")
    assert (read.outcome, read.reason_code, read.amount_minor) == ("notice", code, None)
    assert "987654321" not in repr(read)


def test_return_without_our_id_is_found_by_its_trace():
    _, (read,) = read_outcomes(nacha([nacha_return("", 100, trace="091000019999999")]), "ret.ach")
    assert (read.key, read.key_kind) == ("091000019999999", "trace")


@pytest.mark.parametrize(
    ("settlement", "day"),
    [("077", date(2026, 3, 18)), ("364", date(2025, 12, 30)), ("   ", date(2026, 3, 18))],
)
def test_value_date_is_the_operator_s_day_nearest_to_the_file(settlement, day):
    content = nacha([nacha_return(ID, 100)], settlement=settlement)
    assert read_outcomes(content, "ret.ach")[1][0].value_date == day


def test_records_without_line_ends_and_without_trailing_spaces_are_read():
    content = nacha([nacha_return(ID, 100)])
    lines = content.decode().splitlines()
    assert len(read_outcomes("".join(lines).encode(), "ret.ach")[1]) == 1
    short = "\r\n".join(line.rstrip() for line in lines).encode()
    assert len(read_outcomes(short, "ret.ach")[1]) == 1


def test_cut_file_is_refused():
    lines = nacha([nacha_return(ID, 100)]).decode().splitlines(keepends=True)
    _refused("".join(lines[:5]).encode(), "ends without its control record")
    _refused("".join(lines[:2] + lines[4:]).encode(), "holds 0 entries, its control record says")


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("799R03", "799X03", "line 4: an addenda 99 has no code"),
        ("0000000100", "00000001x0", "line 3: an entry has no amount"),
        ("\n82", "\n42", "line 5: is no record of type"),
        ("\n6", "\n6JUNK", "line 3: has 98 characters, not 94"),
    ],
)
def test_faults_name_the_line(old, new, match):
    content = nacha([nacha_return(ID, 100)]).decode()
    assert old in content
    _refused(content.replace(old, new, 1).encode(), match)


def test_file_that_was_sent_is_no_return_file():
    lines = nacha([nacha_return(ID, 100)]).decode().splitlines()
    del lines[3]
    sent = "\n".join(lines).replace("00000002", "00000001").encode()
    _refused(sent, "neither a return .* nor a notice")


@needs_samples
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("return-WEB.ach", [("R01", "returned", 12354), ("R03", "returned", 4565)]),
        ("return-PPD-custom-reason-code.ach", [("R97", "returned", 106161)]),
        ("cor-example.ach", [("C01", "notice", None)]),
    ],
)
def test_vendor_samples(name, expected):
    _, outcomes = read_outcomes((SAMPLES / name).read_bytes(), name)
    assert [(e.reason_code, e.outcome, e.amount_minor) for e in outcomes] == expected
    assert {each.key_kind for each in outcomes} == {"trace"}
    assert "1918171614" not in repr(outcomes)


@needs_samples
def test_vendor_sample_of_a_plain_file_holds_no_return():
    _refused((SAMPLES / "ppd-debit.ach").read_bytes(), "neither a return")
