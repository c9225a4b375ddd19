"""Reads NACHA files back and says what is wrong with them, knowing nothing of the writer.

What belongs here: records, their order, and what stands in each. What does not: control totals
(``nacha_totals``) and positions (``nacha_layout``). Source: payouts reference 2.3.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from datetime import date

from payouts.details import NachaDetails, NachaPayer
from payouts.files.latin import has_letter_or_digit, latin_name
from payouts.files.nacha_layout import RECORD_CHARACTERS, fields_of, number
from payouts.files.nacha_totals import OpenBatch, OpenFile
from payouts.files.payment import FoundPayment, Payment, PaymentBatch, PayoutFile
from payouts.files.references import end_to_end_id, payee_reference, reference
from payouts.files.totals_check import name_faults, pay_date_faults, payment_faults
from payouts.identifiers import routing_number_problem

_ORDER = {
    "": "1", "1": "5", "5": "6", "6": "7", "7": "68", "8": "59", "9": "",
}  # fmt: skip
_TEXT = frozenset(string.ascii_uppercase + string.digits + "/-?:().,'+& ")
_ID_TEXT = frozenset(string.ascii_letters + string.digits + "- ")
_ADDENDA_TEXT = _TEXT | frozenset(string.ascii_lowercase + "*\\")
_CODES = {"22": "checking", "32": "savings"}
_CLASSES = {"PPD": "individual", "CCD": "business"}


def faults(files: list[PayoutFile], batch: PaymentBatch, today: date) -> list[str]:
    """What is wrong, by file and record. today: the pay date counts from it."""
    found: dict[str, list[FoundPayment]] = {}
    faults = name_faults("nacha", "ach", files) + pay_date_faults("nacha", batch.pay_date, today)
    wanted = {reference("nacha", payment.payout_id): payment for payment in batch.payments}
    modifiers, traces = [], []
    for file in files:
        records, problems = _records(file.content)
        reader = _Reader(batch, wanted)
        if not problems:
            reader.read(records)
            problems = reader.faults
        found[file.name] = reader.found
        modifiers += reader.modifiers
        traces += reader.traces
        faults += [f"{file.name}: {problem}" for problem in problems]
    if len(set(modifiers)) != len(modifiers):
        faults.append("two files have one file id modifier")
    if len(set(traces)) != len(traces):
        faults.append("a trace number is used twice")
    return faults + payment_faults("nacha", batch, found, files)


def _records(content: bytes) -> tuple[list[str], list[str]]:
    """The records without the filling, or what is wrong with the lines."""
    if not content.isascii() or b"\r" in content or not content.endswith(b"\n"):
        return [], ["is not ASCII in lines that end with a line feed"]
    lines = content.decode("ascii").split("\n")[:-1]
    if any(len(line) != RECORD_CHARACTERS or not line.isprintable() for line in lines):
        return [], [f"has a record that is not {RECORD_CHARACTERS} printable characters"]
    if len(lines) % 10:
        return [], ["is not filled to blocks of 10 records"]
    filler = "9" * RECORD_CHARACTERS
    records = list(lines)
    while records and records[-1] == filler:
        records.pop()
    if len(lines) - len(records) > 9:
        return [], ["is filled with more than a block"]
    kinds = [""] + [record[0] for record in records]
    for position, (before, kind) in enumerate(zip(kinds, kinds[1:], strict=False), start=1):
        if kind not in _ORDER[before]:
            return [], [f"record {position} of type {kind} may not stand there"]
    if kinds[-1] != "9":
        return [], ["does not end with a file control record"]
    return records, []


class _Reader:
    """Goes through the records of one file; faults, payments and traces are what it leaves."""

    def __init__(self, batch: PaymentBatch, wanted: Mapping[str, Payment]) -> None:
        self.faults: list[str] = []
        self.found: list[FoundPayment] = []
        self.modifiers: list[str] = []
        self.traces: list[str] = []
        self._batch = batch
        self._wanted = wanted
        self._file = OpenFile()
        self._open = OpenBatch({})
        self._entry: dict[str, str] = {}

    def read(self, records: list[str]) -> None:
        """All records, already known to be in a possible order."""
        readers = {
            "1": self._file_header,
            "5": self._batch_header,
            "6": self._entry_detail,
            "7": self._addendum,
            "8": self._batch_control,
            "9": self._file_control,
        }
        self._file.records = len(records)
        for position, record in enumerate(records, start=1):
            problems = readers[record[0]](fields_of(record))
            self.faults += [f"record {position}: {problem}" for problem in problems]

    def _file_header(self, fields: dict[str, str]) -> list[str]:
        payer: NachaPayer = self._batch.payer
        self.modifiers.append(fields["modifier"])
        wanted = {
            "priority": "01",
            "destination": f" {payer.destination_routing}",
            "origin": payer.origin_id.rjust(10),
            "date": self._batch.created_at.strftime("%y%m%d"),
            "time": self._batch.created_at.strftime("%H%M"),
            "size": "094",
            "blocking": "10",
            "format": "1",
            "destination_name": _padded(payer.destination_name, 23),
            "origin_name": _padded(payer.origin_name, 23),
            "reference": self._batch.batch_id[-8:].upper().ljust(8),
        }
        problems = _differences(fields, wanted)
        if fields["modifier"] not in string.ascii_uppercase + string.digits:
            problems.append("the file id modifier is not A to Z or 0 to 9")
        if routing_number_problem(fields["destination"].strip()):
            problems.append("the destination is no routing number")
        return problems

    def _batch_header(self, fields: dict[str, str]) -> list[str]:
        payer: NachaPayer = self._batch.payer
        self._open = OpenBatch(fields)
        day = self._batch.pay_date.strftime("%y%m%d")
        descriptions = {
            "PPD": payer.individual_entry_description or "PAYROLL",
            "CCD": payer.entry_description or "COMMISSION",
        }
        wanted = {
            "class": "220",
            "company": _padded(payer.name, 16),
            "discretionary": "",
            "company_id": payer.company_id,
            "descriptive": day,
            "effective": day,
            "settlement": "",
            "status": "1",
            "odfi": payer.odfi_routing[:8],
            "description": descriptions.get(fields["sec"], "").ljust(10),
        }
        problems = _differences(fields, wanted)
        if fields["sec"] not in _CLASSES:
            problems.append("the entry class is neither PPD nor CCD")
        return problems + self._file.batch_number_faults(fields)

    def _entry_detail(self, fields: dict[str, str]) -> list[str]:
        self._entry = fields
        self.traces.append(fields["odfi"] + fields["sequence"])
        payment = self._wanted.get(fields["id"].strip())
        routing = fields["rdfi"] + fields["check"]
        account = fields["account"].rstrip()
        problems = self._open.entry_faults(fields)
        routing_problem = routing_number_problem(routing)
        if routing_problem:
            problems.append(f"the routing number {routing_problem}")
        if fields["code"] not in _CODES:
            problems.append("the transaction code is no credit to checking or savings")
        if not account or account != account.strip() or not set(account) <= _ID_TEXT - {" "}:
            problems.append("the account number is empty or not left-justified plain text")
        if fields["discretionary"].strip():
            problems.append("the discretionary data must be blank")
        if fields["addenda"] != "1":
            problems.append("the addenda indicator is not 1 though an addendum follows")
        name = fields["name"]
        if not set(name) <= _TEXT or name[0] == " " or not has_letter_or_digit(name):
            problems.append("the name is not text of letters and digits")
        amount_minor = number(fields["amount"]) or 0
        self.found.append(FoundPayment(fields["id"].rstrip(), amount_minor, f"{routing}/{account}"))
        if payment:
            problems += self._approved_faults(fields, payment)
        return problems

    def _approved_faults(self, fields: dict[str, str], payment: Payment) -> list[str]:
        details: NachaDetails = payment.details
        about = f"payout {payment.payout_id} has another"
        problems = []
        if _CODES.get(fields["code"]) != details.account_type:
            problems.append(f"{about} account type than approved")
        if _CLASSES.get(self._open.header.get("sec", "")) != details.entity_type:
            problems.append(f"{about} entry class than its holder's kind needs")
        if fields["name"] != _padded(details.holder_name, 22):
            problems.append(f"{about} name than approved")
        return problems

    def _addendum(self, fields: dict[str, str]) -> list[str]:
        self._open.count += 1
        problems = []
        payment = self._wanted.get(self._entry["id"].strip())
        if fields["code"] != "05":
            problems.append("the addendum is not of type 05")
        if not set(fields["text"]) <= _ADDENDA_TEXT:
            problems.append("the addendum holds characters that it may not")
        if fields["addenda_sequence"] != "0001":
            problems.append("the addendum's sequence is not 1")
        if fields["sequence"] != self._entry["sequence"]:
            problems.append("the addendum is of another entry")
        if payment and fields["text"].rstrip() != self._reference_segment(payment.payout_id):
            problems.append("the addendum does not name its entry's payout")
        return problems

    def _reference_segment(self, payout_id: str) -> str:
        seen_by_payee = payee_reference(self._batch.pay_date, payout_id)
        return f"REF*TN*{end_to_end_id(payout_id)}*{seen_by_payee}\\"

    def _batch_control(self, fields: dict[str, str]) -> list[str]:
        self._file.close(self._open)
        return self._open.control_faults(fields)

    def _file_control(self, fields: dict[str, str]) -> list[str]:
        return self._file.control_faults(fields)


def _differences(fields: dict[str, str], wanted: dict[str, str]) -> list[str]:
    """Fields that are not what they must be; only their names are told."""
    return [
        f"the {name} field is not what the payer's details and the batch give"
        for name, text in wanted.items()
        if fields[name] != text.ljust(len(fields[name]))
    ]


def _padded(name: str, characters: int) -> str:
    return latin_name(name, characters, "&").upper().ljust(characters)
