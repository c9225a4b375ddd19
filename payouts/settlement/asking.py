"""What a partner is asked after a bank's file: nothing more is paid to a doubtful account.

What belongs here: the notice of change, the gate, and the hold on the partner. What does not:
giving money back (``applying``) and how a hold ends (``holds``). Decision 0052.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from payouts import events
from payouts.holds import PAYEE_DETAILS, append_hold, load_holds, make_held_batches_stale
from payouts.outcomes import NOTICE, ItemState
from payouts.payees import load_payees
from payouts.settlement.planning import PlannedOutcome

CHANGE_REQUESTED = "payee_change_requested"
PAYEE_RECORDED = "payee_recorded"
# NACHA: the account must be corrected before the next payment. What a verification of the payee
# says of a name (RVNM, RVMC) is for a person to judge.
_CORRECTION = re.compile(r"C[0-9]{2}")


def ask_partners(
    connection: Connection, home: Path, applied: list[PlannedOutcome], said: dict[str, Any]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Record what outcomes mean for the next payment of their partners, in the caller's
    transaction.

    An account that did not take the money, or that the bank wants to have corrected, fails the gate
    ``payee_verified``; after that and after any notice the partner is held until somebody has
    checked. Returns the partners and the batches that went stale, whose files the caller discards.
    """
    payees = load_payees(connection)
    unverified = {partner_id for partner_id, payee in payees.items() if not payee.payee_verified}
    asked: dict[str, ItemState] = {}
    for planned in applied:
        item, outcome = planned.item, planned.outcome
        is_notice = outcome.outcome == NOTICE
        if is_notice:
            _record_notice(connection, item, outcome.reason_code, said)
        elif not planned.gives_back:
            continue
        is_doubtful = not is_notice or _CORRECTION.fullmatch(outcome.reason_code or "")
        if is_doubtful and item.partner_id not in unverified:
            unverified.add(item.partner_id)
            _record_unverified(connection, item, outcome.outcome, outcome.reason_code, said)
        asked.setdefault(item.partner_id, item)
    return tuple(sorted(asked)), _hold(connection, home, asked, said)


def _record_notice(
    connection: Connection, item: ItemState, code: str | None, said: dict[str, Any]
) -> None:
    events.append(
        connection,
        kind=CHANGE_REQUESTED,
        subject=f"partner:{item.partner_id}",
        payload={"payout_id": item.payout_id, "batch_id": item.batch_id, "code": code},
        reason=f"the bank asks for other details ({code})",
        **said,
    )


def _record_unverified(
    connection: Connection,
    item: ItemState,
    outcome: str,
    reason_code: str | None,
    said: dict[str, Any],
) -> None:
    """Fail the gate ``payee_verified`` of a partner until somebody has checked its details."""
    code = f" ({reason_code})" if reason_code else ""
    events.append(
        connection,
        kind=PAYEE_RECORDED,
        subject=f"partner:{item.partner_id}",
        payload={"payee_verified": False},
        reason=f"payout {item.payout_id} {outcome}{code}; check the payee's details",
        **said,
    )


def _hold(
    connection: Connection, home: Path, asked: dict[str, ItemState], said: dict[str, Any]
) -> tuple[str, ...]:
    """A hold on each partner that has none of this kind: also where no gate looks at details."""
    held = {hold.subject_id for hold in load_holds(connection) if hold.is_open and hold.payout_id}
    opened = [
        append_hold(
            connection,
            {"subject_type": "partner", "subject_id": partner_id, "payout_id": item.payout_id},
            reason=PAYEE_DETAILS,
            **said,
        )
        for partner_id, item in sorted(asked.items())
        if partner_id not in held
    ]
    if not opened:
        return ()
    return tuple(make_held_batches_stale(connection, home, opened, said["recorded_at"]))
