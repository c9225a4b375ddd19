"""Records of the control database as plain values with stable keys, for --json."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from payouts.events import Event
    from payouts.records import BatchDetail


def batch_detail_record(detail: BatchDetail) -> dict[str, Any]:
    """One batch: the summary's keys, then items, left_out and events."""
    return {
        **vars(detail.summary),
        "maker": detail.state.maker,
        "approvals": [vars(approval) for approval in detail.state.approvals],
        "items_paid": [
            {**vars(item), "currency_code": detail.summary.currency_code} for item in detail.items
        ],
        "exceptions": [vars(exception) for exception in detail.exceptions],
        "left_out": [vars(left) for left in detail.left_out],
        "events": [event_record(event) for event in detail.events],
    }


def event_record(event: Event) -> dict[str, Any]:
    """One event of the audit chain."""
    return {
        "event": event.seq,
        "kind": event.kind,
        "actor": event.actor,
        "identity_level": event.identity_level,
        "reason": event.reason,
        "recorded_at": event.recorded_at,
        "payload": dict(event.payload),
        "hash": event.hash,
    }
