"""The SEPA credit transfer file, ISO 20022 pain.001.001.09.

What belongs here: elements, their order, limits. What does not: whether the bytes are right
(``sepa_checks`` reads them again). Source: payouts reference 2.2; EPC customer-to-PSP guidelines.
An address is given by town and country or not at all: since November 2026 banks refuse address
lines. The debit is booked as one sum, which therefore stays within what one transfer may be.
"""

from __future__ import annotations

from xml.etree import ElementTree

from program.currencies import format_minor

from payouts.details import SepaDetails, SepaPayer
from payouts.files.latin import latin_name, to_latin
from payouts.files.payment import Payment, PaymentBatch, PayoutFile, in_file_order
from payouts.files.references import payee_reference, reference
from payouts.files.splitting import file_name, split

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
CURRENCY = "EUR"
MAX_ITEMS = 50_000
MAX_AMOUNT_MINOR = 999_999_999_99
MAX_ID_CHARACTERS = 35
MAX_NAME_CHARACTERS = 70
# Banks' stand-in for a BIC that the payer did not tell.
NO_BIC = "NOTPROVIDED"


def faults(batch: PaymentBatch) -> list[str]:
    """What the scheme would refuse, each with the payout it is about."""
    if batch.currency_code != CURRENCY:
        return [f"SEPA pays {CURRENCY} only, not {batch.currency_code} (P3)"]
    found = [
        f"payout {payment.payout_id}: the amount is above 999,999,999.99 (P4)"
        for payment in batch.payments
        if payment.amount_minor > MAX_AMOUNT_MINOR
    ]
    if len(f"{batch.batch_id}-{len(batch.payments)}") > MAX_ID_CHARACTERS:
        found.append(f"the batch id is too long for a message id of {MAX_ID_CHARACTERS} (P6)")
    return found


def files(batch: PaymentBatch) -> list[PayoutFile]:
    """The files; message ``n`` of a batch is called ``<batch id>-n``."""
    runs = split(in_file_order(batch.payments), MAX_ITEMS, MAX_AMOUNT_MINOR)
    return [
        PayoutFile(
            name=file_name("sepa", part, len(runs), "xml"),
            content=_content(batch, run, f"{batch.batch_id}-{part}"),
            items=len(run),
            total_amount_minor=sum(payment.amount_minor for payment in run),
        )
        for part, run in enumerate(runs, start=1)
    ]


def _content(batch: PaymentBatch, run: list[Payment], message_id: str) -> bytes:
    document = ElementTree.Element("Document", {"xmlns": NAMESPACE})
    initiation = ElementTree.SubElement(document, "CstmrCdtTrfInitn")
    total = format_minor(sum(payment.amount_minor for payment in run), CURRENCY)
    payer = batch.payer

    header = ElementTree.SubElement(initiation, "GrpHdr")
    _text(header, "MsgId", message_id)
    _text(header, "CreDtTm", f"{batch.created_at:%Y-%m-%dT%H:%M:%S}Z")
    _text(header, "NbOfTxs", str(len(run)))
    _text(header, "CtrlSum", total)
    _text(header, "InitgPty/Nm", latin_name(payer.name, MAX_NAME_CHARACTERS))

    information = ElementTree.SubElement(initiation, "PmtInf")
    _text(information, "PmtInfId", message_id)
    _text(information, "PmtMtd", "TRF")
    _text(information, "BtchBookg", "true")
    _text(information, "NbOfTxs", str(len(run)))
    _text(information, "CtrlSum", total)
    _text(information, "PmtTpInf/SvcLvl/Cd", "SEPA")
    _text(information, "ReqdExctnDt/Dt", batch.pay_date.isoformat())
    _party(information, "Dbtr", payer.name, payer.country, payer.town)
    _text(information, "DbtrAcct/Id/IBAN", payer.account())
    _debtor_agent(information, payer)
    _text(information, "ChrgBr", "SLEV")
    for payment in run:
        _transfer(information, batch, payment)

    ElementTree.indent(document, space=" ")
    text = DECLARATION + ElementTree.tostring(document, encoding="unicode") + "\n"
    return text.encode("utf-8")


def _transfer(information: ElementTree.Element, batch: PaymentBatch, payment: Payment) -> None:
    details: SepaDetails = payment.details
    transfer = ElementTree.SubElement(information, "CdtTrfTxInf")
    _text(transfer, "PmtId/EndToEndId", reference("sepa", payment.payout_id))
    amount = _text(transfer, "Amt/InstdAmt", format_minor(payment.amount_minor, CURRENCY))
    amount.set("Ccy", CURRENCY)
    if details.bic:
        _text(transfer, "CdtrAgt/FinInstnId/BICFI", details.bic)
    _party(transfer, "Cdtr", details.holder_name, details.country, details.town, details.street)
    _text(transfer, "CdtrAcct/Id/IBAN", details.account())
    remittance = f"Commission {payee_reference(batch.pay_date, payment.payout_id)}"
    _text(transfer, "RmtInf/Ustrd", remittance)


def _party(
    parent: ElementTree.Element, role: str, name: str, country: str, town: str, street: str = ""
) -> None:
    party = ElementTree.SubElement(parent, role)
    _text(party, "Nm", latin_name(name, MAX_NAME_CHARACTERS))
    if country and town:
        address = ElementTree.SubElement(party, "PstlAdr")
        if street:
            _text(address, "StrtNm", to_latin(street))
        _text(address, "TwnNm", to_latin(town))
        _text(address, "Ctry", country)


def _debtor_agent(information: ElementTree.Element, payer: SepaPayer) -> None:
    if payer.bic:
        _text(information, "DbtrAgt/FinInstnId/BICFI", payer.bic)
    else:
        _text(information, "DbtrAgt/FinInstnId/Othr/Id", NO_BIC)


def _text(parent: ElementTree.Element, path: str, text: str) -> ElementTree.Element:
    """Add a chain of elements, the last with this text."""
    for name in path.split("/"):
        parent = ElementTree.SubElement(parent, name)
    parent.text = text
    return parent
