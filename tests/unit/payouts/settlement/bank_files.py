"""Files as banks and providers send them, built from the shapes of the standards.

What belongs here: builders. What does not: expectations. Two shapes of camt: .02 has the status as
text and amounts under ``AmtDtls``, .08 has codes in elements and ``Amt`` at the transaction.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

ISO = "urn:iso:std:iso:20022:tech:xsd:"


def end_to_end(payout_id: str) -> str:
    """A payout id as SEPA files carry it."""
    return payout_id.replace("-", "")


@dataclass(frozen=True)
class Move:
    """One transaction of an account: key is an EndToEndId, amount text in major units."""

    key: str
    amount: str
    is_credit: bool = False
    reason: str = ""
    day: str = "2026-03-17"
    currency: str = "USD"


def camt(
    moves: Iterable[Move], version: str = "08", kind: str = "053", status: str = "BOOK"
) -> bytes:
    """A statement or notification with one entry per move, in the shape of .02 or of .08."""
    report, part = (
        ("BkToCstmrStmt", "Stmt") if kind == "053" else ("BkToCstmrDbtCdtNtfctn", "Ntfctn")
    )
    entries = "".join(entry([move], version, status) for move in moves)
    return document(
        f"camt.{kind}.001.{version}",
        f"<{report}><GrpHdr><MsgId>bank-1</MsgId><CreDtTm>2026-03-18T05:00:00</CreDtTm></GrpHdr>"
        f"<{part}><Id>1</Id>{entries}</{part}></{report}>",
    )


def statement(entries: str, version: str = "08") -> bytes:
    """A camt.053 with these entries."""
    return document(
        f"camt.053.001.{version}", f"<BkToCstmrStmt><Stmt>{entries}</Stmt></BkToCstmrStmt>"
    )


def entry(moves: list[Move], version: str = "08", status: str = "BOOK", batch: str = "") -> str:
    """One entry; several moves are several transactions of it. batch: the Btch block's content."""
    total = sum((Decimal(move.amount) for move in moves), Decimal(0))
    first = moves[0]
    indicator = "CRDT" if first.is_credit else "DBIT"
    shown = status if version == "02" else f"<Cd>{status}</Cd>"
    details = "".join(_transaction(move, version) for move in moves)
    block = f"<Btch>{batch}</Btch>" if batch else ""
    return (
        f'<Ntry><Amt Ccy="{first.currency}">{total}</Amt>'
        f"<CdtDbtInd>{indicator}</CdtDbtInd><Sts>{shown}</Sts>"
        f"<BookgDt><Dt>{first.day}</Dt></BookgDt><ValDt><Dt>{first.day}</Dt></ValDt>"
        f"<AcctSvcrRef>BANKREF1</AcctSvcrRef>"
        f"<NtryDtls>{block}{details}</NtryDtls></Ntry>\n"
    )


def batch_entry(key: str, amount: str, tag: str = "PmtInfId", **more: str) -> str:
    """A debit that the bank booked at once for a whole file."""
    day, currency = more.get("day", "2026-03-17"), more.get("currency", "USD")
    return (
        f'<Ntry><Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>DBIT</CdtDbtInd>'
        f"<Sts><Cd>BOOK</Cd></Sts><ValDt><Dt>{day}</Dt></ValDt>"
        f"<NtryDtls><Btch><{tag}>{key}</{tag}></Btch></NtryDtls></Ntry>\n"
    )


def _transaction(move: Move, version: str) -> str:
    indicator = "CRDT" if move.is_credit else "DBIT"
    amount = f'<Amt Ccy="{move.currency}">{move.amount}</Amt>'
    money = (
        f"<AmtDtls><TxAmt>{amount}</TxAmt></AmtDtls>"
        if version == "02"
        else f"{amount}<CdtDbtInd>{indicator}</CdtDbtInd>"
    )
    returned = (
        f"<RtrInf><Rsn><Cd>{move.reason}</Cd></Rsn><AddtlInf>KONTO ERLOSCHEN</AddtlInf></RtrInf>"
        if move.reason
        else ""
    )
    return (
        f"<TxDtls><Refs><EndToEndId>{move.key}</EndToEndId></Refs>{money}"
        "<RltdPties><Cdtr><Nm>Erika Mustermann</Nm></Cdtr><CdtrAcct><Id><IBAN>"
        f"DE89370400440532013000</IBAN></Id></CdtrAcct></RltdPties>{returned}</TxDtls>\n"
    )


def pain002(
    items: Iterable[tuple[str, str, str]] = (),
    *,
    group: str = "",
    payment: str = "",
    message_id: str = "MSG-1",
    payment_id: str = "PMT-1",
    reason: str = "",
    version: str = "10",
    amount: str = "",
    counted: str = "",
    control_sum: str = "",
    account: str = "",
) -> bytes:
    """A status report; items are (EndToEndId, status, reason code).

    counted, control_sum: of the file that was sent. account: that each item was paid from.
    """
    paid_from = f"<DbtrAcct><Id><IBAN>{account}</IBAN></Id></DbtrAcct>" if account else ""
    rows = "".join(
        f"<TxInfAndSts><StsId>st{number}</StsId><OrgnlEndToEndId>{key}</OrgnlEndToEndId>"
        f"<TxSts>{status}</TxSts>{_reason(code)}"
        + (
            f'<OrgnlTxRef><Amt><InstdAmt Ccy="USD">{amount}</InstdAmt></Amt>'
            f"{paid_from}</OrgnlTxRef>"
            if amount
            else ""
        )
        + "</TxInfAndSts>\n"
        for number, (key, status, code) in enumerate(items)
    )
    group_status = f"<GrpSts>{group}</GrpSts>" if group else ""
    sums = f"<OrgnlNbOfTxs>{counted}</OrgnlNbOfTxs>" if counted else ""
    sums += f"<OrgnlCtrlSum>{control_sum}</OrgnlCtrlSum>" if control_sum else ""
    payment_status = f"<PmtInfSts>{payment}</PmtInfSts>" if payment else ""
    return document(
        f"pain.002.001.{version}",
        "<CstmrPmtStsRpt><GrpHdr><MsgId>bank-2</MsgId></GrpHdr>"
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>{message_id}</OrgnlMsgId>"
        f"<OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>{sums}{group_status}{_reason(reason)}"
        f"</OrgnlGrpInfAndSts><OrgnlPmtInfAndSts><OrgnlPmtInfId>{payment_id}</OrgnlPmtInfId>"
        f"{payment_status}{_reason(reason)}{rows}</OrgnlPmtInfAndSts></CstmrPmtStsRpt>",
    )


def _reason(code: str) -> str:
    return f"<StsRsnInf><Rsn><Cd>{code}</Cd></Rsn></StsRsnInf>" if code else ""


def document(message: str, body: str) -> bytes:
    """An ISO 20022 document."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{ISO}{message}">\n{body}'
        "</Document>\n"
    ).encode()


def nacha(entries: Iterable[str], class_code: str = "PPD", settlement: str = "077") -> bytes:
    """A return file: `nacha_return` and `nacha_notice` make the pairs of records."""
    lines = [line for pair in entries for line in pair.split("\n")]
    head = (
        "101 091400606 0910000012603180306A094101FIRST BANK             ACME INC               "
        "        "
    )
    records = [
        head[:94].ljust(94),
        f"5200ACME INC                            1234567890{class_code}PAYROLL         260316"
        f"{settlement}1091000010000001",
        *lines,
        f"8200{len(lines):06}0009140060".ljust(94, "0"),
        f"9000001000001{len(lines):08}".ljust(94, "0"),
    ]
    while len(records) % 10:
        records.append("9" * 94)
    return ("\n".join(records) + "\n").encode()


def nacha_return(
    individual_id: str, cents: int, code: str = "R03", trace: str = "091000010000001"
) -> str:
    """An entry that comes back and its addenda 99."""
    return (
        f"621091400606{'12345678901234567'}{cents:010}{individual_id[:15]:<15}"
        f"{'JANE DOE':<22}  1{'091400600000001'}\n"
        f"799{code}{trace}      09140060{'':<44}091400600000001"
    )


def nacha_notice(individual_id: str, code: str = "C01", trace: str = "091000010000001") -> str:
    """An entry of amount zero and its addenda 98 with corrected data."""
    return (
        f"621091400606{'12345678901234567'}{0:010}{individual_id[:15]:<15}"
        f"{'JANE DOE':<22}  1{'091400600000002'}\n"
        f"798{code}{trace}      09140060{'987654321':<29}{'':<15}091400600000002"
    )


def status_csv(*rows: tuple[object, ...]) -> bytes:
    """Rows in the order of the header below."""
    header = "payout_id,status,amount_minor,currency_code,value_date,reason_code,reference"
    return "\n".join([header, *(",".join(map(str, row)) for row in rows), ""]).encode()


def paypal(*rows: tuple[object, ...]) -> bytes:
    """Rows of item, state, amount, currency, time and error in PayPal's headings."""
    header = (
        '"Payout Item ID","Transaction ID","Sender Item ID","Recipient","Transaction Status",'
        '"Amount","Currency","Time Processed","Error Name"'
    )
    lines = [
        f'"I{number}","TX{number}","{key}","jane@partner.example","{state}","{amount}",'
        f'"{currency}","{time}","{error}"'
        for number, (key, state, amount, currency, time, error) in enumerate(rows)
    ]
    return "\n".join([header, *lines, ""]).encode()
