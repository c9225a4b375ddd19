"""Every pair of a payout's state and what a file says next: applies, known, or a contradiction."""

from __future__ import annotations

from datetime import date
from itertools import permutations

import pytest

from payouts.errors import SettlementError
from payouts.outcomes import (
    APPLIES,
    GIVEN_BACK_STATES,
    KNOWN,
    NOTICE,
    REFUSED,
    STATES,
    ItemState,
    after,
    judge,
)

# Row: state. Columns: sent, unclaimed, settled, failed, returned, aborted.
TABLE = {
    "exported": (APPLIES, APPLIES, APPLIES, APPLIES, APPLIES, APPLIES),
    "sent": (KNOWN, APPLIES, APPLIES, APPLIES, APPLIES, REFUSED),
    "unclaimed": (KNOWN, KNOWN, APPLIES, REFUSED, APPLIES, REFUSED),
    "settled": (KNOWN, KNOWN, KNOWN, REFUSED, APPLIES, REFUSED),
    "failed": (KNOWN, REFUSED, REFUSED, KNOWN, KNOWN, REFUSED),
    "returned": (KNOWN, KNOWN, APPLIES, KNOWN, KNOWN, REFUSED),
    "aborted": (REFUSED, REFUSED, REFUSED, KNOWN, KNOWN, REFUSED),
}
SAID = ("sent", "unclaimed", "settled", "failed", "returned", "aborted")
CASES = [
    (state, outcome, verdict)
    for state, verdicts in TABLE.items()
    for outcome, verdict in zip(SAID, verdicts, strict=True)
]


def _item(state: str = "exported", **more) -> ItemState:
    return ItemState("x", "b", "p", "USD", 100, state=state, **more)


def _row(outcome: str, day: str | None = None, reason: str | None = None) -> dict:
    return {
        "outcome": outcome, "value_date": day, "reason_code": reason, "reference": None,
        "return_entry_id": None, "seq": 7,
    }  # fmt: skip


def test_table_is_complete():
    assert set(TABLE) == set(STATES)


@pytest.mark.parametrize(("state", "outcome", "verdict"), CASES)
def test_every_pair(state, outcome, verdict):
    assert judge(_item(state), outcome, None) == verdict
    if verdict == APPLIES:
        moved = after(_item(state), _row(outcome))
        # A debit read after the return is history; the payout stays returned.
        assert moved.state == ("returned" if state == "returned" else outcome)
        assert moved.seq == 7
    else:
        with pytest.raises(SettlementError, match=f"is {state} and cannot become {outcome}"):
            after(_item(state), _row(outcome))


def test_debit_read_after_its_return_is_history_once():
    returned = after(_item(), _row("returned", "2026-03-19", "AC04"))
    known = after(returned, _row("settled", "2026-03-17"))
    assert (known.state, known.settled_date, known.changed_date) == (
        "returned", date(2026, 3, 17), date(2026, 3, 19),
    )  # fmt: skip
    assert judge(known, "settled", date(2026, 3, 17)) == KNOWN
    assert known.reason_code == "AC04"


def test_debit_after_the_return_by_date_contradicts_it():
    returned = after(_item(), _row("returned", "2026-03-19"))
    assert judge(returned, "settled", date(2026, 3, 20)) == REFUSED


@pytest.mark.parametrize(
    "told",
    [
        ("sent", "unclaimed", "settled", "returned"),
        ("sent", "settled"),
        ("unclaimed", "returned"),
        ("sent", "failed"),
        ("failed", "returned"),
    ],
)
def test_end_does_not_depend_on_order_or_repetition(told):
    """I11: whatever order files are read in, and however often."""
    days = {"settled": "2026-03-17", "returned": "2026-03-19"}
    ends = set()
    for order in permutations([*told, told[-1]]):
        item = _item()
        for outcome in order:
            row = _row(outcome, days.get(outcome))
            verdict = judge(item, outcome, _day(row))
            assert verdict != REFUSED
            if verdict == APPLIES:
                item = after(item, row)
        ends.add((item.state in GIVEN_BACK_STATES, item.is_terminal, item.settled_date))
    assert len(ends) == 1


def _day(row: dict) -> date | None:
    return date.fromisoformat(row["value_date"]) if row["value_date"] else None


def test_notice_moves_nothing_and_counts_once_per_code():
    noticed = after(_item("settled"), _row(NOTICE, reason="C01"))
    assert (noticed.state, noticed.notices) == ("settled", ("C01",))
    assert judge(noticed, NOTICE, None, "C01") == KNOWN
    assert judge(noticed, NOTICE, None, "C02") == APPLIES
    assert judge(_item("aborted"), NOTICE, None, "C01") == REFUSED
