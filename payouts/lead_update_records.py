"""Messages about leads, requests for an update and their answers, as they were recorded (L5).

What belongs here: reading them. What does not: writing them (``lead_updates``).

Whom a message or a request is for is in the payload of its event; what was recorded before anybody
could be named has nobody there.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import Connection, select

from payouts import events
from payouts.lead_rows import event_id
from payouts.schema import events as event_table
from payouts.schema import lead_messages
from payouts.texts import shown_actor

REQUESTED, ANSWERED = "update_requested", "update_answered"
_PREFIX = "req"


@dataclass(frozen=True)
class LeadMessage:
    """One message. ``posted_at`` is fixed-width UTC text, ``author`` without the domain.

    partner_id: whom it is for or from; None where nobody was named.
    """

    message_id: str
    subject_type: str
    subject_id: str
    author_role: str
    is_partner_visible: bool
    posted_at: str
    text: str
    author: str
    partner_id: str | None = None


@dataclass(frozen=True)
class UpdateRequest:
    """One request by a person. Instants are fixed-width UTC text; ``reason`` may be empty.

    partner_id: the one partner that is asked; None where nobody was named, or the owner is asked.
    """

    request_id: str
    subject_type: str
    subject_id: str
    asked_of: str
    asked_at: str
    due_at: str
    asked_by: str
    reason: str
    partner_id: str | None = None


@dataclass(frozen=True)
class UpdateAnswer:
    """The answer to a request; its text is the message ``message_id``."""

    request_id: str
    subject_type: str
    subject_id: str
    answered_at: str
    author_role: str
    answered_by: str
    message_id: str


def load_messages(
    connection: Connection, subject_type: str | None = None, subject_id: str | None = None
) -> list[LeadMessage]:
    """All messages, or those of one subject, oldest first."""
    query = select(lead_messages, event_table.c.actor, event_table.c.payload).join(
        event_table, event_table.c.seq == lead_messages.c.seq
    )
    if subject_type is not None:
        query = query.where(lead_messages.c.subject_type == subject_type)
    if subject_id is not None:
        query = query.where(lead_messages.c.subject_id == subject_id)
    return [
        LeadMessage(
            row.message_id, row.subject_type, row.subject_id, row.author_role,
            bool(row.is_partner_visible), row.posted_at, row.text, shown_actor(row.actor),
            json.loads(row.payload).get("partner_id"),
        )
        for row in connection.execute(query.order_by(lead_messages.c.seq))
    ]  # fmt: skip


def load_requests(connection: Connection) -> list[UpdateRequest]:
    """All requests that people made, oldest first."""
    return [request_of(event) for event in events.of_kinds(connection, (REQUESTED,))]


def load_answers(connection: Connection, request_id: str | None = None) -> list[UpdateAnswer]:
    """All answers, or that to one request, oldest first."""
    if request_id is None:
        return [answer_of(event) for event in events.of_kinds(connection, (ANSWERED,))]
    return [
        answer_of(event) for event in events.of_subject(connection, f"update_request:{request_id}")
    ]


def request_of(event: events.Event) -> UpdateRequest:
    """The request that an event records."""
    return UpdateRequest(
        request_id=event_id(_PREFIX, event.hash),
        subject_type=event.payload["subject_type"],
        subject_id=event.payload["subject_id"],
        asked_of=event.payload["asked_of"],
        asked_at=event.recorded_at,
        due_at=event.payload["due_at"],
        asked_by=shown_actor(event.actor),
        reason=event.reason,
        partner_id=event.payload.get("partner_id"),
    )


def answer_of(event: events.Event) -> UpdateAnswer:
    """The answer that an event records."""
    return UpdateAnswer(
        request_id=event.subject.removeprefix("update_request:"),
        subject_type=event.payload["subject_type"],
        subject_id=event.payload["subject_id"],
        answered_at=event.recorded_at,
        author_role=event.payload["author_role"],
        answered_by=shown_actor(event.actor),
        message_id=event.payload["message_id"],
    )
