"""Payout files whose time is over: removed from the home, their hashes kept.

What belongs here: which files go, and recording that they went. What does not: files of a batch
that was never exported (``export_files``).

A payout file names accounts, and the bank has it. Register and manifest stay: names, hashes and
totals hold no account. What nobody has confirmed to be at the bank is kept, and so is a file that
is not what was registered.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, select

from payouts import events
from payouts.errors import DecisionRefusedError
from payouts.export_again import registered_files
from payouts.export_files import export_folder
from payouts.hashing import instant_text, sha256_file
from payouts.records import list_batches
from payouts.schema import exports
from payouts.segments import files_lock
from payouts.states import ABORTED, CLOSED, SENT
from payouts.store import Store
from payouts.terms import ADMIN, ApprovalRules, person
from payouts.texts import identifier, refuse_secrets, written

KIND = "payout_files_purged"
_ROLES = ("finance", ADMIN)
_ENDED = (SENT, CLOSED, ABORTED)
MAXIMUM_DAYS = 36_500


@dataclass(frozen=True)
class PurgedFile:
    """One file that is gone, with the SHA-256 that stays registered."""

    batch_id: str
    name: str
    sha256: str


def purge_payout_files(
    store: Store,
    home: Path,
    *,
    older_than_days: int,
    reason: str,
    actor: str,
    rules: ApprovalRules,
    recorded_at: datetime,
    identity_level: str = "os_user",
) -> list[PurgedFile]:
    """Remove the payout files of batches that were exported more than so many days ago.

    recorded_at: the wall clock, naive UTC. One event per batch is recorded before its files go;
    a crash in between leaves files that the next purge removes. Batches that are exported and not
    confirmed as sent keep theirs. Returns what was removed.
    Raises: DecisionRefusedError without the role finance or admin or a reason, for fewer than one
    day, or for more than a hundred years.
    """
    reason = written(reason, "the reason")
    refuse_secrets(reason, "the reason")
    decider = identifier(person(actor), "the person who decides")
    if not any(rules.has_role(decider, role) for role in _ROLES):
        raise DecisionRefusedError(
            f"{actor} may not purge payout files: roles in program.yml name nobody of that name "
            f"for {' or '.join(_ROLES)}. Nothing was removed"
        )
    if not 1 <= older_than_days <= MAXIMUM_DAYS:
        raise DecisionRefusedError(
            f"give at least one day and at most {MAXIMUM_DAYS}; nothing was removed"
        )
    with files_lock(home):
        with store.write() as connection:
            before = instant_text(recorded_at - timedelta(days=older_than_days))
            gone = [
                file
                for batch_id in _ended_batches(connection, before)
                for file in _recorded(
                    connection, home, batch_id, reason, decider, recorded_at, identity_level
                )
            ]
        for file in gone:
            (export_folder(home, file.batch_id) / file.name).unlink(missing_ok=True)
    return gone


def _ended_batches(connection: Connection, before: str) -> list[str]:
    ended = {summary.batch_id for summary in list_batches(connection, _ENDED)}
    old = select(exports.c.batch_id).where(exports.c.exported_at < before)
    found = connection.execute(old.order_by(exports.c.batch_id)).scalars()
    return [batch_id for batch_id in found if batch_id in ended]


def _recorded(
    connection: Connection,
    home: Path,
    batch_id: str,
    reason: str,
    actor: str,
    recorded_at: datetime,
    identity_level: str,
) -> list[PurgedFile]:
    """The files of a batch that are there, and as registered; one event when there are some."""
    folder = export_folder(home, batch_id)
    found = []
    for file in registered_files(connection, batch_id):
        name = Path(file.file_path).name
        if (folder / name).is_file() and sha256_file(folder / name) == file.file_sha256:
            found.append(PurgedFile(batch_id, name, file.file_sha256))
    if found:
        events.append(
            connection,
            kind=KIND,
            subject=f"export:{batch_id}",
            actor=actor,
            recorded_at=recorded_at,
            payload={"files": [{"name": each.name, "sha256": each.sha256} for each in found]},
            reason=reason,
            identity_level=identity_level,
        )
    return found
