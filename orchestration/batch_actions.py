"""What the command line does with batches, each against the snapshot that is published now.

What does not belong here: options and printing (`cli_batches`), rules (`payouts`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from orchestration.cli_common import CommandError, open_published

if TYPE_CHECKING:
    import duckdb

    from payouts.export import ExportResult
    from payouts.export_preview import ExportPreview
    from payouts.records import BatchSummary
    from payouts.store import Store
    from payouts.vault import Vault
    from program.load import Workspace

_SHORTEST_PREFIX = 12
_CALENDAR_BEFORE = timedelta(days=3653)
_CALENDAR_AFTER = timedelta(days=400)
# Longer than any run of days on which a rail is closed.
_LATEST_EXECUTION = timedelta(days=31)


@contextmanager
def _proven_snapshot(home: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published snapshot, once its bytes are those that the night wrote: money follows from it.

    Raises: SnapshotMissingError, SnapshotDamagedError.
    """
    from dashboards.errors import SnapshotDamagedError
    from dashboards.snapshot import read_pointer, serving_folder
    from payouts.hashing import sha256_file

    with open_published(home) as warehouse:
        # Not by the pointer: a night may have published another file since this one was opened.
        (opened,) = warehouse.execute(
            "select path from duckdb_databases() where database_name = current_database()"
        ).fetchone()
        pointer = read_pointer(home)
        if Path(opened).name != pointer.path:
            raise SnapshotDamagedError(
                f"another night was published while {opened} was opened; nothing was recorded. "
                "Do it again"
            )
        if sha256_file(serving_folder(home) / pointer.path) != pointer.sha256:
            raise SnapshotDamagedError(
                f"{opened} is not the file that the night published: its SHA-256 is not the one in "
                "the pointer; nothing was recorded. Run a night (`partnerledger run`), or bring "
                "the published one back with `partnerledger restore`"
            )
        yield warehouse


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
    from program.calendar import pay_calendar, rail_calendars

    as_of = date.fromisoformat(read_pointer(home).as_of)
    span = (workspace.program.payouts, as_of - _CALENDAR_BEFORE, as_of + _CALENDAR_AFTER)
    with _proven_snapshot(home) as warehouse:
        return propose(
            store,
            home,
            warehouse,
            as_of=as_of,
            calendar=pay_calendar(*span),
            rail_calendars=rail_calendars(*span),
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
    actor: str = "system:export",
) -> ExportResult:
    """Write the payout files of an approved batch, or confirm those that were written.

    Whoever is in the batch is screened again first, where a screening program is configured.
    Raises: SnapshotMissingError, and what `payouts.export.export_batch` raises.
    """
    from payouts.export import export_batch

    vault = _vault_for(store, home, batch_id)
    _screen_again(store, home, batch_id, vault, exported_at)
    with _proven_snapshot(home) as warehouse:
        return export_batch(
            store,
            home,
            batch_id,
            warehouse=warehouse,
            vault=vault,
            actor=actor,
            **_export_arguments(store, workspace, home, batch_id, exported_at),
        )


def preview_approved(
    store: Store,
    workspace: Workspace,
    home: Path,
    batch_id: str,
    *,
    exported_at: datetime,
    coming_role: str | None = None,
) -> ExportPreview:
    """What `export_approved` would write now, checked as it would be; writes nothing (I25).

    coming_role: of the one approval that is missing and that the same command would record first.
    Raises: as `export_approved`. Nobody is screened again.
    """
    from payouts.export_preview import preview_export

    with _proven_snapshot(home) as warehouse:
        return preview_export(
            store,
            home,
            batch_id,
            warehouse=warehouse,
            vault=_vault_for(store, home, batch_id),
            coming_role=coming_role,
            **_export_arguments(store, workspace, home, batch_id, exported_at),
        )


def _export_arguments(
    store: Store, workspace: Workspace, home: Path, batch_id: str, exported_at: datetime
) -> dict[str, Any]:
    """Terms and days of an export. A batch that is approved late is paid on the rail's next day."""
    from dashboards.snapshot import read_pointer
    from payouts.records import load_content
    from payouts.terms import approval_rules, payout_rules
    from program.calendar import business_day
    from program.holidays import rail_holidays

    with store.read() as connection:
        content = load_content(connection, batch_id)
    zone = ZoneInfo(workspace.program.program.timezone)
    today = exported_at.replace(tzinfo=UTC).astimezone(zone).date()
    earliest = max(today, content.pay_date)
    holidays = rail_holidays(content.rail, earliest, earliest + _LATEST_EXECUTION)
    direction = "any" if content.rail == "csv" else "next"
    return {
        "as_of": date.fromisoformat(read_pointer(home).as_of),
        "rules": payout_rules(workspace),
        "approval_rules": approval_rules(workspace),
        "exported_at": exported_at,
        "execution_date": business_day(earliest, direction, holidays),
        "today": today,
    }


def _vault_for(store: Store, home: Path, batch_id: str) -> Vault | None:
    """The vault, for a batch whose files name accounts. Raises: VaultKeyMissingError."""
    from payouts.records import load_content
    from payouts.rendering import needs_vault
    from payouts.vault import open_vault

    with store.read() as connection:
        content = load_content(connection, batch_id)
    return open_vault(home) if needs_vault(content) else None


def _screen_again(
    store: Store, home: Path, batch_id: str, vault: Vault | None, now: datetime
) -> None:
    """Sanctions lists change several times a week, so they are asked at the export as well."""
    from payouts.errors import ExportRefusedError
    from payouts.records import load_content, load_state
    from payouts.screening import ERROR, check_all, configured_command
    from payouts.states import FINANCE_APPROVED

    command = configured_command()
    if command is None:
        return
    with store.read() as connection:
        if load_state(connection, batch_id).state != FINANCE_APPROVED:
            return
        content = load_content(connection, batch_id)
    names = {item.partner_id: item.partner_name for item in content.items}
    answers = check_all(store, names, command=command, names=names, recorded_at=now, vault=vault)
    unanswered = [answer.partner_id for answer in answers if answer.result == ERROR]
    if unanswered:
        # Not stale: nothing changed about the batch, and approvals are people's work.
        raise ExportRefusedError(
            f"the screening program gave no answer about {', '.join(unanswered)}; batch {batch_id} "
            "was not exported. See that it runs, then export again"
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
