"""Applying a bank's or provider's file: outcomes, returns and states in one transaction.

What belongs here: guards, write order, what a file is to its second reading. What does not: the
formats (``reading``) and the decision on each line (``planning``).
Source: payouts reference 3.1 and 4.5; I17, I19. Decisions 0051 and 0052.

Order: journal segment with the returns (temp → fsync → rename), then one transaction with the file,
the outcomes, one event per batch, the segment, and what partners must be asked. A crash before the
commit leaves a segment that no reader sees; the next reading of the file does everything again.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from payouts import events, journal, periods, segments
from payouts.checkpoints import reached
from payouts.errors import ControlBusyError, DecisionRefusedError, SettlementError
from payouts.export_files import discard_unregistered_export
from payouts.hashing import sha256_bytes
from payouts.holds import check_decider
from payouts.lead_rows import HashedTable, insert_row
from payouts.outcome_rows import insert_rows, rows_sha256
from payouts.outcomes import TERMINAL_STATES, all_item_states
from payouts.payees import payer_last_fours
from payouts.records import append_batch_event, list_batches, load_state
from payouts.return_entries import PayoutReturn, write_return_segment
from payouts.schema import settlement_files
from payouts.segments import SegmentFile
from payouts.settlement.asking import ask_partners
from payouts.settlement.earlier_files import confirmed_by_others, debit_days
from payouts.settlement.outcome import looks_like_iban
from payouts.settlement.planning import (
    STATEMENTS,
    Discrepancy,
    Plan,
    PlannedOutcome,
    Situation,
    plan_outcomes,
)
from payouts.settlement.reading import read_outcomes
from payouts.settlement.references import load_references
from payouts.states import CLOSED, EXPORTED_STATES, SENT
from payouts.store import Store
from payouts.terms import ApprovalRules, person
from payouts.texts import holds_secret

SETTLEMENTS = HashedTable(
    settlement_files, "settlement_read", "settlement_id", "set",
    ("seq", "file_sha256", "file_format", "file_name", "file_bytes", "lines"),
)  # fmt: skip
SEGMENT_ORIGIN = "settlement"
SETTLER_ROLE = "finance"
# Somebody decides while a file is read: planned again on what is true then.
_ATTEMPTS = 3
_RECORDED_DISCREPANCIES = 10_000
_LONG_NUMBER = re.compile(r"(?<![0-9-])[0-9]{3,}(?: [0-9]{3,}){2,}|[0-9]{9,}")
_IBAN_IN_NAME = re.compile(
    r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}(?: ?[A-Za-z0-9]){11,30}(?![A-Za-z0-9])"
)


@dataclass(frozen=True)
class BatchAfter:
    """A batch that a file moved. open_payouts: those without an end yet."""

    batch_id: str
    state: str
    applied: int
    open_payouts: int


@dataclass(frozen=True)
class SettleResult:
    """What a file changed. ``is_new`` is False when the same bytes had been read before.

    returned_amount_minor: by currency, what went back to balances. asked_partners: whose details
    are to be checked or changed. stale_batches: live ones that would have paid them.
    """

    settlement_id: str
    is_new: bool
    file_format: str
    lines: int
    outcomes: dict[str, int]
    known: int
    unrelated: int
    discrepancies: tuple[Discrepancy, ...]
    batches: tuple[BatchAfter, ...]
    returned_amount_minor: dict[str, int]
    asked_partners: tuple[str, ...]
    stale_batches: tuple[str, ...]
    segment: int | None


@dataclass(frozen=True)
class _File:
    """A file that was read, before anything is known of its payouts."""

    name: str
    content: bytes
    sha256: str
    file_format: str
    outcomes: list


@dataclass(frozen=True)
class _Prepared:
    head: events.Head
    earlier_id: str | None
    plan: Plan
    segment: SegmentFile | None
    returns: dict[str, PayoutReturn]
    recorded_at: datetime | None


def settle(
    store: Store,
    home: Path,
    content: bytes,
    file_name: str,
    *,
    actor: str,
    rules: ApprovalRules,
    timezone: str,
    read_at: datetime,
    file_format: str | None = None,
    only_batch: str | None = None,
    recorded_at: datetime | None = None,
    identity_level: str = "os_user",
) -> SettleResult:
    """Read a file of a bank or provider and apply what it says about exported payouts.

    rules: the actor must have the role finance. timezone: of the programme, for the day on which a
    return without value date counts. read_at: the wall clock, naive UTC. file_format: one of
    ``reading.FORMATS``, None detects it. only_batch: lines of other batches are not applied.
    recorded_at: the ledger's time of the returns (J3); default the end of the last posted night.
    The same bytes again change nothing, unless a line could not be applied before and can be now.
    Raises: SettlementFileError, DecisionRefusedError, SettlementError, StorageError,
    ControlBusyError, ChainBrokenError. Nothing was applied then.
    """
    settler = _checked_settler(actor, rules)
    found_format, outcomes = read_outcomes(content, file_name, file_format)
    file = _File(shown_file_name(file_name), content, sha256_bytes(content), found_format, outcomes)
    with segments.files_lock(home):
        for _ in range(_ATTEMPTS):
            prepared = _prepare(
                store, home, file, timezone, read_at, only_batch, recorded_at, settler
            )
            if prepared.earlier_id is not None and not prepared.plan.applied:
                return _result(prepared, prepared.earlier_id, file, (), (), ())
            with store.write() as writer:
                if events.head(writer) != prepared.head:
                    continue
                result = _register(writer, home, file, prepared, settler, read_at, identity_level)
                reached("settlement_before_commit")
            reached("settlement_after_commit")
            for batch_id in result.stale_batches:
                discard_unregistered_export(store, home, batch_id)
            return result
    raise ControlBusyError(
        f"decisions keep being recorded while {file.name} is applied; nothing was applied. Run "
        "again"
    )


def confirm_sent(
    store: Store,
    batch_id: str,
    *,
    reference: str,
    actor: str,
    rules: ApprovalRules,
    recorded_at: datetime,
    identity_level: str = "os_user",
) -> str:
    """Record that the bank or provider accepted a batch's file. Returns the batch's state.

    reference: of the bank for the upload, kept with the event: no account number.
    Raises: DecisionRefusedError when the batch is not exported, or the reference is none.
    """
    settler = _checked_settler(actor, rules)
    shown = " ".join(reference.split())
    if not shown or len(shown) > 100 or holds_secret(shown) or not shown.isprintable():
        raise DecisionRefusedError(
            "the bank's reference is missing, too long, or an account number: give the number that "
            "the bank showed for the upload, at most 100 characters, and of a number as long as an "
            "account's its last eight digits. Nothing was recorded"
        )
    with store.write() as connection:
        after = append_batch_event(
            connection,
            load_state(connection, batch_id),
            kind="batch_sent",
            actor=settler,
            recorded_at=recorded_at,
            payload={"reference": shown},
            identity_level=identity_level,
        )
    return after.state


def shown_file_name(file_name: str) -> str:
    """The name under which a file is kept: no folder, no account number, no long number (I24).

    Those are found in groups too, as people write them: with spaces.
    """
    name = _masked_ibans(Path(file_name).name)
    shown = _LONG_NUMBER.sub(lambda found: f"…{found[0][-4:]}", name)
    return "".join(character for character in shown if character.isprintable())[:120] or "file"


def _masked_ibans(name: str) -> str:
    return _IBAN_IN_NAME.sub(lambda found: "…" if _begins_with_iban(found[0]) else found[0], name)


def _begins_with_iban(text: str) -> bool:
    plain = text.replace(" ", "")
    return any(looks_like_iban(plain[:length]) for length in range(15, len(plain) + 1))


def local_day(instant: datetime, timezone: str) -> date:
    """The programme's day of a naive UTC instant."""
    return instant.replace(tzinfo=UTC).astimezone(ZoneInfo(timezone)).date()


def ledger_time(connection: Connection, recorded_at: datetime | None) -> datetime:
    """The ledger's time of entries that no night posts (J3): the end of the last night's day.

    Raises: SettlementError before the first night.
    """
    night = journal.last_night(connection)
    if recorded_at is None and night is None:
        raise SettlementError("nothing can go back to a balance before a night was posted")
    return recorded_at or night.recorded_at


def _checked_settler(actor: str, rules: ApprovalRules) -> str:
    check_decider(rules, actor, "settlement", "settle payouts")
    if not rules.has_role(actor, SETTLER_ROLE):
        raise DecisionRefusedError(
            f"{actor} may not settle payouts: roles.{SETTLER_ROLE} in program.yml names nobody of "
            "that name. Nothing was recorded"
        )
    return person(actor)


def _prepare(
    store: Store,
    home: Path,
    file: _File,
    timezone: str,
    read_at: datetime,
    only_batch: str | None,
    recorded_at: datetime | None,
    settler: str,
) -> _Prepared:
    """Plan the file on what is known now, and write the segment of its returns."""
    today = local_day(read_at, timezone)
    with store.read() as reader:
        head = events.head(reader)
        if only_batch is not None:
            load_state(reader, only_batch)
        earlier_id = reader.execute(
            select(settlement_files.c.settlement_id).where(
                settlement_files.c.file_sha256 == file.sha256
            )
        ).scalar()
        plan = plan_outcomes(
            file.outcomes, _situation(reader, home, file, today, only_batch, settler)
        )
        registered = segments.records(reader)
        last_closed = periods.last_closed(reader)
        returns = {
            planned.item.payout_id: _payout_return(planned, today, file.sha256)
            for planned in plan.applied
            if planned.gives_back
        }
        posted_at = ledger_time(reader, recorded_at) if returns else None
    segments.set_orphans_aside(home, registered)
    segment = (
        write_return_segment(home, list(returns.values()), registered, posted_at, last_closed)
        if returns
        else None
    )
    return _Prepared(head, earlier_id, plan, segment, returns, posted_at)


def _situation(
    reader: Connection,
    home: Path,
    file: _File,
    today: date,
    only_batch: str | None,
    settler: str,
) -> Situation:
    items = all_item_states(reader)
    exported = list_batches(reader, EXPORTED_STATES)
    return Situation(
        items=items,
        references=load_references(reader, home, items, file.outcomes),
        cutoff_dates={batch.batch_id: batch.cutoff_date for batch in exported},
        last_days={batch.batch_id: max(today, batch.pay_date) for batch in exported},
        file_format=file.file_format,
        read_on=today,
        debit_days=debit_days(reader) if file.file_format in STATEMENTS else {},
        confirmed=confirmed_by_others(reader, settler),
        only_batch=only_batch,
        payer_last_four=payer_last_fours(reader),
        rails={batch.batch_id: batch.rail for batch in exported},
    )


def _payout_return(planned: PlannedOutcome, today: date, file_sha256: str) -> PayoutReturn:
    item, outcome = planned.item, planned.outcome
    return PayoutReturn(
        payout_id=item.payout_id,
        partner_id=item.partner_id,
        batch_id=item.batch_id,
        amount_minor=item.amount_minor,
        currency_code=item.currency_code,
        effective_date=outcome.value_date or today,
        outcome=outcome.outcome,
        reason_code=outcome.reason_code,
        evidence_sha256=file_sha256,
    )


def _register(
    connection: Connection,
    home: Path,
    file: _File,
    prepared: _Prepared,
    settler: str,
    read_at: datetime,
    identity_level: str,
) -> SettleResult:
    """Everything that a file changes, in the caller's transaction."""
    said = {"actor": settler, "recorded_at": read_at, "identity_level": identity_level}
    settlement_id = prepared.earlier_id or _insert_file(connection, file, prepared.plan, said)
    if prepared.segment is not None:
        segments.register(
            connection,
            prepared.segment,
            origin=SEGMENT_ORIGIN,
            origin_id=settlement_id,
            actor=settler,
            recorded_at=prepared.recorded_at,
            registered_at=read_at,
        )
    by_batch: dict[str, list[PlannedOutcome]] = {}
    for planned in prepared.plan.applied:
        by_batch.setdefault(planned.item.batch_id, []).append(planned)
    batches = tuple(
        _record_batch(connection, batch_id, applied, prepared, file, settlement_id, said)
        for batch_id, applied in sorted(by_batch.items())
    )
    asked, stale = ask_partners(connection, home, prepared.plan.applied, said)
    return _result(prepared, settlement_id, file, batches, asked, stale)


def _insert_file(connection: Connection, file: _File, plan: Plan, said: dict[str, Any]) -> str:
    settlement_id, _ = insert_row(
        connection,
        SETTLEMENTS,
        {
            "file_sha256": file.sha256,
            "file_format": file.file_format,
            "file_name": file.name,
            "file_bytes": len(file.content),
            "lines": len(file.outcomes),
        },
        subject=f"settlement:{file.sha256[:12]}",
        payload={
            "applied": len(plan.applied),
            "known": plan.known,
            "unrelated": plan.unrelated,
            "discrepancies": [vars(each) for each in plan.discrepancies[:_RECORDED_DISCREPANCIES]],
            "discrepancies_count": len(plan.discrepancies),
            "debits": [[payout_id, day.isoformat()] for payout_id, day in plan.debits],
        },
        **said,
    )
    return settlement_id


def _record_batch(
    connection: Connection,
    batch_id: str,
    applied: list[PlannedOutcome],
    prepared: _Prepared,
    file: _File,
    settlement_id: str,
    said: dict[str, Any],
) -> BatchAfter:
    """The rows of one batch and the event that proves them and moves the batch."""
    seq = events.head(connection).seq + 1
    rows = [
        _row(planned, seq, number, settlement_id, prepared.returns)
        for number, planned in enumerate(applied, start=1)
    ]
    counts = Counter(planned.outcome.outcome for planned in applied)
    still_open = _open_after(connection, batch_id, applied)
    after = append_batch_event(
        connection,
        load_state(connection, batch_id),
        kind="batch_outcomes",
        payload={
            "state": SENT if still_open else CLOSED,
            "settlement_id": settlement_id,
            "file_sha256": file.sha256,
            "outcomes": dict(sorted(counts.items())),
            "rows_sha256": rows_sha256(rows),
            "segment": prepared.segment.segment if prepared.segment else None,
        },
        **said,
    )
    insert_rows(connection, rows)
    return BatchAfter(batch_id, after.state, len(rows), still_open)


def _row(
    planned: PlannedOutcome,
    seq: int,
    number: int,
    settlement_id: str,
    returns: dict[str, PayoutReturn],
) -> dict[str, Any]:
    item, outcome = planned.item, planned.outcome
    return {
        "seq": seq,
        "number": number,
        "payout_id": item.payout_id,
        "batch_id": item.batch_id,
        "outcome": outcome.outcome,
        "amount_minor": item.amount_minor,
        "currency_code": item.currency_code,
        "value_date": outcome.value_date.isoformat() if outcome.value_date else None,
        "reason_code": outcome.reason_code,
        "reference": outcome.reference,
        "settlement_id": settlement_id,
        "line": outcome.line,
        "return_entry_id": returns[item.payout_id].entry_id if planned.gives_back else None,
    }


def _open_after(connection: Connection, batch_id: str, applied: list[PlannedOutcome]) -> int:
    """Payouts of a batch that have no end after these outcomes."""
    ended = {
        planned.item.payout_id for planned in applied if planned.outcome.outcome in TERMINAL_STATES
    }
    items = all_item_states(connection, [batch_id]).values()
    return sum(not item.is_terminal and item.payout_id not in ended for item in items)


def _result(
    prepared: _Prepared,
    settlement_id: str,
    file: _File,
    batches: tuple[BatchAfter, ...],
    asked: tuple[str, ...],
    stale: tuple[str, ...],
) -> SettleResult:
    plan = prepared.plan
    returned: Counter[str] = Counter()
    for each in prepared.returns.values():
        returned[each.currency_code] += each.amount_minor
    return SettleResult(
        settlement_id=settlement_id,
        is_new=prepared.earlier_id is None,
        file_format=file.file_format,
        lines=len(file.outcomes),
        outcomes=dict(sorted(Counter(p.outcome.outcome for p in plan.applied).items())),
        known=plan.known,
        unrelated=plan.unrelated,
        discrepancies=tuple(plan.discrepancies),
        batches=batches,
        returned_amount_minor=dict(returned),
        asked_partners=asked,
        stale_batches=stale,
        segment=prepared.segment.segment if prepared.segment else None,
    )
