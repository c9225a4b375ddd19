"""What people have decided about one partner: onboarding, gates, year totals, notices.

All of it is of the moment, from the control database. What does not belong here: money of the
night (queries/programme/partner*.sql), and deciding anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from payouts.dispute_records import load_disputes
from payouts.onboarding import checklist
from payouts.payee_state import Payee
from payouts.payees import failed_gate, load_payees
from payouts.portal_addresses import list_addresses
from payouts.schema import outbox_messages
from payouts.year_totals import year_totals
from sqlalchemy import func, select

from dashboards.dates import local_day

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from dashboards.visit import Visit

Row = dict[str, Any]
_FAILED = "failed"


@dataclass(frozen=True)
class PartnerRecord:
    """steps: of onboarding. gates: gate and whether it is passed. year_totals: paid out in the
    year of the request. disputes, open_disputes, notices, failed_notices: how many.
    """

    steps: list[Row]
    gates: list[Row]
    year_totals: list[Row]
    disputes: int
    open_disputes: int
    notices: int
    failed_notices: int


def read_record(visit: Visit, partner_id: str, status: str | None) -> PartnerRecord:
    """What is recorded. status: of the partner in the directory."""
    today = local_day(visit)
    with visit.control() as connection:
        payee = load_payees(connection).get(partner_id, Payee(partner_id))
        disputes = [each for each in load_disputes(connection) if each.partner_id == partner_id]
        totals = year_totals(connection, today.year, visit.workspace.program.program.timezone)
        notices = _notices(connection, partner_id)
    return PartnerRecord(
        steps=[asdict(step) for step in checklist(payee, today)],
        gates=[
            {"gate": gate, "is_passed": failed_gate((gate,), status, payee, today) is None}
            for gate in visit.rules.gates
        ],
        year_totals=[asdict(total) for total in totals if total.partner_id == partner_id],
        disputes=len(disputes),
        open_disputes=sum(each.is_open for each in disputes),
        notices=sum(notices.values()),
        failed_notices=notices.get(_FAILED, 0),
    )


def _notices(connection: Connection, partner_id: str) -> Mapping[str, int]:
    """Mails to the partner's addresses, how many by state."""
    addresses = [each.email for each in list_addresses(connection, partner_id)]
    if not addresses:
        return {}
    rows = connection.execute(
        select(outbox_messages.c.state, func.count())
        .where(outbox_messages.c.recipient.in_(addresses))
        .group_by(outbox_messages.c.state)
    )
    return {state: count for state, count in rows}
