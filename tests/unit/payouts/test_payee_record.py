"""Statuses of payees by hand: anybody shuts a gate, people with a role open one."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from payee_world import ANA, BEN, CLOCK, DAN, EVE, RULES, payee_world

from payouts.errors import DecisionRefusedError
from payouts.payees import record_payee

OPENED = [
    {"terms_accepted": True}, {"payee_verified": True}, {"tax_form": True}, {"screening": True},
    {"payee_fingerprint": "ab" * 16},
]  # fmt: skip
DAY = date(2026, 5, 1)


@pytest.fixture
def world(tmp_path):
    with payee_world(tmp_path) as world:
        yield world


def record(world, actor=EVE, rules=RULES, **changes):
    return record_payee(world.store, "p_1", actor=actor, recorded_at=CLOCK, rules=rules, **changes)


@pytest.mark.parametrize("changes", OPENED)
def test_who_has_no_role_opens_no_gate_and_names_no_account(world, changes):
    for rules in (RULES, None):
        with pytest.raises(DecisionRefusedError, match=f"{EVE} may not record .* of p_1: roles"):
            record(world, rules=rules, **changes)
    assert world.events() == 0


@pytest.mark.parametrize("actor", [ANA, BEN, DAN])
@pytest.mark.parametrize("changes", OPENED)
def test_partnerships_finance_and_admin_do(world, actor, changes):
    ((name, value),) = changes.items()
    assert getattr(record(world, actor.upper(), **changes), name) == value


def test_anybody_shuts_a_gate_and_nobody_without_a_role_opens_it_again(world):
    """A screening hit is shut by whoever sees it, and not explained away by who has no role."""
    record(world, BEN, screening=True, payee_verified=True)
    assert record(world, rules=None, screening=False).screening is False
    with pytest.raises(DecisionRefusedError, match="may not record screening of p_1"):
        record(world, screening=True, payee_verified=True)
    assert record(world, BEN, screening=True).screening is True
    # What is known already opens nothing.
    assert record(world, screening=True).screening is True


def test_cooling_off_is_lengthened_by_anybody_and_shortened_with_a_role(world):
    assert record(world, cooling_off_until=DAY).cooling_off_until == DAY
    for changes in ({"clear_cooling_off": True}, {"cooling_off_until": DAY - timedelta(days=1)}):
        with pytest.raises(DecisionRefusedError, match="an earlier end of the cooling-off"):
            record(world, **changes)
    later = DAY + timedelta(days=1)
    assert record(world, cooling_off_until=later).cooling_off_until == later
    assert record(world, ANA, clear_cooling_off=True).cooling_off_until is None


def test_fingerprint_that_changes_needs_a_role_and_the_same_one_does_not(world):
    record(world, BEN, payee_fingerprint="ab" * 16)
    with pytest.raises(DecisionRefusedError, match="another account"):
        record(world, payee_fingerprint="cd" * 16)
    assert record(world, payee_fingerprint="AB" * 16).payee_fingerprint == "ab" * 16
