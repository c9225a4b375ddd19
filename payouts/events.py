"""The append-only, hash-chained log of everything that was decided or posted.

What belongs here: appending, reading and re-hashing events.
What does not: what an event means for a batch (``states``) or a payee (``payees``).
Source: payouts reference 4.5; I13.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from payouts.errors import ChainBrokenError
from payouts.hashing import GENESIS_HASH, canonical_json, instant_text, sha256_text
from payouts.schema import events

# Version 1: SHA-256 of the canonical JSON of the fields in `event_hash`. A later form gets a new
# number, so that old events stay provable.
HASH_VERSION = 1


@dataclass(frozen=True)
class Event:
    """One recorded event. ``recorded_at`` is fixed-width UTC text; ``payload`` is parsed JSON."""

    seq: int
    kind: str
    subject: str
    actor: str
    identity_level: str
    payload: Mapping[str, Any]
    reason: str
    recorded_at: str
    previous_hash: str
    hash: str


@dataclass(frozen=True)
class Head:
    """The end of the chain: number and hash of the last event; 0 and the genesis hash if none."""

    seq: int
    hash: str


def head(connection: Connection) -> Head:
    """The last event of the chain."""
    row = connection.execute(
        select(events.c.seq, events.c.hash).order_by(events.c.seq.desc()).limit(1)
    ).first()
    return Head(row.seq, row.hash) if row else Head(0, GENESIS_HASH)


def head_recorded_at(connection: Connection) -> str:
    """When the last event was recorded, fixed-width UTC text; empty before the first."""
    row = connection.execute(
        select(events.c.recorded_at).order_by(events.c.seq.desc()).limit(1)
    ).first()
    return row.recorded_at if row else ""


def append(
    connection: Connection,
    *,
    kind: str,
    subject: str,
    actor: str,
    recorded_at: datetime,
    payload: Mapping[str, Any] | None = None,
    reason: str = "",
    identity_level: str = "os_user",
) -> Event:
    """Append one event in the caller's write transaction.

    payload: no personal data, no bank detail (I24): ids, amounts, dates, hashes.
    """
    last = head(connection)
    fields = {
        "seq": last.seq + 1,
        "kind": kind,
        "subject": subject,
        "actor": actor,
        "identity_level": identity_level,
        "payload": canonical_json(dict(payload or {})),
        "reason": reason,
        "recorded_at": instant_text(recorded_at),
        "hash_version": HASH_VERSION,
        "previous_hash": last.hash,
    }
    row = {**fields, "hash": event_hash(fields)}
    connection.execute(events.insert().values(**row))
    return _event(row)


def of_subject(connection: Connection, subject: str) -> list[Event]:
    """All events of one subject, oldest first."""
    rows = connection.execute(
        select(events).where(events.c.subject == subject).order_by(events.c.seq)
    )
    return [_event(row) for row in rows.mappings()]


def of_kinds(connection: Connection, kinds: Iterable[str]) -> list[Event]:
    """All events of some kinds, oldest first."""
    rows = connection.execute(
        select(events).where(events.c.kind.in_(sorted(kinds))).order_by(events.c.seq)
    )
    return [_event(row) for row in rows.mappings()]


def last_of_kind(connection: Connection, kind: str) -> int:
    """Number of the newest event of a kind, 0 when there is none."""
    return connection.execute(
        select(func.coalesce(func.max(events.c.seq), 0)).where(events.c.kind == kind)
    ).scalar_one()


def check_chain(connection: Connection) -> Head:
    """Re-hash every event and return the head.

    Raises: ChainBrokenError naming the first event that was changed, removed, moved or inserted.
    A cut tail is not detectable here; compare the head with one in an exported manifest.
    """
    last = Head(0, GENESIS_HASH)
    for row in connection.execute(select(events).order_by(events.c.seq)).mappings():
        if row["seq"] != last.seq + 1:
            raise ChainBrokenError(
                f"event {last.seq + 1} is missing from the control database (next is "
                f"{row['seq']}); restore the control database from a backup"
            )
        if row["previous_hash"] != last.hash or row["hash"] != event_hash(row):
            raise ChainBrokenError(
                f"event {row['seq']} ({row['kind']}, {row['subject']}) does not match its hash: it "
                "was changed outside partnerledger; restore the control database from a backup"
            )
        last = Head(row["seq"], row["hash"])
    return last


def contains(connection: Connection, seq: int, event_hash: str) -> bool:
    """Whether the chain still holds a published anchor (I13): this number with this hash."""
    if seq == 0:
        return event_hash == GENESIS_HASH
    found = connection.execute(select(events.c.hash).where(events.c.seq == seq)).scalar()
    return found == event_hash


def event_hash(row: Mapping[str, Any]) -> str:
    """The hash that a stored event must have; empty for a form that this version does not know.

    row: the columns of the event, ``payload`` as the stored text.
    """
    if row["hash_version"] != HASH_VERSION:
        return ""
    names = ("hash_version", "seq", "kind", "subject", "actor", "identity_level", "payload",
             "reason", "recorded_at", "previous_hash")  # fmt: skip
    return sha256_text(canonical_json([row[name] for name in names]))


def _event(row: Mapping[str, Any]) -> Event:
    return Event(
        seq=row["seq"],
        kind=row["kind"],
        subject=row["subject"],
        actor=row["actor"],
        identity_level=row["identity_level"],
        payload=json.loads(row["payload"]),
        reason=row["reason"],
        recorded_at=row["recorded_at"],
        previous_hash=row["previous_hash"],
        hash=row["hash"],
    )
