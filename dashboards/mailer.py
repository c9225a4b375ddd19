"""Mail: building a message, and handing it to the company's mail server.

What belongs here: settings from the environment, headers, the conversation with the server. What
does not: which message, and trying again (``notices.sending``, ``payouts.outbox``).

The conversation is written out because one moment in it decides: before the end of the message is
sent, whatever fails, nothing was delivered. After it, without an answer, nobody can know.
"""

from __future__ import annotations

import contextlib
import re
import smtplib
import socket
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from urllib.parse import unquote, urlsplit

from dashboards.errors import (
    DeliveryRefusedError,
    MaybeSentError,
    NoticeSettingsError,
    NotSentError,
    ServerUnavailableError,
)

SMTP_VARIABLE = "PARTNERLEDGER_SMTP_URL"
FROM_VARIABLE = "PARTNERLEDGER_MAIL_FROM"
TIMEOUT_SECONDS = 20
# A server may look for viruses before it answers to the end of a message; giving up early would
# leave in doubt what has been delivered (RFC 5321, 4.5.3.2.6 asks for ten minutes).
ANSWER_TIMEOUT_SECONDS = 600
_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
# Plain ASCII lines: no server on the way has to know anything newer.
_POLICY = policy.SMTP.clone(cte_type="7bit")
_HIGHEST_PORT = 65535
# SMTP replies: start mail input; 4xx can pass, 5xx cannot; 421 the server is going away.
_START_INPUT, _GOING_AWAY, _PERMANENT = 354, 421, 500


@dataclass(frozen=True)
class MailSettings:
    """Which server, and who writes. security: smtp, smtp+starttls or smtps."""

    host: str
    port: int
    security: str
    sender: Address
    username: str = ""
    password: str = field(default="", repr=False)
    timeout_seconds: float = TIMEOUT_SECONDS
    answer_timeout_seconds: float = ANSWER_TIMEOUT_SECONDS


@dataclass(frozen=True)
class Attachment:
    """A file of a message. mime_type: such as ``application/pdf``."""

    name: str
    mime_type: str
    content: bytes


def mail_settings(environment: Mapping[str, str]) -> MailSettings | None:
    """Settings of the environment; None when no server is named.

    Raises: NoticeSettingsError for ones that cannot be used; it repeats no password.
    """
    url = environment.get(SMTP_VARIABLE, "").strip()
    if not url:
        return None
    shape = f"write {SMTP_VARIABLE}=smtp+starttls://user:password@host:587 (or smtps://, smtp://)"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise NoticeSettingsError(f"{SMTP_VARIABLE} is no address; {shape}") from None
    if parts.scheme not in _PORTS or not parts.hostname or parts.path not in ("", "/"):
        raise NoticeSettingsError(f"{SMTP_VARIABLE} is no address of a mail server; {shape}")
    if port is not None and not 0 < port <= _HIGHEST_PORT:
        raise NoticeSettingsError(f"{SMTP_VARIABLE} names a port that does not exist; {shape}")
    password = unquote(parts.password or "")
    if password and parts.scheme == "smtp" and parts.hostname not in _LOOPBACK:
        raise NoticeSettingsError(
            f"{SMTP_VARIABLE} would send the password readable for everybody on the way; use "
            "smtp+starttls:// or smtps://"
        )
    return MailSettings(
        host=parts.hostname,
        port=port or _PORTS[parts.scheme],
        security=parts.scheme,
        sender=_sender(environment.get(FROM_VARIABLE, "")),
        username=unquote(parts.username or ""),
        password=password,
    )


def _sender(text: str) -> Address:
    shape = f"write {FROM_VARIABLE}='Acme Partners <partners@acme.example>'"
    if not text.strip():
        raise NoticeSettingsError(f"{SMTP_VARIABLE} is set and {FROM_VARIABLE} is not; {shape}")
    name, address = parseaddr(text)
    try:
        if "@" not in address or not text.isprintable():
            raise ValueError
        return Address(display_name=name, addr_spec=address)
    except (ValueError, IndexError):
        raise NoticeSettingsError(f"{FROM_VARIABLE} is no address; {shape}") from None


def build_message(
    *,
    message_id: str,
    sender: Address,
    recipient: str,
    subject: str,
    text: str,
    html: str,
    date: datetime,
    unsubscribe_url: str = "",
    attachments: Sequence[Attachment] = (),
) -> EmailMessage:
    """One message of text and HTML, with what machines want to know of a notice.

    message_id: of the outbox: the same message has the same Message-ID however often it is tried.
    date: naive UTC, when it was kept for sending. Raises: DeliveryRefusedError for a recipient to
    whom no mail can be written.
    """
    message = EmailMessage(policy=_POLICY)
    try:
        reader = Address(addr_spec=recipient)
        # An address of another alphabet needs servers on the whole way that know it.
        if not (recipient.isprintable() and recipient.isascii()):
            raise ValueError
        message["To"] = reader
    except (ValueError, IndexError, TypeError):
        raise DeliveryRefusedError("no mail can be written to this address") from None
    message["From"] = sender
    message["Subject"] = subject
    message["Date"] = format_datetime(date.replace(tzinfo=UTC))
    message["Message-ID"] = f"<{message_id}@{sender.domain}>"
    message["Auto-Submitted"] = "auto-generated"
    if unsubscribe_url:
        message["List-Unsubscribe"] = f"<{unsubscribe_url}>"
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    for each in attachments:
        main, _, sub = each.mime_type.partition("/")
        message.add_attachment(each.content, maintype=main, subtype=sub, filename=each.name)
    return message


class MailServer:
    """One connection, opened when it is first needed and again after it broke."""

    def __init__(self, settings: MailSettings) -> None:
        self._settings = settings
        self._smtp: smtplib.SMTP | None = None

    def open(self) -> None:
        """Connect, encrypt, sign in. Raises: ServerUnavailableError; nothing was sent."""
        if self._smtp is not None:
            return
        where = f"the mail server {self._settings.host}:{self._settings.port}"
        smtp: smtplib.SMTP | None = None
        try:
            smtp = self._connected()
            if self._settings.username:
                smtp.login(self._settings.username, self._settings.password)
            self._smtp = smtp
        except smtplib.SMTPAuthenticationError as error:
            raise ServerUnavailableError(
                f"{where} does not take the user and password of {SMTP_VARIABLE} "
                f"({error.smtp_code}); correct them. Nothing was sent"
            ) from None
        except (smtplib.SMTPNotSupportedError, ssl.SSLError) as error:
            raise ServerUnavailableError(
                f"{where} does not speak {self._settings.security} as asked "
                f"({type(error).__name__}): nothing was sent, and nothing is sent unencrypted "
                f"instead. Correct {SMTP_VARIABLE} or the server's certificate"
            ) from error
        except (OSError, smtplib.SMTPException) as error:
            raise ServerUnavailableError(
                f"{where} cannot be reached or does not answer ({type(error).__name__}); nothing "
                "was sent. It is tried again with the next run"
            ) from error
        finally:
            if smtp is not None and self._smtp is None:
                smtp.close()

    def _connected(self) -> smtplib.SMTP:
        settings = self._settings
        where = {"host": settings.host, "port": settings.port, "timeout": settings.timeout_seconds}
        if settings.security == "smtps":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(**where, context=ssl.create_default_context())
        else:
            smtp = smtplib.SMTP(**where)
        try:
            smtp.ehlo_or_helo_if_needed()
            if settings.security == "smtp+starttls":
                smtp.starttls(context=ssl.create_default_context())
                smtp.ehlo()
        except BaseException:
            smtp.close()
            raise
        return smtp

    def deliver(self, message: EmailMessage, recipient: str) -> None:
        """Hand over one message.

        Raises: NotSentError (later can help), DeliveryRefusedError (never), MaybeSentError (nobody
        knows), ServerUnavailableError (nothing was handed over).
        """
        self.open()
        smtp = self._smtp
        if smtp is None:
            raise ServerUnavailableError("there is no connection to the mail server")
        has_ended = False
        try:
            self._envelope(smtp, recipient)
            self._expect(smtp.docmd("DATA"), "the message", _START_INPUT)
            content = re.sub(rb"(?m)^\.", b"..", message.as_bytes(policy=_POLICY))
            smtp.send(content if content.endswith(b"\r\n") else content + b"\r\n")
            has_ended = True
            smtp.send(b".\r\n")
            self._wait_at_most(self._settings.answer_timeout_seconds)
            self._expect(smtp.getreply(), "the message")
            self._wait_at_most(self._settings.timeout_seconds)
        except (NotSentError, DeliveryRefusedError, ServerUnavailableError):
            self._reset()
            raise
        except (OSError, smtplib.SMTPException) as error:
            self.close()
            text = f"the mail server ended the conversation ({type(error).__name__})"
            if has_ended:
                raise MaybeSentError(
                    f"{text} after it had everything: it may have been sent"
                ) from error
            raise NotSentError(f"{text} before it had the message") from error

    def _envelope(self, smtp: smtplib.SMTP, recipient: str) -> None:
        code, _ = smtp.mail(self._settings.sender.addr_spec)
        if code >= _PERMANENT:
            raise ServerUnavailableError(
                f"the mail server does not let {FROM_VARIABLE} write ({code}); correct it"
            )
        self._expect((code, b""), "the sender")
        self._expect(smtp.rcpt(recipient), "the recipient")

    def _expect(self, reply: tuple[int, bytes], what: str, wanted: int = 0) -> None:
        """Refuse an answer that is no yes. The server's own words may hold an address: the code
        alone is kept."""
        code, _ = reply
        if code == _GOING_AWAY:
            self.close()
            raise NotSentError(f"the mail server is closing down ({code})")
        if code >= _PERMANENT:
            raise DeliveryRefusedError(f"the mail server refuses {what} for good ({code})")
        if (wanted and code != wanted) or not 200 <= code < 400:  # noqa: PLR2004  (SMTP: yes)
            raise NotSentError(f"the mail server does not take {what} now ({code})")

    def _wait_at_most(self, seconds: float) -> None:
        if self._smtp is not None and self._smtp.sock is not None:
            self._smtp.sock.settimeout(seconds)

    def _reset(self) -> None:
        """Ready for the next message, or a new connection."""
        if self._smtp is None:
            return
        self._wait_at_most(self._settings.timeout_seconds)
        try:
            code, _ = self._smtp.rset()
            if not 200 <= code < 300:  # noqa: PLR2004  (SMTP: done)
                self.close()
        except (OSError, smtplib.SMTPException):
            self.close()

    def close(self) -> None:
        """End the connection; a server that does not answer is left alone."""
        smtp, self._smtp = self._smtp, None
        if smtp is None:
            return
        with contextlib.suppress(OSError, smtplib.SMTPException):
            if smtp.sock is not None:
                smtp.sock.settimeout(min(self._settings.timeout_seconds, 2))
            smtp.quit()
        with contextlib.suppress(OSError):
            smtp.close()


def this_sender() -> str:
    """Names this process in the outbox: host and process number."""
    import os

    return f"{socket.gethostname()}:{os.getpid()}"
