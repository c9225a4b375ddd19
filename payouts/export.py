"""Exporting an approved batch: payout files, journal entries and register in one step.

What belongs here: the guards of an export, write order, export again.
What does not: the bytes of a format (``files/``) and approvals.
Source: payouts reference 3.1, 4.5 and 7; I5, I7, I14, I18.

Order: payout files, journal segment, manifest (each temp → fsync → rename), then one transaction
with the export, the segment and the event. A crash before the commit leaves files that do not
exist for any reader; the next export writes the same bytes over them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from payouts import candidates, events, journal, periods, segments
from payouts.approval_checks import check_enough
from payouts.checkpoints import reached
from payouts.durable import safe_child, write_durably
from payouts.errors import (
    BatchStaleError,
    ControlBusyError,
    ExportDamagedError,
    ExportRefusedError,
)
from payouts.export_again import ExportResult, export_again, export_result
from payouts.export_files import (
    EXPORT_FOLDER,
    MANIFEST_NAME,
    discard_unregistered_export,
    private_folder,
)
from payouts.export_guards import guarded, rendered
from payouts.files.payment import PayoutFile
from payouts.freshness import mark_stale
from payouts.hashing import canonical_json, instant_text, sha256_bytes, sha256_text
from payouts.payout_entries import payout_entries_table
from payouts.records import BatchContent, append_batch_event, load_state
from payouts.schema import export_files, exports
from payouts.segments import SegmentFile
from payouts.states import ABORTED, EXPORT, EXPORTED_STATES, BatchState, check_transition
from payouts.store import Store
from payouts.terms import ApprovalRules, PayoutRules

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from payouts.vault import Vault

_ENTRIES_VIEW = "payout_entries"


@dataclass(frozen=True)
class _Prepared:
    content: BatchContent
    state: BatchState
    head: events.Head
    files: tuple[PayoutFile, ...]
    execution_date: date


@dataclass(frozen=True)
class _Written:
    """Published, not yet registered files of one export."""

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
    vault: Vault | None = None,
    execution_date: date | None = None,
    today: date | None = None,
) -> ExportResult:
    """Write the payout files of an approved batch, or confirm those that were written.

    warehouse: DuckDB in which gates and holds are checked again; needed for the first export only.
    exported_at: the wall clock, naive UTC, for the register. recorded_at: the ledger's time of the
    payout entries (J3); default the end of the last posted night, so that a replay keeps its axis.
    vault: where accounts are kept; a rail that names none needs none. execution_date: the day on
    which the bank is asked to pay, default the pay date; a batch approved late is paid later.
    today: the local day of exported_at, default the pay date.
    An exported batch is checked against its registered hash; a deleted file is written again,
    byte for byte, and nothing is posted.
    Raises: ExportRefusedError, BatchStaleError (the batch is stale now), ExportDamagedError,
    DecisionRefusedError, ChainBrokenError, StorageError, ControlBusyError.
    """
    with segments.files_lock(home):
        with store.read() as reader:
            state = load_state(reader, batch_id)
        # What was aborted must not lie where payable files lie.
        if state.state in EXPORTED_STATES and state.state != ABORTED:
            return export_again(store, home, batch_id, vault)
        check_transition(batch_id, state.state, EXPORT)
        if warehouse is None:
            raise ExportRefusedError(
                f"batch {batch_id} cannot be exported without a warehouse to check it against; "
                "run a night first"
            )
        prepared = _prepare(
            store, home, batch_id, warehouse, as_of, rules, approval_rules, exported_at, actor,
            relation, vault, execution_date, today,
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
    vault: Vault | None,
    execution_date: date | None,
    today: date | None,
) -> _Prepared:
    """All guards. A batch that changed goes stale here, in a transaction of its own."""
    with store.read() as reader:
        head = events.check_chain(reader)
        content, state, reasons = guarded(
            reader, home, batch_id, warehouse, as_of, rules, approval_rules, exported_at, relation,
            today,
        )  # fmt: skip
        if not reasons:
            check_enough(reader, content, state, approval_rules)
            files, day = rendered(reader, content, vault, execution_date, today)
    if reasons:
        with store.write() as writer:
            mark_stale(writer, state, reasons, actor=actor, recorded_at=exported_at)
        discard_unregistered_export(store, home, batch_id)
        raise BatchStaleError(
            f"batch {batch_id} was not exported and is stale now: {'; '.join(reasons)}. Its "
            "entries are free; propose again"
        )
    return _Prepared(content, state, head, tuple(files), day)


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
    folder = private_folder(home, content.batch_id)
    for file in prepared.files:
        _write_file(safe_child(folder, file.name), file.content, "export_file")
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
    manifest = _manifest(prepared, segment, exported_at)
    manifest_path = folder / MANIFEST_NAME
    write_durably(manifest_path, manifest.encode("utf-8"), "export_manifest")
    written = _Written(segment, manifest, recorded_at)
    with store.write() as writer:
        has_moved = events.head(writer) != prepared.head
        if not has_moved:
            _register(writer, prepared, written, exported_at, actor, identity_level)
            reached("export_before_commit")
    if has_moved:
        discard_unregistered_export(store, home, content.batch_id)
        raise ControlBusyError(
            f"a decision was recorded while batch {content.batch_id} was being exported; nothing "
            "was exported. Run the export again"
        )
    reached("export_after_commit")
    return export_result(
        content, folder, [file.name for file in prepared.files], segment.segment, True
    )


def _write_file(path: Path, content: bytes, step: str) -> None:
    write_durably(path, content, step)
    if path.read_bytes() != content:
        raise ExportDamagedError(f"{path} differs when read back; check the disk, export again")


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
    prepared: _Prepared,
    written: _Written,
    exported_at: datetime,
    actor: str,
    identity_level: str,
) -> None:
    """Segment, export, its files and the event, all in the caller's transaction."""
    state = prepared.state
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
    rows = [
        {
            "batch_id": state.batch_id,
            "part": part,
            "file_path": f"{EXPORT_FOLDER}/{state.batch_id}/{file.name}",
            "file_sha256": sha256_bytes(file.content),
            "file_bytes": len(file.content),
            "items": file.items,
            "total_amount_minor": file.total_amount_minor,
        }
        for part, file in enumerate(prepared.files, start=1)
    ]
    first = {name: rows[0][name] for name in ("file_path", "file_sha256", "file_bytes")}
    connection.execute(
        exports.insert().values(
            batch_id=state.batch_id,
            content_hash=state.content_hash,
            **first,
            manifest=written.manifest,
            manifest_sha256=manifest_sha256,
            segment=written.segment.segment,
            exported_at=instant_text(exported_at),
        )
    )
    connection.execute(export_files.insert(), rows)
    append_batch_event(
        connection,
        state,
        kind="batch_exported",
        actor=actor,
        recorded_at=exported_at,
        payload={
            "content_hash": state.content_hash,
            "file_sha256": rows[0]["file_sha256"],
            "files_sha256": [row["file_sha256"] for row in rows],
            "manifest_sha256": manifest_sha256,
            "segment": written.segment.segment,
        },
        identity_level=identity_level,
    )


def _manifest(
    prepared: _Prepared,
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
                        "delegation_id": approval.delegation_id,
                        "delegator": approval.delegator,
                        "key_fingerprint": approval.key_fingerprint,
                    }
                    for approval in state.approvals
                ],
                "claims_sha256": content.claims_sha256,
                "execution_date": prepared.execution_date,
                "files": [
                    {
                        "name": file.name,
                        "sha256": sha256_bytes(file.content),
                        "bytes": len(file.content),
                        "items": file.items,
                        "total_amount_minor": file.total_amount_minor,
                    }
                    for file in prepared.files
                ],
                "journal_segment": {"segment": segment.segment, "sha256": segment.sha256},
                "audit_chain_head": {"event": prepared.head.seq, "hash": prepared.head.hash},
                "exported_at": exported_at,
            }
        )
        + "\n"
    )
