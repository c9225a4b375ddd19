"""Talking about leads: messages, requests for an update, and their answers (L5).

What belongs here: writing them. What does not: reading them (``lead_update_records``); requests
that follow from a lead standing still: the models find those, and only their answers are recorded
here.

A subject is a ``lead`` with its id, or a ``registration`` with its key (``registrations``). Whether
a lead exists, and which partners have to do with it, the caller knows.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from payouts import events
from payouts.errors import DecisionRefusedError
from payouts.hashing import instant_text
from payouts.lead_rows import MESSAGES, insert_row
from payouts.lead_update_records import (
    ANSWERED,
    REQUESTED,
    LeadMessage,
    UpdateAnswer,
    UpdateRequest,
    answer_of,
    load_answers,
    load_messages,
    load_requests,
    request_of,
)
from payouts.registrations import find_entered
from payouts.store import Store
from payouts.terms import person
from payouts.texts import (
    MESSAGE_CHARACTERS,
    identifier,
    instant,
    optional_identifier,
    optional_written,
    shown_actor,
    written,
)

SUBJECT_TYPES = ("lead", "registration")
_PARTNER = "partner"
AUTHOR_ROLES = ("staff", _PARTNER)
ASKED_OF = ("owner", _PARTNER)


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
    partner_id: str | None = None,
    identity_level: str = "os_user",
) -> LeadMessage:
    """Write a message about a lead or a registration.

    is_partner_visible: a partner's own message always is. partner_id: whom a message of staff is
    for, and so visible to; whose a partner's message is.
    Raises: DecisionRefusedError for a malformed subject, an empty or over-long text, or when the
    newest message there is the same text by the same person for the same partner.
    """
    author = identifier(person(actor), "the person who writes")
    partner = optional_identifier(partner_id, "the partner")
    with store.write() as connection:
        subject = _checked_subject(connection, subject_type, subject_id)
        text = written(text, "the message", MESSAGE_CHARACTERS)
        _refuse_repetition(connection, subject, text, author, partner)
        return _insert_message(
            connection, subject, text, author_role, is_partner_visible, partner, author,
            recorded_at, identity_level,
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
    partner_id: str | None = None,
    identity_level: str = "os_user",
) -> UpdateRequest:
    """Ask the owner of a lead or its partner for an update until ``due_at`` (naive UTC).

    partner_id: the one partner that is asked, where several have to do with the lead.
    Raises: DecisionRefusedError for a malformed subject, a due instant that is not later than
    ``recorded_at``, or when the same is asked already and not answered.
    """
    if asked_of not in ASKED_OF:
        raise DecisionRefusedError(
            f"an update is asked of the {' or the '.join(ASKED_OF)}, not of {asked_of!r}"
        )
    partner = optional_identifier(partner_id, "the partner")
    if partner is not None and asked_of != _PARTNER:
        raise DecisionRefusedError(
            f"the {asked_of} is asked, and {partner} was named; ask the partner instead. Nothing "
            "was recorded"
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
        wanted = (*subject, asked_of, partner)
        answered = {answer.request_id for answer in load_answers(connection)}
        for request in load_requests(connection):
            if request.request_id not in answered and wanted == (
                request.subject_type, request.subject_id, request.asked_of, request.partner_id,
            ):  # fmt: skip
                raise DecisionRefusedError(
                    f"{request.request_id} asks {partner or f'the {asked_of}'} for that already "
                    "and waits for an answer; nothing was recorded"
                )
        event = events.append(
            connection,
            kind=REQUESTED,
            subject=f"{subject[0]}:{subject[1]}",
            actor=asker,
            recorded_at=recorded_at,
            payload={
                "subject_type": subject[0],
                "subject_id": subject[1],
                "asked_of": asked_of,
                "due_at": due,
                **_addressed(partner),
            },
            reason=reason,
            identity_level=identity_level,
        )
    return request_of(event)


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
    partner_id: str | None = None,
    identity_level: str = "os_user",
) -> UpdateAnswer:
    """Answer a request with a message; both are recorded together.

    subject_type, subject_id: of the request when a night computed it; a recorded one knows its own.
    partner_id: as for ``post_message``.
    Raises: DecisionRefusedError when it is answered already or its subject is not known or another.
    """
    request_id = identifier(request_id, "the request")
    author = identifier(person(actor), "the person who answers")
    partner = optional_identifier(partner_id, "the partner")
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
            is_partner_visible, partner, author, recorded_at, identity_level,
        )  # fmt: skip
        event = events.append(
            connection,
            kind=ANSWERED,
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
    return answer_of(event)


def _checked_subject(connection: Connection, subject_type: str, subject_id: str) -> tuple[str, str]:
    if subject_type not in SUBJECT_TYPES:
        raise DecisionRefusedError(
            f"{subject_type!r} cannot be talked about here; use {' or '.join(SUBJECT_TYPES)}"
        )
    checked = identifier(subject_id, f"the {subject_type}")
    if subject_type == "registration":
        find_entered(connection, checked)
    return subject_type, checked


def _refuse_repetition(
    connection: Connection, subject: tuple[str, str], text: str, author: str, partner: str | None
) -> None:
    posted = load_messages(connection, *subject)
    if not posted or (posted[-1].text, posted[-1].partner_id) != (text, partner):
        return
    about = events.of_subject(connection, ":".join(subject))
    actors = [event.actor for event in about if event.kind == MESSAGES.kind]
    if actors[-1] == author:
        raise DecisionRefusedError(
            f"the same message was posted already as {posted[-1].message_id}; nothing was recorded"
        )


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
    partner_id: str | None,
    author: str,
    recorded_at: datetime,
    identity_level: str,
) -> LeadMessage:
    if author_role not in AUTHOR_ROLES:
        raise DecisionRefusedError(
            f"{author_role!r} does not write here; use {' or '.join(AUTHOR_ROLES)}"
        )
    is_visible = is_partner_visible or author_role == _PARTNER or partner_id is not None
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
        payload={"author_role": author_role, **_addressed(partner_id)},
        identity_level=identity_level,
    )
    return LeadMessage(
        message_id=message_id,
        **{**values, "is_partner_visible": is_visible},
        author=shown_actor(author),
        partner_id=partner_id,
    )


def _addressed(partner_id: str | None) -> dict[str, str]:
    """What an event says of it: nothing where nobody was named, as before anybody could be."""
    return {} if partner_id is None else {"partner_id": partner_id}
