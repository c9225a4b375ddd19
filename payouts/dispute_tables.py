"""Disputes as a relation of the warehouse: ids, states and instants, no text.

What belongs here: columns and rows of ``raw.control__disputes``. What does not: creating it
(``control``). Names of people and what they wrote stay in the control database (I24).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection

from payouts.dispute_records import load_disputes
from payouts.hashing import parse_instant

DISPUTE_COLUMNS: tuple[tuple[str, str], ...] = (
    ("dispute_id", "varchar"), ("subject_type", "varchar"), ("subject_id", "varchar"),
    ("partner_id", "varchar"), ("state", "varchar"), ("opened_by_role", "varchar"),
    ("opened_at", "timestamp"), ("due_at", "timestamp"), ("decided_at", "timestamp"),
    ("outcome", "varchar"), ("hold_id", "varchar"), ("adjustment_id", "varchar"),
)  # fmt: skip


def dispute_rows(connection: Connection) -> list[dict[str, Any]]:
    """All disputes, oldest first. ``decided_at`` is also that of a withdrawal."""
    return [
        {
            name: _typed(getattr(dispute, name), kind == "timestamp")
            for name, kind in DISPUTE_COLUMNS
        }
        for dispute in load_disputes(connection)
    ]


def _typed(value: Any, is_instant: bool) -> Any:
    return parse_instant(value) if is_instant and value is not None else value
