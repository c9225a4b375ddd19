"""Rulings on attribution: credits, four eyes, and which turn may follow which (A6)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from lead_world import EVE, propose, raw, recorded, revoke, rule
from payout_world import ANA, BEN, CAT, CLOCK

from payouts.errors import DecisionRefusedError
from payouts.rulings import load_rulings


def test_ruling_is_read_back_through_its_life(world):
    proposed = propose(world, {"p_1": 600_000, "p_2": 400_000})
    assert proposed.ruling_id.startswith("rul_") and len(proposed.ruling_id) == 16
    assert (proposed.state, proposed.decided_by, proposed.arrival) == ("proposed", None, 1)
    approved = rule(world, proposed)
    assert (approved.state, approved.decided_by, approved.arrival) == ("approved", "ben", 2)
    revoked = revoke(world, proposed)
    assert (revoked.state, revoked.reason, revoked.proposal_reason) == (
        "revoked", "wrong", "they met first",
    )  # fmt: skip
    with world.store.read() as connection:
        assert load_rulings(connection) == [revoked]


def test_raw_table_has_one_row_per_credited_partner(world):
    one = propose(world, {"p_2": 400_000, "p_1": 600_000})
    nobody = propose(world, {}, lead_id="lead_2")
    rule(world, nobody)
    rows = raw(world, "control__rulings")
    shared = ("lead_1", "proposed")
    tail = (CLOCK, None, None, "they met first", "mail of May 2", 1)
    assert sorted(rows, key=lambda row: (row[1], row[3] or "")) == [
        (one.ruling_id, *shared, "p_1", 600_000, *tail),
        (one.ruling_id, *shared, "p_2", 400_000, *tail),
        (nobody.ruling_id, "lead_2", "approved", None, None, CLOCK, CLOCK, "ben", "checked",
         "mail of May 2", 3),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("credits", "message"),
    [
        ({"p_1": 999_999}, "add up to 999,999"),
        ({"p_1": 1_000_001}, "add up to 1,000,001"),
        ({"p_1": 1_000_000, "p_2": 0}, "not a positive whole number"),
        ({"p_1": 1_100_000, "p_2": -100_000}, "not a positive whole number"),
        ({"p_1": 1_000_000.0}, "not a positive whole number"),
        ({"p_1": True}, "not a positive whole number"),
        ({"": 1_000_000}, "credited partner is missing"),
        ({"p_1": 500_000, " p_1": 500_000}, "named twice"),
    ],
)
def test_credits_that_do_not_add_up_are_refused(world, credits, message):
    with pytest.raises(DecisionRefusedError, match=message):
        propose(world, credits)
    assert recorded(world) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lead_id": " "}, "lead is missing"),
        ({"reason": ""}, "reason is missing"),
        ({"evidence": " "}, "evidence is missing"),
        ({"evidence": "x" * 1_001}, "more than 1000"),
        ({"actor": ""}, "person who proposes is missing"),
    ],
)
def test_incomplete_proposal_is_refused(world, options, message):
    with pytest.raises(DecisionRefusedError, match=message):
        propose(world, **options)


def test_repetition_is_refused_while_undecided(world):
    first = propose(world)
    with pytest.raises(DecisionRefusedError, match=first.ruling_id):
        propose(world, actor=EVE.upper())
    propose(world, actor=ANA)
    propose(world, {"p_2": 1_000_000})
    propose(world, lead_id="lead_2")
    rule(world, first, False)
    assert propose(world).ruling_id != first.ruling_id


_TURNS = {
    "approved": lambda world, ruling: rule(world, ruling),
    "declined": lambda world, ruling: rule(world, ruling, False),
    "revoked": lambda world, ruling: revoke(world, ruling),
}


@pytest.mark.parametrize(
    ("before", "turn", "message"),
    [
        ((), "revoked", "proposed and cannot become revoked: approve or decline"),
        (("approved",), "approved", "revoke it to end it"),
        (("approved",), "declined", "revoke it to end it"),
        (("declined",), "declined", "approve it, or propose another"),
        (("declined",), "revoked", "approve it, or propose another"),
        (("declined",), "approved", None),
        (("approved", "revoked"), "approved", "propose a new ruling"),
        (("approved", "revoked"), "revoked", "propose a new ruling"),
    ],
)
def test_order_of_turns(world, before, turn, message):
    ruling = propose(world)
    for earlier in before:
        _TURNS[earlier](world, ruling)
    if message is None:
        assert _TURNS[turn](world, ruling).state == turn
        return
    events = recorded(world)
    with pytest.raises(DecisionRefusedError, match=message):
        _TURNS[turn](world, ruling)
    assert recorded(world) == events


@pytest.mark.parametrize(
    ("is_approved", "options", "message"),
    [
        (True, {"reason": " "}, "reason is missing"),
        (True, {"actor": EVE}, "may not approve a ruling"),
        (False, {"actor": EVE}, "may not decline a ruling"),
    ],
)
def test_decision_that_breaks_a_rule_is_refused(world, is_approved, options, message):
    ruling = propose(world, actor=ANA)
    with pytest.raises(DecisionRefusedError, match=message):
        rule(world, ruling, is_approved, **options)


def test_who_proposed_it_may_not_approve_it(world):
    ruling = propose(world, actor=CAT)
    with pytest.raises(DecisionRefusedError, match="four eyes"):
        rule(world, ruling, actor=" CAT@acme.example")
    assert rule(world, ruling, actor=BEN).state == "approved"


def test_revocation_needs_a_role_and_a_reason(world):
    ruling = propose(world)
    rule(world, ruling)
    with pytest.raises(DecisionRefusedError, match="may not revoke a ruling"):
        revoke(world, ruling, actor=EVE)
    with pytest.raises(DecisionRefusedError, match="reason is missing"):
        revoke(world, ruling, reason="")


def test_unknown_ruling_is_refused(world):
    ruling = replace(propose(world), ruling_id="rul_000000000000")
    with pytest.raises(DecisionRefusedError, match="no ruling 'rul_000000000000'"):
        rule(world, ruling)
