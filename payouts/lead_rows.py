"""Rows beside their events: what an event proves by a hash instead of holding it.

What belongs here: writing a row together with its event, hashing a row again, and the two tables
about leads with personal or free text. What does not: which rows are allowed, and the table of
adjustments (``adjustments``).

An id is the start of its event's hash, so that the hash of a row covers every column but the id.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table

from payouts import events
from payouts.hashing import canonical_json, sha256_text
from payouts.schema import lead_messages, lead_registrations

_ID_DIGITS = 12


@dataclass(frozen=True)
class HashedTable:
    """A table whose rows are proved by events of one kind; ``columns`` are those that are hashed.

    The columns are written out: one that is added later must not change the hash of old rows.
    """

    table: Table
    kind: str
    id_column: str
    prefix: str
    columns: tuple[str, ...]


REGISTRATIONS = HashedTable(
    lead_registrations, "registration_submitted", "registration_id", "reg",
    ("seq", "entity", "partner_id", "submitted_at", "email", "company_domain", "deal_id",
     "expected_amount_minor", "currency_code"),
)  # fmt: skip
MESSAGES = HashedTable(
    lead_messages, "lead_message_posted", "message_id", "msg",
    ("seq", "subject_type", "subject_id", "author_role", "is_partner_visible", "posted_at", "text"),
)  # fmt: skip
HASHED_TABLES = (REGISTRATIONS, MESSAGES)


def event_id(prefix: str, event_hash: str) -> str:
    """The id that an event gives to what it began, such as ``reg_3f2a9c01b7d4``."""
    return f"{prefix}_{event_hash[:_ID_DIGITS]}"


def row_sha256(hashed: HashedTable, row: Mapping[str, Any]) -> str:
    """SHA-256 of the canonical JSON of a row's hashed columns."""
    return sha256_text(canonical_json({name: row[name] for name in hashed.columns}))


def insert_row(
    connection: Connection,
    hashed: HashedTable,
    values: Mapping[str, Any],
    *,
    subject: str,
    actor: str,
    recorded_at: datetime,
    payload: Mapping[str, Any],
    identity_level: str,
    reason: str = "",
) -> tuple[str, events.Event]:
    """Write a row and the event that proves it in the caller's write transaction.

    values: all hashed columns but ``seq``. payload: nothing of the row that is personal.
    Returns the id of the row and the event.
    """
    row = {"seq": events.head(connection).seq + 1, **values}
    event = events.append(
        connection,
        kind=hashed.kind,
        subject=subject,
        actor=actor,
        recorded_at=recorded_at,
        payload={**payload, "row_sha256": row_sha256(hashed, row)},
        reason=reason,
        identity_level=identity_level,
    )
    row_id = event_id(hashed.prefix, event.hash)
    connection.execute(hashed.table.insert().values({hashed.id_column: row_id, **row}))
    return row_id, event
