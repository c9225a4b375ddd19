"""Reads SEPA files back and checks P1 to P10, knowing nothing of the writer.

An XSD is not enough: it accepts wrong check digits, another currency, wrong sums and duplicate ids
(payouts reference 2.2, where P1 to P10 stand). What belongs here: what the values must be. What
does not: the structure (``sepa_shape``).
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import date
from xml.etree import ElementTree

from program.countries import is_country

from payouts.details import SepaDetails, SepaPayer
from payouts.files.latin import LATIN, has_letter_or_digit, latin_name, to_latin
from payouts.files.payment import FoundPayment, PaymentBatch, PayoutFile
from payouts.files.references import payee_reference, reference
from payouts.files.sepa_shape import NAMESPACE, shape_faults
from payouts.files.totals_check import name_faults, pay_date_faults, payment_faults
from payouts.identifiers import bic_problem, iban_problem, is_sepa_iban

_DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>'
_AMOUNT = re.compile(r"(0|[1-9][0-9]{0,15})\.([0-9]{2})")
_HIGHEST_MINOR = 99_999_999_999
_LARGEST_BYTES = 200_000_000
_LENGTHS = {"Nm": 70, "Ustrd": 140, "StrtNm": 70, "TwnNm": 35}
_IDS = ("MsgId", "PmtInfId", "EndToEndId")
_FIXED = {
    "PmtMtd": "TRF",
    "BtchBookg": "true",
    "PmtTpInf/SvcLvl/Cd": "SEPA",
    "ChrgBr": "SLEV",
}


def faults(files: list[PayoutFile], batch: PaymentBatch, today: date) -> list[str]:
    """What is wrong, by file and element. today: P8 counts from it."""
    found: dict[str, list[FoundPayment]] = {}
    faults = name_faults("sepa", "xml", files) + pay_date_faults("sepa", batch.pay_date, today)
    for part, file in enumerate(files, start=1):
        root = _root(file.content)
        problems = ["is not a plain XML document in UTF-8"] if root is None else shape_faults(root)
        found[file.name] = []
        if root is not None and not problems:
            problems = _document_faults(root, batch, f"{batch.batch_id}-{part}")
            found[file.name] = _payments(root)
        faults += [f"{file.name}: {problem}" for problem in problems]
    return faults + payment_faults("sepa", batch, found, files)


def _root(content: bytes) -> ElementTree.Element | None:
    """The document, None when it is no XML, too large, or has a declaration that could expand."""
    if not content.startswith(_DECLARATION) or len(content) > _LARGEST_BYTES or b"<!" in content:
        return None
    try:
        return ElementTree.fromstring(content)
    except ElementTree.ParseError:
        return None


def _document_faults(root: ElementTree.Element, batch: PaymentBatch, message_id: str) -> list[str]:
    header = root[0].find(f"{NAMESPACE}GrpHdr")
    information = root[0].find(f"{NAMESPACE}PmtInf")
    transfers = information.findall(f"{NAMESPACE}CdtTrfTxInf")
    return [
        *_text_faults(root),
        *_id_faults(root, message_id),
        *_sum_faults("GrpHdr", header, transfers),
        *_sum_faults("PmtInf", information, transfers),
        *_header_faults(header, information, batch),
        *_debtor_faults(information, batch.payer),
        *_transfer_faults(transfers, batch),
    ]


def _text_faults(root: ElementTree.Element) -> list[str]:
    """Character set and lengths of every text (P6, P7), address countries (P9)."""
    faults = []
    for element in root.iter():
        name = element.tag.removeprefix(NAMESPACE)
        if len(element):
            continue
        text = element.text or ""
        if not set(text) <= LATIN or text != text.strip():
            faults.append(f"a {name} holds characters outside the SEPA set (P6, P7)")
        if len(text) > _LENGTHS.get(name, len(text)):
            faults.append(f"a {name} is longer than {_LENGTHS[name]} characters (P7)")
        if name in _LENGTHS and not has_letter_or_digit(text):
            faults.append(f"a {name} has no letter or digit (P7)")
        if name == "Ctry" and not is_country(text):
            faults.append("a Ctry is no country code (P9)")
    return faults


def _id_faults(root: ElementTree.Element, message_id: str) -> list[str]:
    faults = []
    for name in _IDS:
        texts = _texts(root, name)
        for text in texts:
            if not 1 <= len(text) <= 35 or text[0] == "/" or text[-1] == "/" or "//" in text:
                faults.append(f"a {name} is not 1 to 35 characters with inner single slashes (P6)")
        repeated = sum(count - 1 for count in Counter(texts).values())
        if repeated:
            faults.append(f"{repeated} {name} are repeated (P6)")
    if _texts(root, "MsgId") + _texts(root, "PmtInfId") != [message_id, message_id]:
        faults.append("MsgId and PmtInfId do not number the batch's files (P6)")
    return faults


def _sum_faults(
    level: str, parent: ElementTree.Element, transfers: list[ElementTree.Element]
) -> list[str]:
    """P5 at one level."""
    faults = []
    amounts = [_minor(_value(transfer, "Amt/InstdAmt")) for transfer in transfers]
    if _value(parent, "NbOfTxs") != str(len(transfers)):
        faults.append(f"NbOfTxs of {level} is not the number of transfers (P5)")
    if None in amounts or _minor(_value(parent, "CtrlSum")) != sum(amounts):
        faults.append(f"CtrlSum of {level} is not the sum of the transfers (P5)")
    return faults


def _header_faults(
    header: ElementTree.Element, information: ElementTree.Element, batch: PaymentBatch
) -> list[str]:
    faults = [
        f"{path} is not {text}"
        for path, text in _FIXED.items()
        if _value(information, path) != text
    ]
    if _value(header, "CreDtTm") != batch.created_at.strftime("%Y-%m-%dT%H:%M:%SZ"):
        faults.append("CreDtTm is not the instant of the batch's record")
    if _value(information, "ReqdExctnDt/Dt") != batch.pay_date.isoformat():
        faults.append("ReqdExctnDt is not the batch's pay date (P8)")
    if _value(header, "InitgPty/Nm") != _value(information, "Dbtr/Nm"):
        faults.append("the initiating party is not the debtor")
    return faults


def _debtor_faults(information: ElementTree.Element, payer: SepaPayer) -> list[str]:
    agent = "DbtrAgt/FinInstnId"
    faults = _account_faults("the debtor", _value(information, "DbtrAcct/Id/IBAN"))
    faults += _bic_faults("the debtor", _value(information, f"{agent}/BICFI"))
    told = (_value(information, f"{agent}/BICFI"), _value(information, f"{agent}/Othr/Id"))
    if told != ((payer.bic, "") if payer.bic else ("", "NOTPROVIDED")):
        faults.append("the debtor's bank is not the payer's")
    if _value(information, "DbtrAcct/Id/IBAN") != payer.account():
        faults.append("the debtor's account is not the payer's")
    return faults + _party_faults(
        "the debtor", information, "Dbtr", payer.name, (payer.country, payer.town, "")
    )


def _transfer_faults(transfers: list[ElementTree.Element], batch: PaymentBatch) -> list[str]:
    wanted = {reference("sepa", payment.payout_id): payment for payment in batch.payments}
    faults = []
    for number, transfer in enumerate(transfers, start=1):
        payment = wanted.get(_value(transfer, "PmtId/EndToEndId"))
        about = f"payout {payment.payout_id}" if payment else f"transfer {number}"
        amount = transfer.find(f"{NAMESPACE}Amt/{NAMESPACE}InstdAmt")
        if amount.get("Ccy") != "EUR":
            faults.append(f"{about} is not in EUR (P3)")
        amount_minor = _minor(amount.text or "")
        if amount_minor is None or not 1 <= amount_minor <= _HIGHEST_MINOR:
            faults.append(f"{about}: the amount is not 0.01 to 999,999,999.99 in two decimals (P4)")
        faults += _account_faults(about, _value(transfer, "CdtrAcct/Id/IBAN"))
        faults += _bic_faults(about, _value(transfer, "CdtrAgt/FinInstnId/BICFI"))
        if payment is None:
            continue
        details: SepaDetails = payment.details
        address = (details.country, details.town, details.street)
        faults += _party_faults(about, transfer, "Cdtr", details.holder_name, address)
        if _value(transfer, "CdtrAgt/FinInstnId/BICFI") != details.bic:
            faults.append(f"{about} has another BIC than approved (P2)")
        remittance = f"Commission {payee_reference(batch.pay_date, payment.payout_id)}"
        if _value(transfer, "RmtInf/Ustrd") != remittance:
            faults.append(f"{about}: the remittance does not tell the payout's reference")
    return faults


def _party_faults(
    about: str,
    parent: ElementTree.Element,
    role: str,
    name: str,
    address: tuple[str, str, str],
) -> list[str]:
    """Name (P7) and address (P9): structured or absent, and as approved."""
    faults = []
    if _value(parent, f"{role}/Nm") != latin_name(name, _LENGTHS["Nm"]):
        faults.append(f"{about} has another name than approved (P7)")
    country, town, street = address
    wanted = (country, to_latin(town), to_latin(street)) if country and town else ("", "", "")
    told = tuple(_value(parent, f"{role}/PstlAdr/{part}") for part in ("Ctry", "TwnNm", "StrtNm"))
    if told != wanted:
        faults.append(f"{about} has another address than approved (P9)")
    return faults


def _account_faults(about: str, iban: str) -> list[str]:
    problem = iban_problem(iban)
    if problem:
        return [f"{about}: the IBAN {problem} (P1)"]
    return [] if is_sepa_iban(iban) else [f"{about}: the account is outside SEPA (P3)"]


def _bic_faults(about: str, bic: str) -> list[str]:
    problem = bic_problem(bic) if bic else None
    return [f"{about}: the BIC {problem} (P2)"] if problem else []


def _payments(root: ElementTree.Element) -> list[FoundPayment]:
    return [
        FoundPayment(
            reference=_value(transfer, "PmtId/EndToEndId"),
            amount_minor=_minor(_value(transfer, "Amt/InstdAmt")) or 0,
            account=_value(transfer, "CdtrAcct/Id/IBAN"),
        )
        for transfer in root.iter(f"{NAMESPACE}CdtTrfTxInf")
    ]


def _texts(root: ElementTree.Element, name: str) -> list[str]:
    return [element.text or "" for element in root.iter(NAMESPACE + name)]


def _value(parent: ElementTree.Element, path: str) -> str:
    """Text at a path below an element, empty when it is not there."""
    found = parent.find("/".join(NAMESPACE + name for name in path.split("/")))
    return "" if found is None else found.text or ""


def _minor(text: str) -> int | None:
    match = _AMOUNT.fullmatch(text)
    return int(match[1] + match[2]) if match else None
