"""camt.053 and camt.054: a bank's statement, and its notifications of debits and credits.

What belongs here: booked debits by EndToEndId, debits booked at once by PmtInfId or MsgId, and
credits that bring a payment back; versions .02 to .13 by local names. Source: payouts reference
2.2. Everything else on the account is counted by nobody and never kept: names, accounts and texts
of entries are not read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date

from payouts.settlement.outcome import (
    RETURNED,
    SENT,
    SETTLED,
    Fault,
    Outcome,
    clean_code,
    clean_reference,
    file_error,
    iso_day,
    minor_units,
    payout_hex,
)
from payouts.settlement.xml_tree import Element

STATEMENT, NOTIFICATION = "BkToCstmrStmt", "BkToCstmrDbtCdtNtfctn"
_PARTS = {STATEMENT: "Stmt", NOTIFICATION: "Ntfctn"}
_BOOKED, _EXPECTED = "BOOK", ("PDNG", "FUTR")
# Bank transaction codes of a credit that brings back what was paid.
_RETURN_FAMILIES = {"RRTN", "RPCR", "RRCT"}
_NO_KEY = "NOTPROVIDED"
_REVERSED = "reversed"  # where the bank reverses its own booking and gives no reason
_FETCH = "Fetch the file from the bank again; if it stays so, record the payouts by a status CSV."


def parse(report: Element, file_name: str) -> list[Outcome]:
    """What the entries say about payments. Raises: SettlementFileError naming every faulty line."""
    outcomes: list[Outcome] = []
    faults: list[Fault] = []
    for part in report.all(_PARTS[report.name]):
        account = (part.value("Acct/Id/IBAN") or "").replace(" ", "")[-4:] or None
        for entry in part.all("Ntry"):
            try:
                outcomes += [
                    replace(outcome, account_last_four=account) for outcome in _entry(entry)
                ]
            except ValueError as error:
                faults.append(Fault(entry.line, str(error)))
    if faults:
        raise file_error(file_name, faults, _FETCH)
    return outcomes


def _entry(entry: Element) -> Iterator[Outcome]:
    # .02 has the code as text, later versions in an element of its own.
    status = entry.value("Sts/Cd", "Sts/Prtry", "Sts")
    if status != _BOOKED and status not in _EXPECTED:
        return
    details = [
        transaction for block in entry.all("NtryDtls") for transaction in block.all("TxDtls")
    ]
    keyed = [each for each in details if _reference(each, "Refs/EndToEndId")]
    if keyed:
        for transaction in keyed:
            yield from _transaction(entry, transaction, status, is_alone=len(details) == 1)
        return
    yield from _booked_at_once(entry, details, status)


def _transaction(
    entry: Element, transaction: Element, status: str, is_alone: bool
) -> Iterator[Outcome]:
    key = _reference(transaction, "Refs/EndToEndId")
    is_credit = _is_credit(transaction.value("CdtDbtInd") or entry.value("CdtDbtInd"))
    if is_credit and not (_is_return(entry, transaction) or payout_hex(key)):
        return
    if is_credit and status != _BOOKED:
        return
    amount = _first(
        transaction, "Amt", "AmtDtls/TxAmt/Amt", "AmtDtls/InstdAmt/Amt"
    ) or (entry.find("Amt") if is_alone else None)  # fmt: skip
    try:
        amount_minor, currency_code = _money(amount)
    except ValueError:
        if payout_hex(key):
            raise
        amount_minor, currency_code = None, None
    yield _outcome(
        entry, transaction, key, "end_to_end_id", is_credit, status, amount_minor, currency_code
    )


def _booked_at_once(entry: Element, details: list[Element], status: str) -> Iterator[Outcome]:
    """One entry for a whole file: the bank names the file, not the payments."""
    key = ""
    for block in entry.all("NtryDtls"):
        key = key or _reference(block, "Btch/PmtInfId") or _reference(block, "Btch/MsgId")
    for transaction in details:
        key = key or _reference(transaction, "Refs/PmtInfId") or _reference(
            transaction, "Refs/MsgId"
        )  # fmt: skip
    is_credit = _is_credit(entry.value("CdtDbtInd"))
    if not key or (is_credit and (status != _BOOKED or not _is_return(entry, *details))):
        return
    try:
        amount_minor, currency_code = _money(entry.find("Amt"))
    except ValueError:
        amount_minor, currency_code = None, None
    reason_holder = details[0] if len(details) == 1 else entry
    yield _outcome(
        entry, reason_holder, key, "batch_total", is_credit, status, amount_minor, currency_code
    )


def _outcome(
    entry: Element,
    transaction: Element,
    key: str,
    key_kind: str,
    is_credit: bool,
    status: str,
    amount_minor: int | None,
    currency_code: str | None,
) -> Outcome:
    if is_credit:
        outcome = RETURNED
        reason = clean_code(transaction.value("RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry")) or _REVERSED
    else:
        outcome, reason = (SETTLED if status == _BOOKED else SENT), None
    return Outcome(
        key=key,
        key_kind=key_kind,
        outcome=outcome,
        amount_minor=amount_minor,
        currency_code=currency_code,
        value_date=_day(entry),
        reason_code=reason,
        reference=clean_reference(
            transaction.value("Refs/AcctSvcrRef", "Refs/TxId") or entry.value("AcctSvcrRef")
        ),
        line=transaction.line,
    )


def _is_credit(indicator: str) -> bool:
    if indicator not in ("CRDT", "DBIT"):
        raise ValueError("an entry is neither CRDT nor DBIT")
    return indicator == "CRDT"


def _is_return(entry: Element, *transactions: Element) -> bool:
    """Whether a credit gives back: return information, a reversal, or the bank's code for it."""
    if entry.value("RvslInd").lower() in ("true", "1"):
        return True
    return any(
        part.find("RtrInf") is not None
        or part.value("BkTxCd/Domn/Fmly/SubFmlyCd") in _RETURN_FAMILIES
        for part in (entry, *transactions)
    )


def _reference(element: Element, path: str) -> str:
    found = element.value(path)
    return "" if found == _NO_KEY else found


def _first(element: Element, *paths: str) -> Element | None:
    return next((found for path in paths if (found := element.find(path)) is not None), None)


def _money(amount: Element | None) -> tuple[int | None, str | None]:
    if amount is None:
        return None, None
    currency_code = amount.attributes.get("Ccy", "")
    return minor_units(amount.text, currency_code), currency_code


def _day(entry: Element) -> date | None:
    return iso_day(entry.value("ValDt/Dt", "ValDt/DtTm", "BookgDt/Dt", "BookgDt/DtTm"))
