"""A partner's account: terms in the version that was read, details that are never shown again."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest

from orchestration.web_services import WebServices
from payouts import events
from payouts.hashing import sha256_text
from payouts.payee_details_records import load_details
from payouts.payees import load_payees
from payouts.vault import open_vault
from tests.web.portal_world import ME, PARTNER
from tests.web_app import PROGRAM, web_app

KEY = base64.b64encode(hashlib.sha256(b"a vault of the portal's tests").digest()).decode()
IBAN = "DE89370400440532013000"
DETAILS = {"holder_name": "Rivermark Systems", "iban": "DE89 3704 0044 0532 0130 00"}


@pytest.fixture
def sepa_app(own_home, monkeypatch):
    """The sample's programme, paying euros by SEPA, with the key of a vault."""
    from program.load import load_workspace

    monkeypatch.setenv("PARTNERLEDGER_VAULT_KEY", KEY)
    workspace = load_workspace(PROGRAM)
    payouts = workspace.program.payouts.model_copy(update={"rails": {"default": "sepa"}})
    program = workspace.program.model_copy(update={"payouts": payouts})
    from dataclasses import replace

    with web_app(own_home, workspace=replace(workspace, program=program)) as app:
        yield app


def accepted(app) -> list[events.Event]:
    with app.store.read() as connection:
        return [
            each
            for each in events.of_subject(connection, ME)
            if each.kind == "payee_terms_accepted"
        ]


def shown_form(page: str) -> dict[str, str]:
    """The hidden fields of the form of the terms."""
    form = page[page.index("/portal/account/terms") :]
    return dict(re.findall(r'name="(version|text_sha256)" value="([^"]*)"', form))


def forget_acceptance(app) -> None:
    """The sample's partners accepted on paper; this one has not."""
    from payouts.payees import record_payee
    from tests.web_app import ANA, NOW

    record_payee(app.store, PARTNER, terms_accepted=False, actor=ANA, recorded_at=NOW)


def test_terms_are_accepted_in_the_version_that_was_shown(own_app):
    forget_acceptance(own_app)
    home = own_app.client(ME).get("/portal").text
    assert "Terms not accepted yet" in home and 'href="/portal/account#terms"' in home
    fields = shown_form(own_app.client(ME).get("/portal/account").text)
    services = WebServices(own_app.settings.home, lambda: own_app.settings.workspace)
    version, text = services.shown_terms(PARTNER)
    assert fields == {"version": version, "text_sha256": sha256_text(text)}
    # Two presses of the button are one acceptance.
    for _ in range(2):
        answer = own_app.post(ME, "/portal/account/terms", fields)
        assert (answer.status_code, answer.headers["location"]) == (303, "/portal/account")
    (event,) = accepted(own_app)
    assert event.actor == ME
    assert event.payload["terms_version"] == version
    assert event.payload["terms_hash"] == own_app.settings.workspace.terms_hash
    with own_app.store.read() as connection:
        assert load_payees(connection)[PARTNER].terms_accepted
    page = own_app.client(ME).get("/portal/account").text
    assert f"You accepted {version}" in page and "I accept these terms" not in page


def test_outdated_terms_are_refused(own_app):
    forget_acceptance(own_app)
    fields = shown_form(own_app.client(ME).get("/portal/account").text)
    for changed in (
        {"text_sha256": sha256_text("the terms of last year")},
        {"version": "standard 2024-01-01"},
    ):
        answer = own_app.post(ME, "/portal/account/terms", fields | changed)
        assert answer.status_code == 409 and "have changed since you read them" in answer.text
    assert own_app.post(ME, "/portal/account/terms", {}).status_code == 400
    assert accepted(own_app) == []


def test_details_go_to_the_vault_and_nowhere_else(sepa_app):
    client = sepa_app.client(ME)
    assert 'name="iban"' in client.get("/portal/account").text
    answers = [sepa_app.post(ME, "/portal/account/details", DETAILS) for _ in range(2)]
    assert [each.status_code for each in answers] == [303, 303]
    with sepa_app.store.read() as connection:
        (record,) = load_details(connection, ME)
    assert (record.state, record.rail, record.last_four) == ("proposed", "sepa", "3000")
    assert record.proposed_by == ME
    kept = open_vault(sepa_app.settings.home).get(record.details_id)
    assert kept.iban.replace(" ", "") == IBAN
    page = sepa_app.client(ME).get("/portal/account").text
    assert "ending in 3000 wait for the programme" in page and 'name="iban"' not in page
    home = sepa_app.settings.home
    for text in (page, *(each.text for each in answers)):
        assert IBAN not in text.replace(" ", "") and DETAILS["holder_name"] + '"' not in text
    for file in home.glob("control.sqlite*"):
        assert IBAN.encode() not in file.read_bytes().replace(b" ", b"")


@pytest.mark.parametrize(
    "changed",
    [{"iban": "DE00 3704 0044 0532 0130 00"}, {"holder_name": ""}, {"bic": "NOPE"}],
    ids=["iban", "holder", "bic"],
)
def test_faulty_details_are_refused_without_being_shown(sepa_app, changed):
    fields = DETAILS | changed
    answer = sepa_app.post(ME, "/portal/account/details", fields)
    assert answer.status_code == 400 and 'role="alert"' in answer.text
    shown = answer.text.replace(" ", "")
    assert all(
        value.replace(" ", "") not in shown
        for name, value in fields.items()
        if value and name != "holder_name"
    )
    with sepa_app.store.read() as connection:
        assert load_details(connection, ME) == []


def test_nobody_else_changes_the_account(sepa_app):
    fields = DETAILS | {"partner_id": "p_2", "owner": "partner:p_2"}
    assert sepa_app.post(ME, "/portal/account/details", fields).status_code == 303
    with sepa_app.store.read() as connection:
        assert load_details(connection, "partner:p_2") == []
        assert len(load_details(connection, ME)) == 1


def test_without_the_key_the_team_takes_the_details(own_app, monkeypatch):
    monkeypatch.delenv("PARTNERLEDGER_VAULT_KEY", raising=False)
    page = own_app.client(ME).get("/portal/account").text
    assert "The programme's team takes your payout details" in page.replace("&#39;", "'")
    answer = own_app.post(ME, "/portal/account/details", DETAILS)
    assert answer.status_code == 409 and IBAN not in answer.text


def test_what_screening_found_is_not_told(own_app):
    from payouts.payees import record_payee
    from tests.web_app import ANA, NOW

    record_payee(own_app.store, PARTNER, screening=False, actor=ANA, recorded_at=NOW)
    page = own_app.client(ME).get("/portal/account").text
    assert (
        "nothing for you to do" in page and "hit" not in page.lower().split("<h2>steps")[1][:3000]
    )


def test_messages_are_chosen_by_the_partner(own_app):
    from payouts.notice_choices import notice_choice, partners_wanting_less

    path = "/portal/account/notices"
    assert '<option value="all" selected>' in own_app.client(ME).get("/portal/account").text
    for _ in range(2):
        answer = own_app.post(ME, path, {"notices": "needed", "partner_id": "p_2"})
        assert answer.headers["location"] == "/portal/account#messages"
    assert '<option value="needed" selected>' in own_app.client(ME).get("/portal/account").text
    with own_app.store.read() as connection:
        assert partners_wanting_less(connection) == {PARTNER}
        (event,) = events.of_kinds(connection, ("notice_choice",))
        assert (event.actor, event.payload) == (ME, {"choice": "needed"})
    assert own_app.post(ME, path, {"notices": "none"}).status_code == 400
    assert own_app.post(ME, path, {"notices": "all"}).status_code == 303
    with own_app.store.read() as connection:
        assert notice_choice(connection, PARTNER) == "all"
        assert partners_wanting_less(connection) == frozenset()
