"""What must hold before a batch is exported, and its files in memory.

What belongs here: guards and rendering, shared by the export and its dry run. What does not:
writing anything (``export``).
Source: payouts reference 3.1 and 7; I7, I14.
"""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, select

from payouts.approval_checks import check_hash
from payouts.batch_exceptions import cap_faults
from payouts.claims_proof import ClaimingBatch, unproven_claims
from payouts.errors import ExportRefusedError
from payouts.files.payment import PayoutFile
from payouts.freshness import changed_reasons, expired_reason
from payouts.hashing import parse_instant
from payouts.pausing import is_paused
from payouts.records import BatchContent, load_content, load_state
from payouts.rendering import check_files, render_files
from payouts.schema import batches
from payouts.states import BatchState
from payouts.terms import ApprovalRules, PayoutRules

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from payouts.vault import Vault


def guarded(
    reader: Connection,
    home: Path,
    batch_id: str,
    warehouse: DuckDBPyConnection,
    as_of: date,
    rules: PayoutRules,
    approval_rules: ApprovalRules,
    exported_at: datetime,
    relation: str,
    today: date | None,
) -> tuple[BatchContent, BatchState, list[str]]:
    """Content and state of a batch, and why it is stale now. Raises: what stops any export."""
    paused = is_paused(reader)
    if paused is not None:
        raise ExportRefusedError(
            f"payouts are paused since {paused.paused_at} by {paused.paused_by}: {paused.reason}. "
            "Nothing was exported; partnerledger batches resume ends it"
        )
    content = load_content(reader, batch_id)
    state = load_state(reader, batch_id)
    check_hash(home, content, state, state.content_hash)
    faults = cap_faults(
        content.total_amount_minor, len(content.items), content.currency_code, rules.caps
    )
    if faults:
        raise ExportRefusedError(
            f"batch {batch_id} is not exported: {'; '.join(faults)}. Raise the cap in program.yml, "
            "or reject the batch"
        )
    expired = expired_reason(state, approval_rules, exported_at, reader)
    if expired:
        return content, state, [expired]
    if today is not None:
        _check_snapshot_age(batch_id, as_of, today, rules.night_max_age_days)
    reasons = changed_reasons(
        reader, home, content, warehouse=warehouse, as_of=as_of, rules=rules, relation=relation,
        today=today,
    )  # fmt: skip
    if not reasons:
        _check_claims_in_journal(reader, home, content)
    return content, state, reasons


def _check_claims_in_journal(reader: Connection, home: Path, content: BatchContent) -> None:
    """Nobody is paid for what was never posted, whatever the published file says.

    Raises: ExportRefusedError, the batch stays approved; ChainBrokenError.
    """
    faults = unproven_claims(reader, home, [ClaimingBatch(content.batch_id, content.cutoff_date)])
    if faults:
        raise ExportRefusedError(
            f"batch {content.batch_id} does not agree with the journal: {'; '.join(faults)}. "
            "Nothing was exported. Run a night (partnerledger run) and partnerledger verify; "
            "reject the batch and propose again"
        )


def _check_snapshot_age(batch_id: str, as_of: date, today: date, limit_days: int | None) -> None:
    """Refunds and holds of a longer time would be unknown to whoever is paid. Decision 0058.

    Raises: ExportRefusedError; the batch stays approved, because unknown is not changed.
    """
    age_days = (today - as_of).days
    if limit_days is not None and age_days > limit_days:
        raise ExportRefusedError(
            f"batch {batch_id} was not exported: what is published is of {as_of}, {age_days} days "
            f"before {today}, and a batch is held against nothing older than {limit_days} days. "
            "Run a night (partnerledger run), then export again"
        )


def rendered(
    reader: Connection,
    content: BatchContent,
    vault: Vault | None,
    execution_date: date | None,
    today: date | None,
) -> tuple[list[PayoutFile], date]:
    """The files of a batch, checked, and the day on which the bank is asked to pay."""
    day = max(execution_date or content.pay_date, content.pay_date)
    created_at = proposed_at(reader, content.batch_id)
    files = render_files(content, vault, created_at, day)
    check_files(content, files, vault, created_at, day, today or content.pay_date)
    return files, day


def proposed_at(reader: Connection, batch_id: str) -> datetime:
    """When a batch was proposed, naive UTC: the time that stands in its files."""
    query = select(batches.c.proposed_at).where(batches.c.batch_id == batch_id)
    return parse_instant(reader.execute(query).scalar_one())
