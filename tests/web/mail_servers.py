"""Mail servers on loopback: a real one that keeps what it gets, and a scripted one that fails."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from dashboards.mailer import MailSettings

SENDER = Address("Acme Partners", addr_spec="partners@acme.example")


@dataclass
class Mailbox:
    """What arrived. refused: codes per recipient, as the server answers to RCPT."""

    messages: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    data_answer: str = "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):  # noqa: N802
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        if self.data_answer.startswith("250"):
            parsed = message_from_bytes(envelope.content, policy=policy.default)
            self.messages.append(parsed)
            self.envelopes.append((envelope.mail_from, envelope.rcpt_tos))
        return self.data_answer


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def mail_server(mailbox: Mailbox, **options) -> Iterator[int]:
    """A running aiosmtpd; its port."""
    port = free_port()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port, **options)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


def one_login(username: str, password: str):
    """Takes this user and password alone."""

    def authenticate(server, session, envelope, mechanism, data):
        is_right = (data.login, data.password) == (username.encode(), password.encode())
        return AuthResult(success=is_right, handled=is_right)

    return authenticate


def settings(port: int, security: str = "smtp", **options) -> MailSettings:
    quick = {"timeout_seconds": 1.0, "answer_timeout_seconds": 1.0}
    return MailSettings("127.0.0.1", port, security, SENDER, **quick, **options)


@contextmanager
def scripted_server(*steps: tuple[str, str]) -> Iterator[tuple[int, list[str]]]:
    """One conversation per connection. steps: (first word of the client's line, the answer).

    The answer `hang` says nothing more, `close` ends the connection. `.` is the end of a message.
    Gives the port and the lines that clients wrote.
    """
    answers = {"": "220 here", "EHLO": "250 here", "MAIL": "250 OK", "RCPT": "250 OK",
               "DATA": "354 go on", ".": "250 kept", "RSET": "250 OK", "QUIT": "221 bye",
               **dict(steps)}  # fmt: skip
    heard: list[str] = []
    listening = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def talk(connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines:
            if not _answer(connection, answers[""], stop):
                return
            is_data = False
            for raw in lines:
                line = raw.decode("utf-8").rstrip("\r\n")
                heard.append(line)
                if is_data and line != ".":
                    continue
                word = "." if is_data else line.split()[0].upper()
                if not _answer(connection, answers.get(word, "500 what"), stop):
                    return
                is_data = word == "DATA" and answers["DATA"].startswith("354")

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(connection,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listening.getsockname()[1], heard
    finally:
        stop.set()
        listening.close()


def _answer(connection: socket.socket, text: str, stop: threading.Event) -> bool:
    if text == "hang":
        stop.wait(10)
        return False
    if text == "close":
        return False
    connection.sendall(f"{text}\r\n".encode())
    return True


def own_certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for 127.0.0.1 that signs itself, and a server's context with it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail.acme.example")])
    today = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - dt.timedelta(days=1))
        .not_valid_after(today + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "certificate.pem"
    pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret = folder / "key.pem"
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, secret)
    return pem, context
