"""Inviting a partner from its page: by mail, or by a link that is shown once."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import delete

from dashboards.snapshot import open_snapshot
from payouts.onboarding import open_invitations
from payouts.outbox import list_messages
from payouts.portal_addresses import add_address, list_addresses
from payouts.schema import portal_addresses
from tests.web.changed_snapshot import change_snapshot
from tests.web_app import ANA, NOW, user_of, web_app

PATH = "/partners/p_4/invite"
MAIL = {
    "PARTNERLEDGER_SMTP_URL": "smtp://127.0.0.1:2525",
    "PARTNERLEDGER_MAIL_FROM": "Acme <partners@acme.example>",
}


@pytest.fixture
def mail_app(own_home):
    """The app with a mail server, and a partner of one address."""
    with web_app(own_home, environment=MAIL) as app:
        with app.store.write() as connection:
            connection.execute(delete(portal_addresses))
            add_address(connection, "p_4", "mia@x.example", source="person", now=NOW)
        yield app


def waiting(app):
    with app.store.read() as connection:
        return list_messages(connection), open_invitations(connection, NOW)


def test_invitation_is_sent_to_the_addresses_of_the_partner(mail_app):
    answer = mail_app.post(ANA, PATH)
    assert (answer.status_code, answer.headers["location"]) == (303, "/partners/p_4")
    (message,), (invitation,) = waiting(mail_app)
    assert (message.kind, message.recipient) == ("invitation", "mia@x.example")
    assert message.expires_at == invitation.expires_at == message.payload["expires_at"]
    with open_snapshot(mail_app.settings.home) as snapshot:
        name = snapshot.execute(
            "select name from marts.dim_partners where partner_id = 'p_4'"
        ).fetchone()[0]
    assert (message.payload["partner_id"], message.payload["partner_name"]) == ("p_4", name)
    path = message.payload["link"].removeprefix(mail_app.settings.base_url)
    assert "Accept the invitation" in mail_app.client(None).get(path).text


def test_link_is_shown_once_where_no_mail_goes_out(own_app):
    page = own_app.post(ANA, PATH)
    assert page.status_code == 200 and page.headers["cache-control"] == "no-store"
    link = re.search(r"http://127\.0\.0\.1:8321(/invitation/[\w-]{43})<", page.text)
    messages, (invitation,) = waiting(own_app)
    assert messages == [] and invitation.partner_id == "p_4"
    assert "Accept the invitation" in own_app.client(None).get(link[1]).text
    assert link[1] not in own_app.client(ANA).get("/partners/p_4").text


def test_named_address_needs_a_mail_server(own_app):
    assert own_app.post(ANA, PATH, {"email": "new@x.example"}).status_code == 409
    assert waiting(own_app) == ([], [])


def test_invitation_goes_to_the_address_that_is_named(mail_app):
    assert mail_app.post(ANA, PATH, {"email": "no address"}).status_code == 409
    assert waiting(mail_app) == ([], [])
    assert mail_app.post(ANA, PATH, {"email": "New@x.example"}).status_code == 303
    (message,), _ = waiting(mail_app)
    assert message.recipient == "new@x.example"
    with mail_app.store.read() as connection:
        assert [each.source for each in list_addresses(connection, "p_4")] == [
            "person", "invitation",
        ]  # fmt: skip


def test_form_is_there_for_who_may_invite(own_app):
    assert f'action="{PATH}"' in own_app.client(ANA).get("/partners/p_4").text
    analyst = user_of("dan@acme.example", roles=frozenset({"analyst"}))
    assert PATH not in own_app.client(analyst).get("/partners/p_4").text
    assert own_app.post(analyst, PATH).status_code == 403
    assert own_app.post("partner:p_4", PATH).status_code == 404
    assert own_app.post(ANA, "/partners/p_nix/invite").status_code == 404


def test_terminated_partner_is_not_invited(own_home, own_app):
    change_snapshot(
        own_home, ["update marts.dim_partners set status = 'terminated' where partner_id = 'p_4'"]
    )
    assert PATH not in own_app.client(ANA).get("/partners/p_4").text
    assert own_app.post(ANA, PATH).status_code == 409
    assert waiting(own_app) == ([], [])
