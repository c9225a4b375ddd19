"""Decisions about leads as relations of the warehouse: registrations, rulings, updates, messages.

What belongs here: columns and rows of those ``raw.control__*`` tables. What does not: creating
them in the warehouse (``control``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from payouts.hashing import parse_instant
from payouts.lead_joins import load_lead_joins
from payouts.lead_update_records import load_answers, load_messages, load_requests
from payouts.registrations import load_decisions, load_registrations
from payouts.rulings import load_rulings

LEAD_TABLES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "control__registrations": (
        ("registration_id", "varchar"), ("entity", "varchar"), ("partner_id", "varchar"),
        ("submitted_at", "timestamp"), ("email", "varchar"), ("company_domain", "varchar"),
        ("deal_id", "varchar"), ("expected_amount_minor", "bigint"), ("currency_code", "varchar"),
        ("arrival", "bigint"),
    ),
    "control__registration_decisions": (
        ("seq", "bigint"), ("registration_key", "varchar"), ("decision", "varchar"),
        ("decided_at", "timestamp"), ("expires_at", "timestamp"), ("decided_by", "varchar"),
        ("reason", "varchar"), ("evidence", "varchar"),
    ),
    "control__rulings": (
        ("ruling_id", "varchar"), ("lead_id", "varchar"), ("state", "varchar"),
        ("partner_id", "varchar"), ("credit_ppm", "bigint"), ("proposed_at", "timestamp"),
        ("decided_at", "timestamp"), ("decided_by", "varchar"), ("reason", "varchar"),
        ("evidence", "varchar"), ("arrival", "bigint"),
    ),
    "control__update_requests": (
        ("request_id", "varchar"), ("subject_type", "varchar"), ("subject_id", "varchar"),
        ("asked_of", "varchar"), ("asked_at", "timestamp"), ("due_at", "timestamp"),
    ),
    "control__update_answers": (
        ("request_id", "varchar"), ("subject_type", "varchar"), ("subject_id", "varchar"),
        ("answered_at", "timestamp"), ("author_role", "varchar"),
    ),
    "control__lead_messages": (
        ("message_id", "varchar"), ("subject_type", "varchar"), ("subject_id", "varchar"),
        ("author_role", "varchar"), ("is_partner_visible", "boolean"), ("posted_at", "timestamp"),
    ),
    "control__lead_joins": (
        ("alias_lead_id", "varchar"), ("lead_id", "varchar"), ("joined_at", "timestamp"),
    ),
}  # fmt: skip


_INSTANTS = {
    name for columns in LEAD_TABLES.values() for name, kind in columns if kind == "timestamp"
}


def lead_table_rows(reader: Connection) -> dict[str, list[dict[str, Any]]]:
    """Rows of each table, by its name. Messages come without their text."""
    contents = {
        "control__registrations": load_registrations(reader),
        "control__registration_decisions": load_decisions(reader),
        "control__update_requests": load_requests(reader),
        "control__update_answers": load_answers(reader),
        "control__lead_messages": load_messages(reader),
        "control__lead_joins": load_lead_joins(reader),
    }
    rows = {table: [vars(record) for record in records] for table, records in contents.items()}
    rows["control__rulings"] = [
        {**vars(ruling), "partner_id": partner_id, "credit_ppm": credit_ppm}
        for ruling in load_rulings(reader)
        for partner_id, credit_ppm in sorted(ruling.credits.items()) or [(None, None)]
    ]
    return {
        table: [{name: _typed(name, row[name]) for name, _ in columns} for row in rows[table]]
        for table, columns in LEAD_TABLES.items()
    }


def _typed(name: str, value: Any) -> Any:
    return parse_instant(value) if value is not None and name in _INSTANTS else value
