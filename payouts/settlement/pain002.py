"""pain.002: the bank's status report on a payment file, for the file, its payments and its items.

What belongs here: ISO 20022 pain.002.001.03 to .14, read by local names, and what its status codes
mean. Source: payouts reference 2.2.

Items come before payments and payments before the file: what is said about one payout counts
before what is said about all of them (``planning``). Names are never read, and of the account that
was paid from only its last four characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from payouts.settlement.outcome import (
    FAILED,
    NOTICE,
    SENT,
    SETTLED,
    Fault,
    Outcome,
    clean_code,
    clean_reference,
    file_error,
    iso_day,
    minor_units,
)
from payouts.settlement.xml_tree import Element

REPORT = "CstmrPmtStsRpt"
STATUSES = {
    # Received, checked, waiting, on its way: the bank has it.
    "RCVD": SENT, "ACTC": SENT, "ACCP": SENT, "ACSP": SENT, "ACWC": SENT, "ACWP": SENT,
    "ACFC": SENT, "PDNG": SENT, "PATC": SENT, "BLCK": SENT,
    "ACSC": SETTLED, "ACCC": SETTLED,
    "RJCT": FAILED, "CANC": FAILED,
    # Verification of payee: the name differs, or nearly fits. The payment is not stopped by it.
    "RVNM": NOTICE, "RVMC": NOTICE,
}  # fmt: skip
# Partly accepted: look at what is below. Verification without a finding: nothing happened.
_SILENT = {"PART", "RCVC", "RVNA", "RVCM"}
_NO_KEY = "NOTPROVIDED"
_COUNT, _SUM = re.compile(r"[0-9]{1,15}"), re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})?")
_FETCH = "Fetch the status report from the bank again; if it stays so, record it by a status CSV."


def parse(report: Element, file_name: str) -> list[Outcome]:
    """What the report says, items first. Raises: SettlementFileError naming every faulty line."""
    outcomes: list[Outcome] = []
    faults: list[Fault] = []
    group = report.find("OrgnlGrpInfAndSts")
    if group is None:
        raise file_error(
            file_name, [Fault(report.line, "names no original message (OrgnlGrpInfAndSts)")], _FETCH
        )
    group_status = group.value("GrpSts")
    file_id = group.value("OrgnlMsgId") or None
    payments = list(report.all("OrgnlPmtInfAndSts"))
    found: list[tuple[Element, Iterator[Outcome]]] = []
    for payment in payments:
        inherited = payment.value("PmtInfSts") or group_status
        found += [(item, _item(item, inherited)) for item in payment.all("TxInfAndSts")]
    found += [(item, _item(item, group_status)) for item in report.all("TxInfAndSts")]
    found += [
        (payment, _whole(payment, "OrgnlPmtInfId", payment.value("PmtInfSts")))
        for payment in payments
    ]
    found.append((group, _whole(group, "OrgnlMsgId", group_status)))
    for element, made in found:
        try:
            outcomes += [replace(outcome, file_id=file_id) for outcome in made]
        except ValueError as error:
            faults.append(Fault(element.line, str(error)))
    if faults:
        raise file_error(file_name, faults, _FETCH)
    return outcomes


def _item(item: Element, inherited: str) -> Iterator[Outcome]:
    status = item.value("TxSts") or inherited
    if status == "PART":
        raise ValueError("an item of a partly accepted file has no status of its own")
    key = item.value("OrgnlEndToEndId")
    if key in ("", _NO_KEY):
        key = item.value("OrgnlInstrId") or _NO_KEY
    amount = item.find("OrgnlTxRef/Amt/InstdAmt")
    currency_code = amount.attributes.get("Ccy", "") if amount is not None else None
    account = item.value("OrgnlTxRef/DbtrAcct/Id/IBAN").replace(" ", "")[-4:] or None
    made = _of_status(
        item,
        status,
        key,
        "end_to_end_id",
        minor_units(amount.text, currency_code) if amount is not None else None,
        currency_code,
        # Only from .10 on.
        item.value("FctvIntrBkSttlmDt/Dt", "FctvIntrBkSttlmDt/DtTm", "AccptncDtTm"),
        item.value("AcctSvcrRef", "StsId"),
    )
    yield from (replace(outcome, account_last_four=account) for outcome in made)


def _whole(element: Element, key_name: str, status: str) -> Iterator[Outcome]:
    """What is said of a payment or of the file; nothing when it has no status.

    Raises: ValueError when the count or the sum of what was sent is no number.
    """
    if not status:
        return
    count, control_sum = element.value("OrgnlNbOfTxs"), element.value("OrgnlCtrlSum")
    if count and not _COUNT.fullmatch(count):
        raise ValueError("the number of payments (OrgnlNbOfTxs) is no whole number")
    if control_sum and not _SUM.fullmatch(control_sum):
        raise ValueError("the control sum (OrgnlCtrlSum) is no number")
    made = _of_status(element, status, element.value(key_name), "batch_total", None, None, "", "")
    payments = int(count) if count else None
    for outcome in made:
        yield replace(outcome, payments=payments, control_sum=control_sum or None)


def _of_status(
    element: Element,
    status: str,
    key: str,
    key_kind: str,
    amount_minor: int | None,
    currency_code: str | None,
    day: str,
    reference: str,
) -> Iterator[Outcome]:
    if status in _SILENT:
        return
    if status not in STATUSES:
        raise ValueError(
            f"has the status {clean_code(status)}, which is not one of {', '.join(STATUSES)}, PART"
        )
    if not key:
        raise ValueError("names no original reference")
    outcome = STATUSES[status]
    reason = clean_code(element.value("StsRsnInf/Rsn/Cd", "StsRsnInf/Rsn/Prtry"))
    if outcome == NOTICE or status in ("CANC", "BLCK"):
        reason = status
    yield Outcome(
        key=key,
        key_kind=key_kind,
        outcome=outcome,
        amount_minor=amount_minor,
        currency_code=currency_code,
        value_date=iso_day(day) if outcome != SENT else None,
        reason_code=reason,
        reference=clean_reference(reference),
        line=element.line,
    )
