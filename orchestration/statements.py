"""A partner's statement: opening, movements by cause, closing, line by line (B1, B2, O19): pure.

What belongs here: adding up the journal entries of one partner and period. What does not: where
entries and their states come from (`known_ledger`), laying out (`statement_document`).

A statement names nobody but its partner: what could hold an address is masked, and reasons that
people wrote are left out.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

from orchestration.known import Known
from orchestration.known_ledger import AVAILABLE, HELD, IN_BATCH, ON_HOLD, PAID, PAYOUT_KINDS

Record = dict[str, Any]

# What a kind of entry is on a statement (J1); the order is that of the lines.
MOVEMENTS: Mapping[str, tuple[str, ...]] = {
    "earned": ("earning",),
    "bonuses": ("bonus",),
    "adjustments": ("adjustment",),
    "rulings": ("ruling",),
    "taken_back": (
        "refund", "chargeback", "credit_note", "churn", "correction", "reinstatement",
    ),
    "withheld": ("withholding",),
    "written_off": ("write_off",),
    "paid": ("payout",),
    "returned": ("payout_return",),
}  # fmt: skip
OTHER = "other"
"""Kinds of a newer release: they must add up too."""
_MOVEMENT_OF = {kind: name for name, kinds in MOVEMENTS.items() for kind in kinds}
_ADDRESS = re.compile(r"([^\s@:/<>,;|]?)[^\s@:/<>,;|]*@([^\s@:/<>,;|]+)")
_UNPAID = (ON_HOLD, HELD, AVAILABLE, IN_BATCH)


def statement(
    partner_id: str,
    period: str,
    known: Known,
    entries: Iterable[Record],
    expected_pay_date: Callable[[date, str], date | None],
    last_closed_period: str | None = None,
) -> Record:
    """The statement of one local month, as known at a cut.

    entries: all of the partner's that were known, with their states (`known_ledger.with_states`).
    period: YYYY-MM. expected_pay_date: of what becomes available on a day, in a currency; None if
    not in sight.
    last_closed_period: it and every month before it are closed (decision 0042).
    Per currency: opening + movements = closing, and closing + later = balance.
    """
    by_currency: dict[str, list[Record]] = defaultdict(list)
    for entry in entries:
        by_currency[entry["payout_currency_code"]].append(entry)
    return {
        "partner_id": partner_id,
        "period": period,
        "is_closed": last_closed_period is not None and period <= last_closed_period,
        "as_known": known_record(known),
        "currencies": [
            _of_currency(currency, period, by_currency[currency], expected_pay_date)
            for currency in sorted(by_currency)
        ],
    }


def known_record(known: Known) -> Record:
    """What a cut was, so that the same one can be asked for again."""
    return {
        "asked": known.asked,
        "day": known.day,
        "as_of": known.as_of,
        "segment": known.segment,
        "event": known.event,
        "journal_hash": known.journal_hash,
    }


def masked(text: str | None) -> str | None:
    """A text without the addresses in it: `a***@buyer.example`."""
    return text and _ADDRESS.sub(r"\1***@\2", text)


def _of_currency(
    currency: str,
    period: str,
    entries: list[Record],
    expected_pay_date: Callable[[date, str], date | None],
) -> Record:
    moved = [entry for entry in entries if entry["posting_period"] == period]
    sums = dict.fromkeys([*MOVEMENTS, OTHER], 0)
    for entry in moved:
        sums[_MOVEMENT_OF.get(entry["entry_kind"], OTHER)] += entry["payout_amount_minor"]
    opening = _sum(entry for entry in entries if entry["posting_period"] < period)
    later = _sum(entry for entry in entries if entry["posting_period"] > period)
    closing = opening + sum(sums.values())
    return {
        "payout_currency_code": currency,
        "opening_amount_minor": opening,
        **{f"{name}_amount_minor": amount for name, amount in sums.items()},
        "closing_amount_minor": closing,
        "later_amount_minor": later,
        "balance_amount_minor": closing + later,
        "taken_back_by_cause": _by_cause(moved),
        "unpaid": {
            f"{state}_amount_minor": _sum(entry for entry in entries if entry["state"] == state)
            for state in _UNPAID
        },
        "expected_payouts": _expected_payouts(entries, expected_pay_date),
        "lines": [_line(entry, expected_pay_date) for entry in sorted(moved, key=_place)],
    }


def _sum(entries: Iterable[Record]) -> int:
    return sum(entry["payout_amount_minor"] for entry in entries)


def _by_cause(moved: list[Record]) -> list[Record]:
    """What was taken back, and given back again, by the kind of its cause."""
    found = []
    for kind in MOVEMENTS["taken_back"]:
        of_kind = [entry for entry in moved if entry["entry_kind"] == kind]
        if of_kind:
            found.append({"kind": kind, "entries": len(of_kind), "amount_minor": _sum(of_kind)})
    return found


def _expected_payouts(
    entries: list[Record], expected_pay_date: Callable[[date, str], date | None]
) -> list[Record]:
    """What is not paid yet and not held, by the day on which it is expected to be paid.

    A day on which more is taken back than earned pays nothing: 0, and what is missing is carried to
    the next day (P3), as if all of it could be offset there. A batch is what it is.
    """
    sums: dict[tuple[date, bool], int] = defaultdict(int)
    for entry in entries:
        day = _pay_date(entry, expected_pay_date)
        if entry["state"] in (ON_HOLD, AVAILABLE, IN_BATCH) and day is not None:
            sums[day, entry["state"] == IN_BATCH] += entry["payout_amount_minor"]
    found, carried = [], 0
    for (day, is_in_batch), amount in sorted(sums.items()):
        net = amount if is_in_batch else amount + carried
        if not is_in_batch:
            carried = min(net, 0)
        found.append(
            {
                "pay_date": day,
                "is_in_batch": is_in_batch,
                "amount_minor": max(net, 0),
                "carried_amount_minor": 0 if is_in_batch else carried,
            }
        )
    return found


def _pay_date(entry: Record, expected_pay_date: Callable[[date, str], date | None]) -> date | None:
    """The day of its batch, else the one on which it is expected; None while it is held."""
    if entry["entry_kind"] in PAYOUT_KINDS:
        return entry["effective_date"]
    if entry["pay_date"] is not None:
        return entry["pay_date"]
    if entry["state"] == HELD:
        return None
    return expected_pay_date(entry["available_date"], entry["payout_currency_code"])


def _place(entry: Record) -> tuple:
    movement = _MOVEMENT_OF.get(entry["entry_kind"], OTHER)
    order = [*MOVEMENTS, OTHER].index(movement)
    return entry["effective_date"], order, entry["segment"], entry["entry_id"]


def _line(entry: Record, expected_pay_date: Callable[[date, str], date | None]) -> Record:
    is_paid = entry["state"] == PAID
    pay_date = _pay_date(entry, expected_pay_date)
    texts = ("component_id", "source_type", "source_id", "cause_type", "cause_id", "customer_id")
    return {
        "effective_date": entry["effective_date"],
        "movement": _MOVEMENT_OF.get(entry["entry_kind"], OTHER),
        "entry_kind": entry["entry_kind"],
        **{name: masked(entry[name]) or None for name in texts},
        "amount_minor": entry["amount_minor"],
        "currency_code": entry["currency_code"],
        "payout_amount_minor": entry["payout_amount_minor"],
        "payout_currency_code": entry["payout_currency_code"],
        "state": entry["state"],
        "available_date": entry["available_date"],
        "expected_pay_date": None if is_paid else pay_date,
        "paid_date": pay_date if is_paid else None,
        "batch_id": entry["batch_id"],
        "entry_id": entry["entry_id"],
        "segment": entry["segment"],
    }
