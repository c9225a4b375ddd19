"""Aborting an exported batch whose file never reached the bank: two people, with evidence.

What belongs here: the request, the second person's decision, and what goes back to balances.
What does not: rejecting a batch that was not exported (``approvals``).
Source: payouts reference 3.1. Decision 0053.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, select

from payouts import events, periods, segments
from payouts.checkpoints import reached
from payouts.durable import storage_errors
from payouts.errors import ControlBusyError, DecisionRefusedError
from payouts.hashing import sha256_text
from payouts.holds import check_decider
from payouts.outcome_rows import insert_rows, rows_sha256
from payouts.outcomes import ABORTED as ITEM_ABORTED
from payouts.outcomes import ItemState, item_states
from payouts.records import append_batch_event, load_content, load_state, subject
from payouts.return_entries import PayoutReturn, write_return_segment
from payouts.schema import export_files
from payouts.segments import SegmentFile
from payouts.settlement.applying import ledger_time, local_day
from payouts.signed_decisions import Proof, decision_message, proved
from payouts.states import ABORT, ABORTED, LIVE_STATES, REQUEST_ABORT, BatchState, check_transition
from payouts.store import Store
from payouts.terms import ApprovalRules, person
from payouts.texts import refuse_secrets, written

SEGMENT_ORIGIN = "abort"
_REQUESTED, _ABORTED = "batch_abort_requested", "batch_aborted"
_ATTEMPTS = 3


@dataclass(frozen=True)
class AbortResult:
    """A batch after an abort. returned_amount_minor: what went back; 0 when it was aborted before.

    removed_files: payout files that were deleted, so that nobody uploads them.
    """

    batch_id: str
    state: str
    items: int
    returned_amount_minor: int
    currency_code: str
    segment: int | None
    removed_files: tuple[str, ...]


def request_abort(
    store: Store,
    batch_id: str,
    *,
    reason: str,
    evidence: str,
    actor: str,
    rules: ApprovalRules,
    recorded_at: datetime,
    identity_level: str = "os_user",
    signature: str | None = None,
) -> BatchState:
    """Ask for an exported batch to be aborted; it changes nothing until somebody else agrees.

    evidence: what proves that the bank never took the file. Asking again replaces the request.
    signature: over ``abort_message``; whoever asks is known as surely as who approves the batch.
    Raises: DecisionRefusedError without role, reason or evidence, or when the batch is not
    exported, or its file was sent, or the person is not known surely enough.
    """
    reason = check_decider(rules, actor, reason, "abort")
    payload = {"evidence": _evidence(evidence)}
    with store.write() as connection:
        state = load_state(connection, batch_id)
        _check_exported(state, REQUEST_ABORT)
        proof = _proof(
            connection, state, _REQUESTED, payload, rules, person(actor), recorded_at,
            identity_level, signature,
        )  # fmt: skip
        return append_batch_event(
            connection,
            state,
            kind=_REQUESTED,
            actor=person(actor),
            recorded_at=recorded_at,
            payload=proof.payload,
            reason=reason,
            identity_level=proof.identity_level,
        )


def asks_first(state: BatchState, actor: str) -> bool:
    """Whether this person would ask for the abort, and not agree to what another one asked for."""
    return state.abort_requested_by in (None, person(actor))


def abort_message(state: BatchState, *, evidence: str, actor: str) -> str:
    """What ``actor`` signs to ask for the abort, or to agree: ``asks_first`` says which of them.

    Raises: DecisionRefusedError when the evidence cannot be kept.
    """
    if asks_first(state, actor):
        payload, kind = {"evidence": _evidence(evidence)}, _REQUESTED
    else:
        payload, kind = _agreement(state, _evidence(evidence)), _ABORTED
    return decision_message(kind, subject(state.batch_id), payload, actor)


def abort(
    store: Store,
    home: Path,
    batch_id: str,
    *,
    reason: str,
    evidence: str,
    actor: str,
    rules: ApprovalRules,
    timezone: str,
    recorded_at: datetime,
    posted_at: datetime | None = None,
    identity_level: str = "os_user",
    signature: str | None = None,
) -> AbortResult:
    """Abort a batch that another person asked to abort: every payout goes back to its balance.

    timezone: of the programme, whose local day is the effective date of the returns. recorded_at:
    the wall clock, naive UTC. posted_at: the ledger's time (J3); default the end of the last night.
    signature: over ``abort_message``.
    Called again it finishes what a crash left, and posts nothing.
    Raises: DecisionRefusedError, StorageError, ControlBusyError, ChainBrokenError.
    """
    reason = check_decider(rules, actor, reason, "abort")
    text = _evidence(evidence)
    with segments.files_lock(home):
        for _ in range(_ATTEMPTS):
            with store.read() as reader:
                head = events.head(reader)
                state = load_state(reader, batch_id)
                items = item_states(reader, batch_id)
                cutoff_date = load_content(reader, batch_id).cutoff_date
                if state.state == ABORTED:
                    return _result(store, home, state, items, None, 0)
                _check_second(state, actor)
                proof = _proof(
                    reader, state, _ABORTED, _agreement(state, text), rules, person(actor),
                    recorded_at, identity_level, signature,
                )  # fmt: skip
                registered = segments.records(reader)
                last_closed = periods.last_closed(reader)
                entries_at = ledger_time(reader, posted_at)
            segments.set_orphans_aside(home, registered)
            returns = _returns(items, local_day(recorded_at, timezone), cutoff_date, text)
            segment = write_return_segment(home, returns, registered, entries_at, last_closed)
            with store.write() as writer:
                if events.head(writer) != head:
                    continue
                after = _register(
                    writer, state, returns, segment, proof, reason, person(actor),
                    recorded_at, entries_at,
                )  # fmt: skip
                reached("abort_before_commit")
            reached("abort_after_commit")
            total = sum(each.amount_minor for each in returns)
            return _result(store, home, after, items, segment.segment, total)
    raise ControlBusyError(
        f"decisions keep being recorded while batch {batch_id} is aborted; nothing was recorded. "
        "Run again"
    )


def _agreement(state: BatchState, evidence: str) -> dict[str, Any]:
    return {"evidence": evidence, "requested_by": state.abort_requested_by}


def _proof(
    connection: Connection,
    state: BatchState,
    kind: str,
    payload: dict[str, Any],
    rules: ApprovalRules,
    decider: str,
    recorded_at: datetime,
    identity_level: str,
    signature: str | None,
) -> Proof:
    """An abort that is not true pays twice: it asks for what approving the batch asked for."""
    content = load_content(connection, state.batch_id)
    return proved(
        rules,
        kind=kind,
        subject=subject(state.batch_id),
        payload=payload,
        actor=decider,
        at=recorded_at,
        identity_level=identity_level,
        signature=signature,
        least=rules.identity_for(content.total_amount_minor, content.currency_code),
    )


def _evidence(evidence: str) -> str:
    text = written(evidence, "the evidence")
    refuse_secrets(text, "the evidence")
    return text


def _check_exported(state: BatchState, event: str) -> None:
    if state.state in LIVE_STATES:
        raise DecisionRefusedError(
            f"batch {state.batch_id} is {state.state} and was never exported: use partnerledger "
            "batches reject"
        )
    check_transition(state.batch_id, state.state, event)


def _check_second(state: BatchState, actor: str) -> None:
    _check_exported(state, ABORT)
    if state.abort_requested_by is None:
        raise DecisionRefusedError(
            f"nobody has asked to abort batch {state.batch_id}; one person asks, another agrees"
        )
    if person(actor) == person(state.abort_requested_by):
        raise DecisionRefusedError(
            f"{actor} asked to abort batch {state.batch_id} and may not agree to it (four eyes); "
            "another person of partnerships or finance must. Nothing was recorded"
        )


def _returns(
    items: dict[str, ItemState], today: date, cutoff_date: date, evidence: str
) -> list[PayoutReturn]:
    """One return per payout, payable again by the cut-off that the batch had: nothing was sent."""
    return [
        PayoutReturn(
            payout_id=item.payout_id,
            partner_id=item.partner_id,
            batch_id=item.batch_id,
            amount_minor=item.amount_minor,
            currency_code=item.currency_code,
            effective_date=today,
            outcome=ITEM_ABORTED,
            reason_code=None,
            evidence_sha256=sha256_text(evidence),
            available_date=cutoff_date,
        )
        for item in items.values()
    ]


def _register(
    connection: Connection,
    state: BatchState,
    returns: list[PayoutReturn],
    segment: SegmentFile,
    proof: Proof,
    reason: str,
    decider: str,
    recorded_at: datetime,
    entries_at: datetime,
) -> BatchState:
    segments.register(
        connection,
        segment,
        origin=SEGMENT_ORIGIN,
        origin_id=state.batch_id,
        actor=decider,
        recorded_at=entries_at,
        registered_at=recorded_at,
    )
    seq = events.head(connection).seq + 1
    rows = [_row(each, seq, number) for number, each in enumerate(returns, start=1)]
    after = append_batch_event(
        connection,
        state,
        kind=_ABORTED,
        actor=decider,
        recorded_at=recorded_at,
        payload={
            **proof.payload,
            "rows_sha256": rows_sha256(rows),
            "segment": segment.segment,
        },
        reason=reason,
        identity_level=proof.identity_level,
    )
    insert_rows(connection, rows)
    return after


def _row(each: PayoutReturn, seq: int, number: int) -> dict[str, Any]:
    return {
        "seq": seq,
        "number": number,
        "payout_id": each.payout_id,
        "batch_id": each.batch_id,
        "outcome": ITEM_ABORTED,
        "amount_minor": each.amount_minor,
        "currency_code": each.currency_code,
        "value_date": each.effective_date.isoformat(),
        "reason_code": None,
        "reference": None,
        "settlement_id": None,
        "line": None,
        "return_entry_id": each.entry_id,
    }


def _result(
    store: Store,
    home: Path,
    state: BatchState,
    items: dict[str, ItemState],
    segment: int | None,
    total: int,
) -> AbortResult:
    (currency_code,) = {item.currency_code for item in items.values()}
    return AbortResult(
        batch_id=state.batch_id,
        state=state.state,
        items=len(items),
        returned_amount_minor=total,
        currency_code=currency_code,
        segment=segment,
        removed_files=_remove_payout_files(store, home, state.batch_id),
    )


def _remove_payout_files(store: Store, home: Path, batch_id: str) -> tuple[str, ...]:
    """A file that nobody may pay must not lie where payable files lie; its manifest stays."""
    with store.read() as connection:
        paths = (
            connection.execute(
                select(export_files.c.file_path)
                .where(export_files.c.batch_id == batch_id)
                .order_by(export_files.c.part)
            )
            .scalars()
            .all()
        )
    removed = []
    for path in paths:
        with storage_errors(home / path, "folder of payout file"):
            if (home / path).is_file():
                (home / path).unlink()
                removed.append(path)
    return tuple(removed)
