"""The brake: who may pause and resume, and that nothing is exported meanwhile."""

from __future__ import annotations

from dataclasses import replace

import pytest
from payout_world import ANA, APPROVALS, BEN, CLOCK, DAN

from payouts import events
from payouts.errors import DecisionRefusedError, ExportRefusedError
from payouts.pausing import is_paused, pause, resume

GIL = "gil@acme.example"
RULES = replace(APPROVALS, roles={**APPROVALS.roles, "admin": frozenset({GIL})})


def _pause(world, **options):
    arguments = {"reason": "odd file", "actor": BEN, "rules": RULES, "recorded_at": CLOCK}
    return pause(world.store, **{**arguments, **options})


def _resume(world, **options):
    arguments = {"reason": "checked", "actor": DAN, "rules": RULES, "recorded_at": CLOCK}
    return resume(world.store, **{**arguments, **options})


def _running(world):
    with world.store.read() as connection:
        return is_paused(connection)


def test_paused_payouts_are_not_exported_until_another_person_resumes(payable):
    batch = payable.propose()[0]
    payable.approve_fully(batch)
    begun = _pause(payable)
    assert _running(payable) == begun
    assert (begun.paused_by, begun.reason) == ("ben", "odd file")
    with pytest.raises(ExportRefusedError, match="paused since .* by ben: odd file"):
        payable.export(batch)
    assert payable.state(batch) == "finance_approved"
    for spelling in (BEN, " BEN@Acme.example "):
        with pytest.raises(DecisionRefusedError, match="another person of finance or admin"):
            _resume(payable, actor=spelling)
    assert _resume(payable).seq == begun.seq
    assert _running(payable) is None
    assert payable.export(batch).is_new


@pytest.mark.parametrize(("actor", "other"), [(GIL, BEN), (BEN, GIL), (BEN, DAN)])
def test_finance_and_admin_pause_and_resume(world, actor, other):
    for _ in range(2):
        _pause(world, actor=actor)
        _resume(world, actor=other)
    assert _running(world) is None


@pytest.mark.parametrize(
    ("act", "options", "message"),
    [
        (_pause, {"actor": ANA}, "may not pause payouts"),
        (_pause, {"actor": ""}, "the person who decides is missing"),
        (_pause, {"reason": "\t"}, "the reason is missing"),
        (_pause, {"reason": "paid to DE89-3704-0044-0532-0130-00"}, "the reason holds"),
        (_resume, {"reason": "card 4111 1111 1111 1111"}, "the reason holds"),
        (_resume, {}, "payouts are not paused"),
        (_resume, {"actor": ANA}, "may not resume payouts"),
        (_resume, {"reason": ""}, "the reason is missing"),
    ],
)
def test_refusal_records_nothing(world, act, options, message):
    with pytest.raises(DecisionRefusedError, match=message):
        act(world, **options)
    with world.store.read() as connection:
        assert events.head(connection).seq == 0


def test_pause_while_paused_is_refused(world):
    _pause(world)
    with pytest.raises(DecisionRefusedError, match="paused already, since .* by ben: odd file"):
        _pause(world, actor=DAN)
