"""Holds on a line, a lead or a partner: not payable while open; balances do not change (P1).

What belongs here: opening, releasing and listing holds that people decide.
What does not: holds that follow from facts, such as an open dispute; they come with the entries.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from payouts import events
from payouts.claims import claims_path
from payouts.errors import DecisionRefusedError
from payouts.export_files import discard_unregistered_export
from payouts.parquet import memory_connection, parquet_scan
from payouts.records import append_batch_event, list_batches, load_state
from payouts.states import LIVE_STATES
from payouts.store import Store
from payouts.terms import ROLES, ApprovalRules, person

SUBJECT_COLUMNS = {"line": "commission_id", "lead": "lead_id", "partner": "partner_id"}
_OPENED, _RELEASED = "hold_opened", "hold_released"


@dataclass(frozen=True)
class Hold:
    """One hold. ``subject_id`` is a commission id, a lead id or a partner id."""

    hold_id: str
    subject_type: str
    subject_id: str
    reason: str
    is_open: bool
    opened_at: str


def load_holds(connection: Connection) -> list[Hold]:
    """All holds, oldest first, open or not."""
    opened = {}
    for event in events.of_kinds(connection, (_OPENED, _RELEASED)):
        hold_id = event.subject.removeprefix("hold:")
        if event.kind == _OPENED:
            subject_type, subject_id = event.payload["subject_type"], event.payload["subject_id"]
            opened[hold_id] = Hold(
                hold_id, subject_type, subject_id, event.reason, True, event.recorded_at
            )
        else:
            opened[hold_id] = Hold(**{**vars(opened[hold_id]), "is_open": False})
    return list(opened.values())


def open_hold(
    store: Store,
    home: Path,
    *,
    subject_type: str,
    subject_id: str,
    reason: str,
    actor: str,
    rules: ApprovalRules,
    recorded_at: datetime,
    identity_level: str = "os_user",
) -> tuple[Hold, list[str]]:
    """Open a hold; live batches that would pay what is held go stale in the same transaction.

    Returns the hold and the ids of those batches; their entries are free for the next proposal.
    Raises: DecisionRefusedError for an unknown subject type, a missing reason or role, or when the
    same hold is open already.
    """
    if subject_type not in SUBJECT_COLUMNS or not subject_id:
        raise DecisionRefusedError(
            f"a hold is on a {', '.join(SUBJECT_COLUMNS)} with its id, not on "
            f"{subject_type!r} {subject_id!r}"
        )
    check_decider(rules, actor, reason, "hold")
    with store.write() as connection:
        for hold in load_holds(connection):
            if hold.is_open and (hold.subject_type, hold.subject_id, hold.reason) == (
                subject_type,
                subject_id,
                reason,
            ):
                raise DecisionRefusedError(
                    f"{subject_type} {subject_id} is held for that reason already: {hold.hold_id}"
                )
        number = events.head(connection).seq + 1
        event = events.append(
            connection,
            kind=_OPENED,
            subject=f"hold:h-{number}",
            actor=person(actor),
            recorded_at=recorded_at,
            payload={"subject_type": subject_type, "subject_id": subject_id},
            reason=reason,
            identity_level=identity_level,
        )
        hold = Hold(f"h-{number}", subject_type, subject_id, reason, True, event.recorded_at)
        stale = []
        for summary in list_batches(connection, LIVE_STATES):
            if held_entries(home, summary.batch_id, [hold]):
                append_batch_event(
                    connection,
                    load_state(connection, summary.batch_id),
                    kind="batch_stale",
                    actor="system:hold",
                    recorded_at=recorded_at,
                    payload={"reasons": [f"hold {hold.hold_id} was opened"]},
                    reason=f"hold {hold.hold_id} was opened",
                )
                stale.append(summary.batch_id)
    for batch_id in stale:
        discard_unregistered_export(store, home, batch_id)
    return hold, stale


def release_hold(
    store: Store,
    hold_id: str,
    *,
    reason: str,
    actor: str,
    rules: ApprovalRules,
    recorded_at: datetime,
    identity_level: str = "os_user",
) -> Hold:
    """Release an open hold; what was held is payable again from the next proposal on.

    Raises: DecisionRefusedError when there is no such open hold, or a reason or role is missing.
    """
    check_decider(rules, actor, reason, "release")
    with store.write() as connection:
        hold = {hold.hold_id: hold for hold in load_holds(connection)}.get(hold_id)
        if hold is None or not hold.is_open:
            raise DecisionRefusedError(f"there is no open hold {hold_id!r}; nothing was recorded")
        events.append(
            connection,
            kind=_RELEASED,
            subject=f"hold:{hold_id}",
            actor=person(actor),
            recorded_at=recorded_at,
            reason=reason,
            identity_level=identity_level,
        )
    return Hold(**{**vars(hold), "is_open": False})


def check_decider(rules: ApprovalRules, actor: str, reason: str, verb: str) -> None:
    """Refuse a decision without a reason, or by somebody who may not approve batches.

    Raises: DecisionRefusedError.
    """
    if not reason.strip():
        raise DecisionRefusedError(f"a {verb} needs a reason; nothing was recorded")
    if not any(rules.has_role(actor, role) for role in ROLES):
        raise DecisionRefusedError(
            f"{actor} may not {verb}: roles in program.yml name nobody of that name for "
            "partnerships or finance"
        )


def held_entries(home: Path, batch_id: str, open_holds: list[Hold]) -> int:
    """Number of entries of a batch that some of these holds cover."""
    conditions = []
    values = []
    for hold in open_holds:
        conditions.append(f"{SUBJECT_COLUMNS[hold.subject_type]} = ?")
        values.append(hold.subject_id)
    if not conditions:
        return 0
    connection = memory_connection()
    try:
        return connection.execute(
            f"select count(*) from {parquet_scan([claims_path(home, batch_id)])} "
            f"where {' or '.join(conditions)}",
            values,
        ).fetchone()[0]
    finally:
        connection.close()
