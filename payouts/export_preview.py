"""The dry run of an export: everything but writing (I25).

What belongs here: what an export would do now. What does not: doing it (``export``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from payouts import candidates
from payouts.approval_checks import check_enough
from payouts.errors import ExportRefusedError
from payouts.export_guards import guarded, rendered
from payouts.hashing import sha256_bytes
from payouts.records import load_state
from payouts.states import EXPORT, check_transition
from payouts.store import Store
from payouts.terms import ApprovalRules, PayoutRules

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from payouts.vault import Vault


@dataclass(frozen=True)
class ExportPreview:
    """What an export would write now: names, sizes and hashes of the files; nothing was written."""

    batch_id: str
    execution_date: date
    files: tuple[tuple[str, int, str], ...]
    items: int
    total_amount_minor: int
    currency_code: str


def preview_export(
    store: Store,
    home: Path,
    batch_id: str,
    *,
    warehouse: DuckDBPyConnection,
    as_of: date,
    rules: PayoutRules,
    approval_rules: ApprovalRules,
    exported_at: datetime,
    relation: str = candidates.CANDIDATES_RELATION,
    vault: Vault | None = None,
    execution_date: date | None = None,
    today: date | None = None,
    coming_role: str | None = None,
) -> ExportPreview:
    """Everything that an export does but writing (I25): guards, rendering, checks of the bytes.

    Arguments as of ``export_batch``. A batch that would go stale stays as it is, and is refused.
    coming_role: the batch lacks one approval of this role, which the same command would record
    before; whether its giver may give it is for the caller to ask (``one_click.plan``).
    Raises: ExportRefusedError and what ``export_batch`` raises.
    """
    with store.read() as reader:
        event = EXPORT if coming_role is None else f"approve_{coming_role}"
        check_transition(batch_id, load_state(reader, batch_id).state, event)
        content, state, reasons = guarded(
            reader, home, batch_id, warehouse, as_of, rules, approval_rules, exported_at, relation,
            today,
        )  # fmt: skip
        if reasons:
            raise ExportRefusedError(
                f"batch {batch_id} would go stale: {'; '.join(reasons)}. Nothing was written"
            )
        check_enough(reader, content, state, approval_rules, coming_role)
        files, day = rendered(reader, content, vault, execution_date, today)
    return ExportPreview(
        batch_id=batch_id,
        execution_date=day,
        files=tuple((file.name, len(file.content), sha256_bytes(file.content)) for file in files),
        items=len(content.items),
        total_amount_minor=content.total_amount_minor,
        currency_code=content.currency_code,
    )
