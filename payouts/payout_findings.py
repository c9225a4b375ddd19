"""What needs a person about payouts, for the list of exceptions in the warehouse.

What belongs here: collecting what was recorded about settlement, payout details and messages, ids
only. What does not: recording it (``settlement``, ``payee_details``, ``outbox``) and deciding what
to do.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from payouts import events
from payouts.hashing import parse_instant
from payouts.outbox import undelivered
from payouts.payee_details_records import load_duplicate_accounts
from payouts.payee_state import DETAILS_PROPOSED
from payouts.payees import load_payees
from payouts.settlement.open_lines import open_lines

_SHOWN_ID = 12
CHANGE_REQUESTED = "payee_change_requested"
FINDING_COLUMNS: tuple[tuple[str, str], ...] = (
    ("kind", "varchar"), ("subject", "varchar"), ("detail", "varchar"), ("opened_at", "timestamp"),
)  # fmt: skip


def finding_rows(connection: Connection) -> list[dict[str, Any]]:
    """Findings that are open, oldest first within a kind."""
    return [
        *_settlement_lines(connection),
        *_requested_changes(connection),
        *_waiting_details(connection),
        *_shared_accounts(connection),
        *_undelivered_notices(connection),
    ]


def _settlement_lines(connection: Connection) -> list[dict[str, Any]]:
    """Lines of banks' files that were neither applied nor acknowledged."""
    return [
        _row(
            "settlement_line_not_applied",
            f"settlement:{line.settlement}:line:{line.line}",
            f"{line.kind}: {line.detail}",
            line.recorded_at,
        )
        for line in open_lines(connection)
    ]


def _requested_changes(connection: Connection) -> list[dict[str, Any]]:
    """Notices of change after which no other details were proposed."""
    payees = load_payees(connection)
    newest: dict[str, events.Event] = {}
    for event in events.of_kinds(connection, (CHANGE_REQUESTED, DETAILS_PROPOSED)):
        newest[event.subject] = event
    return [
        _row(
            "payout_details_outdated",
            subject,
            f"the bank asks for other details ({event.payload.get('code')})",
            event.recorded_at,
        )
        for subject, event in sorted(newest.items())
        if event.kind == CHANGE_REQUESTED and subject.removeprefix("partner:") in payees
    ]


def _waiting_details(connection: Connection) -> list[dict[str, Any]]:
    """Payout details that wait for a second person."""
    proposed = {
        event.payload["details_id"]: event.recorded_at
        for event in events.of_kinds(connection, (DETAILS_PROPOSED,))
    }
    return [
        _row(
            "payout_details_waiting",
            f"partner:{partner_id}",
            f"details {payee.pending_details_id} wait for approval",
            proposed.get(payee.pending_details_id),
        )
        for partner_id, payee in sorted(load_payees(connection).items())
        if payee.pending_details_id
    ]


def _shared_accounts(connection: Connection) -> list[dict[str, Any]]:
    return [
        _row(
            "payout_account_shared",
            "partner:" + ",".join(shared.partner_ids),
            "these partners are paid to one account",
            None,
        )
        for shared in load_duplicate_accounts(connection)
    ]


def _undelivered_notices(connection: Connection) -> list[dict[str, Any]]:
    """Messages that were refused, given up, or may have been sent; no address is repeated."""
    return [
        _row(
            "notice_not_delivered",
            f"message:{message.message_id[:_SHOWN_ID]}",
            f"{message.kind}: {message.last_error or 'it may have been sent: its sender ended'}",
            message.changed_at,
        )
        for message in undelivered(connection)
    ]


def _row(kind: str, subject: str, detail: str, recorded_at: str | None) -> dict[str, Any]:
    opened_at: datetime | None = parse_instant(recorded_at) if recorded_at else None
    return {"kind": kind, "subject": subject, "detail": detail, "opened_at": opened_at}
