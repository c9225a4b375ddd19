"""The brake: all payouts are paused and resumed by people. No export while paused.

What belongs here: who may pause and resume, and whether payouts are paused now.
What does not: refusing an export (``export``).
Source: payouts reference 7 (brakes). One person stops; it takes another to let money go again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from payouts import events
from payouts.errors import DecisionRefusedError
from payouts.signed_decisions import decision_message, proved
from payouts.store import Store
from payouts.terms import ADMIN, ApprovalRules, person
from payouts.texts import identifier, refuse_secrets, shown_actor, written

SUBJECT = "payouts:all"
_PAUSED, _RESUMED = "payouts_paused", "payouts_resumed"
_ROLES = ("finance", ADMIN)


@dataclass(frozen=True)
class Pause:
    """A running pause. ``paused_at`` is fixed-width UTC text; ``seq`` the number of its event."""

    paused_by: str
    paused_at: str
    reason: str
    seq: int


def is_paused(connection: Connection) -> Pause | None:
    """The running pause, None when payouts run. The name of who paused is without its domain."""
    event = _last(connection)
    if event is None or event.kind != _PAUSED:
        return None
    return Pause(shown_actor(event.actor), event.recorded_at, event.reason, event.seq)


def pause(
    store: Store,
    *,
    reason: str,
    actor: str,
    rules: ApprovalRules,
    recorded_at: datetime,
    identity_level: str = "os_user",
) -> Pause:
    """Pause all payouts: nothing is exported until another person resumes them.

    Batches keep their states and approvals, and approvals go on expiring.
    Raises: DecisionRefusedError without the role finance or admin or a reason, or when payouts are
    paused already.
    """
    decider, reason = _decider(rules, actor, "pause payouts"), written(reason, "the reason")
    refuse_secrets(reason, "the reason")
    with store.write() as connection:
        running = is_paused(connection)
        if running is not None:
            raise DecisionRefusedError(
                f"payouts are paused already, since {running.paused_at} by {running.paused_by}: "
                f"{running.reason}. Nothing was recorded"
            )
        event = events.append(
            connection,
            kind=_PAUSED,
            subject=SUBJECT,
            actor=decider,
            recorded_at=recorded_at,
            reason=reason,
            identity_level=identity_level,
        )
    return Pause(shown_actor(decider), event.recorded_at, reason, event.seq)


def resume(
    store: Store,
    *,
    reason: str,
    actor: str,
    rules: ApprovalRules,
    recorded_at: datetime,
    identity_level: str = "os_user",
    signature: str | None = None,
) -> Pause:
    """Let payouts run again. Returns the pause that ended.

    signature: over ``resume_message``.
    Raises: DecisionRefusedError without the role finance or admin or a reason, for the person who
    paused or one who is not known surely enough, or when payouts are not paused.
    """
    decider, reason = _decider(rules, actor, "resume payouts"), written(reason, "the reason")
    refuse_secrets(reason, "the reason")
    with store.write() as connection:
        ended, event = is_paused(connection), _last(connection)
        if ended is None or event is None:
            raise DecisionRefusedError("payouts are not paused; nothing was recorded")
        if decider == event.actor:
            raise DecisionRefusedError(
                f"{actor} paused payouts; another person of finance or admin resumes them (four "
                "eyes). Nothing was recorded"
            )
        proof = proved(
            rules,
            kind=_RESUMED,
            subject=SUBJECT,
            payload={"pause": ended.seq},
            actor=decider,
            at=recorded_at,
            identity_level=identity_level,
            signature=signature,
        )
        events.append(
            connection,
            kind=_RESUMED,
            subject=SUBJECT,
            actor=decider,
            recorded_at=recorded_at,
            payload=proof.payload,
            reason=reason,
            identity_level=proof.identity_level,
        )
    return ended


def resume_message(connection: Connection, actor: str) -> str:
    """What ``actor`` signs to end the running pause.

    Raises: DecisionRefusedError when payouts are not paused.
    """
    running = is_paused(connection)
    if running is None:
        raise DecisionRefusedError("payouts are not paused; nothing was recorded")
    return decision_message(_RESUMED, SUBJECT, {"pause": running.seq}, actor)


def last_resumption(connection: Connection) -> int:
    """Number of the event that let payouts run again last; 0 when they were never paused."""
    return events.last_of_kind(connection, _RESUMED)


def _last(connection: Connection) -> events.Event | None:
    found = events.of_subject(connection, SUBJECT)
    return found[-1] if found else None


def _decider(rules: ApprovalRules, actor: str, verb: str) -> str:
    decider = identifier(person(actor), "the person who decides")
    if not any(rules.has_role(decider, role) for role in _ROLES):
        raise DecisionRefusedError(
            f"{actor} may not {verb}: roles in program.yml name nobody of that name for "
            f"{' or '.join(_ROLES)}"
        )
    return decider
