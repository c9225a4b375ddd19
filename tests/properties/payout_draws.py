"""What stories of the payouts room draw: people, one of several, and where a step crashes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from hypothesis import strategies as st

from tests.unit.payouts.payout_world import ANA, BEN, CAT, DAN

Some = TypeVar("Some")
# Eve has no role.
PEOPLE = (ANA, BEN, CAT, DAN, "eve@acme.example")
REASON = "seen in the portal"
picks = st.integers(0, 30)
people = st.sampled_from(PEOPLE)
# An export reaches 14 points with one file, a proposal 8 for a batch, a settlement 5.
crashes = st.none() | st.integers(0, 14)


def some(found: Sequence[Some], pick: int) -> Some:
    """One of several, by a drawn number."""
    return found[pick % len(found)]
