"""What the partner that asks has recorded itself: read from the control database, as of now.

What belongs here: registrations, its payee record and disputes of one partner. What does not:
messages and requests (`conversation`).
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import reduce
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from payouts import events
from payouts.dispute_records import PARTNER_ROLE, Dispute, load_disputes
from payouts.hashing import parse_instant
from payouts.onboarding import Step
from payouts.payee_details import partner_owner
from payouts.payee_state import Payee, after
from payouts.registrations import (
    EXTENDED,
    Registration,
    load_decisions,
    load_registrations,
)

from dashboards.errors import NotFoundError
from dashboards.portal.masking import masked_addresses

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from dashboards.visit import Visit


def local_today(visit: Visit) -> date:
    """The present day in the programme's time zone."""
    return local_day(visit, visit.now)


def local_day(visit: Visit, at: datetime) -> date:
    """The day of an instant (naive UTC) in the programme's time zone."""
    zone = ZoneInfo(visit.workspace.program.program.timezone)
    return at.replace(tzinfo=UTC).astimezone(zone).date()


def profile_of(visit: Visit) -> dict[str, Any]:
    """What the snapshot says of the partner; empty values for one that no night has seen yet."""
    nobody = dict.fromkeys(("name", "status", "plan_id", "payout_currency_code", "next_pay_date"))
    return visit.row("portal/partner", partner_id=visit.partner_id) or nobody


def payee_of(connection: Connection, partner_id: str) -> Payee:
    """What is known of the partner as somebody who is paid."""
    return reduce(
        after, events.of_subject(connection, partner_owner(partner_id)), Payee(partner_id)
    )


def is_settled(step: Step, payee: Payee) -> bool:
    """Whether nothing is left to do: details that the team holds and has verified are there too."""
    return step.is_done or (step.step == "payout_details" and payee.payee_verified)


def own_registrations(connection: Connection, partner_id: str) -> list[Registration]:
    """Registrations and leads entered here for the partner, newest first."""
    found = [each for each in load_registrations(connection) if each.partner_id == partner_id]
    return found[::-1]


def registration_rows(
    connection: Connection, registrations: list[Registration]
) -> list[dict[str, Any]]:
    """As a table shows them: what the partner itself typed, addresses masked, and the state."""
    rows = []
    for each in registrations:
        turns = [d for d in load_decisions(connection, each.key) if d.decision != EXTENDED]
        is_entry = each.entity == "lead_entries"
        rows.append(
            {
                "submission_key": each.key,
                "submission_type": "lead_entry" if is_entry else "deal_registration",
                "submitted_at": parse_instant(each.submitted_at),
                "who": masked_addresses(each.company_domain or each.email or each.deal_id or ""),
                "expected_amount_minor": each.expected_amount_minor,
                "currency_code": each.currency_code,
                "registration_status": (
                    turns[-1].decision if turns else "entered" if is_entry else "pending"
                ),
            }
        )
    return rows


def own_disputes(connection: Connection, partner_id: str) -> list[Dispute]:
    """Disputes of the partner, newest first, also those that staff entered in its name.

    What staff dispute in their own name is a note among themselves.
    """
    found = [
        each
        for each in load_disputes(connection)
        if each.partner_id == partner_id and each.opened_by_role == PARTNER_ROLE
    ]
    return found[::-1]


def own_dispute(connection: Connection, partner_id: str, dispute_id: str) -> Dispute:
    """One dispute of the partner. Raises: NotFoundError for any other."""
    for each in own_disputes(connection, partner_id):
        if each.dispute_id == dispute_id:
            return each
    raise NotFoundError("there is no such question among yours")
