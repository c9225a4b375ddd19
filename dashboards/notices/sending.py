"""Handing kept messages over, one at a time: take, send, write down what became of it.

What belongs here: the loop and what each failure means for a message. What does not: mail and
webhooks themselves (``dashboards.mailer``, ``dashboards.webhook``), opening the database.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

from payouts import checkpoints, outbox

from dashboards.errors import (
    DeliveryRefusedError,
    MaybeSentError,
    NoticeTemplateError,
    NotSentError,
    ServerUnavailableError,
)
from dashboards.mailer import Attachment, MailServer, MailSettings, build_message, this_sender
from dashboards.webhook import post_text

if TYPE_CHECKING:
    from payouts.outbox import Message
    from payouts.store import Store

    from dashboards.notices.rendering import Renderer

Attach = Callable[["Message"], Sequence[Attachment]]
# A server that breaks off so often in a row is left alone until the next run.
_BROKEN_IN_A_ROW = 3
_LINK_KINDS = frozenset({"sign_in_link", "invitation"})


@dataclass
class Delivered:
    """What became of the messages of one run. stopped: why it ended early; empty if it did not."""

    counts: Counter[str] = field(default_factory=Counter)
    stopped: str = ""

    @property
    def sent(self) -> int:
        """How many were accepted for delivery."""
        return self.counts[outbox.SENT]

    def record(self) -> dict[str, int | str]:
        """For people and programs: sent, waiting, failed, dropped, stopped."""
        states = (outbox.SENT, outbox.WAITING, outbox.FAILED, outbox.DROPPED)
        return {**{state: self.counts[state] for state in states}, "stopped": self.stopped}


def no_attachments(message: Message) -> Sequence[Attachment]:
    """What is attached when nobody says otherwise."""
    return ()


def send_due(
    store: Store,
    renderer: Renderer,
    clock: Callable[[], datetime],
    *,
    mail: MailSettings | None = None,
    webhook: str | None = None,
    portal_url: str = "",
    attach: Attach = no_attachments,
    kinds: Collection[str] | None = None,
    lasting: timedelta | None = None,
) -> Delivered:
    """Send what is due over the channels that are set up. Two of these at once share the work.

    clock: naive UTC now. mail, webhook: None when the environment names none; its messages wait.
    portal_url: where partners choose what they get. kinds: only these. lasting: no message is begun
    later than that after the first.
    Raises: NoticeTemplateError before anything is sent, the errors of payouts.store.
    """
    renderer.check()
    delivered = Delivered()
    until = None if lasting is None else clock() + lasting
    if mail is not None:
        server = MailServer(mail)
        try:
            _send(
                store, clock, delivered, outbox.MAIL, kinds, until,
                before=server.open,
                build=lambda message: _mail(renderer, mail, message, portal_url, attach),
                hand_over=lambda message, built: server.deliver(built, message.recipient),
            )  # fmt: skip
        finally:
            server.close()
    if webhook is not None:
        _send(
            store, clock, delivered, outbox.WEBHOOK, kinds, until,
            before=lambda: None,
            build=lambda message: renderer.render(message.kind, message.payload).chat,
            hand_over=lambda message, built: post_text(webhook, built, clock()),
        )  # fmt: skip
    return delivered


def _send(
    store: Store,
    clock: Callable[[], datetime],
    delivered: Delivered,
    channel: str,
    kinds: Collection[str] | None,
    until: datetime | None,
    *,
    before: Callable[[], None],
    build: Callable[[Message], Any],
    hand_over: Callable[[Message, Any], None],
) -> None:
    broken = 0
    while until is None or clock() < until:
        with store.read() as reader:
            if not outbox.has_due(reader, channel, clock(), kinds):
                return
        try:
            # A server that is not there costs no message one of its tries.
            before()
        except ServerUnavailableError as error:
            delivered.stopped = str(error)
            return
        message = outbox.claim_next(store, (channel,), clock(), this_sender(), kinds)
        if message is None:
            continue
        checkpoints.reached("notice.claimed")
        state, error = _one(store, message, clock, build, hand_over)
        delivered.counts[state] += 1
        if isinstance(error, ServerUnavailableError):
            delivered.stopped = str(error)
            return
        broken = broken + 1 if state == outbox.WAITING else 0
        if broken == _BROKEN_IN_A_ROW:
            delivered.stopped = f"{broken} messages in a row could not be sent: {error}"
            return


def _one(
    store: Store,
    message: Message,
    clock: Callable[[], datetime],
    build: Callable[[Message], Any],
    hand_over: Callable[[Message, Any], None],
) -> tuple[str, Exception | None]:
    """Send one message; its new state, and what went wrong."""
    try:
        built = build(message)
    except (DeliveryRefusedError, NoticeTemplateError) as error:
        outbox.mark_dropped(store, message, clock(), str(error))
        return outbox.DROPPED, error
    except Exception as error:  # noqa: BLE001  (nothing was handed over: the others may be fine)
        outbox.put_back(store, message, clock(), f"it cannot be made: {error}")
        return outbox.WAITING, error
    try:
        hand_over(message, built)
    except NotSentError as error:
        wait = None if error.wait_seconds is None else timedelta(seconds=error.wait_seconds)
        outbox.put_back(store, message, clock(), str(error), wait)
        return outbox.WAITING, error
    except ServerUnavailableError as error:
        outbox.put_back(store, message, clock(), str(error))
        return outbox.WAITING, error
    except MaybeSentError as error:
        outbox.mark_failed(store, message, clock(), str(error))
        return outbox.FAILED, error
    except DeliveryRefusedError as error:
        outbox.mark_dropped(store, message, clock(), str(error))
        return outbox.DROPPED, error
    checkpoints.reached("notice.handed_over")
    outbox.mark_sent(store, message, clock())
    return outbox.SENT, None


def _mail(
    renderer: Renderer, mail: MailSettings, message: Message, portal_url: str, attach: Attach
) -> EmailMessage:
    from payouts.hashing import parse_instant

    rendered = renderer.render(message.kind, message.payload)
    return build_message(
        message_id=message.message_id,
        sender=mail.sender,
        recipient=message.recipient,
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        date=parse_instant(message.created_at),
        # Nobody can do without the link that was asked for.
        unsubscribe_url="" if message.kind in _LINK_KINDS else portal_url,
        attachments=attach(message),
    )
