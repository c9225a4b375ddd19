"""Messages that wait to be sent: each goes out once or, in doubt, not a second time.

What belongs here: keeping a message, taking it for sending, and what became of it. What does not:
whom to tell what (``dashboards.notices``), how mail and webhooks are spoken, any clock.

A message is taken (``sending``) in a transaction of its own before anything is sent. A process that
dies in between leaves it so: it may have been sent, nobody sends it again by itself, and staff is
shown it. Decision 0061.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, and_, or_, select, update

from payouts.errors import OutboxError
from payouts.hashing import canonical_json, instant_text, sha256_text
from payouts.ids import KEY_SEPARATOR
from payouts.schema import outbox_messages
from payouts.store import Store

MAIL, WEBHOOK = "mail", "webhook"
CHANNELS = (MAIL, WEBHOOK)
WAITING, SENDING, SENT, FAILED, DROPPED = "waiting", "sending", "sent", "failed", "dropped"
STATES = (WAITING, SENDING, SENT, FAILED, DROPPED)
# What lets somebody in is kept no longer than it is needed.
WIPED_KINDS = frozenset({"sign_in_link", "invitation"})
# Minutes after the first, second, … failed try; after the last one it is for a person to look.
RETRY_MINUTES = (5, 15, 60, 240, 720, 1440)
MAXIMUM_WAIT = timedelta(days=1)
# No message is under way for so long: its sender is dead.
ABANDONED_AFTER = timedelta(minutes=15)
_SHORTEST_PREFIX = 6
_ERROR_CHARACTERS = 300


@dataclass(frozen=True)
class Message:
    """One message. Instants are fixed-width UTC text; ``payload`` is parsed JSON.

    attempts: how often it was taken for sending. needs_person: whether staff should look.
    """

    message_id: str
    kind: str
    subject_ref: str
    channel: str
    recipient: str
    locale: str
    payload: Mapping[str, Any]
    created_at: str
    expires_at: str | None
    state: str
    attempts: int
    next_attempt_at: str | None
    claimed_at: str | None
    claimed_by: str | None
    last_error: str | None
    needs_person: bool
    changed_at: str
    sent_at: str | None

    def is_abandoned(self, now: datetime) -> bool:
        """Whether the process that took it has ended without a word. now: naive UTC."""
        return (
            self.state == SENDING
            and self.claimed_at is not None
            and self.claimed_at <= instant_text(now - ABANDONED_AFTER)
        )


def message_id(kind: str, subject_ref: str, recipient: str, channel: str) -> str:
    """The id of a message: the same news to the same reader is the same message."""
    return sha256_text(KEY_SEPARATOR.join((kind, subject_ref, recipient, channel)))


def enqueue(
    store: Store,
    kind: str,
    subject_ref: str,
    channel: str,
    recipient: str,
    payload: Mapping[str, Any],
    created_at: datetime,
    *,
    expires_at: datetime | None = None,
    locale: str = "en",
) -> str:
    """Keep a message for sending and return its id; one that is known already changes nothing.

    subject_ref: what it is about, such as ``payout:<id>:settled``. recipient: an e-mail address, or
    the name of a webhook. expires_at: naive UTC; later it is dropped instead of sent.
    Raises: OutboxError for a message that could never be sent.
    """
    with store.write() as connection:
        return enqueue_in(
            connection, kind, subject_ref, channel, recipient, payload, created_at,
            expires_at=expires_at, locale=locale,
        )  # fmt: skip


def enqueue_in(
    connection: Connection,
    kind: str,
    subject_ref: str,
    channel: str,
    recipient: str,
    payload: Mapping[str, Any],
    created_at: datetime,
    *,
    expires_at: datetime | None = None,
    locale: str = "en",
) -> str:
    """As ``enqueue``, in the caller's write transaction."""
    recipient = recipient.strip()
    if channel not in CHANNELS:
        raise OutboxError(f"{channel!r} is no channel; use {' or '.join(CHANNELS)}")
    if not recipient or not recipient.isprintable() or KEY_SEPARATOR in f"{kind}{subject_ref}":
        # The value is not repeated: it may be an address.
        raise OutboxError(
            f"the recipient of {kind} ({subject_ref}) is empty or holds control characters; "
            "correct the address"
        )
    identity = message_id(kind, subject_ref, recipient, channel)
    if _row(connection, identity) is None:
        at = instant_text(created_at)
        connection.execute(
            outbox_messages.insert().values(
                message_id=identity, kind=kind, subject_ref=subject_ref, channel=channel,
                recipient=recipient, locale=locale, payload=canonical_json(dict(payload)),
                created_at=at, expires_at=instant_text(expires_at) if expires_at else None,
                state=WAITING, attempts=0, needs_person=0, changed_at=at,
            )
        )  # fmt: skip
    return identity


def claim_next(
    store: Store,
    channels: Collection[str],
    now: datetime,
    claimed_by: str,
    kinds: Collection[str] | None = None,
) -> Message | None:
    """Take the oldest message that is due, so that nobody else does; None when there is none.

    claimed_by: names this process, for people. kinds: only these. now: naive UTC.
    Messages that are too old to be sent are dropped on the way.
    """
    at = instant_text(now)
    with store.write() as connection:
        _drop_expired(connection, at)
        found = connection.execute(_due(at, channels, kinds)).mappings().first()
        if found is None:
            return None
        taken = {
            "state": SENDING, "attempts": found["attempts"] + 1, "claimed_at": at,
            "claimed_by": claimed_by, "changed_at": at, "next_attempt_at": None,
        }  # fmt: skip
        _change(connection, found["message_id"], taken)
        return _message({**found, **taken})


def has_due(
    connection: Connection, channel: str, now: datetime, kinds: Collection[str] | None = None
) -> bool:
    """Whether a message of this channel could be taken now; looking changes nothing."""
    query = _due(instant_text(now), (channel,), kinds).with_only_columns(
        outbox_messages.c.message_id
    )
    return connection.execute(query).first() is not None


def mark_sent(store: Store, message: Message, now: datetime) -> bool:
    """It was accepted for delivery. False when the message is not this sender's any more."""
    at = instant_text(now)
    return _finish(
        store, message, now, {"state": SENT, "sent_at": at, "last_error": None, **_wiped(message)}
    )


def put_back(
    store: Store, message: Message, now: datetime, error: str, wait: timedelta | None = None
) -> bool:
    """It was certainly not sent, and trying later can help. The waits grow; then it has failed.

    wait: how long the other side asked to be left alone, at most a day.
    """
    if message.attempts > len(RETRY_MINUTES):
        return mark_failed(store, message, now, f"tried {message.attempts} times: {error}")
    planned = timedelta(minutes=RETRY_MINUTES[message.attempts - 1])
    again_at = now + (planned if wait is None else min(max(wait, timedelta()), MAXIMUM_WAIT))
    return _finish(
        store,
        message,
        now,
        {"state": WAITING, "next_attempt_at": instant_text(again_at), "last_error": _short(error)},
    )


def mark_failed(store: Store, message: Message, now: datetime, error: str) -> bool:
    """Nobody tries again by itself: the tries are used up, or it may have been sent."""
    values = {"state": FAILED, "last_error": _short(error), "needs_person": 1, **_wiped(message)}
    return _finish(store, message, now, values)


def mark_dropped(store: Store, message: Message, now: datetime, error: str) -> bool:
    """It was refused for good, so that trying again cannot help; staff is shown it."""
    values = {"state": DROPPED, "last_error": _short(error), "needs_person": 1, **_wiped(message)}
    return _finish(store, message, now, values)


def drop_by_person(store: Store, prefix: str, actor: str, now: datetime) -> Message:
    """Never send this message, and show it to staff no more.

    prefix: its id, or the beginning of it. actor: who says so.
    Raises: OutboxError when there is none, or it was sent.
    """
    with store.write() as connection:
        found = find(connection, prefix)
        if found.state == SENT:
            raise OutboxError(
                f"message {found.message_id[:12]} was sent at {found.sent_at}; nothing was changed"
            )
        error = f"dropped by {actor}" + (
            f"; before: {found.last_error}" if found.last_error else ""
        )
        values = {
            "state": DROPPED, "needs_person": 0, "last_error": _short(error),
            "changed_at": instant_text(now), "next_attempt_at": None, **_wiped(found),
        }  # fmt: skip
        _change(connection, found.message_id, values)
        return find(connection, found.message_id)


def send_again(store: Store, prefix: str, actor: str, now: datetime) -> Message:
    """Let a message go out once more although it may have been sent: a person has decided so.

    Raises: OutboxError when there is none, it was sent, is being sent, or holds nothing any more.
    """
    with store.write() as connection:
        found = find(connection, prefix)
        if found.state in (SENT, WAITING) or (
            found.state == SENDING and not found.is_abandoned(now)
        ):
            raise OutboxError(
                f"message {found.message_id[:12]} is {found.state}; only failed, dropped and "
                "abandoned messages are sent again"
            )
        if found.kind in WIPED_KINDS:
            raise OutboxError(
                f"a {found.kind} is never sent again; let the partner ask for another"
            )
        values = {
            "state": WAITING, "needs_person": 0, "attempts": 0, "next_attempt_at": None,
            "expires_at": None, "last_error": _short(f"to be sent again, says {actor}"),
            "changed_at": instant_text(now),
        }  # fmt: skip
        _change(connection, found.message_id, values)
        return find(connection, found.message_id)


def list_messages(
    connection: Connection, states: Iterable[str] | None = None, limit: int | None = None
) -> list[Message]:
    """Messages, newest first; all states or some."""
    query = select(outbox_messages).order_by(
        outbox_messages.c.created_at.desc(), outbox_messages.c.message_id
    )
    if states is not None:
        query = query.where(outbox_messages.c.state.in_(sorted(states)))
    if limit is not None:
        query = query.limit(limit)
    return [_message(row) for row in connection.execute(query).mappings()]


def undelivered(connection: Connection) -> list[Message]:
    """What staff should look at: refused, given up, or taken by a process that may be dead."""
    query = (
        select(outbox_messages)
        .where(or_(outbox_messages.c.needs_person == 1, outbox_messages.c.state == SENDING))
        .order_by(outbox_messages.c.created_at, outbox_messages.c.message_id)
    )
    return [_message(row) for row in connection.execute(query).mappings()]


def find(connection: Connection, prefix: str) -> Message:
    """The one message whose id begins so. Raises: OutboxError for none or several."""
    if len(prefix) < _SHORTEST_PREFIX:
        raise OutboxError(f"{prefix!r} is too short; give at least {_SHORTEST_PREFIX} characters")
    rows = connection.execute(
        select(outbox_messages)
        .where(outbox_messages.c.message_id.startswith(prefix, autoescape=True))
        .limit(2)
    ).mappings().all()  # fmt: skip
    if len(rows) != 1:
        count = "no message" if not rows else "more than one message"
        raise OutboxError(f"{count} begins with {prefix!r}; `partnerledger notices list` shows ids")
    return _message(rows[0])


def _due(at: str, channels: Collection[str], kinds: Collection[str] | None) -> Select[Any]:
    """The oldest message that waits and is due, as a query of at most one row."""
    query = (
        select(outbox_messages)
        .where(
            outbox_messages.c.state == WAITING,
            outbox_messages.c.channel.in_(sorted(channels)),
            or_(
                outbox_messages.c.next_attempt_at.is_(None),
                outbox_messages.c.next_attempt_at <= at,
            ),
        )
        .order_by(outbox_messages.c.created_at, outbox_messages.c.message_id)
        .limit(1)
    )
    return query if kinds is None else query.where(outbox_messages.c.kind.in_(sorted(kinds)))


def _drop_expired(connection: Connection, at: str) -> None:
    connection.execute(
        update(outbox_messages)
        .where(outbox_messages.c.state == WAITING, outbox_messages.c.expires_at <= at)
        .values(state=DROPPED, changed_at=at, last_error="too old to be sent")
    )
    connection.execute(
        update(outbox_messages)
        .where(
            outbox_messages.c.state == DROPPED,
            outbox_messages.c.kind.in_(sorted(WIPED_KINDS)),
            outbox_messages.c.payload != "{}",
        )
        .values(payload="{}")
    )


def _finish(store: Store, message: Message, now: datetime, values: dict[str, Any]) -> bool:
    with store.write() as connection:
        changed = connection.execute(
            update(outbox_messages)
            .where(
                and_(
                    outbox_messages.c.message_id == message.message_id,
                    outbox_messages.c.state == SENDING,
                    outbox_messages.c.claimed_by == message.claimed_by,
                    outbox_messages.c.claimed_at == message.claimed_at,
                )
            )
            .values(**values, changed_at=instant_text(now))
        )
    return changed.rowcount == 1


def _change(connection: Connection, identity: str, values: Mapping[str, Any]) -> None:
    connection.execute(
        update(outbox_messages).where(outbox_messages.c.message_id == identity).values(**values)
    )


def _row(connection: Connection, identity: str) -> Mapping[str, Any] | None:
    query = select(outbox_messages).where(outbox_messages.c.message_id == identity)
    return connection.execute(query).mappings().first()


def _message(row: Mapping[str, Any]) -> Message:
    fields = {name: row[name] for name in Message.__dataclass_fields__}
    return Message(
        **{
            **fields,
            "payload": json.loads(row["payload"]),
            "needs_person": bool(row["needs_person"]),
        }
    )


def _wiped(message: Message) -> dict[str, str]:
    return {"payload": "{}"} if message.kind in WIPED_KINDS else {}


def _short(error: str) -> str:
    return " ".join(error.split())[:_ERROR_CHARACTERS]
