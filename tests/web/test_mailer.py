"""Mail against real and scripted servers on loopback: what arrives, and what each failure means."""

from __future__ import annotations

import os
from datetime import datetime
from email.headerregistry import Address

import pytest
from mail_servers import (
    SENDER,
    Mailbox,
    free_port,
    mail_server,
    one_login,
    own_certificate,
    scripted_server,
    settings,
)

from dashboards.errors import (
    DeliveryRefusedError,
    MaybeSentError,
    NoticeSettingsError,
    NotSentError,
    ServerUnavailableError,
)
from dashboards.mailer import Attachment, MailServer, build_message, mail_settings

NOW = datetime(2026, 3, 2, 8, 0)
ANN = "ann@partner.example"
FROM = {"PARTNERLEDGER_MAIL_FROM": "Acme Partners <partners@acme.example>"}


def message(recipient=ANN, **options):
    values = {
        "message_id": "a" * 64,
        "sender": SENDER,
        "recipient": recipient,
        "subject": "Your payout of 2\N{NARROW NO-BREAK SPACE}830.48 EUR",
        "text": "Grüße\n.\n..dots\nlast\n",
        "html": "<p>Grüße</p>\n",
        "date": NOW,
    }
    return build_message(**{**values, **options})


def deliver(found, *messages):
    server = MailServer(found)
    try:
        for each in messages or (message(),):
            server.deliver(each, str(each["To"]))
    finally:
        server.close()


def test_multipart_with_attachments_arrives_and_parses():
    mailbox = Mailbox()
    files = (
        Attachment("statement-2026-02.pdf", "application/pdf", b"%PDF-1.7 \x00\xff"),
        Attachment("statement-2026-02.csv", "text/csv", b"day,amount\n"),
    )
    with mail_server(mailbox) as port:
        deliver(
            settings(port),
            message(attachments=files, unsubscribe_url="https://p.acme.example/portal/account"),
        )
    (found,) = mailbox.messages
    assert mailbox.envelopes == [("partners@acme.example", [ANN])]
    assert found["Message-ID"] == f"<{'a' * 64}@acme.example>"
    assert found["Date"] == "Mon, 02 Mar 2026 08:00:00 +0000"
    assert found["Auto-Submitted"] == "auto-generated"
    assert found["List-Unsubscribe"] == "<https://p.acme.example/portal/account>"
    assert found["Subject"] == "Your payout of 2\N{NARROW NO-BREAK SPACE}830.48 EUR"
    assert (str(found["From"]), str(found["To"])) == (
        "Acme Partners <partners@acme.example>", ANN,
    )  # fmt: skip
    assert found.get_body(("plain",)).get_content().splitlines() == ["Grüße", ".", "..dots", "last"]
    assert found.get_body(("html",)).get_content().strip() == "<p>Grüße</p>"
    attached = {each.get_filename(): each.get_content() for each in found.iter_attachments()}
    assert attached["statement-2026-02.pdf"] == files[0].content
    assert attached["statement-2026-02.csv"].strip() == "day,amount"


def test_only_plain_ascii_travels():
    with scripted_server() as (port, heard):
        deliver(settings(port))
    assert all(line.isascii() for line in heard)


def test_one_connection_carries_several_messages_and_survives_a_refusal():
    mailbox = Mailbox(refused={"gone@partner.example": "550 no such user"})
    with mail_server(mailbox) as port:
        server = MailServer(settings(port))
        server.deliver(message(), ANN)
        with pytest.raises(DeliveryRefusedError, match="550") as refused:
            server.deliver(message("gone@partner.example"), "gone@partner.example")
        assert "no such user" not in str(refused.value)
        server.deliver(message("bob@partner.example"), "bob@partner.example")
        server.close()
        server.close()
    assert [to for _, (to,) in mailbox.envelopes] == [ANN, "bob@partner.example"]


@pytest.mark.parametrize(
    ("word", "answer", "error"),
    [
        ("RCPT", "451 greylisted", NotSentError),
        ("RCPT", "550 unknown", DeliveryRefusedError),
        ("RCPT", "421 closing", NotSentError),
        ("MAIL", "451 busy", NotSentError),
        ("MAIL", "530 sign in first", ServerUnavailableError),
        ("DATA", "451 busy", NotSentError),
        ("DATA", "554 no", DeliveryRefusedError),
        ("DATA", "250 what", NotSentError),
        (".", "451 disk full", NotSentError),
        (".", "552 too big", DeliveryRefusedError),
        ("RCPT", "hang", NotSentError),
        ("DATA", "close", NotSentError),
        (".", "hang", MaybeSentError),
        (".", "close", MaybeSentError),
        ("", "hang", ServerUnavailableError),
        ("", "close", ServerUnavailableError),
        ("", "554 not you", ServerUnavailableError),
    ],
)
def test_what_each_answer_means(word, answer, error):
    with scripted_server((word, answer)) as (port, _):
        with pytest.raises(error) as failure:
            deliver(settings(port))
    assert type(failure.value) is error
    assert ANN not in str(failure.value)


def test_nobody_listens():
    with pytest.raises(ServerUnavailableError, match="cannot be reached"):
        deliver(settings(free_port()))


def test_encryption_that_is_refused_sends_nothing_instead():
    mailbox = Mailbox()
    with mail_server(mailbox) as port:
        with pytest.raises(ServerUnavailableError, match=r"smtp\+starttls"):
            deliver(settings(port, "smtp+starttls"))
        with pytest.raises(ServerUnavailableError):
            deliver(settings(port, "smtps"))
    assert mailbox.messages == []


def test_an_unknown_certificate_is_refused_and_a_known_one_taken(tmp_path, monkeypatch):
    pem, context = own_certificate(tmp_path)
    mailbox = Mailbox()
    login = {"username": "acme", "password": "s3cret pw"}
    options = {
        "tls_context": context,
        "require_starttls": True,
        "authenticator": one_login("acme", "s3cret pw"),
        "auth_required": True,
    }
    with mail_server(mailbox, **options) as port:
        with pytest.raises(ServerUnavailableError, match="certificate"):
            deliver(settings(port, "smtp+starttls", **login))
        monkeypatch.setitem(os.environ, "SSL_CERT_FILE", str(pem))
        deliver(settings(port, "smtp+starttls", **login))
        with pytest.raises(ServerUnavailableError, match="user and password") as refused:
            deliver(settings(port, "smtp+starttls", username="acme", password="wrong pw"))
        assert "wrong pw" not in str(refused.value)
    assert len(mailbox.messages) == 1
    with mail_server(mailbox, ssl_context=context) as port:
        deliver(settings(port, "smtps"))
    assert len(mailbox.messages) == 2


@pytest.mark.parametrize(
    "recipient",
    ["ann", "", "ann@b.example\r\nBcc: eve@evil.example", "ann@b.example, eve@evil.example",
     "änn@b.example", "ann@b.example\x00"],
)  # fmt: skip
def test_a_recipient_cannot_smuggle_headers_or_readers(recipient):
    with pytest.raises(DeliveryRefusedError):
        message(recipient)


def test_the_environment_names_server_and_sender():
    assert mail_settings({}) is None
    found = mail_settings(
        {"PARTNERLEDGER_SMTP_URL": "smtps://acme:p%40ss@mail.acme.example", **FROM}
    )
    assert (found.host, found.port, found.security) == ("mail.acme.example", 465, "smtps")
    assert (found.username, found.password) == ("acme", "p@ss")
    assert found.sender == Address("Acme Partners", addr_spec="partners@acme.example")
    assert "p@ss" not in repr(found)
    found = mail_settings(
        {"PARTNERLEDGER_SMTP_URL": "smtp+starttls://mail.acme.example:2525", **FROM}
    )
    assert (found.port, found.security) == (2525, "smtp+starttls")


@pytest.mark.parametrize(
    ("url", "sender"),
    [
        ("mail.acme.example", FROM),
        ("http://mail.acme.example", FROM),
        ("smtp://", FROM),
        ("smtp://h:notaport", FROM),
        ("smtp://h:99999", FROM),
        ("smtp://acme:s3cret@mail.acme.example", FROM),
        ("smtp://mail.acme.example", {}),
        ("smtp://mail.acme.example", {"PARTNERLEDGER_MAIL_FROM": "nobody"}),
        ("smtp://mail.acme.example", {"PARTNERLEDGER_MAIL_FROM": "A <a@b.example>\r\nX: y"}),
    ],
)
def test_settings_that_cannot_be_used_say_what_to_write(url, sender):
    with pytest.raises(NoticeSettingsError) as refused:
        mail_settings({"PARTNERLEDGER_SMTP_URL": url, **sender})
    assert "PARTNERLEDGER_" in str(refused.value)
    assert "s3cret" not in str(refused.value)
