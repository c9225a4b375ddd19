"""Exporting an approved batch: payout file, journal entries and register in one step.

What belongs here: the guards of an export, write order, export again.
What does not: the bytes of a format (``files/``) and approvals.
Source: payouts reference 3.1, 4.5 and 7; I5, I7, I14, I18.

Order: payout file, journal segment, manifest (each temp → fsync → rename), then one transaction
with the export, the segment and the event. A crash before the commit leaves files that do not
exist for any reader; the next export writes the same bytes over them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from payouts import candidates, events, journal, periods, segments
from payouts.approvals import check_enough, check_hash
from payouts.checkpoints import reached
from payouts.durable import write_durably
from payouts.errors import (
    BatchStaleError,
    ControlBusyError,
    ExportDamagedError,
    ExportRefusedError,
)
from payouts.export_files import EXPORT_FOLDER, discard_unregistered_export, private_folder
from payouts.files import csv_file
from payouts.freshness import changed_reasons, expired_reason, mark_stale
from payouts.hashing import canonical_json, instant_text, sha256_file, sha256_text
from payouts.payout_entries import payout_entries_table
from payouts.records import BatchContent, append_batch_event, load_content, load_state
from payouts.schema import exports
from payouts.segments import SegmentFile
from payouts.states import EXPORT, EXPORTED, BatchState, check_transition
from payouts.store import Store
from payouts.terms import ApprovalRules, PayoutRules

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MANIFEST_NAME = "manifest.json"
_ENTRIES_VIEW = "payout_entries"


@dataclass(frozen=True)
class ExportResult:
    """A payout file on disk. ``is_new`` is False when the batch had been exported before."""

    batch_id: str
    is_new: bool
    file_path: Path
    file_sha256: str
    manifest_path: Path
    segment: int
    items: int
    total_amount_minor: int
    currency_code: str


@dataclass(frozen=True)
class _Prepared:
    content: BatchContent
    state: BatchState
    head: events.Head


@dataclass(frozen=True)
class _Written:
    """Published, not yet registered files of one export."""

    file_sha256: str
    file_bytes: int
    segment: SegmentFile
    manifest: str
    recorded_at: datetime


def export_batch(
    store: Store,
    home: Path,
    batch_id: str,
    *,
    warehouse: DuckDBPyConnection | None,
    as_of: date,
    rules: PayoutRules,
    approval_rules: ApprovalRules,
    exported_at: datetime,
    actor: str = "system:export",
    recorded_at: datetime | None = None,
    relation: str = candidates.CANDIDATES_RELATION,
    identity_level: str = "os_user",
) -> ExportResult:
    """Write the payout file of an approved batch, or confirm the one that was written.

    warehouse: DuckDB in which gates and holds are checked again; needed for the first export only.
    exported_at: the wall clock, naive UTC, for the register. recorded_at: the ledger's time of the
    payout entries (J3); default the end of the last posted night, so that a replay keeps its axis.
    An exported batch is checked against its registered hash; a deleted file is written again,
    byte for byte, and nothing is posted.
    Raises: ExportRefusedError, BatchStaleError (the batch is stale now), ExportDamagedError,
    DecisionRefusedError, ChainBrokenError, StorageError, ControlBusyError.
    """
    with segments.files_lock(home):
        with store.read() as reader:
            state = load_state(reader, batch_id)
        if state.state == EXPORTED:
            return _export_again(store, home, batch_id)
        check_transition(batch_id, state.state, EXPORT)
        if warehouse is None:
            raise ExportRefusedError(
                f"batch {batch_id} cannot be exported without a warehouse to check it against; "
                "run a night first"
            )
        prepared = _prepare(
            store, home, batch_id, warehouse, as_of, rules, approval_rules, exported_at, actor,
            relation,
        )  # fmt: skip
        return _write_and_register(
            store, home, prepared, exported_at, recorded_at, actor, identity_level
        )


def _prepare(
    store: Store,
    home: Path,
    batch_id: str,
    warehouse: DuckDBPyConnection,
    as_of: date,
    rules: PayoutRules,
    approval_rules: ApprovalRules,
    exported_at: datetime,
    actor: str,
    relation: str,
) -> _Prepared:
    """All guards. A batch that changed goes stale here, in a transaction of its own."""
    with store.read() as reader:
        head = events.check_chain(reader)
        content = load_content(reader, batch_id)
        state = load_state(reader, batch_id)
        check_hash(home, content, state, state.content_hash)
        expired = expired_reason(state, approval_rules, exported_at)
        reasons = [expired] if expired else changed_reasons(
            reader, home, content, warehouse=warehouse, as_of=as_of, rules=rules, relation=relation
        )  # fmt: skip
        if not reasons:
            check_enough(content, state, approval_rules)
    if reasons:
        with store.write() as writer:
            mark_stale(writer, state, reasons, actor=actor, recorded_at=exported_at)
        discard_unregistered_export(store, home, batch_id)
        raise BatchStaleError(
            f"batch {batch_id} was not exported and is stale now: {'; '.join(reasons)}. Its "
            "entries are free; propose again"
        )
    return _Prepared(content, state, head)


def _write_and_register(
    store: Store,
    home: Path,
    prepared: _Prepared,
    exported_at: datetime,
    recorded_at: datetime | None,
    actor: str,
    identity_level: str,
) -> ExportResult:
    content = prepared.content
    payload = csv_file.render(content)
    folder = private_folder(home, content.batch_id)
    file_path = folder / csv_file.FILE_NAME
    write_durably(file_path, payload, "export_file")
    if file_path.read_bytes() != payload:
        raise ExportDamagedError(
            f"{file_path} differs when read back; check the disk, export again"
        )
    with store.read() as reader:
        registered = segments.records(reader)
        night = journal.last_night(reader)
        last_closed = periods.last_closed(reader)
    if recorded_at is None:
        if night is None:
            raise ExportRefusedError(
                f"batch {content.batch_id} cannot be exported before a night was posted"
            )
        recorded_at = night.recorded_at
    segments.set_orphans_aside(home, registered)
    segment = _write_payout_segment(home, content, registered, recorded_at, last_closed)
    file_sha256 = sha256_file(file_path)
    manifest = _manifest(prepared, file_sha256, len(payload), segment, exported_at)
    manifest_path = folder / MANIFEST_NAME
    write_durably(manifest_path, manifest.encode("utf-8"), "export_manifest")
    written = _Written(file_sha256, len(payload), segment, manifest, recorded_at)
    with store.write() as writer:
        has_moved = events.head(writer) != prepared.head
        if not has_moved:
            _register(writer, prepared.state, written, exported_at, actor, identity_level)
            reached("export_before_commit")
    if has_moved:
        discard_unregistered_export(store, home, content.batch_id)
        raise ControlBusyError(
            f"a decision was recorded while batch {content.batch_id} was being exported; nothing "
            "was exported. Run the export again"
        )
    reached("export_after_commit")
    return ExportResult(
        batch_id=content.batch_id,
        is_new=True,
        file_path=file_path,
        file_sha256=file_sha256,
        manifest_path=manifest_path,
        segment=segment.segment,
        items=len(content.items),
        total_amount_minor=content.total_amount_minor,
        currency_code=content.currency_code,
    )


def _write_payout_segment(
    home: Path,
    content: BatchContent,
    registered: list[segments.SegmentRecord],
    recorded_at: datetime,
    last_closed: str | None,
) -> SegmentFile:
    from payouts.parquet import memory_connection

    connection = memory_connection()
    try:
        connection.register(_ENTRIES_VIEW, payout_entries_table(content, last_closed))
        return journal.write_segment(
            connection, home, _ENTRIES_VIEW, registered, recorded_at, last_closed
        )
    finally:
        connection.close()


def _register(
    connection: Connection,
    state: BatchState,
    written: _Written,
    exported_at: datetime,
    actor: str,
    identity_level: str,
) -> None:
    """Segment, export and event, all in the caller's transaction."""
    segments.register(
        connection,
        written.segment,
        origin="batch",
        origin_id=state.batch_id,
        actor=actor,
        recorded_at=written.recorded_at,
        registered_at=exported_at,
    )
    manifest_sha256 = sha256_text(written.manifest)
    connection.execute(
        exports.insert().values(
            batch_id=state.batch_id,
            content_hash=state.content_hash,
            file_path=f"{EXPORT_FOLDER}/{state.batch_id}/{csv_file.FILE_NAME}",
            file_sha256=written.file_sha256,
            file_bytes=written.file_bytes,
            manifest=written.manifest,
            manifest_sha256=manifest_sha256,
            segment=written.segment.segment,
            exported_at=instant_text(exported_at),
        )
    )
    append_batch_event(
        connection,
        state,
        kind="batch_exported",
        actor=actor,
        recorded_at=exported_at,
        payload={
            "content_hash": state.content_hash,
            "file_sha256": written.file_sha256,
            "manifest_sha256": manifest_sha256,
            "segment": written.segment.segment,
        },
        identity_level=identity_level,
    )


def _export_again(store: Store, home: Path, batch_id: str) -> ExportResult:
    """I18: the same bytes or a refusal. Nothing is recorded, because nothing happens."""
    with store.read() as reader:
        content = load_content(reader, batch_id)
        state = load_state(reader, batch_id)
        row = reader.execute(select(exports).where(exports.c.batch_id == batch_id)).one()
    check_hash(home, content, state, row.content_hash)
    folder = private_folder(home, batch_id)
    payload = csv_file.render(content)
    manifest = row.manifest.encode("utf-8")
    file_path, manifest_path = folder / csv_file.FILE_NAME, folder / MANIFEST_NAME
    for path, wanted, registered in (
        (file_path, payload, row.file_sha256),
        (manifest_path, manifest, row.manifest_sha256),
    ):
        if sha256_text(wanted.decode("utf-8")) != registered:
            raise ExportDamagedError(
                f"batch {batch_id} would now give another {path.name} than was exported; nothing "
                "was written. Run partnerledger verify"
            )
        if not path.exists():
            write_durably(path, wanted, "export_again")
        elif sha256_file(path) != registered:
            raise ExportDamagedError(
                f"{path} differs from what was exported; do not upload it. Move it away and export "
                "again to get the registered bytes"
            )
    return ExportResult(
        batch_id=batch_id,
        is_new=False,
        file_path=file_path,
        file_sha256=row.file_sha256,
        manifest_path=manifest_path,
        segment=row.segment,
        items=len(content.items),
        total_amount_minor=content.total_amount_minor,
        currency_code=content.currency_code,
    )


def _manifest(
    prepared: _Prepared,
    file_sha256: str,
    file_bytes: int,
    segment: SegmentFile,
    exported_at: datetime,
) -> str:
    """Evidence beside the file: hashes, totals, approvals, and the audit chain's head (anchor)."""
    content, state = prepared.content, prepared.state
    return (
        canonical_json(
            {
                "batch_id": content.batch_id,
                "legal_entity": content.legal_entity,
                "currency_code": content.currency_code,
                "rail": content.rail,
                "pay_date": content.pay_date,
                "cutoff_date": content.cutoff_date,
                "items": len(content.items),
                "total_amount_minor": content.total_amount_minor,
                "content_hash": state.content_hash,
                "terms_hash": content.terms_hash,
                "maker": state.maker,
                "approvals": [
                    {
                        "actor": approval.actor,
                        "role": approval.role,
                        "identity_level": approval.identity_level,
                        "content_hash": approval.content_hash,
                        "recorded_at": approval.recorded_at,
                        "event": approval.seq,
                    }
                    for approval in state.approvals
                ],
                "claims_sha256": content.claims_sha256,
                "file": {
                    "name": csv_file.FILE_NAME,
                    "sha256": file_sha256,
                    "bytes": file_bytes,
                },
                "journal_segment": {"segment": segment.segment, "sha256": segment.sha256},
                "audit_chain_head": {"event": prepared.head.seq, "hash": prepared.head.hash},
                "exported_at": exported_at,
            }
        )
        + "\n"
    )
