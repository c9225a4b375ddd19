"""Messages and requests about leads, as far as they are for the partner that asks.

A message has no addressee. On a partner's own registration what staff show is for that partner. On
a lead it is so only where no other partner ever had to do with the lead; else the partner sees its
own messages alone, and staff answer on its registration.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from payouts.dispute_checks import partner_actor
from payouts.hashing import parse_instant
from payouts.lead_updates import (
    LeadMessage,
    UpdateRequest,
    load_answers,
    load_messages,
    load_requests,
)
from payouts.texts import shown_actor

from dashboards.portal.leads import Lead, spoken_leads
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
            if is_own or (lead is not None and lead.is_alone and each.is_partner_visible):
                found.append(_said(each, own_name))
    for key in filter(is_registration, keys):
        found += [
            _said(each, own_name)
            for each in load_messages(connection, REGISTRATION, key)
            if each.is_partner_visible
        ]
    return sorted(found, key=lambda each: each.at)


def open_requests(connection: Connection, visit: Visit, own_keys: Iterable[str]) -> list[Request]:
    """Requests that wait for this partner, those due first; also those asked since the night.

    own_keys: all submissions and registrations of the partner.
    """
    keys = set(own_keys)
    answered = {answer.request_id for answer in load_answers(connection)}
    asked = {
        request.request_id: request
        for request in load_requests(connection)
        if request.asked_of == "partner" and request.request_id not in answered
    }
    waiting: list[tuple[str, str, str, dict[str, Any]]] = []
    for row in visit.rows("portal/requests", partner_id=visit.partner_id):
        if row["answered_at"] is None and row["request_id"] not in answered | set(asked):
            of_registration = is_registration(row["subject_key"])
            subject = row["subject_key"] if of_registration else row["lead_id"]
            kind = REGISTRATION if of_registration else LEAD
            waiting.append((row["request_id"], kind, subject, row))
    for request in asked.values():
        waiting.append(
            (request.request_id, request.subject_type, request.subject_id, _row(request))
        )
    meant = spoken_leads(visit, (subject for _, kind, subject, _ in waiting if kind == LEAD))
    found = [
        Request(
            request_id=request_id,
            subject_type=kind,
            subject_id=subject,
            lead_id=meant.get(subject) if kind == LEAD else row["lead_id"],
            asked_at=row["asked_at"],
            due_at=row["due_at"],
            text=row.get("text", "") if kind == REGISTRATION else "",
            is_overdue=row["due_at"] <= visit.now,
        )
        for request_id, kind, subject, row in waiting
        if (kind == REGISTRATION and subject in keys) or (kind == LEAD and subject in meant)
    ]
    return sorted(found, key=lambda each: (each.due_at, each.request_id))


def _row(request: UpdateRequest) -> dict[str, Any]:
    return {
        "lead_id": None,
        "asked_at": parse_instant(request.asked_at),
        "due_at": parse_instant(request.due_at),
        "text": request.reason,
    }


def _is_by(message: LeadMessage, own_name: str) -> bool:
    return message.author_role == "partner" and message.author == own_name


def _said(message: LeadMessage, own_name: str) -> Said:
    is_own = _is_by(message, own_name) or message.author_role == "partner"
    return Said(parse_instant(message.posted_at), message.text, is_own)
