"""Messages and requests about leads, as far as they are for the partner that asks.

What staff write to one partner is shown to that one, on every lead it has to do with, and to no
other. Where they named nobody, it is for the partner on its own registration, and on a lead only
where no other partner ever had to do with it; a request is for who is credited with most of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from payouts.dispute_checks import partner_actor
from payouts.hashing import parse_instant
from payouts.lead_update_records import (
    LeadMessage,
    UpdateRequest,
    load_answers,
    load_messages,
    load_requests,
)
from payouts.texts import shown_actor

from dashboards.portal.leads import Lead, met_leads
from dashboards.registrations import is_registration

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from dashboards.visit import Visit

LEAD, REGISTRATION = "lead", "registration"


@dataclass(frozen=True)
class Said:
    """One message. is_own: written by the partner. at: naive UTC."""

    at: datetime
    text: str
    is_own: bool


@dataclass(frozen=True)
class Request:
    """One request that waits for the partner's answer. Instants are naive UTC.

    lead_id: None for a registration that belongs to no lead yet. text: what is asked, may be empty.
    """

    request_id: str
    subject_type: str
    subject_id: str
    lead_id: str | None
    asked_at: datetime | None
    due_at: datetime
    text: str
    is_overdue: bool


def messages(
    connection: Connection, visit: Visit, lead: Lead | None, keys: Iterable[str]
) -> list[Said]:
    """Messages on a lead and on the partner's own registrations, oldest first.

    keys: of submissions of the partner alone.
    """
    actor = partner_actor(visit.partner_id)
    own_name = shown_actor(actor)
    # Two ids that differ after an @ alone would have one name.
    is_named_clearly = own_name == actor
    found: list[Said] = []
    for known_id in lead.known_ids if lead else ():
        for each in load_messages(connection, LEAD, known_id):
            is_own = is_named_clearly and _is_by(each, own_name)
            is_alone = lead is not None and lead.is_alone
            if is_own or _is_for(each, visit.partner_id, is_alone):
                found.append(_said(each, own_name))
    for key in filter(is_registration, keys):
        found += [
            _said(each, own_name)
            for each in load_messages(connection, REGISTRATION, key)
            if _is_for(each, visit.partner_id, True)
        ]
    return sorted(found, key=lambda each: each.at)


def open_requests(connection: Connection, visit: Visit, own_keys: Iterable[str]) -> list[Request]:
    """Requests that wait for this partner, those due first; also those asked since the night.

    own_keys: all submissions and registrations of the partner.
    """
    keys = set(own_keys)
    answered = {answer.request_id for answer in load_answers(connection)}
    recorded = {request.request_id: request for request in load_requests(connection)}
    waiting = [
        _published(row, visit.now)
        for row in visit.rows("portal/requests", partner_id=visit.partner_id)
        if row["answered_at"] is None and row["request_id"] not in answered | set(recorded)
    ]
    addressed = set()
    for request in recorded.values():
        is_asked = request.asked_of == "partner" and request.partner_id in (None, visit.partner_id)
        if is_asked and request.request_id not in answered:
            waiting.append(_asked(request, visit.now))
            addressed |= {request.request_id} if request.partner_id else set()
    met = met_leads(visit, (each.subject_id for each in waiting if each.subject_type == LEAD))
    found = []
    for each in waiting:
        lead = met.get(each.subject_id) if each.subject_type == LEAD else None
        is_named = each.request_id in addressed
        if lead is not None and (lead.is_spoken_to or is_named):
            # Where nobody was named, the text may be meant for another partner of the lead.
            text = each.text if is_named else ""
            found.append(replace(each, lead_id=lead.lead_id, text=text))
        elif each.subject_type == REGISTRATION and each.subject_id in keys:
            found.append(each)
    return sorted(found, key=lambda each: (each.due_at, each.request_id))


def _published(row: dict[str, Any], now: datetime) -> Request:
    """A request that a night raised."""
    of_registration = is_registration(row["subject_key"])
    return Request(
        request_id=row["request_id"],
        subject_type=REGISTRATION if of_registration else LEAD,
        subject_id=row["subject_key"] if of_registration else row["lead_id"],
        lead_id=row["lead_id"],
        asked_at=row["asked_at"],
        due_at=row["due_at"],
        text="",
        is_overdue=row["due_at"] <= now,
    )


def _asked(request: UpdateRequest, now: datetime) -> Request:
    """A request that somebody made."""
    due_at = parse_instant(request.due_at)
    return Request(
        request_id=request.request_id,
        subject_type=request.subject_type,
        subject_id=request.subject_id,
        lead_id=None,
        asked_at=parse_instant(request.asked_at),
        due_at=due_at,
        text=request.reason,
        is_overdue=due_at <= now,
    )


def _is_for(message: LeadMessage, partner_id: str, is_only_one: bool) -> bool:
    """Whether a partner may see it. is_only_one: where nobody was named, no other can be meant."""
    if message.partner_id is not None:
        return message.is_partner_visible and message.partner_id == partner_id
    return message.is_partner_visible and is_only_one


def _is_by(message: LeadMessage, own_name: str) -> bool:
    return message.author_role == "partner" and message.author == own_name


def _said(message: LeadMessage, own_name: str) -> Said:
    is_own = _is_by(message, own_name) or message.author_role == "partner"
    return Said(parse_instant(message.posted_at), message.text, is_own)
