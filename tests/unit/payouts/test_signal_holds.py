"""Holds of risk signals: once per signal, from the configured severity on, batches go stale."""

from __future__ import annotations

from datetime import timedelta

import pytest
from lead_world import raw
from payout_world import APPROVALS, BEN, CLOCK

from payouts.errors import DecisionRefusedError
from payouts.holds import load_holds, open_hold, release_hold
from payouts.signal_holds import SignalRules, open_signal_holds


def _signal(signal_id="sig_1", severity="high", subject=("partner", "p_1"), evidence="20 in 1 h"):
    return {
        "signal_id": signal_id, "severity": severity, "subject_type": subject[0],
        "subject_id": subject[1], "evidence": evidence,
    }  # fmt: skip


def _open(world, *signals, hold_from="high", recorded_at=CLOCK):
    return open_signal_holds(world.store, world.home, signals, SignalRules(hold_from), recorded_at)


def test_signal_opens_a_hold_and_batches_go_stale(payable):
    batches = payable.propose()
    (hold,), stale = _open(payable, _signal())
    assert (hold.signal_id, hold.reason) == ("sig_1", "risk signal: 20 in 1 h")
    assert set(stale) == {batch.batch_id for batch in batches}
    assert {payable.state(batch) for batch in batches} == {"stale"}
    with payable.store.read() as connection:
        assert load_holds(connection) == [hold]
    assert raw(payable, "control__holds") == [
        (hold.hold_id, "partner", "p_1", "risk signal: 20 in 1 h", True, CLOCK, "sig_1")
    ]


def test_signal_on_somebody_else_leaves_batches_alone(payable):
    (batch, _) = payable.propose()
    opened, stale = _open(payable, _signal(subject=("lead", "lead_9")))
    assert (len(opened), stale, payable.state(batch)) == (1, [], "proposed")


def test_signal_opens_one_hold_ever(payable):
    (hold,), _ = _open(payable, _signal())
    assert _open(payable, _signal()) == ([], [])
    release_hold(
        payable.store, hold.hold_id, reason="known customer", actor=BEN, rules=APPROVALS,
        recorded_at=CLOCK,
    )  # fmt: skip
    later = CLOCK + timedelta(days=1)
    assert _open(payable, _signal(), recorded_at=later) == ([], [])
    (other,), _ = _open(payable, _signal(), _signal("sig_2"), recorded_at=later)
    assert other.signal_id == "sig_2"


def test_hold_of_a_person_does_not_stand_for_a_signal(payable):
    open_hold(
        payable.store, payable.home, subject_type="partner", subject_id="p_1", reason="asked",
        actor=BEN, rules=APPROVALS, recorded_at=CLOCK,
    )  # fmt: skip
    assert len(_open(payable, _signal())[0]) == 1
    assert [row[6] for row in raw(payable, "control__holds")] == [None, "sig_1"]


@pytest.mark.parametrize(
    ("hold_from", "held"),
    [("high", ["high"]), ("medium", ["high", "medium"]), ("never", [])],
)
def test_severity_from_which_signals_hold(world, hold_from, held):
    signals = [_signal(severity, severity) for severity in ("low", "medium", "high")]
    opened, _ = _open(world, *signals, hold_from=hold_from)
    assert [hold.signal_id for hold in opened] == held


@pytest.mark.parametrize(
    ("signal", "message"),
    [
        (_signal("sig_2", severity="dire"), "correct the model"),
        (_signal("sig_2", subject=("customer", "c_1")), "correct the model"),
        (_signal("sig_2", subject=("lead", "")), "lacks its id or its subject"),
        (_signal(""), "lacks its id or its subject"),
    ],
)
def test_malformed_signal_opens_no_hold_at_all(world, signal, message):
    with pytest.raises(DecisionRefusedError, match=message):
        _open(world, _signal(), signal)
    with world.store.read() as connection:
        assert load_holds(connection) == []


@pytest.mark.parametrize(("evidence", "characters"), [("x" * 5_000, 1_013), (None, 24)])
def test_evidence_of_any_length_opens_the_hold(world, evidence, characters):
    (hold,), _ = _open(world, _signal(evidence=evidence))
    assert len(hold.reason) == characters


def test_thousands_of_signals_name_the_first_holds(payable):
    (batch, _) = payable.propose()
    signals = [_signal(f"sig_{number:04}", subject=("lead", "lead_1")) for number in range(2_000)]
    opened, stale = _open(payable, *signals)
    assert len(opened) == 2_000 and batch.batch_id in stale
    with payable.store.read() as connection:
        reason = connection.exec_driver_sql(
            "select reason from events where kind = 'batch_stale' limit 1"
        ).scalar()
    assert reason.startswith(f"hold {opened[0].hold_id} was opened")
    assert reason.endswith("1990 more holds were opened")
