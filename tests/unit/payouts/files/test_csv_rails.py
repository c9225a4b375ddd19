"""T20, T25, T26, T28: PayPal and Wise files against their goldens, and planted errors."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from file_world import (
    PAYPAL_PAYEES,
    TODAY,
    WISE_PAYEES,
    batch_of,
    faults_of,
    payout_id,
    with_content,
)

from payouts.details import PaypalDetails, PaypalPayer, WiseDetails
from payouts.errors import ExportRefusedError
from payouts.files import rails
from payouts.files.payment import PaymentBatch

GOLDEN = Path(__file__).parent / "golden"
EMAIL_PAYEES = PAYPAL_PAYEES[:2]
Change = Callable[[list[list[str]]], list[list[str]]]


def _paypal_batch(**changes: object) -> PaymentBatch:
    return batch_of("paypal", EMAIL_PAYEES, **changes)


def _rows(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8"), newline="")))


def _bytes(rows: list[list[str]]) -> bytes:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows)
    return stream.getvalue().encode("utf-8")


def _cell(row: int, column: int, text: str) -> Change:
    def change(rows: list[list[str]]) -> list[list[str]]:
        rows[row][column] = text
        return rows

    return change


@pytest.mark.parametrize("rail", ["paypal", "wise"])
def test_goldens(rail: str) -> None:
    """Checked against the columns of payouts reference 2.4 and 2.5."""
    batch = batch_of(rail)
    files = rails.render(rail, batch)
    assert sorted(file.name for file in files) == sorted(
        path.name for path in GOLDEN.glob(f"{rail}-*")
    )
    for file in files:
        assert file.content == (GOLDEN / file.name).read_bytes()
    assert rails.check(rail, files, batch, TODAY) == []


def test_paypal_has_one_kind_of_recipient_and_one_wallet_per_file() -> None:
    files = rails.render("paypal", batch_of("paypal"))
    assert [file.items for file in files] == [2, 1, 1]
    together = b"".join(file.content for file in files[:2])
    faults = rails.check("paypal", [replace(files[0], content=together)], batch_of("paypal"), TODAY)
    assert any("mixes wallets" in fault for fault in faults)


@pytest.mark.parametrize(
    ("mark", "currency", "amount_minor", "cell", "raw"),
    [
        (".", "USD", 10045, "100.45", b",100.45,"),
        (",", "EUR", 10045, "100,45", b',"100,45",'),
        (",", "EUR", 5, "0,05", b',"0,05",'),
        (".", "JPY", 10045, "10045", b",10045,"),
        (",", "HUF", 10000, "100", b",100,"),
        (".", "TWD", 100, "1", b",1,"),
    ],
)
def test_decimal_mark_of_the_senders_country(
    mark: str, currency: str, amount_minor: int, cell: str, raw: bytes
) -> None:
    """T28. A comma is quoted, so that it does not end the cell."""
    batch = batch_of(
        "paypal", EMAIL_PAYEES[:1], (amount_minor,), payer=PaypalPayer(mark),
        currency_code=currency,
    )  # fmt: skip
    (file,) = rails.render("paypal", batch)
    assert raw in file.content
    assert _rows(file.content)[0][1] == cell
    assert rails.check("paypal", [file], batch, TODAY) == []
    other = replace(batch, payer=PaypalPayer("." if mark == "," else ","))
    is_told = any("amount" in fault for fault in rails.check("paypal", [file], other, TODAY))
    assert is_told == any(sign in cell for sign in ".,")


def test_paypal_refuses_what_it_cannot_pay() -> None:
    with pytest.raises(ExportRefusedError, match="does not pay out INR"):
        rails.render("paypal", _paypal_batch(currency_code="INR"))
    with pytest.raises(ExportRefusedError) as refused:
        rails.render("paypal", batch_of("paypal", EMAIL_PAYEES, (100, 150), currency_code="HUF"))
    assert f"payout {payout_id(2)}: PayPal takes whole HUF only" in str(refused.value)
    assert payout_id(1) not in str(refused.value)
    venmo = PAYPAL_PAYEES[3:]
    with pytest.raises(ExportRefusedError, match="VENMO wallet takes USD only"):
        rails.render("paypal", batch_of("paypal", venmo, currency_code="EUR"))


PAYPAL_MUTATIONS: dict[str, tuple[Change, str]] = {
    "another recipient": (_cell(0, 0, "eve@example.com"), "another account"),
    "no address": (_cell(0, 0, "ana.example.com"), "recipient that PayPal"),
    "formula": (_cell(0, 0, "=1+1@example.com"), "spreadsheet"),
    "formula in a note": (_cell(0, 4, "=HYPERLINK(1)"), "spreadsheet"),
    "one cent more": (_cell(0, 1, "1234.57"), "another amount"),
    "three decimals": (_cell(0, 1, "1234.560"), "amount in another form"),
    "grouped amount": (_cell(0, 1, "1,234.56"), "amount in another form"),
    "negative": (_cell(0, 1, "-1234.56"), "amount in another form"),
    "zero": (_cell(0, 1, "0.00"), "amount in another form"),
    "leading zero": (_cell(0, 1, "01234.56"), "amount in another form"),
    "Arabic figures": (_cell(0, 1, "١٢٣٤.٥٦"), "amount in another form"),
    "another currency": (_cell(0, 2, "EUR"), "another currency"),
    "duplicate id": (_cell(1, 3, payout_id(1).replace("-", "")[:30]), "more than once"),
    "unknown id": (_cell(1, 3, "f" * 30), "not in the batch"),
    "id of 31 characters": (_cell(1, 3, payout_id(2).replace("-", "")[:31]), "customer id"),
    "id with a space": (_cell(1, 3, "a" * 14 + " " + "a" * 15), "customer id"),
    "another note": (_cell(0, 4, "Commission 20260331-60aa3ede"), "note"),
    "another wallet": (_cell(0, 5, "VENMO"), "privacy column"),
    "no such wallet": (_cell(0, 5, "paypal"), "no wallet"),
    "a column more": (lambda rows: [[*rows[0], "PUBLIC"], rows[1]], "privacy column"),
    "a column less": (lambda rows: [rows[0][:5], rows[1]], "5 columns"),
    "a row less": (lambda rows: rows[:1], "in no file"),
    "a row twice": (lambda rows: [rows[0], *rows], "more than once"),
    "a header": (lambda rows: [["recipient", "amount", "", "", "", ""], *rows], "recipient that"),
    "an empty row": (lambda rows: [rows[0], [], rows[1]], "0 columns"),
    "recipients exchanged": (
        lambda rows: [[rows[1][0], *rows[0][1:]], [rows[0][0], *rows[1][1:]]], "another account",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PAYPAL_MUTATIONS)
def test_every_planted_error_in_a_paypal_file_is_found(name: str) -> None:
    change, told = PAYPAL_MUTATIONS[name]
    batch = _paypal_batch()
    (file,) = rails.render("paypal", batch)
    faults = faults_of("paypal", _bytes(change(_rows(file.content))), batch)
    assert any(told in fault for fault in faults), faults
    assert not any(payee.recipient in fault for payee in EMAIL_PAYEES for fault in faults)


WISE_MUTATIONS: dict[str, tuple[Change, str]] = {
    "another header": (_cell(0, 0, "recipientid"), "another header"),
    "no header": (lambda rows: rows[1:], "another header"),
    "another recipient": (_cell(1, 0, "148149707"), "another account"),
    "recipients exchanged": (
        lambda rows: [rows[0], [rows[2][0], *rows[1][1:]], [rows[1][0], *rows[2][1:]], rows[3]],
        "another account",
    ),
    "recipient of an account": (_cell(1, 0, "DE89 3704"), "recipientId"),
    "formula": (_cell(1, 1, "=cmd|'/c calc'!A1"), "spreadsheet"),
    "full-width formula": (_cell(1, 1, "＝1+1"), "spreadsheet"),
    "another name": (_cell(1, 1, "Ana Diaz"), "another name"),
    "invisible character": (_cell(1, 1, "Ana\u202eDíaz"), "not allowed"),
    "another address": (_cell(1, 2, "eve@example.com"), "another recipientEmail"),
    "no address": (_cell(1, 2, "ana"), "recipientEmail"),
    "account data": (_cell(1, 3, "ending 3000"), "recipientDetail"),
    "another balance": (_cell(1, 4, "USD"), "another sourceCurrency"),
    "another currency": (_cell(1, 5, "EUR"), "targetCurrency"),
    "fee off the payee": (_cell(1, 6, "source"), "amountCurrency"),
    "one cent less": (_cell(1, 7, "1234.55"), "another amount"),
    "decimal comma": (_cell(1, 7, "1234,56"), "plain figures"),
    "three decimals": (_cell(1, 7, "1234.560"), "plain figures"),
    "zero": (_cell(1, 7, "0.00"), "plain figures"),
    "negative": (_cell(1, 7, "-1234.56"), "plain figures"),
    "duplicate reference": (_cell(2, 8, payout_id(1)[:8] + "ce"), "more than once"),
    "unknown reference": (_cell(2, 8, "f" * 10), "not in the batch"),
    "long reference": (_cell(2, 8, "f" * 11), "paymentReference"),
    "another kind of receiver": (_cell(1, 9, "INSTITUTION"), "another receiverType"),
    "a column less": (lambda rows: [rows[0], rows[1][:9], *rows[2:]], "9 columns"),
    "a row less": (lambda rows: rows[:-1], "in no file"),
    "a row twice": (lambda rows: [*rows, rows[1]], "more than once"),
}


@pytest.mark.parametrize("name", WISE_MUTATIONS)
def test_every_planted_error_in_a_wise_file_is_found(name: str) -> None:
    change, told = WISE_MUTATIONS[name]
    (file,) = rails.render("wise", batch_of("wise"))
    faults = faults_of("wise", _bytes(change(_rows(file.content))))
    assert any(told in fault for fault in faults), faults
    assert not any(payee.account() in fault for payee in WISE_PAYEES for fault in faults)


BYTE_MUTATIONS: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "byte-order mark": (lambda content: b"\xef\xbb\xbf" + content, "byte-order mark"),
    "carriage returns": (lambda content: content.replace(b"\n", b"\r\n"), "carriage return"),
    "zero byte": (lambda content: content.replace(b"Bo", b"B\0"), "zero byte"),
    "not UTF-8": (lambda content: content + b"\xff\n", "UTF-8"),
    "cut off": (lambda content: content[:-1], "line break"),
    "open quote": (lambda content: content[:-1] + b',"\n', "not CSV"),
    "line break in a cell": (
        lambda content: content.replace(b",target,", b',"tar\nget",').replace(
            b",PAYPAL", b',"PAY\nPAL"'
        ),
        "line break inside",
    ),
    "nothing": (lambda content: b"", "line break"),
}


@pytest.mark.parametrize("name", BYTE_MUTATIONS)
@pytest.mark.parametrize("rail", ["paypal", "wise"])
def test_broken_bytes_are_found(rail: str, name: str) -> None:
    change, told = BYTE_MUTATIONS[name]
    batch = _paypal_batch() if rail == "paypal" else batch_of("wise")
    (file,) = rails.render(rail, batch)
    changed = change(file.content.replace(b"bo@", b"Bo@"))
    faults = faults_of(rail, changed, batch)
    assert any(told in fault for fault in faults), faults


@pytest.mark.parametrize(
    ("rail", "limit"), [("paypal", 5_000), ("wise", 1_000)]
)  # fmt: skip
def test_files_are_split_at_the_limit_with_stable_ids(rail: str, limit: int) -> None:
    """T25. One payee more leaves the first file as it was."""
    payees = tuple(
        PaypalDetails("A", f"a{number}@example.com", "email", "PAYPAL") if rail == "paypal"
        else WiseDetails("A", str(number))
        for number in range(limit + 1)
    )  # fmt: skip
    full = batch_of(rail, payees[:limit])
    more = batch_of(rail, payees)
    (whole,) = rails.render(rail, full)
    first, second = rails.render(rail, more)
    assert (whole.items, first.items, second.items) == (limit, limit, 1)
    assert (first.name, second.name) == (f"{rail}-1-of-2.csv", f"{rail}-2-of-2.csv")
    assert first.content == whole.content
    assert rails.check(rail, [first, second], more, TODAY) == []
    header = whole.content.split(b"\n", 1)[0] + b"\n" if rail == "wise" else b""
    together = with_content(whole, first.content + second.content.removeprefix(header))
    assert any("more than" in fault for fault in rails.check(rail, [together], more, TODAY))
