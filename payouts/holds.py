"""Holds on a line, a lead or a partner: not payable while open; balances do not change (P1).

What belongs here: opening, releasing and listing holds that people decide.
What does not: opening those of risk signals (``signal_holds``) and of disputes (``disputes``), and
holds that follow from facts, such as an open chargeback; they come with the entries.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from payouts import events
from payouts.claims import claims_path, claims_scan
from payouts.errors import DecisionRefusedError
from payouts.export_files import discard_unregistered_export
from payouts.lead_joins import former_lead_ids
from payouts.parquet import memory_connection
from payouts.payee_state import DETAILS_APPROVED, PARTNER_PREFIX, RECORDED
from payouts.records import append_batch_event, list_batches, load_state
from payouts.signed_decisions import decision_message, proved
from payouts.states import LIVE_STATES
from payouts.store import Store
from payouts.terms import ROLES, ApprovalRules, person
from payouts.texts import refuse_secrets, written

# A hold on a line is on what takes back from it too (R10): ``line_id`` names the line of both.
SUBJECT_COLUMNS = {
    "line": ("commission_id", "line_id"),
    "lead": ("lead_id",),
    "partner": ("partner_id",),
}
_OPENED, _RELEASED = "hold_opened", "hold_released"
# Why a partner is held whose payment came back, or whose bank has a doubt about its account.
PAYEE_DETAILS = "payee_details"
_NAMED_HOLDS = 10


@dataclass(frozen=True)
class Hold:
    """One hold. ``subject_id`` is a commission id, a lead id or a partner id.

    ``signal_id`` is the risk signal that opened it; None for a hold of a person. ``dispute_id`` is
    the dispute that it lasts as long as. ``payout_id`` is the payout that came back, or that the
    bank has a doubt about: such a hold ends as well once the partner's details were checked anew.
    """

    hold_id: str
    subject_type: str
    subject_id: str
    reason: str
    is_open: bool
    opened_at: str
    signal_id: str | None = None
    dispute_id: str | None = None
    payout_id: str | None = None


def load_holds(connection: Connection) -> list[Hold]:
    """All holds, oldest first, open or not."""
    opened: dict[str, Hold] = {}
    for event in events.of_kinds(connection, (_OPENED, _RELEASED, RECORDED, DETAILS_APPROVED)):
        if event.kind in (RECORDED, DETAILS_APPROVED):
            _end_with_details(opened, event)
            continue
        hold_id = event.subject.removeprefix("hold:")
        if event.kind == _OPENED:
            opened[hold_id] = Hold(
                hold_id,
                event.payload["subject_type"],
                event.payload["subject_id"],
                event.reason,
                True,
                event.recorded_at,
                event.payload.get("signal_id"),
                event.payload.get("dispute_id"),
                event.payload.get("payout_id"),
            )
        else:
            opened[hold_id] = replace(opened[hold_id], is_open=False)
    return list(opened.values())


def _end_with_details(opened: dict[str, Hold], event: events.Event) -> None:
    """New details that were approved, or a check that was recorded, answer a payout's return."""
    if event.kind == RECORDED and event.payload.get("payee_verified") is not True:
        return
    partner_id = event.subject.removeprefix(PARTNER_PREFIX)
    for hold_id, hold in opened.items():
        if hold.payout_id and hold.subject_id == partner_id:
            opened[hold_id] = replace(hold, is_open=False)


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
    reason = check_decider(rules, actor, reason, "hold")
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
        hold = append_hold(
            connection,
            {"subject_type": subject_type, "subject_id": subject_id},
            reason=reason,
            actor=person(actor),
            recorded_at=recorded_at,
            identity_level=identity_level,
        )
        stale = make_held_batches_stale(connection, home, [hold], recorded_at)
    for batch_id in stale:
        discard_unregistered_export(store, home, batch_id)
    return hold, stale


def append_hold(
    connection: Connection,
    payload: Mapping[str, str],
    *,
    reason: str,
    actor: str,
    recorded_at: datetime,
    identity_level: str = "os_user",
) -> Hold:
    """Record a hold in the caller's write transaction, which has checked it.

    payload: ``subject_type``, ``subject_id``, and ``signal_id`` for that of a signal,
    ``dispute_id`` for that of a dispute or ``payout_id`` for that of a payout.
    """
    hold_id = f"h-{events.head(connection).seq + 1}"
    event = events.append(
        connection,
        kind=_OPENED,
        subject=f"hold:{hold_id}",
        actor=actor,
        recorded_at=recorded_at,
        payload=payload,
        reason=reason,
        identity_level=identity_level,
    )
    return Hold(
        **payload, hold_id=hold_id, reason=reason, is_open=True, opened_at=event.recorded_at
    )


def make_held_batches_stale(
    connection: Connection, home: Path, opened: list[Hold], recorded_at: datetime
) -> list[str]:
    """Make live batches stale that would pay what these holds cover; return their ids.

    After the commit the caller discards what was written for their export.
    """
    stale = []
    opened = with_former_leads(connection, opened)
    for summary in list_batches(connection, LIVE_STATES):
        covering = _covering_holds(home, summary.batch_id, opened)
        if not covering:
            continue
        reasons = [f"hold {hold.hold_id} was opened" for hold in covering[:_NAMED_HOLDS]]
        if len(covering) > _NAMED_HOLDS:
            reasons.append(f"{len(covering) - _NAMED_HOLDS} more holds were opened")
        append_batch_event(
            connection,
            load_state(connection, summary.batch_id),
            kind="batch_stale",
            actor="system:hold",
            recorded_at=recorded_at,
            payload={"reasons": reasons},
            reason="; ".join(reasons),
        )
        stale.append(summary.batch_id)
    return stale


def release_hold(
    store: Store,
    hold_id: str,
    *,
    reason: str,
    actor: str,
    rules: ApprovalRules,
    recorded_at: datetime,
    identity_level: str = "os_user",
    signature: str | None = None,
) -> Hold:
    """Release an open hold; what was held is payable again from the next proposal on.

    signature: over ``release_message``.
    Raises: DecisionRefusedError when there is no such open hold, a reason or role is missing, the
    person is not known surely enough, or the hold belongs to a dispute, whose end releases it.
    """
    reason = check_decider(rules, actor, reason, "release")
    with store.write() as connection:
        hold = {hold.hold_id: hold for hold in load_holds(connection)}.get(hold_id)
        if hold is None or not hold.is_open:
            raise DecisionRefusedError(f"there is no open hold {hold_id!r}; nothing was recorded")
        if hold.dispute_id:
            raise DecisionRefusedError(
                f"hold {hold_id} lasts as long as dispute {hold.dispute_id}; decide or withdraw "
                "that. Nothing was recorded"
            )
        proof = proved(
            rules,
            kind=_RELEASED,
            subject=f"hold:{hold_id}",
            payload={},
            actor=person(actor),
            at=recorded_at,
            identity_level=identity_level,
            signature=signature,
        )
        append_release(
            connection,
            hold_id,
            reason=reason,
            actor=person(actor),
            recorded_at=recorded_at,
            identity_level=proof.identity_level,
            payload=proof.payload,
        )
    return Hold(**{**vars(hold), "is_open": False})


def release_message(hold_id: str, actor: str) -> str:
    """What ``actor`` signs to release a hold; a hold is released once, a later one is another."""
    return decision_message(_RELEASED, f"hold:{hold_id}", {}, actor)


def append_release(
    connection: Connection,
    hold_id: str,
    *,
    reason: str,
    actor: str,
    recorded_at: datetime,
    identity_level: str = "os_user",
    payload: Mapping[str, Any] | None = None,
) -> None:
    """Record a release in the caller's write transaction, which has checked it.

    payload: the signature, where there is one.
    """
    events.append(
        connection,
        kind=_RELEASED,
        subject=f"hold:{hold_id}",
        actor=actor,
        recorded_at=recorded_at,
        payload=payload,
        reason=reason,
        identity_level=identity_level,
    )


def check_decider(rules: ApprovalRules, actor: str, reason: str, verb: str) -> str:
    """Refuse a decision without a reason, or by somebody who may not approve batches.

    Returns the reason as it is kept: without what nobody sees. Raises: DecisionRefusedError.
    """
    if not reason.strip():
        raise DecisionRefusedError(f"a {verb} needs a reason; nothing was recorded")
    kept = written(reason, "the reason")
    refuse_secrets(kept, "the reason")
    if not any(rules.has_role(actor, role) for role in ROLES):
        raise DecisionRefusedError(
            f"{actor} may not {verb}: roles in program.yml name nobody of that name for "
            "partnerships or finance"
        )
    return kept


def with_former_leads(connection: Connection, holds: list[Hold]) -> list[Hold]:
    """These holds, and each hold on a lead once more per id under which the lead was known.

    A batch claims an entry under the id of its day; the lead may have joined another since.
    """
    return [
        replace(hold, subject_id=subject_id)
        for hold in holds
        for subject_id in (
            sorted(former_lead_ids(connection, hold.subject_id))
            if hold.subject_type == "lead"
            else [hold.subject_id]
        )
    ]


def held_entries(home: Path, batch_id: str, open_holds: list[Hold]) -> int:
    """Number of entries of a batch that some of these holds cover; see `with_former_leads`."""
    if not open_holds:
        return 0
    # One list per column: holds of signals may be thousands, and a long chain of "or" is slow.
    held = [
        [hold.subject_id for hold in open_holds if hold.subject_type == subject_type]
        for subject_type, columns in SUBJECT_COLUMNS.items()
        for _ in columns
    ]
    conditions = " or ".join(
        f"{column} in (select unnest(?::varchar[]))"
        for columns in SUBJECT_COLUMNS.values()
        for column in columns
    )
    connection = memory_connection()
    try:
        return connection.execute(
            f"select count(*) from {claims_scan([claims_path(home, batch_id)])} where {conditions}",
            held,
        ).fetchone()[0]
    finally:
        connection.close()


def _covering_holds(home: Path, batch_id: str, opened: list[Hold]) -> list[Hold]:
    """Those of these holds that cover an entry of the batch."""
    connection = memory_connection()
    try:
        claimed = {
            (subject_type, row[0])
            for subject_type, columns in SUBJECT_COLUMNS.items()
            for column in columns
            for row in connection.execute(
                f"select distinct {column} from {claims_scan([claims_path(home, batch_id)])} "
                f"where {column} in (select unnest(?::varchar[]))",
                [[hold.subject_id for hold in opened if hold.subject_type == subject_type]],
            ).fetchall()
        }
    finally:
        connection.close()
    covering = {
        hold.hold_id: hold for hold in opened if (hold.subject_type, hold.subject_id) in claimed
    }
    return list(covering.values())
