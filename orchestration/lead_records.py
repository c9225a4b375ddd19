"""Everything that the published snapshot knows about one lead: one query per mart.

What belongs here: reading. What does not: what was recorded since (`lead_control`), putting it in
order of time (`lead_timeline`), printing (`lead_text`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from orchestration.cli_common import query
from orchestration.lead_references import find_lead, marts_of, require_lead

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

Record = dict[str, Any]

# Section of the record → mart, condition, order. $1 is the lead.
_SECTIONS = {
    "aliases": ("dim_lead_aliases", "lead_id = $1", "alias_lead_id"),
    "submissions": ("fct_lead_submissions", "lead_id = $1", "submitted_at, submission_key"),
    "touches": ("fct_touchpoints", "lead_id = $1", "occurred_at, touchpoint_id"),
    "candidates": ("fct_attribution_candidates", "lead_id = $1", "occurred_at, touchpoint_id"),
    "attributions": (
        "fct_attributions", "lead_id = $1", "is_paying desc, model, partner_id",
    ),
    "discrepancies": ("fct_attribution_discrepancies", "lead_id = $1", "partner_id"),
    "decisions": ("fct_lead_decisions", "lead_id = $1", "decided_at, decision_key"),
    "stages": ("fct_lead_stages", "lead_id = $1", "reached_at, stage_rank, source_id"),
    "requests": ("fct_lead_update_requests", "lead_id = $1", "asked_at, request_id"),
    "missed_credits": (
        "fct_missed_credits", "lead_id = $1", "first_paid_date, customer_id, partner_id",
    ),
    "duplicates": (
        "fct_duplicate_leads", "lead_id = $1 or other_lead_id = $1", "found_at, duplicate_id",
    ),
    "signals": (
        "fct_risk_signals",
        "lead_id = $1 or (subject_type = 'partner' and subject_id in (select partner_id "
        "from marts.fct_attributions where lead_id = $1 and is_paying))",
        "detected_at, signal_id",
    ),
    "lines": ("fct_commission_lines", "lead_id = $1", "effective_date, commission_id"),
}  # fmt: skip


def lead_evidence(connection: DuckDBPyConnection, reference: str) -> Record:
    """One lead: where it stands, and every record behind it.

    reference: as `lead_references.find_lead` takes it. The sections are lists of rows of their
    mart; a section is None when the snapshot was published before that mart existed.
    Raises: CommandError when there is no such lead, or more than one.
    """
    return _read(connection, require_lead(connection, reference))


def lead_evidence_or_none(connection: DuckDBPyConnection, reference: str) -> Record | None:
    """The same, or None when nothing in the snapshot stands for a lead of that name."""
    lead_id = find_lead(connection, reference)
    return None if lead_id is None else _read(connection, lead_id)


def lead_row(connection: DuckDBPyConnection, lead_id: str) -> Record | None:
    """Where one lead stands; None when the snapshot does not know the id."""
    found = query(connection, "select * from marts.fct_leads where lead_id = ?", [lead_id])
    return found[0] if found else None


def owners(connection: DuckDBPyConnection, lead_ids: Iterable[str | None]) -> dict[str, str]:
    """Who owns each of these leads; those without an owner are left out."""
    named = sorted({lead_id for lead_id in lead_ids if lead_id})
    if not named:
        return {}
    rows = query(
        connection,
        "select lead_id, owner from marts.fct_leads where owner is not null "
        f"and lead_id in ({', '.join('?' * len(named))})",
        named,
    )
    return {row["lead_id"]: row["owner"] for row in rows}


def section(connection: DuckDBPyConnection, name: str, lead_id: str) -> list[Record]:
    """The rows of one section of a lead, oldest first; empty when there is no such mart."""
    return _rows(connection, marts_of(connection), name, lead_id) or []


def missing_sections(evidence: Record) -> list[str]:
    """Sections that this snapshot is too old to have."""
    return [name for name in _SECTIONS if evidence.get(name) is None]


def _read(connection: DuckDBPyConnection, lead_id: str) -> Record:
    marts = marts_of(connection)
    return {
        "lead": lead_row(connection, lead_id),
        **{name: _rows(connection, marts, name, lead_id) for name in _SECTIONS},
    }


def _rows(
    connection: DuckDBPyConnection, marts: frozenset[str], name: str, lead_id: str
) -> list[Record] | None:
    mart, condition, order = _SECTIONS[name]
    if mart not in marts:
        return None
    return query(
        connection, f"select * from marts.{mart} where {condition} order by {order}", [lead_id]
    )
