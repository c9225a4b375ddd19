"""What partners send: recorded once, as events of theirs, shown at once, escaped, in time."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from dashboards.portal import submitting
from orchestration.web_services import WebServices
from payouts import events
from payouts.dispute_records import load_disputes
from payouts.holds import load_holds
from payouts.lead_update_records import load_messages
from payouts.registrations import decide_registration, load_decisions, load_registrations
from payouts.terms import approval_rules
from tests.web.portal_world import ME, PARTNER, leads_of, newest_line, one, payout_of
from tests.web_app import ANA, NOW, web_app

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


def registrations(app):
    with app.store.read() as connection:
        return load_registrations(connection)


def test_lead_is_recorded_as_an_event_and_shown_at_once(own_app):
    fields = {"email": "Kim@Globex.example", "company_domain": "https://www.globex.example/about",
              "note": "met at the fair"}  # fmt: skip
    answer = own_app.post(ME, "/portal/leads", fields)
    assert (answer.status_code, answer.headers["location"]) == (303, "/portal/leads")
    (entered,) = registrations(own_app)
    assert (entered.entity, entered.partner_id) == ("lead_entries", PARTNER)
    assert (entered.email, entered.company_domain) == ("kim@globex.example", "globex.example")
    with own_app.store.read() as connection:
        (event,) = [
            each
            for each in events.of_subject(connection, ME)
            if each.kind == "registration_submitted"
        ]
        (message,) = load_messages(connection, "registration", entered.key)
    assert (event.actor, event.identity_level) == (ME, "os_user")
    assert (message.text, message.author_role) == ("met at the fair", "partner")
    page = own_app.client(ME).get("/portal/leads").text
    assert "It counts from the next night on" in page and "globex.example" in page
    assert "kim@" not in page


def test_deal_keeps_its_amount_and_waits_for_a_decision(own_app):
    fields = {"company_domain": "globex.example", "expected_amount": "1 200.50", "currency": "EUR"}
    assert own_app.post(ME, "/portal/deals", fields).status_code == 303
    (entered,) = registrations(own_app)
    assert (entered.entity, entered.expected_amount_minor, entered.currency_code) == (
        "deal_registrations", 120_050, "EUR",
    )  # fmt: skip
    assert "Waits for a decision" in own_app.client(ME).get("/portal/leads").text
    decide_registration(
        own_app.store, registration_key=entered.key, decision="declined", reason="known to sales",
        actor=ANA, rules=approval_rules(own_app.settings.workspace), recorded_at=NOW,
    )  # fmt: skip
    page = own_app.client(ME).get("/portal/leads").text
    assert "Declined" in page and "known to sales" not in page


def test_same_lead_twice_is_recorded_once(own_app):
    for _ in range(3):
        answer = own_app.post(ME, "/portal/leads", {"company_domain": "globex.example"})
        assert answer.status_code == 303
    assert len(registrations(own_app)) == 1


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, 400),
        ({"company_domain": "not a domain"}, 409),
        ({"email": "nobody"}, 409),
        ({"email": "a@b.example", "note": "x" * 20_000}, 400),
        ({"email": "a@b.example", "expected_amount": "NaN", "currency": "EUR"}, 400),
        ({"email": "a@b.example", "expected_amount": "1e9", "currency": "EUR"}, 400),
        ({"email": "a@b.example", "expected_amount": "-5", "currency": "EUR"}, 400),
        ({"email": "a@b.example", "expected_amount": "5", "currency": "EURO"}, 400),
        ({"email": "a@b.example", "expected_amount": "5.001", "currency": "EUR"}, 409),
        ({"email": "a@b.example", "expected_amount": "5.5", "currency": "JPY"}, 409),
    ],
    ids=str,
)
def test_faulty_form_records_nothing(own_app, fields, status):
    assert own_app.post(ME, "/portal/deals", fields).status_code == status
    assert registrations(own_app) == []


def test_partner_takes_back_what_it_sent(own_app):
    own_app.post(ME, "/portal/leads", {"company_domain": "globex.example"})
    (entered,) = registrations(own_app)
    for _ in range(2):
        answer = own_app.post(ME, "/portal/registrations/withdraw", {"key": entered.key})
        assert answer.status_code == 303
    with own_app.store.read() as connection:
        (decision,) = load_decisions(connection, entered.key)
    assert (decision.decision, decision.decided_by) == ("withdrawn", ME)
    assert "Withdrawn" in own_app.client(ME).get("/portal/leads").text


def test_message_is_shown_at_once_and_sent_once(own_app):
    lead_id = leads_of(own_app.settings.home, PARTNER, shared=False)[0]
    path = f"/portal/leads/{lead_id}"
    for _ in range(2):
        answer = own_app.post(ME, f"{path}/messages", {"text": HOSTILE})
        assert (answer.status_code, answer.headers["location"]) == (303, path)
    page = own_app.client(ME).get(path).text
    assert page.count("alert(1)&lt;/script&gt;") == 1
    assert "<script>alert" not in page and "<img" not in page


def test_too_many_forms_are_refused(own_app, monkeypatch):
    monkeypatch.setattr(submitting, "_MOST_PER_HOUR", 2)
    statuses = [
        own_app.post(ME, "/portal/leads", {"company_domain": f"globex{n}.example"}).status_code
        for n in range(3)
    ]
    assert statuses == [303, 303, 409]
    assert len(registrations(own_app)) == 2


def test_question_holds_the_line_and_is_opened_once(own_app):
    line = newest_line(own_app.settings.home, PARTNER)
    fields = {"about": "line", "id": line, "text": f"the rate is wrong {HOSTILE}"}
    answers = [own_app.post(ME, "/portal/disputes", fields) for _ in range(2)]
    with own_app.store.read() as connection:
        (dispute,) = load_disputes(connection)
        (hold,) = [each for each in load_holds(connection) if each.dispute_id]
    path = f"/portal/disputes/{dispute.dispute_id}"
    assert [(each.status_code, each.headers["location"]) for each in answers] == [(303, path)] * 2
    assert (dispute.partner_id, dispute.opened_by_role, dispute.opened_by) == (
        PARTNER, "partner", ME,
    )  # fmt: skip
    assert hold.is_open
    client = own_app.client(ME)
    page = client.get(path).text
    assert "the rate is wrong" in page and "<script>alert" not in page and "Received" in page
    assert path in client.get(f"/portal/earnings/{line}").text
    assert client.get(f"/portal/disputes/new?about=line&id={line}").headers["location"] == path
    for _ in range(2):
        assert own_app.post(ME, f"{path}/withdraw", {"reason": "my error"}).status_code == 303
    assert "Withdrawn by you" in own_app.client(ME).get("/portal/disputes").text


def test_answer_of_the_programme_is_shown(own_app):
    from payouts.dispute_checks import Remedy
    from payouts.disputes import decide_dispute, review_dispute
    from tests.web_app import BEN

    line = newest_line(own_app.settings.home, PARTNER)
    own_app.post(ME, "/portal/disputes", {"about": "line", "id": line, "text": "why so little?"})
    with own_app.store.read() as connection:
        (dispute,) = load_disputes(connection)
    workspace = own_app.settings.workspace
    rules = approval_rules(workspace)
    review_dispute(
        own_app.store, dispute_id=dispute.dispute_id, reason="internal look", actor=BEN,
        rules=rules, recorded_at=NOW,
    )  # fmt: skip
    client = own_app.client(ME)
    path = f"/portal/disputes/{dispute.dispute_id}"
    assert "Being looked at" in client.get(path).text
    services = WebServices(own_app.settings.home, lambda: workspace)
    from dashboards.snapshot import open_snapshot

    with open_snapshot(own_app.settings.home) as connection:
        subject = services.dispute_subject(connection, "line", line, PARTNER)
        governing = services.dispute_governing(connection, subject)
    decide_dispute(
        own_app.store, own_app.settings.home, dispute_id=dispute.dispute_id, outcome="upheld",
        governing=governing, reason="the invoice was read wrongly", actor=BEN, rules=rules,
        recorded_at=NOW, remedy=Remedy(is_at_source=True),
    )  # fmt: skip
    page = client.get(path).text
    assert "the invoice was read wrongly" in page and "Accepted" in page
    assert "corrected where it came from" in page
    assert "internal look" not in page and "ben" not in re.sub(r"\bbenefit", "", page)


def test_question_after_the_window_is_refused(own_home):
    line = one(
        own_home,
        "select commission_id from marts.fct_commission_lines where partner_id = ? "
        "and kind = 'earning' and effective_date = "
        "(select min(effective_date) from marts.fct_commission_lines where partner_id = ?) "
        "order by 1 limit 1",
        PARTNER,
        PARTNER,
    )
    with web_app(own_home) as app:
        fields = {"about": "line", "id": line, "text": "late"}
        answer = app.post(ME, "/portal/disputes", fields)
        assert answer.status_code == 409 and "not taken any more" in answer.text
        page = app.client(ME).get(f"/portal/earnings/{line}").text
        assert "It could be asked about until" in page and "/portal/disputes/new" not in page
        with app.store.read() as connection:
            assert load_disputes(connection) == []


def test_last_day_of_the_window_counts(own_home):
    line = newest_line(own_home, PARTNER)
    (day,) = [
        one(
            own_home,
            "select max(effective_date) from marts.fct_commission_entries where commission_id = ?",
            line,
        )
    ]
    # Noon in New York is 17:00 UTC in winter and 16:00 in summer.
    noon = NOW.replace(year=day.year, month=day.month, day=day.day, hour=17)
    for days, status in ((61, 409), (60, 303)):
        at = noon + timedelta(days=days)
        with web_app(own_home, clock=lambda at=at: at) as app:
            fields = {"about": "line", "id": line, "text": "on the last day"}
            assert app.post(ME, "/portal/disputes", fields).status_code == status


def test_question_about_a_lead_and_a_payout(own_app):
    home = own_app.settings.home
    lead_id = leads_of(home, PARTNER, shared=False)[0]
    subjects = {"lead": lead_id, "payout": payout_of(home, PARTNER)}
    for about, identifier in subjects.items():
        assert (
            own_app.client(ME)
            .get(f"/portal/disputes/new?about={about}&id={identifier}")
            .status_code
            == 200
        )
        fields = {"about": about, "id": identifier, "text": "please look"}
        assert own_app.post(ME, "/portal/disputes", fields).status_code == 303
    with own_app.store.read() as connection:
        found = {each.subject_type: each.subject_id for each in load_disputes(connection)}
    assert found == subjects


def test_identity_of_the_session_is_recorded(own_app):
    from tests.web_app import user_of

    user = replace(user_of(ME), identity_level="os_user")
    own_app.post(user, "/portal/leads", {"company_domain": "globex.example"})
    with own_app.store.read() as connection:
        (event,) = [
            each
            for each in events.of_subject(connection, ME)
            if each.kind == "registration_submitted"
        ]
    assert (event.actor, event.identity_level) == (ME, user.identity_level)
