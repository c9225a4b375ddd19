"""P3: how much of a negative balance is netted, and what is carried. Values by hand."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payouts.offsets import claim_within_offset


def _claimed(rows, share):
    """rows: (entry, line, day of January 2026, amount). Returns claimed and carried per entry."""
    connection = duckdb.connect(":memory:")
    connection.execute(
        "create temp table entries (entry_id varchar, line_id varchar, partner_id varchar, "
        "payout_currency_code varchar, available_date date, payout_amount_minor bigint, "
        "entry_kind varchar)"
    )
    if rows:
        connection.executemany(
            "insert into entries values (?, ?, 'p_1', 'USD', ?, ?, ?)",
            [
                (entry, line, date(2026, 1, day), amount, kind[0] if kind else "earning")
                for entry, line, day, amount, *kind in rows
            ],
        )
    claim_within_offset(connection, "entries", Decimal(share))
    found = connection.execute(
        "select entry_id, payout_amount_minor, carried_amount_minor from entries order by 1"
    ).fetchall()
    return {entry: (claimed, carried) for entry, claimed, carried in found}


def test_half_of_what_was_earned_is_netted_rounded_half_away_from_zero():
    # 80.00 + 21.01 = 101.01, half is 50.505: 50.51 is netted, 50.50 paid, 19.49 carried.
    rows = [("a", "l1", 1, 8000), ("b", "l2", 2, 2101), ("c", "l3", 3, -7000)]
    assert _claimed(rows, "0.5") == {"a": (8000, 0), "b": (2101, 0), "c": (-5051, -1949)}


def test_what_is_taken_back_before_it_was_paid_cancels_its_own_line_first():
    # The sale of l1 was refunded whole; only l3 is a negative balance: half of 21.01 is netted.
    rows = [
        ("a", "l1", 1, 8000),
        ("b", "l2", 2, 2101),
        ("c", "l3", 3, -7000),
        ("d", "l1", 4, -8000),
    ]
    assert _claimed(rows, "0.5") == {
        "a": (8000, 0), "b": (2101, 0), "c": (-1051, -5949), "d": (-8000, 0),
    }  # fmt: skip


def test_oldest_negative_line_is_netted_first_and_the_last_one_in_part():
    # Half of 10.00: the line of the 1st whole (1.00), then 4.00 of the line of the 2nd.
    rows = [
        ("a", "l1", 1, 1000), ("c", "l3", 3, -300), ("d", "l3", 4, -400), ("e", "l3", 2, 100),
        ("f", "l4", 1, -100),
    ]  # fmt: skip
    assert _claimed(rows, "0.5") == {
        "a": (1000, 0), "c": (-300, 0), "d": (-200, -200), "e": (100, 0), "f": (-100, 0),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("share", "claimed"), [("0", (0, -1000)), ("0.25", (-1, -999)), ("1", (-1000, 0))]
)
def test_share_of_nothing_a_quarter_and_everything(share, claimed):
    # A quarter of 0.05 is 0.0125: 0.01 is netted.
    assert _claimed([("a", "l1", 1, -1000), ("b", "l2", 1, 5)], share) == {
        "a": claimed, "b": (5, 0),
    }  # fmt: skip


def test_what_came_back_is_paid_again_whole_and_nets_nothing():
    # It was netted when it was paid first; only the new 40.00 count, half of them is netted.
    rows = [
        ("a", "l1", 1, 5000, "payout_return"), ("b", "l2", 2, 4000), ("c", "l3", 3, -9000),
    ]  # fmt: skip
    assert _claimed(rows, "0.5") == {"a": (5000, 0), "b": (4000, 0), "c": (-2000, -7000)}


def test_with_nothing_earned_nothing_is_netted():
    assert _claimed([("a", "l1", 1, -1000)], "0.5") == {"a": (0, -1000)}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(1, 28), st.integers(-10_000, 10_000).filter(bool)),
        max_size=12,
    ),
    st.sampled_from(["0", "0.1", "0.333333", "0.5", "0.75", "1"]),
)
def test_claimed_and_carried_add_up_and_stay_within_the_share(drawn, share):
    rows = [
        (f"e{number}", f"l{line}", day, amount) for number, (line, day, amount) in enumerate(drawn)
    ]
    found = _claimed(rows, share)
    lines: dict[str, int] = {}
    for _, line, _, amount in rows:
        lines[line] = lines.get(line, 0) + amount
    earned = sum(amount for amount in lines.values() if amount > 0)
    owed = -sum(amount for amount in lines.values() if amount < 0)
    budget = int(Fraction(share) * earned + Fraction(1, 2))
    netted = owed if share == "1" else min(owed, budget)
    for entry, _, _, amount in rows:
        claimed, carried = found[entry]
        assert claimed * amount >= 0
        assert abs(claimed) <= abs(amount)
        assert carried == 0 or claimed + carried == amount
    assert sum(claimed for claimed, _ in found.values()) == earned - netted
