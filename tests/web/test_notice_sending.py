"""Sending what is kept: what each failure means for a message, webhooks, two senders, the night."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
from chat_server import Chat, chat_server
from mail_servers import Mailbox, free_port, mail_server, scripted_server, settings
from notice_world import NOW, programme
from typer.testing import CliRunner

from dashboards.errors import NoticeSettingsError, NoticeTemplateError
from dashboards.mailer import Attachment
from dashboards.notices.rendering import Renderer
from dashboards.notices.samples import sample
from dashboards.notices.sending import send_due
from dashboards.webhook import retry_seconds, webhook_url
from orchestration import notices
from orchestration.cli import app
from payouts.outbox import enqueue, list_messages
from payouts.store import open_store


@pytest.fixture
def store(tmp_path):
    opened = open_store(tmp_path / "home", synchronous="OFF")
    yield opened
    opened.close()


@pytest.fixture
def words(tmp_path):
    return Renderer(tmp_path, "Acme Partners", "UTC", "https://p.acme.example")


def keep(store, kind="payout_sent", recipient="ann@partner.example", number=1, channel="mail"):
    return enqueue(store, kind, f"test:{number}", channel, recipient, sample(kind), NOW)


def send(store, words, now=NOW, **options):
    return send_due(store, words, lambda: now, **options)


def states(store):
    with store.read() as connection:
        return {each.message_id: each for each in list_messages(connection)}


# ── mail ────────────────────────────────────────────────────────────────────────────────────────


def test_mail_is_sent_once(store, words):
    identity = keep(store)
    mailbox = Mailbox()
    with mail_server(mailbox) as port:
        for _ in range(2):
            send(store, words, mail=settings(port), portal_url="https://p.acme.example/portal")
    (arrived,) = mailbox.messages
    assert arrived["Message-ID"] == f"<{identity}@acme.example>"
    assert arrived["List-Unsubscribe"] == "<https://p.acme.example/portal>"
    assert "was sent" in arrived["Subject"]
    assert states(store)[identity].state == "sent"


def test_refused_for_good_is_dropped_busy_waits_and_the_others_go_out(store, words):
    ids = {
        name: keep(store, recipient=f"{name}@partner.example") for name in ("gone", "busy", "ann")
    }
    mailbox = Mailbox(
        refused={"gone@partner.example": "550 no", "busy@partner.example": "451 later"}
    )
    with mail_server(mailbox) as port:
        found = send(store, words, mail=settings(port))
        assert found.record() == {
            "sent": 1, "waiting": 1, "failed": 0, "dropped": 1, "stopped": "",
        }  # fmt: skip
        after = states(store)
        assert after[ids["gone"]].state == "dropped" and after[ids["gone"]].needs_person
        assert after[ids["busy"]].next_attempt_at == "2026-03-02T08:05:00.000000Z"
        mailbox.refused.clear()
        send(store, words, NOW + timedelta(minutes=5), mail=settings(port))
    assert states(store)[ids["busy"]].state == "sent"
    assert len(mailbox.messages) == 2


@pytest.mark.parametrize("steps", [[("", "hang")], [("", "554 not you")]])
def test_a_server_that_is_not_there_costs_no_try(store, words, steps):
    identity = keep(store)
    with scripted_server(*steps) as (port, _):
        found = send(store, words, mail=settings(port))
    assert "cannot be reached" in found.stopped
    message = states(store)[identity]
    assert (message.state, message.attempts) == ("waiting", 0)
    assert "cannot be reached" in send(store, words, mail=settings(free_port())).stopped


def test_no_answer_after_the_end_is_never_sent_again(store, words):
    identity = keep(store)
    with scripted_server((".", "hang")) as (port, heard):
        assert send(store, words, mail=settings(port)).counts == {"failed": 1}
        later = NOW + timedelta(days=3)
        assert send(store, words, later, mail=settings(port)).counts == {}
        assert heard.count("DATA") == 1
    message = states(store)[identity]
    assert message.needs_person and "may have been sent" in message.last_error


def test_a_server_that_breaks_off_is_left_alone(store, words):
    for number in range(6):
        keep(store, number=number)
    with scripted_server(("RCPT", "close")) as (port, heard):
        found = send(store, words, mail=settings(port))
    assert "3 messages in a row" in found.stopped
    assert sum(line.upper().startswith("RCPT") for line in heard) == 3
    assert Counter(each.state for each in states(store).values()) == {"waiting": 6}


def test_what_cannot_be_made_holds_up_nobody(store, words):
    broken = enqueue(
        store, "payout_sent", "x", "mail", "ann@partner.example", {"sections": []}, NOW
    )
    late = keep(store, kind="weekly_statement", number=2)
    fine = keep(store, number=3)

    def attach(message):
        if message.kind == "weekly_statement":
            raise RuntimeError("no such month")
        return (Attachment("a.csv", "text/csv", b"x"),)

    with mail_server(Mailbox()) as port:
        send(store, words, mail=settings(port), attach=attach)
    after = states(store)
    assert (after[broken].state, after[broken].needs_person) == ("dropped", True)
    assert after[late].state == "waiting" and "no such month" in after[late].last_error
    assert after[fine].state == "sent"


def test_a_broken_template_stops_before_anything_is_taken(store, tmp_path):
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "night_failed.html").write_text("{{")
    identity = keep(store)
    with pytest.raises(NoticeTemplateError, match="night_failed.html:1"):
        send(store, Renderer(tmp_path, "A", "UTC"), mail=settings(free_port()))
    assert states(store)[identity].attempts == 0


def test_two_senders_at_once_send_each_message_once(store, words):
    ids = {keep(store, number=number) for number in range(24)}
    mailbox = Mailbox()
    with mail_server(mailbox) as port:
        other = open_store(store.home, synchronous="OFF")
        found = []
        threads = [
            threading.Thread(
                target=lambda opened: found.append(send(opened, words, mail=settings(port))),
                args=(opened,),
            )
            for opened in (store, other)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        other.close()
    arrived = Counter(each["Message-ID"] for each in mailbox.messages)
    assert arrived == {f"<{identity}@acme.example>": 1 for identity in ids}
    assert sum(each.sent for each in found) == 24


# ── the chat ────────────────────────────────────────────────────────────────────────────────────


def test_the_chat_gets_one_line_of_text_without_addresses(store, words):
    payload = {**sample("night_failed"), "message": "failed for ann@partner.example"}
    enqueue(store, "night_failed", "n", "webhook", "staff", payload, NOW)
    keep(store, "approval_waiting", "staff", 2, "webhook")
    chat = Chat()
    with chat_server(chat) as url:
        send(store, words, webhook=url)
    assert len(chat.texts) == 2
    assert not [text for text in chat.texts if "@" in text]
    assert any("batches wait for finance" in text for text in chat.texts)


@pytest.mark.parametrize(
    ("answer", "state", "error"),
    [
        ((429, {"Retry-After": "90"}), "waiting", "429"),
        ((503, {}), "waiting", "503"),
        ((404, {}), "dropped", "404"),
        ((302, {"Location": "http://127.0.0.1:1/"}), "dropped", "302"),
        ((0, {}), "failed", "may have been sent"),
        ((-1, {}), "failed", "may have been sent"),
    ],
)
def test_what_each_answer_of_the_webhook_means(store, words, answer, state, error, monkeypatch):
    monkeypatch.setattr("dashboards.webhook.post_text.__defaults__", (0.5,))
    identity = keep(store, "data_stale", "staff", channel="webhook")
    chat = Chat(answers=[answer])
    with chat_server(chat) as url:
        send(store, words, webhook=url)
        message = states(store)[identity]
        assert message.state == state and error in message.last_error
        assert "s3cret" not in message.last_error
        if answer[0] == 429:
            assert message.next_attempt_at == "2026-03-02T08:01:30.000000Z"
            send(store, words, NOW + timedelta(seconds=90), webhook=url)
            assert len(chat.texts) == 1
    assert chat.requests == (2 if answer[0] == 429 else 1)


def test_a_webhook_that_is_not_there_waits(store, words):
    identity = keep(store, "data_stale", "staff", channel="webhook")
    send(store, words, webhook=f"http://127.0.0.1:{free_port()}/")
    assert states(store)[identity].state == "waiting"


def test_retry_after_is_seconds_or_a_day():
    assert retry_seconds("90", NOW) == 90
    assert retry_seconds("Mon, 02 Mar 2026 08:01:00 GMT", NOW) == 60
    assert retry_seconds("Mon, 02 Mar 2026 07:00:00 GMT", NOW) == 0
    assert retry_seconds("soon", NOW) is None


def test_the_webhook_must_be_private_on_its_way():
    name = "PARTNERLEDGER_CHAT_WEBHOOK"
    assert webhook_url({}) is None
    assert webhook_url({name: "https://chat.example/hooks/s3cret"})
    for url in ("http://chat.example/hooks/s3cret", "chat.example/s3cret", "https://[s3cret"):
        with pytest.raises(NoticeSettingsError) as refused:
            webhook_url({name: url})
        assert "s3cret" not in str(refused.value)


# ── a home ──────────────────────────────────────────────────────────────────────────────────────


def night_of(home, store, workspace, now=NOW):
    return SimpleNamespace(home=home, workspace=workspace, store=store, clock=lambda: now)


def test_after_a_night_news_is_kept_and_sent_where_a_channel_is_set_up(own_home, monkeypatch):
    opened = open_store(own_home)
    for name in ("PARTNERLEDGER_SMTP_URL", "PARTNERLEDGER_CHAT_WEBHOOK"):
        monkeypatch.delenv(name, raising=False)
    # The sample's night has just published: its numbers are not old yet.
    night = night_of(own_home, opened, programme(), NOW - timedelta(days=1))
    found = notices.after_night(night)
    assert (found["state"], found["sent"], found["problem"]) == ("switched_on", 0, "")
    assert found["messages"] == 2
    chat = Chat()
    with chat_server(chat) as url:
        monkeypatch.setenv("PARTNERLEDGER_CHAT_WEBHOOK", url)
        assert notices.after_night(night)["sent"] == 1
    opened.close()


def test_whatever_goes_wrong_a_night_never_fails_of_its_notices(own_home, tmp_path, caplog):
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "digest.txt").write_text("{{")
    opened = open_store(own_home)
    with caplog.at_level(logging.WARNING):
        found = notices.after_night(night_of(own_home, opened, programme(tmp_path)))
    assert "digest.txt:1" in found["problem"] and "digest.txt:1" in caplog.text
    assert notices.after_night(night_of(own_home, None, programme()))["problem"]
    assert notices.after_night(night_of(own_home, opened, programme(enabled=False))) == {
        "state": "off", "messages": 0, "sent": 0, "problem": "",
    }  # fmt: skip
    opened.close()


def test_a_weekly_statement_carries_the_month_as_pdf_and_csv(own_home):
    opened = open_store(own_home)
    message = SimpleNamespace(
        kind="weekly_statement", payload={"partner_id": "p_4", "as_of": "2026-02-28"}
    )
    pdf, csv = notices._attachments(own_home, programme(), opened, message)
    assert (pdf.name, csv.name) == ("statement-2026-02.pdf", "statement-2026-02.csv")
    assert pdf.content.startswith(b"%PDF") and b"EUR" in csv.content
    other = SimpleNamespace(kind="digest", payload={})
    assert notices._attachments(own_home, programme(), opened, other) == ()
    opened.close()


def test_links_are_sent_as_they_come_and_nothing_else(own_home, monkeypatch):
    opened = open_store(own_home)
    keep(opened, "sign_in_link")
    keep(opened, "payout_sent")
    mailbox, stop = Mailbox(), threading.Event()
    with mail_server(mailbox) as port:
        monkeypatch.setenv("PARTNERLEDGER_SMTP_URL", f"smtp://127.0.0.1:{port}")
        monkeypatch.setenv("PARTNERLEDGER_MAIL_FROM", "partners@acme.example")
        clock = lambda: stop.set() if mailbox.messages else None  # noqa: E731
        notices.keep_sending_links(
            own_home, programme(), opened, lambda: clock() or datetime(2026, 3, 2, 8, 1), stop, 0.01
        )
    (link,) = mailbox.messages
    assert link["Subject"] == "Sign in to Acme Partners" and link["List-Unsubscribe"] is None
    assert {each.kind: each.state for each in states(opened).values()} == {
        "sign_in_link": "sent", "payout_sent": "waiting",
    }  # fmt: skip
    opened.close()


def test_the_commands_over_one_home(own_home, monkeypatch):
    for name in ("PARTNERLEDGER_SMTP_URL", "PARTNERLEDGER_CHAT_WEBHOOK"):
        monkeypatch.delenv(name, raising=False)
    opened = open_store(own_home)
    identity = keep(opened)
    opened.close()
    runner, home = CliRunner(), ["--home", str(own_home)]

    def run(*arguments):
        return runner.invoke(app, ["notices", *arguments])

    assert "notices are off" in run("prepare", *home).output
    refused = run("send", *home)
    assert refused.exit_code == 1 and "neither a mail server" in str(refused.exception)
    listed = run("list", "--state", "waiting", "--json", *home)
    assert identity in listed.output and "payload" not in listed.output
    assert run("list", "--state", "nowhere", *home).exit_code == 2
    assert "dropped" in run("drop", identity[:10], "--as", "ana@acme.example", *home).output
    assert "waiting" in run("retry", identity[:10], "--as", "ana@acme.example", *home).output
    mailbox = Mailbox()
    with mail_server(mailbox) as port:
        monkeypatch.setenv("PARTNERLEDGER_SMTP_URL", f"smtp://127.0.0.1:{port}")
        monkeypatch.setenv("PARTNERLEDGER_MAIL_FROM", "Acme <partners@acme.example>")
        assert '"sent": 1' in run("send", "--json", *home).output
    assert len(mailbox.messages) == 1
    shown = run("preview", "approval_waiting")
    assert "Subject: Acme Partners" in shown.output and "In the chat:" in shown.output
    assert run("preview", "nothing").exit_code == 2
