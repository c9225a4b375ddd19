"""T8: the whole transition table, every state with every event."""

from __future__ import annotations

from itertools import product

import pytest

from payouts import states
from payouts.errors import DecisionRefusedError
from payouts.events import Event

ALLOWED = {
    ("proposed", "approve_partnerships"),
    ("proposed", "revoke"),
    ("proposed", "reject"),
    ("proposed", "go_stale"),
    ("partnerships_approved", "approve_finance"),
    ("partnerships_approved", "revoke"),
    ("partnerships_approved", "reject"),
    ("partnerships_approved", "go_stale"),
    ("finance_approved", "revoke"),
    ("finance_approved", "reject"),
    ("finance_approved", "go_stale"),
    ("finance_approved", "export"),
}
KINDS = {
    "revoke": "batch_revoked",
    "reject": "batch_rejected",
    "go_stale": "batch_stale",
    "export": "batch_exported",
}
PATHS = {
    "proposed": [],
    "partnerships_approved": ["approve_partnerships"],
    "finance_approved": ["approve_partnerships", "approve_finance"],
    "rejected": ["reject"],
    "stale": ["go_stale"],
    "exported": ["approve_partnerships", "approve_finance", "export"],
}


def _event(seq: int, name: str, finance: int = 1, actor: str | None = None) -> Event:
    role = name.removeprefix("approve_")
    payload = {"content_hash": "h"}
    if name.startswith("approve_"):
        payload |= {"role": role, "required": {"partnerships": 1, "finance": finance}}
    kind = "batch_approved" if name.startswith("approve_") else KINDS.get(name, name)
    return Event(seq, kind, "batch:b", actor or f"a{seq}", "os_user", payload, "", "t", "", "")


def _fold(names: list[str], finance: int = 1) -> states.BatchState:
    return states.fold(
        _event(seq, name, finance) for seq, name in enumerate(["batch_proposed", *names], start=1)
    )


@pytest.mark.parametrize(("state", "event"), list(product(states.STATES, states.TRANSITION_EVENTS)))
def test_transition_every_pair_follows_the_table(state, event):
    path = PATHS[state]
    assert _fold(path).state == state
    if (state, event) in ALLOWED:
        assert _fold([*path, event]).state in states.TRANSITIONS[(state, event)]
    else:
        with pytest.raises(DecisionRefusedError, match=f"batch b is {state}"):
            _fold([*path, event])


def test_two_finance_approvals_needed_first_one_keeps_the_state():
    assert _fold(["approve_partnerships", "approve_finance"], finance=2).state == (
        "partnerships_approved"
    )
    assert _fold(["approve_partnerships", *["approve_finance"] * 2], finance=2).state == (
        "finance_approved"
    )


def test_revocation_voids_all_approvals_and_starts_a_round():
    state = _fold(["approve_partnerships", "approve_finance", "revoke"])
    assert (state.state, state.approvals, state.approval_round) == ("proposed", (), 2)


def test_unknown_event_is_refused():
    with pytest.raises(DecisionRefusedError, match="not an event of a batch"):
        _fold(["batch_forgotten"])


def test_first_event_must_be_the_proposal():
    with pytest.raises(DecisionRefusedError, match="first event"):
        states.fold([_event(1, "reject")])
    with pytest.raises(ValueError, match="without events"):
        states.fold([])
