"""Talking about leads: messages, requests for an update, and their answers (L5).

What belongs here: writing and reading them. What does not: requests that follow from a lead
standing still; the models find those, and only their answers are recorded here.

A subject is a ``lead`` with its id, or a ``registration`` with its key (``registrations``). Whether
a lead exists, the caller knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Select, select

from payouts import events
from payouts.errors import DecisionRefusedError
from payouts.hashing import instant_text
from payouts.lead_rows import MESSAGES, event_id, insert_row
from payouts.registrations import find_entered
from payouts.schema import events as event_table
from payouts.schema import lead_messages
from payouts.store import Store
from payouts.terms import person
from payouts.texts import (
    MESSAGE_CHARACTERS,
    identifier,
    instant,
    optional_written,
    shown_actor,
    written,
)

SUBJECT_TYPES = ("lead", "registration")
AUTHOR_ROLES = ("staff", "partner")
ASKED_OF = ("owner", "partner")
_REQUESTED, _ANSWERED = "update_requested", "update_answered"
_PREFIX = "req"


@dataclass(frozen=True)
class LeadMessage:
    """One message. ``posted_at`` is fixed-width UTC text, ``author`` without the domain."""

    message_id: str
    subject_type: str
    subject_id: str
    author_role: str
    is_partner_visible: bool
    posted_at: str
    text: str
    author: str


@dataclass(frozen=True)
class UpdateRequest:
    """One request by a person. Instants are fixed-width UTC text; ``reason`` may be empty."""

    request_id: str
    subject_type: str
    subject_id: str
    asked_of: str
    asked_at: str
    due_at: str
    asked_by: str
    reason: str


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


def post_message(
    store: Store,
    *,
    subject_type: str,
    subject_id: str,
    text: str,
    author_role: str,
    actor: str,
    recorded_at: datetime,
    is_partner_visible: bool = False,
    identity_level: str = "os_user",
) -> LeadMessage:
    """Write a message about a lead or a registration.

    is_partner_visible: a partner's own message always is.
    Raises: DecisionRefusedError for a malformed subject, an empty or over-long text, or when the
    newest message there is the same text by the same person.
    """
    author = identifier(person(actor), "the person who writes")
    with store.write() as connection:
        subject = _checked_subject(connection, subject_type, subject_id)
        text = written(text, "the message", MESSAGE_CHARACTERS)
        newest = connection.execute(
            _messages()
            .where(lead_messages.c.subject_type == subject[0])
            .where(lead_messages.c.subject_id == subject[1])
            .order_by(lead_messages.c.seq.desc())
            .limit(1)
        ).first()
        if newest is not None and (newest.text, newest.actor) == (text, author):
            raise DecisionRefusedError(
                f"the same message was posted already as {newest.message_id}; nothing was recorded"
            )
        return _insert_message(
            connection, subject, text, author_role, is_partner_visible, author, recorded_at,
            identity_level,
        )  # fmt: skip


def request_update(
    store: Store,
    *,
    subject_type: str,
    subject_id: str,
    asked_of: str,
    due_at: datetime,
    actor: str,
    recorded_at: datetime,
    reason: str = "",
    identity_level: str = "os_user",
) -> UpdateRequest:
    """Ask the owner of a lead or its partner for an update until ``due_at`` (naive UTC).

    Raises: DecisionRefusedError for a malformed subject, a due instant that is not later than
    ``recorded_at``, or when the same is asked already and not answered.
    """
    if asked_of not in ASKED_OF:
        raise DecisionRefusedError(
            f"an update is asked of the {' or the '.join(ASKED_OF)}, not of {asked_of!r}"
        )
    due = instant(due_at, "the day it is due")
    if due <= instant_text(recorded_at):
        raise DecisionRefusedError(
            f"the update would be due at {due}, which is over; name a later day. Nothing was "
            "recorded"
        )
    asker = identifier(person(actor), "the person who asks")
    reason = optional_written(reason, "the reason")
    with store.write() as connection:
        subject = _checked_subject(connection, subject_type, subject_id)
        answered = {answer.request_id for answer in load_answers(connection)}
        for request in load_requests(connection):
            if request.request_id not in answered and subject + (asked_of,) == (
                request.subject_type,
                request.subject_id,
                request.asked_of,
            ):
                raise DecisionRefusedError(
                    f"{request.request_id} asks the {asked_of} for that already and waits for an "
                    "answer; nothing was recorded"
                )
        event = events.append(
            connection,
            kind=_REQUESTED,
            subject=f"{subject[0]}:{subject[1]}",
            actor=asker,
            recorded_at=recorded_at,
            payload={
                "subject_type": subject[0],
                "subject_id": subject[1],
                "asked_of": asked_of,
                "due_at": due,
            },
            reason=reason,
            identity_level=identity_level,
        )
    return _request(event)


def answer_update(
    store: Store,
    *,
    request_id: str,
    text: str,
    author_role: str,
    actor: str,
    recorded_at: datetime,
    subject_type: str | None = None,
    subject_id: str | None = None,
    is_partner_visible: bool = False,
    identity_level: str = "os_user",
) -> UpdateAnswer:
    """Answer a request with a message; both are recorded together.

    subject_type, subject_id: of the request when a night computed it; a recorded one knows its own.
    Raises: DecisionRefusedError when it is answered already or its subject is not known or another.
    """
    request_id = identifier(request_id, "the request")
    author = identifier(person(actor), "the person who answers")
    with store.write() as connection:
        is_named = subject_type is not None and subject_id is not None
        given = _checked_subject(connection, subject_type, subject_id) if is_named else None
        subject = _subject_of_request(connection, request_id, given)
        answers = load_answers(connection, request_id)
        if answers:
            raise DecisionRefusedError(
                f"{request_id} was answered at {answers[0].answered_at} already; post a message "
                "instead. Nothing was recorded"
            )
        message = _insert_message(
            connection, subject, written(text, "the answer", MESSAGE_CHARACTERS), author_role,
            is_partner_visible, author, recorded_at, identity_level,
        )  # fmt: skip
        event = events.append(
            connection,
            kind=_ANSWERED,
            subject=f"update_request:{request_id}",
            actor=author,
            recorded_at=recorded_at,
            payload={
                "subject_type": subject[0],
                "subject_id": subject[1],
                "author_role": author_role,
                "message_id": message.message_id,
            },
            identity_level=identity_level,
        )
    return _answer(event)


def load_messages(
    connection: Connection, subject_type: str | None = None, subject_id: str | None = None
) -> list[LeadMessage]:
    """All messages, or those of one subject, oldest first."""
    query = _messages().order_by(lead_messages.c.seq)
    if subject_type is not None:
        query = query.where(lead_messages.c.subject_type == subject_type)
    if subject_id is not None:
        query = query.where(lead_messages.c.subject_id == subject_id)
    return [
        LeadMessage(
            row.message_id, row.subject_type, row.subject_id, row.author_role,
            bool(row.is_partner_visible), row.posted_at, row.text, shown_actor(row.actor),
        )
        for row in connection.execute(query)
    ]  # fmt: skip


def load_requests(connection: Connection) -> list[UpdateRequest]:
    """All requests that people made, oldest first."""
    return [_request(event) for event in events.of_kinds(connection, (_REQUESTED,))]


def load_answers(connection: Connection, request_id: str | None = None) -> list[UpdateAnswer]:
    """All answers, or that to one request, oldest first."""
    if request_id is None:
        return [_answer(event) for event in events.of_kinds(connection, (_ANSWERED,))]
    return [
        _answer(event) for event in events.of_subject(connection, f"update_request:{request_id}")
    ]


def _checked_subject(connection: Connection, subject_type: str, subject_id: str) -> tuple[str, str]:
    if subject_type not in SUBJECT_TYPES:
        raise DecisionRefusedError(
            f"{subject_type!r} cannot be talked about here; use {' or '.join(SUBJECT_TYPES)}"
        )
    checked = identifier(subject_id, f"the {subject_type}")
    if subject_type == "registration":
        find_entered(connection, checked)
    return subject_type, checked


def _subject_of_request(
    connection: Connection, request_id: str, given: tuple[str, str] | None
) -> tuple[str, str]:
    recorded = {request.request_id: request for request in load_requests(connection)}
    request = recorded.get(request_id)
    subject = (request.subject_type, request.subject_id) if request else given
    if subject is None:
        raise DecisionRefusedError(
            f"there is no request {request_id!r} here; look up its id, and name the lead of one "
            "that a night computed. Nothing was recorded"
        )
    if given is not None and given != subject:
        raise DecisionRefusedError(
            f"{request_id} is about {subject[0]} {subject[1]}, not about {given[0]} {given[1]}; "
            "nothing was recorded"
        )
    return subject


def _insert_message(
    connection: Connection,
    subject: tuple[str, str],
    text: str,
    author_role: str,
    is_partner_visible: bool,
    author: str,
    recorded_at: datetime,
    identity_level: str,
) -> LeadMessage:
    if author_role not in AUTHOR_ROLES:
        raise DecisionRefusedError(
            f"{author_role!r} does not write here; use {' or '.join(AUTHOR_ROLES)}"
        )
    is_visible = is_partner_visible or author_role == "partner"
    values = {
        "subject_type": subject[0],
        "subject_id": subject[1],
        "author_role": author_role,
        "is_partner_visible": int(is_visible),
        "posted_at": instant_text(recorded_at),
        "text": text,
    }
    message_id, _ = insert_row(
        connection,
        MESSAGES,
        values,
        subject=f"{subject[0]}:{subject[1]}",
        actor=author,
        recorded_at=recorded_at,
        payload={"author_role": author_role},
        identity_level=identity_level,
    )
    return LeadMessage(
        message_id=message_id,
        **{**values, "is_partner_visible": is_visible},
        author=shown_actor(author),
    )


def _messages() -> Select:
    return select(lead_messages, event_table.c.actor).join(
        event_table, event_table.c.seq == lead_messages.c.seq
    )


def _request(event: events.Event) -> UpdateRequest:
    return UpdateRequest(
        request_id=event_id(_PREFIX, event.hash),
        subject_type=event.payload["subject_type"],
        subject_id=event.payload["subject_id"],
        asked_of=event.payload["asked_of"],
        asked_at=event.recorded_at,
        due_at=event.payload["due_at"],
        asked_by=shown_actor(event.actor),
        reason=event.reason,
    )


def _answer(event: events.Event) -> UpdateAnswer:
    return UpdateAnswer(
        request_id=event.subject.removeprefix("update_request:"),
        subject_type=event.payload["subject_type"],
        subject_id=event.payload["subject_id"],
        answered_at=event.recorded_at,
        author_role=event.payload["author_role"],
        answered_by=shown_actor(event.actor),
        message_id=event.payload["message_id"],
    )
