"""T20, T21: the SEPA file against its golden, two XSDs, a second reader, and planted errors."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from file_world import (
    PAY_DATE,
    SEPA_PAYEES,
    SEPA_PAYER,
    TODAY,
    batch_of,
    faults_of,
    payout_id,
    with_content,
)

from payouts.details import SepaDetails
from payouts.errors import ExportRefusedError
from payouts.files import rails, sepa

GOLDEN = Path(__file__).parent / "golden" / "sepa-1-of-1.xml"
XSD_PLACES = {
    "sepaxml": "schemas/pain.001.001.09.xsd",
    "pain001": "templates/pain.001.001.09/pain.001.001.09.xsd",
}


def _content() -> bytes:
    (file,) = rails.render("sepa", batch_of("sepa"))
    return file.content


def test_golden() -> None:
    """The golden was checked element by element against the EPC's customer-to-bank guidelines."""
    (file,) = rails.render("sepa", batch_of("sepa"))
    assert (file.name, file.items, file.total_amount_minor) == (GOLDEN.name, 3, 670368)
    assert file.content == GOLDEN.read_bytes()
    assert rails.check("sepa", [file], batch_of("sepa"), TODAY) == []


def test_a_payer_without_bic_and_address() -> None:
    batch = batch_of("sepa", payer=replace(SEPA_PAYER, bic="", country=""))
    (file,) = rails.render("sepa", batch)
    assert b"<Id>NOTPROVIDED</Id>" in file.content
    assert file.content.count(b"<PstlAdr>") == 2
    assert rails.check("sepa", [file], batch, TODAY) == []
    _validate(file.content, "sepaxml")


def test_address_lines_never_appear_and_half_an_address_is_none() -> None:
    payees = (
        SepaDetails("A", SEPA_PAYEES[0].iban, town="Den Haag", street="Plein 1"),
        SepaDetails("B", SEPA_PAYEES[0].iban, country="NL", street="Plein 1"),
    )
    (file,) = rails.render("sepa", batch_of("sepa", payees))
    assert b"AdrLine" not in file.content
    assert file.content.count(b"<PstlAdr>") == 1, "the debtor's alone"


def _schema(package: str):
    etree = pytest.importorskip("lxml.etree", reason="lxml is in the test extra")
    # Found without importing it: only the schema beside its code is wanted.
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        pytest.skip(f"{package}, which carries a copy of the XSD, is not installed")
    return etree.XMLSchema(etree.parse(str(Path(spec.origin).parent / XSD_PLACES[package])))


def _validate(content: bytes, package: str) -> None:
    schema = _schema(package)
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True)
    assert schema.validate(etree.fromstring(content, parser)), schema.error_log


@pytest.mark.parametrize("package", sorted(XSD_PLACES))
def test_xsd(package: str) -> None:
    _validate(_content(), package)


def test_a_second_reader_finds_the_same_payments() -> None:
    pytest.importorskip("pyiso20022", reason="pyiso20022 is in the test extra")
    parsers = pytest.importorskip(
        "xsdata.formats.dataclass.parsers", reason="xsdata is in the test extra"
    )
    from pyiso20022.pain.pain_001_001_09 import Document

    document = parsers.XmlParser().from_bytes(_content(), Document)
    header = document.cstmr_cdt_trf_initn.grp_hdr
    (information,) = document.cstmr_cdt_trf_initn.pmt_inf
    assert header.nb_of_txs == "3"
    assert header.ctrl_sum == information.ctrl_sum == Decimal("6703.68")
    assert str(information.reqd_exctn_dt.dt) == PAY_DATE.isoformat()
    assert information.dbtr_acct.id.iban == SEPA_PAYER.account()
    wanted = {payment.payout_id.replace("-", ""): payment for payment in batch_of("sepa").payments}
    found = {transfer.pmt_id.end_to_end_id: transfer for transfer in information.cdt_trf_tx_inf}
    assert found.keys() == wanted.keys()
    for text, transfer in found.items():
        assert transfer.amt.instd_amt.ccy == "EUR"
        assert transfer.amt.instd_amt.value == Decimal(wanted[text].amount_minor) / 100
        assert transfer.cdtr_acct.id.iban == wanted[text].details.account()


E2E = [payout_id(number).replace("-", "") for number in (1, 2, 3)]
FIRST = b"<CdtTrfTxInf>"


def _swap(old: str, new: str) -> Callable[[bytes], bytes]:
    def change(content: bytes) -> bytes:
        assert old.encode() in content, old
        return content.replace(old.encode(), new.encode(), 1)

    return change


def _swap_all(old: str, new: str) -> Callable[[bytes], bytes]:
    return lambda content: content.replace(old.encode(), new.encode())


def _second(old: str, new: str) -> Callable[[bytes], bytes]:
    """The second time that a text appears."""

    def change(content: bytes) -> bytes:
        head, found, tail = content.partition(old.encode())
        assert found and old.encode() in tail
        return head + found + tail.replace(old.encode(), new.encode(), 1)

    return change


def _without_second_transfer(content: bytes) -> bytes:
    parts = content.split(FIRST)
    return FIRST.join([parts[0], parts[1], parts[3]])


def _transfer_twice(content: bytes) -> bytes:
    parts = content.split(FIRST)
    return FIRST.join([*parts[:2], parts[1], *parts[2:]])


MUTATIONS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "wrong IBAN check digits": (_swap("NL91ABNA", "NL92ABNA"), "P1"),
    "IBAN too short": (_swap("IE29AIBK93115212345678", "IE29AIBK9311521234567"), "P1"),
    "debtor IBAN": (_swap("DE89370400440532013000", "DE89370400440532013001"), "P1"),
    "another valid IBAN": (
        _swap("NL91ABNA0417164300", "DE89370400440532013000"), "another account",
    ),
    "account outside SEPA": (
        _swap("NL91ABNA0417164300", "TR330006100519786457841326"), "P3",
    ),
    "malformed BIC": (_swap("ABNANL2A", "ABNANL2"), "P2"),
    "another BIC": (_swap("ABNANL2A", "ABNANL2AXXX"), "P2"),
    "the debtor's bank": (_swap("COBADEFFXXX", "DEUTDEFFXXX"), "debtor's bank"),
    "dollars": (_swap('Ccy="EUR">2234.56', 'Ccy="USD">2234.56'), "P3"),
    "no currency": (_swap(' Ccy="EUR"', ""), "attributes"),
    "three decimals": (_swap(">1234.56<", ">1234.560<"), "P4"),
    "no decimals": (_swap(">1234.56<", ">1234<"), "P4"),
    "decimal comma": (_swap(">1234.56<", ">1234,56<"), "P4"),
    "exponent": (_swap(">1234.56<", ">1.23456E3<"), "P4"),
    "zero": (_swap(">1234.56<", ">0.00<"), "P4"),
    "negative": (_swap(">1234.56<", ">-1234.56<"), "P4"),
    "too large": (_swap(">1234.56<", ">9999999999.99<"), "P4"),
    "one cent more": (_swap(">1234.56<", ">1234.57<"), "P5"),
    "cents moved to another payee": (
        lambda content: _swap(">2234.56<", ">2234.55<")(_swap(">1234.56<", ">1234.57<")(content)),
        "P10",
    ),
    "wrong CtrlSum in the header": (_swap("6703.68", "6703.69"), "CtrlSum of GrpHdr"),
    "wrong CtrlSum of the payments": (_second("6703.68", "6703.69"), "CtrlSum of PmtInf"),
    "wrong NbOfTxs in the header": (_swap(">3</NbOfTxs", ">4</NbOfTxs"), "NbOfTxs of GrpHdr"),
    "wrong NbOfTxs of the payments": (_second(">3</NbOfTxs", ">4</NbOfTxs"), "NbOfTxs of PmtInf"),
    "leading zero in NbOfTxs": (_swap(">3</NbOfTxs", ">03</NbOfTxs"), "P5"),
    "duplicate EndToEndId": (_swap(E2E[1], E2E[0]), "P6"),
    "unknown EndToEndId": (_swap(E2E[1], "f" * 32), "not in the batch"),
    "EndToEndId of 36 characters": (_swap(E2E[1], "f" * 36), "P6"),
    "EndToEndId with a slash at its end": (_swap(E2E[1], E2E[1][:-1] + "/"), "P6"),
    "EndToEndId with two slashes": (_swap(E2E[1], "ab//" + E2E[1][4:]), "P6"),
    "MsgId of another batch": (_swap("3f2a9c01-1", "3f2a9c02-1"), "P6"),
    "PmtInfId of another batch": (_second("3f2a9c01-1", "3f2a9c02-1"), "P6"),
    "forbidden character": (_swap("Den Haag", "Den H@ag"), "P6, P7"),
    "letter with a mark": (_swap("Soren Bo", "Søren Bo"), "P6, P7"),
    "line break in a name": (_swap("Soren Bo", "Soren\nBo"), "P6, P7"),
    "name of 71 characters": (_swap("Soren Bo", "S" * 71), "P7"),
    "name of points": (_swap("Soren Bo", "....."), "P7"),
    "empty name": (_swap("Soren Bo", ""), "must hold a text"),
    "another name": (_swap("Soren Bo", "Sara Bo"), "another name"),
    "names exchanged": (
        lambda content: _swap("O'Brien + Partners Ltd.", "Soren Bo")(
            _swap("Soren Bo", "O'Brien + Partners Ltd.")(content)
        ),
        "another name",
    ),
    "debtor's name": (_second("Muller", "Miller"), "P7"),
    "remittance of 141 characters": (_swap("Commission 20260331-c669", "C" * 140), "P7"),
    "another payout's remittance": (_swap("20260331-c6699de1", "20260331-60aa3ede"), "remittance"),
    "execution in 1999": (_swap("2026-03-31</Dt>", "1999-03-31</Dt>"), "P8"),
    "address line": (
        _swap("<TwnNm>Den Haag</TwnNm>", "<AdrLine>Plein 1, Den Haag</AdrLine>"), "PstlAdr",
    ),
    "town without country": (_swap("\n      <Ctry>NL</Ctry>", ""), "no Ctry"),
    "no such country": (_swap("<Ctry>NL<", "<Ctry>NX<"), "P9"),
    "another country": (_swap("<Ctry>NL<", "<Ctry>BE<"), "P9"),
    "elements out of order": (
        _swap("<TwnNm>Den Haag</TwnNm>\n      <Ctry>NL</Ctry>",
              "<Ctry>NL</Ctry><TwnNm>Den Haag</TwnNm>"), "where it belongs",
    ),
    "a payment less": (_without_second_transfer, "in no file"),
    "a payment twice": (_transfer_twice, "more than once"),
    "no remittance": (
        _swap("<RmtInf>\n     <Ustrd>Commission 20260331-c6699de1</Ustrd>\n    </RmtInf>", ""),
        "no RmtInf",
    ),
    "instant payment": (_swap("<Cd>SEPA<", "<Cd>INST<"), "SvcLvl"),
    "fees to the payee": (_swap("SLEV", "CRED"), "ChrgBr"),
    "cheques": (_swap("TRF", "CHK"), "PmtMtd"),
    "booked one by one": (_swap("true", "false"), "BtchBookg"),
    "another instant": (_swap("06:15:42", "06:15:43"), "CreDtTm"),
    "the version of 2009": (_swap("pain.001.001.09", "pain.001.001.03"), "root element"),
    "text between elements": (_swap("<PmtId>", "x<PmtId>"), "between its elements"),
    "comment": (_swap("<PmtId>", "<!-- x --><PmtId>"), "plain XML"),
    "entity": (
        _swap("<Document", '<!DOCTYPE d [<!ENTITY n "Soren">]><Document'), "plain XML",
    ),
    "not well-formed": (_swap("</PmtId>", ""), "plain XML"),
    "another encoding": (_swap("UTF-8", "latin1"), "plain XML"),
    "byte-order mark": (lambda content: b"\xef\xbb\xbf" + content, "plain XML"),
    "nothing": (lambda content: b"", "plain XML"),
    "cut off": (lambda content: content[: len(content) // 2], "plain XML"),
}  # fmt: skip


@pytest.mark.parametrize("name", MUTATIONS)
def test_every_planted_error_is_found(name: str) -> None:
    change, told = MUTATIONS[name]
    content = _content()
    changed = change(content)
    assert changed != content
    faults = faults_of("sepa", changed)
    assert any(told in fault for fault in faults), faults
    for fault in faults:
        for details in SEPA_PAYEES:
            assert details.account() not in fault and details.holder_name not in fault


def test_every_single_changed_character_is_found() -> None:
    """Any other character anywhere is a fault, between the elements too."""
    batch = batch_of("sepa", SEPA_PAYEES[2:])
    (file,) = rails.render("sepa", batch)
    content = file.content
    free = []
    for position in range(len(content)):
        other = b"8" if content[position : position + 1] != b"8" else b"7"
        changed = content[:position] + other + content[position + 1 :]
        if not rails.check("sepa", [with_content(file, changed)], batch, TODAY):
            free.append(position)
    assert free == []


def test_the_xsd_alone_would_pass_most_of_them() -> None:
    """Why the checks exist: the schema takes wrong check digits, sums, dates and currencies."""
    schema = _schema("sepaxml")
    from lxml import etree

    for name in ("wrong IBAN check digits", "dollars", "one cent more", "execution in 1999",
                 "wrong NbOfTxs in the header", "duplicate EndToEndId", "another valid IBAN",
                 "forbidden character", "three decimals"):  # fmt: skip
        assert schema.validate(etree.fromstring(MUTATIONS[name][0](_content()))), name


@pytest.mark.parametrize(
    ("pay_date", "today", "told"),
    [
        (date(2026, 3, 31), date(2026, 3, 31), None),
        (date(2026, 3, 31), date(2026, 4, 1), "is over"),
        (date(2026, 4, 3), TODAY, "no business day"),  # Good Friday
        (date(2026, 4, 6), TODAY, "no business day"),  # Easter Monday
        (date(2026, 5, 1), TODAY, "no business day"),
        (date(2026, 3, 28), TODAY, "no business day"),  # Saturday
        (date(2026, 5, 26), TODAY, None),
        (date(2026, 5, 27), TODAY, "days ahead"),
    ],
)
def test_execution_day(pay_date: date, today: date, told: str | None) -> None:
    """P8: today or later, a TARGET business day, at most 60 days ahead."""
    batch = batch_of("sepa", pay_date=pay_date)
    faults = rails.check("sepa", rails.render("sepa", batch), batch, today)
    assert [told in fault for fault in faults] == ([True] if told else [])


def test_files_are_split_so_that_their_sum_may_be_booked_at_once() -> None:
    payees = (SEPA_PAYEES[0],) * 4
    highest = sepa.MAX_AMOUNT_MINOR
    batch = batch_of("sepa", payees, (highest, highest - 1, 1, 1))
    files = rails.render("sepa", batch)
    assert [file.name for file in files] == [
        "sepa-1-of-3.xml", "sepa-2-of-3.xml", "sepa-3-of-3.xml",
    ]  # fmt: skip
    assert [file.items for file in files] == [1, 2, 1]
    assert rails.check("sepa", files, batch, TODAY) == []
    swapped = [with_content(files[0], files[1].content), with_content(files[1], files[0].content),
               files[2]]  # fmt: skip
    assert rails.check("sepa", swapped, batch, TODAY)
    assert any("in no file" in fault for fault in rails.check("sepa", files[:2], batch, TODAY))


def test_what_the_scheme_cannot_carry_is_refused_with_every_fault() -> None:
    payees = (
        SEPA_PAYEES[0],
        replace(SEPA_PAYEES[1], holder_name="🦊"),
        replace(SEPA_PAYEES[2], iban="NO9386011117948", bic="X"),
    )
    batch = batch_of("sepa", payees, (sepa.MAX_AMOUNT_MINOR + 1, 1, 0))
    with pytest.raises(ExportRefusedError) as refused:
        rails.render("sepa", batch)
    told = str(refused.value)
    assert f"payout {payout_id(1)}: the amount is above" in told
    assert f"payout {payout_id(2)}: holder_name" in told
    assert f"payout {payout_id(3)}: the amount is not positive" in told
    assert f"payout {payout_id(3)}: iban" in told
    assert f"payout {payout_id(3)}: bic" in told
    assert "NO93" not in told and "🦊" not in told


def test_other_currencies_and_long_ids_are_refused() -> None:
    with pytest.raises(ExportRefusedError, match="EUR only"):
        rails.render("sepa", batch_of("sepa", currency_code="SEK"))
    with pytest.raises(ExportRefusedError, match="too long for a message id"):
        rails.render("sepa", batch_of("sepa", batch_id="b-" + "1" * 32))
