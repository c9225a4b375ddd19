"""The NACHA file of credits to accounts in the United States.

What belongs here: records, their fields, limits. What does not: whether the bytes are right
(``nacha_checks`` reads them again). Source: payouts reference 2.3.
94 characters a record, lines end in ``\\n``, filled to blocks of 10 with lines of nines. People are
paid in a PPD batch and businesses in a CCD batch of the same file, credits only (unbalanced). Each
entry has one addendum with the payout id. Trace numbers go on over all files of a batch.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from payouts.details import NachaDetails, NachaPayer
from payouts.files.latin import latin_name
from payouts.files.payment import Payment, PaymentBatch, PayoutFile, in_file_order
from payouts.files.references import end_to_end_id, payee_reference, reference
from payouts.files.splitting import file_name, split

CURRENCY = "USD"
MAX_AMOUNT_MINOR = 99_999_999_99
MAX_TOTAL_MINOR = 9_999_999_999_99
# Entries and addenda of a batch are counted in six digits.
MAX_ITEMS = 499_999
CREDITS_ONLY = "220"
PPD, CCD = "PPD", "CCD"
DEFAULT_DESCRIPTIONS = {PPD: "PAYROLL", CCD: "COMMISSION"}
ALSO_ALLOWED = "&"
_MODIFIERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
_RECORDS_IN_BLOCK = 10
_FILLER = "9" * 94
_CREDIT_CODES = {"checking": "22", "savings": "32"}


@dataclass(frozen=True)
class _Sums:
    """Control totals of entries: records counts addenda too; routing is before the cut to 10."""

    records: int
    routing: int
    credit_minor: int


def faults(batch: PaymentBatch) -> list[str]:
    """What the format cannot carry, each with the payout it is about."""
    if batch.currency_code != CURRENCY:
        return [f"NACHA pays {CURRENCY} only, not {batch.currency_code}"]
    return [
        f"payout {payment.payout_id}: the amount is above 99,999,999.99"
        for payment in batch.payments
        if payment.amount_minor > MAX_AMOUNT_MINOR
    ]


def files(batch: PaymentBatch) -> list[PayoutFile]:
    """The files, split where the control total would not fit its twelve digits."""
    runs = split(in_file_order(batch.payments), MAX_ITEMS, MAX_TOTAL_MINOR)
    written, first_trace = [], 1
    for part, run in enumerate(runs, start=1):
        written.append(
            PayoutFile(
                name=file_name("nacha", part, len(runs), "ach"),
                content=_content(batch, run, part, first_trace),
                items=len(run),
                total_amount_minor=sum(payment.amount_minor for payment in run),
            )
        )
        first_trace += len(run)
    return written


def _content(batch: PaymentBatch, run: list[Payment], part: int, first_trace: int) -> bytes:
    lines = [_file_header(batch, part)]
    batches, all_sums = 0, []
    for class_code, entity_type in ((PPD, "individual"), (CCD, "business")):
        members = [payment for payment in run if payment.details.entity_type == entity_type]
        if members:
            batches += 1
            sums = _sums(members)
            lines.append(_batch_header(batch, class_code, batches))
            lines += _entries(batch, members, first_trace)
            lines.append(_batch_control(batch.payer, sums, batches))
            all_sums.append(sums)
            first_trace += len(members)
    blocks = -(-(len(lines) + 1) // _RECORDS_IN_BLOCK)
    lines.append(_file_control(batches, blocks, all_sums))
    lines += [_FILLER] * (blocks * _RECORDS_IN_BLOCK - len(lines))
    return "".join(f"{line}\n" for line in lines).encode("ascii")


def _file_header(batch: PaymentBatch, part: int) -> str:
    """Record 1. The modifier keeps files of one minute apart, so it comes from batch and part."""
    payer: NachaPayer = batch.payer
    start = hashlib.sha256(batch.batch_id.encode("utf-8")).digest()[0]
    modifier = _MODIFIERS[(start + part - 1) % len(_MODIFIERS)]
    return (
        f"101{payer.destination_routing:>10}{payer.origin_id:>10}"
        f"{batch.created_at:%y%m%d%H%M}{modifier}094101"
        f"{_name(payer.destination_name, 23)}{_name(payer.origin_name, 23)}"
        f"{batch.batch_id[-8:].upper():<8}"
    )


def _batch_header(batch: PaymentBatch, class_code: str, number: int) -> str:
    payer: NachaPayer = batch.payer
    told = payer.individual_entry_description if class_code == PPD else payer.entry_description
    description = told or DEFAULT_DESCRIPTIONS[class_code]
    day = f"{batch.pay_date:%y%m%d}"
    return (
        f"5{CREDITS_ONLY}{_name(payer.name, 16)}{'':20}{payer.company_id}{class_code}"
        f"{description:<10}{day}{day}   1{payer.odfi_routing[:8]}{number:07}"
    )


def _entries(batch: PaymentBatch, members: list[Payment], first_trace: int) -> Iterator[str]:
    odfi = batch.payer.odfi_routing[:8]
    for trace, payment in enumerate(members, start=first_trace):
        details: NachaDetails = payment.details
        routing, _, account = details.account().partition("/")
        yield (
            f"6{_CREDIT_CODES[details.account_type]}{routing}{account:<17}"
            f"{payment.amount_minor:010}{reference('nacha', payment.payout_id):<15}"
            f"{_name(details.holder_name, 22)}  1{odfi}{trace:07}"
        )
        # An ANSI X12 segment, as the rules want it in an addendum: a transaction reference.
        text = (
            f"REF*TN*{end_to_end_id(payment.payout_id)}"
            f"*{payee_reference(batch.pay_date, payment.payout_id)}\\"
        )
        yield f"705{text:<80}0001{trace:07}"


def _batch_control(payer: NachaPayer, sums: _Sums, number: int) -> str:
    return (
        f"8{CREDITS_ONLY}{sums.records:06}{sums.routing % 10**10:010}{0:012}"
        f"{sums.credit_minor:012}{payer.company_id}{'':25}{payer.odfi_routing[:8]}{number:07}"
    )


def _file_control(batches: int, blocks: int, all_sums: list[_Sums]) -> str:
    # The file's hash adds up the batches' hashes as written.
    routing = sum(sums.routing % 10**10 for sums in all_sums)
    return (
        f"9{batches:06}{blocks:06}{sum(sums.records for sums in all_sums):08}"
        f"{routing % 10**10:010}{0:012}{sum(sums.credit_minor for sums in all_sums):012}{'':39}"
    )


def _sums(members: list[Payment]) -> _Sums:
    return _Sums(
        records=2 * len(members),
        routing=sum(int(payment.details.routing_number[:8]) for payment in members),
        credit_minor=sum(payment.amount_minor for payment in members),
    )


def _name(name: str, characters: int) -> str:
    return f"{latin_name(name, characters, ALSO_ALLOWED).upper():<{characters}}"
