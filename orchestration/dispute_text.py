"""Disputes as people read them in the terminal, and as records for --json.

What does not belong here: the commands (`cli_disputes`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from orchestration.cli_common import counted, minute, out, print_table

if TYPE_CHECKING:
    from datetime import datetime

    from payouts.dispute_records import Dispute, DisputeTexts
    from payouts.events import Event


def dispute_record(dispute: Dispute, now: datetime) -> dict[str, Any]:
    """One dispute for --json: its fields, its age in whole days, whether an answer is late."""
    from dataclasses import asdict

    return {
        **asdict(dispute),
        "outcome": dispute.outcome,
        "age_days": _age_days(dispute, now),
        "is_overdue": dispute.is_overdue(now),
    }


def print_disputes(disputes: Iterable[Dispute], now: datetime) -> None:
    """A list with ages and due instants. now: naive UTC."""
    print_table(
        "Disputes",
        ("dispute", "on", "id", "partner", "state", "days", "due (UTC)", "late", "leads to"),
        [
            (each.dispute_id, each.subject_type, each.subject_id, each.partner_id, each.state,
             _age_days(each, now), _minute(each.due_at), "yes" if each.is_overdue(now) else "",
             each.adjustment_id or each.ruling_id or each.remedy)
            for each in disputes
        ],
        right=("days",),
        whole=("dispute", "id", "partner"),
    )  # fmt: skip


def print_dispute(dispute: Dispute, now: datetime, texts: DisputeTexts | None = None) -> None:
    """Where one dispute stands. texts: what was written and attached, when it is asked for."""
    lines = [
        f"Dispute {dispute.dispute_id}: {dispute.state.replace('_', ' ')}",
        f"Partner {dispute.partner_id} on {dispute.subject_type} {dispute.subject_id}",
        f"Opened as {dispute.opened_by_role} by {dispute.opened_by} at "
        f"{_minute(dispute.opened_at)} UTC, {counted(_age_days(dispute, now), 'day')} ago",
    ]
    if texts:
        lines.append(f"Text: {texts.text}")
        lines.append(
            f"Evidence: {len(texts.evidence):,} characters of JSON, SHA-256 "
            f"{dispute.evidence_sha256}; --json shows it"
        )
    if dispute.is_open:
        late = ", which is over" if dispute.is_overdue(now) else ""
        lines.append(f"To be decided until {_minute(dispute.due_at)} UTC{late}")
    if dispute.is_open and dispute.hold_id:
        lines.append(f"Held by {dispute.hold_id} until it ends")
    if dispute.reviewed_by and dispute.is_open:
        lines.append(f"Under review by {dispute.reviewed_by}")
    if dispute.decided_by:
        lines.append(f"Ended by {dispute.decided_by}: {dispute.reason}")
    for name, value in (("adjustment", dispute.adjustment_id), ("ruling", dispute.ruling_id)):
        if value:
            lines.append(f"Leads to {name} {value}")
    out().print("\n".join(lines))


def print_events(events: Iterable[Event]) -> None:
    """Everything that was decided about a dispute."""
    out().print()
    print_table(
        "Decisions",
        ("at (UTC)", "what", "who", "identity", "reason"),
        [
            (each.recorded_at, each.kind.removeprefix("dispute_"), each.actor,
             each.identity_level, each.reason)
            for each in events
        ],
    )  # fmt: skip


def _age_days(dispute: Dispute, now: datetime) -> int:
    """Whole days from the opening to the end, or until now."""
    from payouts.hashing import parse_instant

    ended = parse_instant(dispute.decided_at) if dispute.decided_at else now
    return max(0, (ended - parse_instant(dispute.opened_at)).days)


def _minute(text: str) -> str:
    from payouts.hashing import parse_instant

    return minute(parse_instant(text))
