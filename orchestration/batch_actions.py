"""What the command line does with batches, each against the snapshot that is published now.

What does not belong here: options and printing (`cli_batches`), rules (`payouts`).
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.cli_common import CommandError, open_published

if TYPE_CHECKING:
    from payouts.export import ExportResult
    from payouts.records import BatchSummary
    from payouts.store import Store
    from program.load import Workspace

_SHORTEST_PREFIX = 12
_CALENDAR_BEFORE = timedelta(days=3653)
_CALENDAR_AFTER = timedelta(days=400)


def propose_batches(
    store: Store,
    workspace: Workspace,
    home: Path,
    *,
    pay_date: date | None,
    actor: str,
    proposed_at: datetime,
) -> list[BatchSummary]:
    """Propose the due batches, or those of one pay date, from the published candidates.

    Raises: SnapshotMissingError before the first night; ProposalRefusedError.
    """
    from dashboards.snapshot import read_pointer
    from payouts.batches import propose
    from payouts.terms import payout_rules
    from program.calendar import pay_calendar

    as_of = date.fromisoformat(read_pointer(home).as_of)
    calendar = pay_calendar(
        workspace.program.payouts, as_of - _CALENDAR_BEFORE, as_of + _CALENDAR_AFTER
    )
    with open_published(home) as warehouse:
        return propose(
            store,
            home,
            warehouse,
            as_of=as_of,
            calendar=calendar,
            rules=payout_rules(workspace),
            actor=actor,
            proposed_at=proposed_at,
            pay_date=pay_date,
        )


def export_approved(
    store: Store,
    workspace: Workspace,
    home: Path,
    batch_id: str,
    *,
    exported_at: datetime,
    actor: str,
) -> ExportResult:
    """Write the payout file of an approved batch, or confirm the one that was written.

    Raises: SnapshotMissingError, and what `payouts.export.export_batch` raises.
    """
    from dashboards.snapshot import read_pointer
    from payouts.export import export_batch
    from payouts.terms import approval_rules, payout_rules

    with open_published(home) as warehouse:
        return export_batch(
            store,
            home,
            batch_id,
            warehouse=warehouse,
            as_of=date.fromisoformat(read_pointer(home).as_of),
            rules=payout_rules(workspace),
            approval_rules=approval_rules(workspace),
            exported_at=exported_at,
            actor=actor,
        )


def full_hash(given: str, batch_id: str, content_hashes: dict[str, str]) -> str:
    """The content hash that a person means who types its beginning.

    content_hashes: of all batches by id. At least 12 hex characters that no other batch's hash
    begins with. Raises: CommandError.
    """
    text = given.strip().lower()
    if len(text) < _SHORTEST_PREFIX or set(text) - set("0123456789abcdef"):
        raise CommandError(
            f"--hash needs at least {_SHORTEST_PREFIX} hex characters of the content hash",
            f"`partnerledger batches show {batch_id}` prints it.",
        )
    meant = [found for found, content in content_hashes.items() if content.startswith(text)]
    if meant == [batch_id]:
        return content_hashes[batch_id]
    raise CommandError(
        f"--hash {text[:_SHORTEST_PREFIX]}… is not the hash of batch {batch_id}; nothing was "
        "recorded",
        f"Look at it again with `partnerledger batches show {batch_id}`.",
    )
