"""An entry's amount once more, from nothing but its stored explanation (C8, B1): pure.

What belongs here: comparing what the formulas give with what was recorded, and with what the
entries of the key add up to (J2). What does not: the formulas (`recompute_shapes`), finding
entries, words for people.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import Any

from orchestration.recompute_shapes import (
    DECIDED_SHAPES,
    FORMULAS,
    WITHDRAWN_SHAPE,
    IncompleteError,
    compute,
)

Record = Mapping[str, Any]

MATCHES, DIFFERS, NO_FORMULA = "matches", "differs", "no_formula"
RESULTS = (MATCHES, DIFFERS, NO_FORMULA)
OLDER, WITHDRAWN, DECIDED, RULED = "older", "withdrawn", "decided", "stands_under_ruling"
UNKNOWN = "unknown_shape"
"""Why an entry has no formula: posted by an older release; the facts give its key no more; decided
by people; its key stands as it was before a ruling; a shape of a newer release."""


@dataclass(frozen=True)
class Check:
    """One entry recomputed. Amounts are whole minor units, signed from the partner's view.

    amount_minor, payout_amount_minor: from the parts, None without a formula. desired_…: what the
    explanation says that the key adds up to. sum_…: what the key's entries add up to. faults: what
    disagrees, empty when nothing does. reason: why there is no formula.
    """

    entry_id: str
    commission_id: str
    result: str
    shape: str | None
    currency_code: str
    payout_currency_code: str
    amount_minor: int | None
    desired_amount_minor: int | None
    sum_amount_minor: int
    payout_amount_minor: int | None
    desired_payout_amount_minor: int | None
    sum_payout_amount_minor: int
    faults: tuple[str, ...] = ()
    reason: str | None = None


def read_explanation(text: str | None) -> dict[str, Any] | None:
    """A stored explanation; decimals stay exact. None when there is none."""
    return json.loads(text, parse_float=Decimal) if text else None


def check_entry(entry: Record, sums: tuple[int, int]) -> Check:
    """Recompute one entry.

    entry: a row of marts.fct_commission_entries with its explanation read. sums: what its key adds
    up to with its segment, in both currencies (`key_sums`).
    """
    explanation = entry["explanation"] or {}
    shape = explanation.get("shape")
    desired = _recorded(explanation, "desired_amount_minor")
    desired_payout = _recorded(explanation, "desired_payout_amount_minor")
    computed, faults = None, []
    reason = _why_no_formula(explanation)
    if desired is None and reason != OLDER:
        faults.append("incomplete: desired_amount_minor")
    elif reason is None:
        try:
            computed = compute(explanation, entry["partner_id"])
        except IncompleteError as error:
            faults.append(f"incomplete: {error}")
        else:
            faults += computed.faults
            faults += _unequal("amount", computed.amount_minor, desired)
            faults += _unequal("payout_amount", computed.payout_amount_minor, desired_payout)
    faults += _unequal("sum", sums[0], desired)
    faults += _unequal("payout_sum", sums[1], desired_payout)
    return Check(
        entry_id=entry["entry_id"],
        commission_id=entry["commission_id"],
        result=DIFFERS if faults else (MATCHES if computed else NO_FORMULA),
        shape=shape,
        currency_code=entry["currency_code"],
        payout_currency_code=entry["payout_currency_code"],
        amount_minor=computed.amount_minor if computed else None,
        desired_amount_minor=desired,
        sum_amount_minor=sums[0],
        payout_amount_minor=computed.payout_amount_minor if computed else None,
        desired_payout_amount_minor=desired_payout,
        sum_payout_amount_minor=sums[1],
        faults=tuple(faults),
        reason=reason,
    )


def check_payout(entry: Record, claimed: Iterable[Record]) -> Check:
    """A payout: the opposite of the entries that its batch claimed, and the hash over their ids.

    claimed: entry_id and payout_amount_minor of each.
    """
    explanation = entry["explanation"] or {}
    rows = sorted(claimed, key=lambda row: row["entry_id"])
    amount = -sum(row["payout_amount_minor"] for row in rows)
    digest = sha256("\n".join(row["entry_id"] for row in rows).encode()).hexdigest()
    faults = _unequal("sum", amount, entry["payout_amount_minor"])
    if explanation.get("entries_hash") not in (None, digest):
        faults.append("entries_hash")
    return Check(
        entry_id=entry["entry_id"],
        commission_id=entry["commission_id"],
        result=DIFFERS if faults else MATCHES,
        shape="payout",
        currency_code=entry["currency_code"],
        payout_currency_code=entry["payout_currency_code"],
        amount_minor=amount,
        desired_amount_minor=entry["payout_amount_minor"],
        sum_amount_minor=entry["payout_amount_minor"],
        payout_amount_minor=amount,
        desired_payout_amount_minor=entry["payout_amount_minor"],
        sum_payout_amount_minor=entry["payout_amount_minor"],
        faults=tuple(faults),
    )


def key_sums(entries: Iterable[Record]) -> dict[str, tuple[int, int]]:
    """What each entry's key adds up to with its segment (J2): amount and payout amount by entry id.

    entries: all entries of their keys; one key has a sum per pair of currencies.
    """
    keys: dict[tuple[str, str, str], list[Record]] = defaultdict(list)
    for entry in entries:
        keys[entry["commission_id"], entry["currency_code"], entry["payout_currency_code"]].append(
            entry
        )
    sums = {}
    for of_key in keys.values():
        amount = payout = 0
        by_segment: dict[int, list[Record]] = defaultdict(list)
        for entry in of_key:
            by_segment[entry.get("segment") or 0].append(entry)
        for _, posted in sorted(by_segment.items()):
            amount += sum(entry["amount_minor"] for entry in posted)
            payout += sum(entry["payout_amount_minor"] for entry in posted)
            sums |= dict.fromkeys([entry["entry_id"] for entry in posted], (amount, payout))
    return sums


def _recorded(explanation: Record, name: str) -> int | None:
    found = explanation.get(name)
    return None if found is None else int(found)


def _unequal(name: str, found: int | None, wanted: int | None) -> list[str]:
    """The name of what differs; nothing is compared with what is not there."""
    return [] if found is None or wanted is None or found == wanted else [name]


def _why_no_formula(explanation: Record) -> str | None:
    """None when there is one."""
    shape = explanation.get("shape")
    if shape is None:
        return OLDER
    if shape == WITHDRAWN_SHAPE:
        return WITHDRAWN
    if shape in DECIDED_SHAPES:
        return DECIDED
    if explanation.get("stands_under_ruling") is not None:
        return RULED
    return None if shape in FORMULAS else UNKNOWN
