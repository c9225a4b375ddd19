"""Rows of ``payout_outcomes``, and the hash by which their event proves them.

What belongs here: columns, hash, writing and reading. What does not: which rows are allowed
(``outcomes``, ``settlement.planning``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, select

from payouts.hashing import canonical_json, sha256_text
from payouts.schema import payout_outcomes

# Written out: a column that is added later must not change the hash of old rows.
HASHED_COLUMNS = (
    "seq", "number", "payout_id", "batch_id", "outcome", "amount_minor", "currency_code",
    "value_date", "reason_code", "reference", "settlement_id", "line", "return_entry_id",
)  # fmt: skip


def rows_sha256(rows: Iterable[Mapping[str, Any]]) -> str:
    """SHA-256 over the canonical JSON of the rows of one event, in the order of their number."""
    ordered = sorted(rows, key=lambda row: row["number"])
    return sha256_text(canonical_json([[row[name] for name in HASHED_COLUMNS] for row in ordered]))


def insert_rows(connection: Connection, rows: list[Mapping[str, Any]]) -> None:
    """Write the rows of one event, which exists, in the caller's write transaction."""
    connection.execute(payout_outcomes.insert(), [dict(row) for row in rows])


def rows_by_event(connection: Connection) -> dict[int, list[Mapping[str, Any]]]:
    """All rows by the number of their event, in order."""
    found: dict[int, list[Mapping[str, Any]]] = {}
    query = select(payout_outcomes).order_by(payout_outcomes.c.seq, payout_outcomes.c.number)
    for row in connection.execute(query).mappings():
        found.setdefault(row["seq"], []).append(row)
    return found
