"""The state machine of a batch: pure, events in, state out.

What belongs here: which event may follow which state, and what a list of events adds up to.
What does not: who may cause an event (``approvals``) and when (``freshness``).
Source: payouts reference 3.1. What became of single payouts: ``outcomes``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from payouts.errors import DecisionRefusedError
from payouts.events import Event

PROPOSED = "proposed"
PARTNERSHIPS_APPROVED = "partnerships_approved"
FINANCE_APPROVED = "finance_approved"
REJECTED = "rejected"
STALE = "stale"
EXPORTED = "exported"
SENT = "sent"
CLOSED = "closed"
ABORTED = "aborted"
LIVE_STATES = (PROPOSED, PARTNERSHIPS_APPROVED, FINANCE_APPROVED)
# A file of these is out, or was. What an aborted or returned payout gives back is an entry of its
# own, so its batch keeps its claims for ever.
EXPORTED_STATES = (EXPORTED, SENT, CLOSED, ABORTED)
CLAIMING_STATES = (*LIVE_STATES, *EXPORTED_STATES)
STATES = (*LIVE_STATES, REJECTED, STALE, *EXPORTED_STATES)

APPROVE_PARTNERSHIPS = "approve_partnerships"
APPROVE_FINANCE = "approve_finance"
REVOKE = "revoke"
REJECT = "reject"
GO_STALE = "go_stale"
EXPORT = "export"
CONFIRM_SENT = "confirm_sent"
RECORD_OUTCOMES = "record_outcomes"
REQUEST_ABORT = "request_abort"
ABORT = "abort"

# (state, event) → states it may lead to. Two targets: more approvals of that role may be needed.
# A revocation starts a new round: nothing that was approved before counts any more.
TRANSITIONS: Mapping[tuple[str, str], tuple[str, ...]] = {
    (PROPOSED, APPROVE_PARTNERSHIPS): (PROPOSED, PARTNERSHIPS_APPROVED),
    (PARTNERSHIPS_APPROVED, APPROVE_FINANCE): (PARTNERSHIPS_APPROVED, FINANCE_APPROVED),
    **{(state, REVOKE): (PROPOSED,) for state in LIVE_STATES},
    **{(state, REJECT): (REJECTED,) for state in LIVE_STATES},
    **{(state, GO_STALE): (STALE,) for state in LIVE_STATES},
    (FINANCE_APPROVED, EXPORT): (EXPORTED,),
    (EXPORTED, CONFIRM_SENT): (SENT,),
    # A bank that reports on payouts has the file. The batch closes with its last open payout, and
    # a payout that comes back later leaves it closed.
    (EXPORTED, RECORD_OUTCOMES): (SENT, CLOSED),
    (SENT, RECORD_OUTCOMES): (SENT, CLOSED),
    (CLOSED, RECORD_OUTCOMES): (CLOSED,),
    (EXPORTED, REQUEST_ABORT): (EXPORTED,),
    (EXPORTED, ABORT): (ABORTED,),
}
TRANSITION_EVENTS = (
    APPROVE_PARTNERSHIPS, APPROVE_FINANCE, REVOKE, REJECT, GO_STALE, EXPORT, CONFIRM_SENT,
    RECORD_OUTCOMES, REQUEST_ABORT, ABORT,
)  # fmt: skip
_KIND_EVENTS = {
    "batch_revoked": REVOKE,
    "batch_rejected": REJECT,
    "batch_stale": GO_STALE,
    "batch_exported": EXPORT,
    "batch_sent": CONFIRM_SENT,
    "batch_outcomes": RECORD_OUTCOMES,
    "batch_abort_requested": REQUEST_ABORT,
    "batch_aborted": ABORT,
}
# In the payload of an approval only where it was delegated or signed.
_OPTIONAL_OF_APPROVAL = (
    "delegation_id", "delegator", "key_fingerprint", "message_version", "signature",
)  # fmt: skip
BATCH_EVENT_KINDS = ("batch_proposed", "batch_approved", *_KIND_EVENTS)


@dataclass(frozen=True)
class Approval:
    """One person's approval of one content hash.

    ``delegator``: who lent the role by ``delegation_id``. ``signature``: as ``ssh-keygen`` wrote
    it, by the key of ``key_fingerprint``, over the text of ``message_version``; None: the first.
    """

    actor: str
    role: str
    identity_level: str
    content_hash: str
    recorded_at: str
    seq: int
    delegation_id: str | None = None
    delegator: str | None = None
    key_fingerprint: str | None = None
    message_version: str | None = None
    signature: str | None = None

    @property
    def people(self) -> tuple[str, ...]:
        """Who stands behind it: who gave it, and who lent the role for it."""
        return (self.actor,) if self.delegator is None else (self.actor, self.delegator)


@dataclass(frozen=True)
class BatchState:
    """What the events of a batch add up to. ``approvals`` are those of the running round.

    ``abort_requested_by``: who asked to abort the exported batch; another person must agree.
    """

    batch_id: str
    state: str
    maker: str
    content_hash: str
    approval_round: int
    approvals: tuple[Approval, ...]
    state_since: str
    reason: str
    last_seq: int
    abort_requested_by: str | None = None


def check_transition(batch_id: str, state: str, event: str) -> None:
    """Refuse an event that the state does not allow.

    Raises: DecisionRefusedError, saying what the batch waits for.
    """
    if (state, event) in TRANSITIONS:
        return
    waits_for = {
        PROPOSED: "it waits for partnerships",
        PARTNERSHIPS_APPROVED: "it waits for finance",
        FINANCE_APPROVED: "it waits for export",
        REJECTED: "its entries are free; propose again",
        STALE: "its entries are free; propose again",
        EXPORTED: "its file is out; what changes now goes into the next batch",
        SENT: "the bank has its file; what comes back is read by settle",
        CLOSED: "every payout has ended; one that comes back later is read by settle",
        ABORTED: "its amounts are back on the balances and go into the next batch",
    }[state]
    wanted = event.replace("_", " as ") if event.startswith("approve") else event.replace("_", " ")
    raise DecisionRefusedError(
        f"batch {batch_id} is {state}, so {wanted} is not possible: {waits_for}"
    )


def fold(batch_events: Iterable[Event]) -> BatchState:
    """The state that the events of one batch lead to, oldest first.

    Raises: DecisionRefusedError when an event was not possible, ValueError without a first event.
    """
    state: BatchState | None = None
    for event in batch_events:
        state = _first(event) if state is None else apply(state, event)
    if state is None:
        raise ValueError("a batch without events has no state")
    return state


def apply(state: BatchState, event: Event) -> BatchState:
    """The state after one more event.

    Raises: DecisionRefusedError when the event is not possible in this state.
    """
    after = replace(state, last_seq=event.seq, reason=event.reason)
    if event.kind == "batch_approved":
        return _approve(after, event)
    transition = _KIND_EVENTS.get(event.kind)
    if transition is None:
        raise DecisionRefusedError(f"{event.kind} is not an event of a batch")
    check_transition(state.batch_id, state.state, transition)
    target = _target(state, event, transition)
    if target != state.state:
        after = replace(after, state_since=event.recorded_at)
    after = replace(after, state=target)
    if transition == REQUEST_ABORT:
        return replace(after, abort_requested_by=event.actor)
    if transition == REVOKE:
        return replace(after, approvals=(), approval_round=state.approval_round + 1)
    return after


def _target(state: BatchState, event: Event, transition: str) -> str:
    """Where a transition leads; with two ways, the event says whether the batch closes."""
    targets = TRANSITIONS[(state.state, transition)]
    if len(targets) == 1:
        return targets[0]
    target = event.payload["state"]
    if target not in targets:
        raise DecisionRefusedError(
            f"{event.kind} leads batch {state.batch_id} from {state.state} to {target!r}, which is "
            "not possible"
        )
    return target


def _first(event: Event) -> BatchState:
    if event.kind != "batch_proposed":
        raise DecisionRefusedError(f"the first event of {event.subject} is {event.kind}")
    return BatchState(
        batch_id=event.subject.removeprefix("batch:"),
        state=PROPOSED,
        maker=event.actor,
        content_hash=event.payload["content_hash"],
        approval_round=1,
        approvals=(),
        state_since=event.recorded_at,
        reason=event.reason,
        last_seq=event.seq,
    )


def _approve(state: BatchState, event: Event) -> BatchState:
    role = event.payload["role"]
    check_transition(state.batch_id, state.state, f"approve_{role}")
    approval = Approval(
        actor=event.actor,
        role=role,
        identity_level=event.identity_level,
        content_hash=event.payload["content_hash"],
        recorded_at=event.recorded_at,
        seq=event.seq,
        **{name: event.payload.get(name) for name in _OPTIONAL_OF_APPROVAL},
    )
    approvals = (*state.approvals, approval)
    given = sum(1 for approval in approvals if approval.role == role)
    if given < event.payload["required"][role]:
        return replace(state, approvals=approvals)
    target = PARTNERSHIPS_APPROVED if role == "partnerships" else FINANCE_APPROVED
    return replace(state, approvals=approvals, state=target, state_since=event.recorded_at)
