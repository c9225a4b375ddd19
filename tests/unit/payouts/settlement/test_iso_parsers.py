"""T29: pain.002 and camt in the shapes of .02 and .08, read into states by local names."""

from __future__ import annotations

from datetime import date

import pytest
from bank_files import Move, batch_entry, camt, document, end_to_end, entry, pain002, statement

from payouts.errors import SettlementFileError
from payouts.ids import payout_id
from payouts.settlement.pain002 import STATUSES
from payouts.settlement.reading import read_outcomes

ID = payout_id("b-1", "p_1")
KEY = end_to_end(ID)


def _read(content: bytes, **options):
    return read_outcomes(content, "bank.xml", **options)


def _refused(content: bytes, match: str, **options) -> None:
    with pytest.raises(SettlementFileError, match=match) as caught:
        read_outcomes(content, "bank.xml", **options)
    assert str(caught.value).startswith("bank.xml: ")
    assert "Mustermann" not in str(caught.value)


@pytest.mark.parametrize(("status", "outcome"), STATUSES.items())
def test_pain002_item_statuses(status, outcome):
    found, (read,) = _read(pain002([(KEY, status, "AC04")], amount="150.00"))
    assert found == "pain.002"
    assert (read.key, read.key_kind, read.outcome) == (KEY, "end_to_end_id", outcome)
    assert (read.amount_minor, read.currency_code) == (15000, "USD")
    expected = status if outcome == "notice" or status in ("CANC", "BLCK") else "AC04"
    assert read.reason_code == expected


@pytest.mark.parametrize("version", [f"{number:02}" for number in range(3, 15)])
def test_pain002_versions(version):
    _, (read,) = _read(pain002([(KEY, "RJCT", "AC01")], version=version))
    assert (read.outcome, read.reason_code, read.amount_minor) == ("failed", "AC01", None)


def test_pain002_says_items_before_payment_before_file():
    content = pain002([(KEY, "RJCT", "AC01")], group="ACCP", payment="PART")
    _, outcomes = _read(content)
    assert [(each.key_kind, each.key, each.outcome) for each in outcomes] == [
        ("end_to_end_id", KEY, "failed"),
        ("batch_total", "MSG-1", "sent"),
    ]


def test_pain002_rejected_file_and_payment():
    _, outcomes = _read(pain002(group="RJCT", payment="RJCT", reason="AM10"))
    assert [(each.key, each.outcome, each.reason_code) for each in outcomes] == [
        ("PMT-1", "failed", "AM10"), ("MSG-1", "failed", "AM10"),
    ]  # fmt: skip


def test_pain002_item_without_status_takes_that_of_its_payment():
    content = pain002([(KEY, "X", "")], payment="RJCT").replace(b"<TxSts>X</TxSts>", b"")
    _, outcomes = _read(content)
    assert outcomes[0].outcome == "failed"


@pytest.mark.parametrize("status", ["PART", "RCVC", "RVNA"])
def test_pain002_silent_statuses_say_nothing(status):
    _, outcomes = _read(pain002(group=status))
    assert outcomes == []


def test_pain002_unknown_status_is_refused_with_its_line():
    _refused(pain002([(KEY, "ZZZZ", "")]), "line 3: has the status ZZZZ")


@pytest.mark.parametrize("version", ["02", "08"])
@pytest.mark.parametrize("kind", ["053", "054"])
def test_camt_debits_and_returns_in_both_shapes(version, kind):
    content = camt(
        [Move(KEY, "150.00"), Move(KEY, "150.00", True, "AC04", "2026-03-19")], version, kind
    )
    found, (debit, back) = _read(content)
    assert found == f"camt.{kind}"
    assert (debit.outcome, debit.amount_minor, debit.value_date, debit.reason_code) == (
        "settled", 15000, date(2026, 3, 17), None,
    )  # fmt: skip
    assert (back.outcome, back.amount_minor, back.value_date, back.reason_code) == (
        "returned", 15000, date(2026, 3, 19), "AC04",
    )  # fmt: skip
    assert debit.reference == "BANKREF1"


@pytest.mark.parametrize("version", [f"{number:02}" for number in range(2, 14)])
def test_camt_versions(version):
    _, (read,) = _read(camt([Move(KEY, "1.00")], version))
    assert (read.key, read.amount_minor) == (KEY, 100)


@pytest.mark.parametrize(
    ("message", "match"),
    [
        ("camt.053.001.14", r"version \.14 of camt\.053.*\.02 to \.13"),
        ("camt.053.001.01", r"version \.01"),
    ],
)
def test_versions_that_are_not_read(message, match):
    _refused(document(message, "<BkToCstmrStmt/>"), match)


def test_camt_without_namespace_is_read():
    content = camt([Move(KEY, "1.00")]).replace(
        b' xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"', b""
    )
    assert len(_read(content)[1]) == 1


def test_camt_expected_entries_are_on_their_way():
    _, (read,) = _read(camt([Move(KEY, "1.00")], status="PDNG"))
    assert read.outcome == "sent"


@pytest.mark.parametrize("version", ["02", "08"])
def test_camt_information_and_expected_returns_say_nothing(version):
    assert _read(camt([Move(KEY, "1.00")], version, status="INFO"))[1] == []
    assert _read(camt([Move(KEY, "1.00", True, "AC04")], version, status="PDNG"))[1] == []


def test_camt_entry_with_several_transactions():
    other = end_to_end(payout_id("b-1", "p_2"))
    _, outcomes = _read(statement(entry([Move(KEY, "1.00"), Move(other, "2.50")])))
    assert [(each.key, each.amount_minor) for each in outcomes] == [(KEY, 100), (other, 250)]


def test_camt_transactions_without_amount_take_none_from_a_shared_entry():
    content = statement(entry([Move(KEY, "1.00"), Move(KEY, "1.00")])).replace(
        b'</Refs><Amt Ccy="USD">1.00</Amt>', b"</Refs>"
    )
    assert [each.amount_minor for each in _read(content)[1]] == [None, None]


def test_camt_single_transaction_without_amount_takes_the_entry_s():
    content = statement(entry([Move(KEY, "1.00")])).replace(
        b'</Refs><Amt Ccy="USD">1.00</Amt>', b"</Refs>"
    )
    assert [each.amount_minor for each in _read(content)[1]] == [100]


@pytest.mark.parametrize("tag", ["PmtInfId", "MsgId"])
def test_camt_batch_booking(tag):
    _, (read,) = _read(statement(batch_entry("PMT-1", "280.00", tag)))
    assert (read.key, read.key_kind, read.outcome, read.amount_minor) == (
        "PMT-1", "batch_total", "settled", 28000,
    )  # fmt: skip


def test_camt_transactions_without_end_to_end_id_are_one_batch_booking():
    content = statement(entry([Move("NOTPROVIDED", "280.00")], batch="<MsgId>M-1</MsgId>"))
    _, (read,) = _read(content)
    assert (read.key, read.key_kind) == ("M-1", "batch_total")


def test_camt_credit_of_a_customer_is_nobody_s_return():
    """An incoming payment carries an EndToEndId too; without return information it is no return."""
    foreign = "a3bb189e8bf9388899f3c8f0a9f4e6d1"
    assert _read(camt([Move(foreign, "9.00", True)]))[1] == []


@pytest.mark.parametrize(
    "marker",
    [
        b"<RvslInd>true</RvslInd>",
        b"<BkTxCd><Domn><Fmly><SubFmlyCd>RRTN</SubFmlyCd></Fmly></Domn></BkTxCd>",
    ],
)
def test_camt_reversed_debit_is_a_return(marker):
    content = camt([Move("OTHER-1", "9.00", True)]).replace(b"<Sts>", marker + b"<Sts>")
    _, (read,) = _read(content)
    assert (read.outcome, read.reason_code) == ("returned", "reversed")


def test_camt_credit_with_our_reference_is_a_return_without_return_information():
    _, (read,) = _read(camt([Move(KEY, "9.00", True)]))
    assert (read.outcome, read.reason_code) == ("returned", "reversed")


def test_camt_fault_names_the_line_of_its_entry():
    content = camt([Move(KEY, "1.00"), Move(KEY, "1.005")])
    _refused(content, "line 5: .*too many decimals")


def test_camt_fault_in_foreign_amounts_stops_nothing():
    _, (read,) = _read(camt([Move("OTHER-1", "1.005")]))
    assert read.amount_minor is None


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"<html><body/></html>", "no pain.002, camt.053 or camt.054"),
        (
            document("camt.052.001.08", "<BkToCstmrAcctRpt/>"),
            "a report within the day .camt.052. is not final",
        ),
        (document("pain.002.001.10", "<CstmrPmtStsRpt/>"), "names no original message"),
    ],
)
def test_other_messages_are_refused(content, match):
    _refused(content, match)


def test_format_that_was_named_must_be_the_one_found():
    _refused(camt([]), "is camt.053, not camt.054", file_format="camt.054")
    assert _read(camt([]), file_format="camt.053") == ("camt.053", [])


def test_nothing_personal_is_kept():
    outcomes = _read(camt([Move(KEY, "1.00", True, "AC04")]))[1]
    text = repr(outcomes)
    assert not any(word in text for word in ("Mustermann", "DE8937", "ERLOSCHEN"))
