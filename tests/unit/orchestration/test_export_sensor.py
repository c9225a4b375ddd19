"""What the export sensor asks for: one run per approved batch, and again after a failure."""

from __future__ import annotations

import sys
from datetime import date

import pytest
from cli_world import REPOSITORY

sys.path[:0] = [str(REPOSITORY / "tests" / "unit" / "payouts")]

from payout_world import ANA, APPROVALS, BEN, CLOCK, DAN, payable_world  # noqa: E402

from orchestration.defs.export import approved_batches  # noqa: E402
from payouts.approvals import revoke  # noqa: E402
from payouts.pausing import pause, resume  # noqa: E402

DAY = date(2026, 3, 2)
DECISION = {"reason": "odd file", "rules": APPROVALS, "recorded_at": CLOCK}


@pytest.fixture
def world(tmp_path):
    world = payable_world(tmp_path / "var", synchronous="OFF")
    yield world
    world.store.close()


def test_run_is_asked_for_again_when_payouts_resume_and_on_the_next_day(world):
    """An export that failed while payouts were paused must not wait for a person for ever."""
    batch = world.propose()[0]
    assert approved_batches(world.home, DAY) == []
    world.approve_fully(batch)
    pause(world.store, actor=BEN, **DECISION)
    ((batch_id, first),) = approved_batches(world.home, DAY)
    assert batch_id == batch.batch_id
    assert approved_batches(world.home, DAY) == [(batch_id, first)]
    ((_, tomorrow),) = approved_batches(world.home, date(2026, 3, 3))
    resume(world.store, actor=DAN, **DECISION)
    ((_, resumed),) = approved_batches(world.home, DAY)
    revoke(world.store, batch_id, actor=BEN, recorded_at=CLOCK)
    assert approved_batches(world.home, DAY) == []
    world.approve(batch, ANA, "partnerships")
    world.approve(batch, DAN, "finance")
    ((_, again),) = approved_batches(world.home, DAY)
    assert len({first, tomorrow, resumed, again}) == 4
