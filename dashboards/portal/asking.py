"""Whether the partner may ask about an earning, a lead or a payout, and whether it has.

What belongs here: finding the subject among the partner's own records, and its window. What does
not: the rules of a dispute (`payouts.disputes`), which judge again when it is opened.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from payouts.dispute_records import LEAD, LINE, PAYOUT, SUBJECT_TYPES

from dashboards.errors import NotFoundError
from dashboards.portal import addresses
from dashboards.portal.leads import find_lead
from dashboards.portal.masking import customer
from dashboards.portal.recorded import local_today, own_disputes
from dashboards.words import ENTRY_KINDS, word

if TYPE_CHECKING:
    from payouts.dispute_records import Dispute

    from dashboards.visit import Visit

_EVER = {"start": date(1900, 1, 1), "end": date(2200, 1, 1)}


@dataclass(frozen=True)
class Question:
    """What could be asked about.

    last_day: on which a question is taken; None for no end, or a lead. is_possible: whether one can
    be asked today; open_id: the one that is open already.
    """

    subject_type: str
    subject_id: str
    label: str
    address: str | None
    amount_minor: int | None = None
    currency_code: str = ""
    last_day: date | None = None
    is_possible: bool = True
    open_id: str | None = None


def question_of(visit: Visit, subject_type: str, subject_id: str) -> Question:
    """What can be asked about one of the partner's own records.

    Raises: NotFoundError, the same for what does not exist and for what is another partner's.
    """
    if subject_type not in SUBJECT_TYPES or not subject_id:
        raise NotFoundError("there is nothing of yours by this name to ask about")
    found = _FINDERS[subject_type](visit, subject_id)
    with visit.control() as connection:
        disputes = own_disputes(connection, visit.partner_id)
    return _judged(visit, found, disputes)


def _judged(visit: Visit, found: dict[str, Any], disputes: list[Dispute]) -> Question:
    same = found.pop("known_ids")
    happened_on = found.pop("happened_on")
    is_payable = found.pop("is_payable", True)
    last_day = None
    if happened_on is not None:
        last_day = happened_on + timedelta(days=visit.rules.dispute_window_days)
    open_id = next(
        (
            each.dispute_id
            for each in disputes
            if each.is_open
            and each.subject_type == found["subject_type"]
            and each.subject_id in same
        ),
        None,
    )
    is_in_time = last_day is None or local_today(visit) <= last_day
    is_lead = found["subject_type"] == LEAD
    # A lead's window runs from what anybody earned on it, which is nobody else's business.
    return Question(
        **found, last_day=None if is_lead else last_day, open_id=open_id,
        is_possible=is_in_time and is_payable and open_id is None,
    )  # fmt: skip


def _line(visit: Visit, commission_id: str) -> dict[str, Any]:
    rows = visit.rows(
        "portal/earnings", partner_id=visit.partner_id, **_EVER, status="", lead_id="",
        commission_id=commission_id, limit=1, offset=0,
    )  # fmt: skip
    entries = visit.rows(
        "portal/earning_entries", partner_id=visit.partner_id, commission_id=commission_id
    )
    # What no night has posted yet cannot be asked about: it has no day.
    if not rows or not entries:
        raise NotFoundError("there is no such line among your earnings")
    row = rows[0]
    who = f", {customer(row)}" if row["lead_id"] else ""
    return {
        "subject_type": LINE,
        "subject_id": commission_id,
        "label": f"{word(row['kind'], ENTRY_KINDS)} of {row['effective_date']}{who}",
        "address": addresses.earning(commission_id),
        "amount_minor": row["payout_amount_minor"],
        "currency_code": row["payout_currency_code"],
        "happened_on": max(each["effective_date"] for each in entries),
        "known_ids": {commission_id},
    }


def _lead(visit: Visit, lead_id: str) -> dict[str, Any]:
    lead = find_lead(visit, lead_id)
    row = visit.row("portal/lead_newest", lead_id=lead.lead_id)
    return {
        "subject_type": LEAD,
        "subject_id": lead.lead_id,
        "label": f"Lead {lead.facts['who']}",
        "address": addresses.lead(lead.lead_id),
        "happened_on": row["newest"] if row else None,
        "known_ids": set(lead.known_ids),
    }


def _payout(visit: Visit, payout_id: str) -> dict[str, Any]:
    rows = visit.rows("portal/payouts", partner_id=visit.partner_id, payout_id=payout_id)
    if not rows:
        raise NotFoundError("there is no such payout of yours")
    row = rows[0]
    is_out = row["batch_state"] in ("exported", "sent", "closed")
    return {
        "subject_type": PAYOUT,
        "subject_id": payout_id,
        "label": f"Payout of {row['pay_date']}",
        "address": addresses.payout(payout_id),
        "amount_minor": row["amount_minor"],
        "currency_code": row["currency_code"],
        "happened_on": row["pay_date"] if is_out else None,
        "is_payable": row["left_out_reason"] is None,
        "known_ids": {payout_id},
    }


_FINDERS = {LINE: _line, LEAD: _lead, PAYOUT: _payout}
