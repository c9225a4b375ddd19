"""What partners want to be told: recorded once per change, read back, void for nobody else."""

from __future__ import annotations

import pytest
from payout_world import CLOCK

from payouts import events
from payouts.errors import DecisionRefusedError
from payouts.notice_choices import (
    ALL,
    NEEDED,
    choose_notices,
    notice_choice,
    partners_wanting_less,
)


def choose(world, choice, partner_id="p_1"):
    return choose_notices(
        world.store, partner_id, choice, actor=f"partner:{partner_id}", recorded_at=CLOCK
    )


def test_a_choice_is_recorded_once_and_counts_until_the_next(world):
    assert [choose(world, each) for each in (ALL, NEEDED, NEEDED, ALL, NEEDED)] == [
        False, True, False, True, True,
    ]  # fmt: skip
    assert choose(world, NEEDED, "p_2") and choose(world, ALL, "p_2")
    with world.store.read() as connection:
        assert [notice_choice(connection, each) for each in ("p_1", "p_2", "p_3")] == [
            NEEDED, ALL, ALL,
        ]  # fmt: skip
        assert partners_wanting_less(connection) == {"p_1"}
        assert len(events.of_kinds(connection, ("notice_choice",))) == 5


def test_a_choice_is_no_event_over_which_staff_sign(world):
    choose(world, NEEDED)
    with world.store.read() as connection:
        assert events.of_subject(connection, "partner:p_1") == []


@pytest.mark.parametrize(("choice", "partner_id"), [("none", "p_1"), (NEEDED, " ")])
def test_what_is_no_choice_is_refused(world, choice, partner_id):
    with pytest.raises(DecisionRefusedError, match="Nothing was|is missing"):
        choose(world, choice, partner_id)
    with world.store.read() as connection:
        assert events.head(connection).seq == 0
