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
    ("exported", "confirm_sent"),
    ("exported", "record_outcomes"),
    ("exported", "request_abort"),
    ("exported", "abort"),
    ("sent", "record_outcomes"),
    ("closed", "record_outcomes"),
}
KINDS = {
    "revoke": "batch_revoked",
    "reject": "batch_rejected",
    "go_stale": "batch_stale",
    "export": "batch_exported",
    "confirm_sent": "batch_sent",
    "record_outcomes": "batch_outcomes",
    "request_abort": "batch_abort_requested",
    "abort": "batch_aborted",
}
EXPORTED = ["approve_partnerships", "approve_finance", "export"]
PATHS = {
    "proposed": [],
    "partnerships_approved": ["approve_partnerships"],
    "finance_approved": ["approve_partnerships", "approve_finance"],
    "rejected": ["reject"],
    "stale": ["go_stale"],
    "exported": EXPORTED,
    "sent": [*EXPORTED, "confirm_sent"],
    "closed": [*EXPORTED, "confirm_sent", "record_outcomes:closed"],
    "aborted": [*EXPORTED, "request_abort", "abort"],
}


def _event(seq: int, name: str, finance: int = 1, actor: str | None = None) -> Event:
    name, _, target = name.partition(":")
    role = name.removeprefix("approve_")
    payload = {"content_hash": "h", "state": target}
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
    if (state, event) not in ALLOWED:
        with pytest.raises(DecisionRefusedError, match=f"batch b is {state}"):
            _fold([*path, event])
        return
    targets = states.TRANSITIONS[(state, event)]
    if event == "record_outcomes":
        assert [_fold([*path, f"{event}:{target}"]).state for target in targets] == list(targets)
    else:
        assert _fold([*path, event]).state in targets


def test_the_table_is_the_specified_one():
    assert set(states.TRANSITIONS) == ALLOWED
    assert set(PATHS) == set(states.STATES)
    assert set(states.BATCH_EVENT_KINDS) == {"batch_proposed", "batch_approved", *KINDS.values()}


@pytest.mark.parametrize("state", ["exported", "sent", "closed"])
@pytest.mark.parametrize("target", ["proposed", "aborted", "exported", "settled", ""])
def test_outcomes_lead_to_no_other_state(state, target):
    """A closed batch stays closed; every other way has two ends, and the event names one."""
    path = [*PATHS[state], f"record_outcomes:{target}"]
    if state == "closed":
        assert _fold(path).state == "closed"
        return
    with pytest.raises(DecisionRefusedError, match="which is not possible"):
        _fold(path)


def test_outcomes_close_an_exported_batch_at_once_and_late_ones_leave_it_closed():
    assert _fold([*EXPORTED, "record_outcomes:sent"]).state == "sent"
    closed = [*EXPORTED, "record_outcomes:closed"]
    assert _fold(closed).state == "closed"
    assert _fold([*closed, "record_outcomes:closed"]).state == "closed"


def test_state_since_is_that_of_the_last_change_of_state():
    asked = _fold([*EXPORTED, "request_abort"])
    assert (asked.state, asked.abort_requested_by, asked.last_seq) == ("exported", "a5", 5)
    assert _fold([*EXPORTED, "request_abort", "abort"]).state == "aborted"
    # One person's request after another's: the later one is who must not also agree.
    assert _fold([*EXPORTED, "request_abort", "request_abort"]).abort_requested_by == "a6"


def test_approval_keeps_who_lent_the_role_and_the_signature():
    event = _event(2, "approve_partnerships")
    lent = {"delegation_id": "d-1", "delegator": "boss", "signature": "s", "key_fingerprint": "k"}
    event.payload.update(lent)
    (approval,) = states.fold([_event(1, "batch_proposed"), event]).approvals
    assert {name: getattr(approval, name) for name in lent} == lent
    assert approval.people == ("a2", "boss")
    (plain,) = _fold(["approve_partnerships"]).approvals
    assert (plain.people, plain.signature) == (("a2",), None)


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
