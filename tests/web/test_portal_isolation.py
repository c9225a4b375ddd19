"""A partner sees its own records and nothing of anybody else, whatever it asks for."""

from __future__ import annotations

import csv
import re
from datetime import timedelta

import pytest

from dashboards.queries import FOLDER
from orchestration.cli_common import REPOSITORY
from payouts.dispute_records import load_disputes
from payouts.lead_update_records import load_answers
from payouts.lead_updates import post_message, request_update
from payouts.registrations import load_decisions, load_registrations, submit_registration
from tests.web.portal_world import (
    ME,
    OTHER,
    PARTNER,
    THEM,
    foreign_lead,
    leads_of,
    links,
    newest_line,
    one,
    payout_of,
    rows,
)
from tests.web_app import ANA, NOW

# One with many leads, one whose claims were refused for rivals, one that is left out of its batch,
# one without any earning.
PARTNERS = ("p_1", "p_2", "p_8", "p_9", "p_18", "p_16")
PAGES = (
    "/portal", "/portal/leads", "/portal/leads?csv=leads", "/portal/leads/new", "/portal/earnings",
    "/portal/earnings?csv=earnings", "/portal/payouts", "/portal/disputes", "/portal/rules",
    "/portal/account",
)  # fmt: skip


def pages_of(client) -> list[str]:
    """All kinds of pages, and a good part of the single records."""
    found = list(PAGES)
    found += links(client.get("/portal/leads").text, "/portal/leads")[:40]
    found += links(client.get("/portal/earnings").text, "/portal/earnings")[:12]
    payouts = client.get("/portal/payouts").text
    found += links(payouts, "/portal/payouts") + links(payouts, "/portal/statements")[:3]
    return [path for path in dict.fromkeys(found) if not path.endswith(".pdf")]


@pytest.mark.parametrize("partner_id", PARTNERS)
def test_no_page_names_another_partner_or_a_customer(sample_app, partner_id):
    home = sample_app.settings.home
    others = rows(
        home, "select partner_id, name from marts.dim_partners where partner_id <> ?", partner_id
    )
    forbidden = [rf"\b{re.escape(name)}\b" for pair in others for name in pair]
    domains = {d for (d,) in rows(home, "select company_domain from marts.fct_leads") if d}
    with (REPOSITORY / "program" / "drop" / "contacts.csv").open() as file:
        emails = {row["email"].lower() for row in csv.DictReader(file) if row["email"]}
    rivals = re.compile("|".join(forbidden))
    client = sample_app.client(f"partner:{partner_id}")
    found = []
    for path in pages_of(client):
        answer = client.get(path)
        assert answer.status_code == 200, path
        text = answer.text.replace("a@globex.example", "").replace("globex.example", "")
        found += [(path, each) for each in rivals.findall(text)]
        lower = text.lower()
        found += [(path, each) for each in domains | emails if each in lower]
    assert found == []


def test_record_of_somebody_else_does_not_exist(own_app):
    home = own_app.settings.home
    lead, line = foreign_lead(home, PARTNER), newest_line(home, OTHER)
    payout = payout_of(home, OTHER)
    fields = {"about": "line", "id": newest_line(home, OTHER), "text": "mine"}
    assert own_app.post(THEM, "/portal/disputes", fields).status_code == 303
    with own_app.store.read() as connection:
        (theirs,) = load_disputes(connection)
    paths = [
        f"/portal/leads/{lead}",
        f"/portal/earnings/{line}",
        f"/portal/payouts/{payout}",
        f"/portal/disputes/{theirs.dispute_id}",
        f"/portal/disputes/new?about=line&id={line}",
        f"/portal/disputes/new?about=lead&id={lead}",
        f"/portal/disputes/new?about=payout&id={payout}",
        f"/portal/statements/{OTHER}",
        f"/portal/statements/{OTHER}.pdf",
        f"/portal/statements/{OTHER}.csv",
        "/portal/statements/1999-01",
    ]
    client = own_app.client(ME)
    assert [client.get(path).status_code for path in paths] == [404] * len(paths)
    # The same words for what is somebody else's and for what does not exist.
    unknown = {lead: "lead_0", line: "line-0", payout: "payout-0", theirs.dispute_id: "dsp_0"}
    for path in paths[:4]:
        identifier = path.rpartition("/")[2]
        made_up = client.get(path.replace(identifier, unknown[identifier]))
        assert (made_up.status_code, made_up.text) == (404, client.get(path).text)


def test_form_about_somebody_elses_record_records_nothing(own_app):
    home = own_app.settings.home
    lead, line, payout = (
        foreign_lead(home, PARTNER),
        newest_line(home, OTHER),
        payout_of(home, OTHER),
    )
    entered = submit_registration(
        own_app.store, partner_id=OTHER, submitted_at=NOW, actor=THEM, recorded_at=NOW,
        company_domain="globex.example",
    )  # fmt: skip
    assert (
        own_app.post(
            THEM, "/portal/disputes", {"about": "line", "id": line, "text": "theirs"}
        ).status_code
        == 303
    )
    with own_app.store.read() as connection:
        (theirs,) = load_disputes(connection)
        before = len(load_registrations(connection))
    forms = [
        (f"/portal/leads/{lead}/messages", {"text": "x"}),
        ("/portal/disputes", {"about": "line", "id": line, "text": "x"}),
        ("/portal/disputes", {"about": "lead", "id": lead, "text": "x"}),
        ("/portal/disputes", {"about": "payout", "id": payout, "text": "x"}),
        (f"/portal/disputes/{theirs.dispute_id}/withdraw", {}),
        ("/portal/registrations/withdraw", {"key": entered.key}),
        ("/portal/requests/req_0/answer", {"text": "x"}),
    ]
    # Nobody says who they are in a form: the field is not read.
    given = {"partner_id": OTHER}
    assert [own_app.post(ME, path, fields | given).status_code for path, fields in forms] == (
        [404] * len(forms)
    )
    with own_app.store.read() as connection:
        assert [each.is_open for each in load_disputes(connection)] == [True]
        assert load_decisions(connection, entered.key) == []
        assert len(load_registrations(connection)) == before


def test_partner_in_a_form_or_address_is_not_believed(own_app):
    fields = {"email": "a@globex.example", "partner_id": OTHER}
    assert own_app.post(ME, "/portal/leads", fields).status_code == 303
    with own_app.store.read() as connection:
        assert [each.partner_id for each in load_registrations(connection)] == [PARTNER]
    client = own_app.client(ME)
    own = client.get("/portal/earnings?csv=earnings").text
    assert client.get(f"/portal/earnings?csv=earnings&partner_id={OTHER}").text == own


def test_request_reaches_the_partner_it_is_for_and_nobody_else(own_app):
    home = own_app.settings.home
    lead_id = leads_of(home, PARTNER, shared=False)[0]
    asked = request_update(
        own_app.store, subject_type="lead", subject_id=lead_id, asked_of="partner",
        due_at=NOW + timedelta(days=3), actor=ANA, recorded_at=NOW,
    )  # fmt: skip
    path = f"/portal/requests/{asked.request_id}/answer"
    assert path in own_app.client(ME).get("/portal/leads").text
    assert "Update that the programme asks for" in own_app.client(ME).get("/portal").text
    assert path not in own_app.client(THEM).get("/portal/leads").text
    assert own_app.post(THEM, path, {"text": "not mine"}).status_code == 404
    assert own_app.post(ME, path, {"text": "they <b>sign</b> in May"}).status_code == 303
    page = own_app.client(ME).get(f"/portal/leads/{lead_id}").text
    assert "they &lt;b&gt;sign&lt;/b&gt; in May" in page and path not in page
    # The second press of the button is harmless.
    assert own_app.post(ME, path, {"text": "they sign in May"}).status_code == 303
    assert own_app.post(THEM, path, {"text": "not mine"}).status_code == 404
    with own_app.store.read() as connection:
        assert len(load_answers(connection)) == 1


def test_request_on_a_shared_lead_is_for_who_is_credited(own_app):
    home = own_app.settings.home
    lead_id, credited, other = rows(
        home,
        "select a.lead_id, a.partner_id, t.partner_id from marts.fct_attributions a "
        "inner join marts.fct_touchpoints t on a.lead_id = t.lead_id "
        "and t.partner_id <> a.partner_id where a.is_paying and a.credit_ppm = 1000000 "
        "order by 1, 2, 3 limit 1",
    )[0]
    asked = request_update(
        own_app.store, subject_type="lead", subject_id=lead_id, asked_of="partner",
        due_at=NOW + timedelta(days=3), actor=ANA, recorded_at=NOW,
    )  # fmt: skip
    for partner_id, is_asked in ((credited, True), (other, False)):
        page = own_app.client(f"partner:{partner_id}").get("/portal/leads").text
        assert (asked.request_id in page) is is_asked


def test_message_of_staff_is_shown_where_it_can_only_be_for_the_partner(own_app):
    home = own_app.settings.home
    alone, shared = (leads_of(home, PARTNER, shared=each)[0] for each in (False, True))
    for lead_id in (alone, shared):
        for text, is_visible in (("for the partner", True), ("among ourselves", False)):
            post_message(
                own_app.store, subject_type="lead", subject_id=lead_id, text=text,
                author_role="staff", actor=ANA, recorded_at=NOW, is_partner_visible=is_visible,
            )  # fmt: skip
    client = own_app.client(ME)
    pages = {lead_id: client.get(f"/portal/leads/{lead_id}").text for lead_id in (alone, shared)}
    assert "for the partner" in pages[alone]
    assert "for the partner" not in pages[shared]
    assert all("among ourselves" not in page and "ana" not in page for page in pages.values())


@pytest.fixture
def shared(own_app):
    """A lead of two partners: its id, who is credited, and the other one."""
    return rows(
        own_app.settings.home,
        "select a.lead_id, a.partner_id, t.partner_id from marts.fct_attributions a "
        "inner join marts.fct_touchpoints t on a.lead_id = t.lead_id "
        "and t.partner_id <> a.partner_id where a.is_paying and a.credit_ppm = 1000000 "
        "order by 1, 2, 3 limit 1",
    )[0]


def test_message_to_one_partner_is_shown_to_that_one_alone(own_app, shared):
    lead_id, credited, other = shared
    alone = leads_of(own_app.settings.home, PARTNER, shared=False)[0]
    for about, partner_id in ((lead_id, other), (lead_id, credited), (alone, other)):
        post_message(
            own_app.store, subject_type="lead", subject_id=about, text=f"only for {partner_id} x",
            author_role="staff", actor=ANA, recorded_at=NOW, partner_id=partner_id,
        )  # fmt: skip
    for partner_id, rival in ((credited, other), (other, credited)):
        page = own_app.client(f"partner:{partner_id}").get(f"/portal/leads/{lead_id}").text
        assert f"only for {partner_id} x" in page and f"only for {rival} x" not in page
    # Not even where the partner would see everything that names nobody.
    assert "only for" not in own_app.client(ME).get(f"/portal/leads/{alone}").text


def test_message_to_another_partner_on_ones_registration_is_not_shown(own_app):
    lead_id, key = rows(
        own_app.settings.home,
        "select lead_id, submission_key from marts.fct_lead_submissions where partner_id = ? "
        "and submission_type = 'deal_registration' and lead_id is not null order by 2 limit 1",
        PARTNER,
    )[0]
    for partner_id in (OTHER, PARTNER, None):
        post_message(
            own_app.store, subject_type="registration", subject_id=key,
            text=f"a word to {partner_id} x", author_role="staff", actor=ANA, recorded_at=NOW,
            is_partner_visible=True, partner_id=partner_id,
        )  # fmt: skip
    page = own_app.client(ME).get(f"/portal/leads/{lead_id}").text
    assert f"a word to {PARTNER} x" in page and "a word to None x" in page
    assert f"a word to {OTHER} x" not in page


def test_request_to_one_partner_is_for_that_one_alone(own_app, shared):
    lead_id, credited, other = shared
    asked = request_update(
        own_app.store, subject_type="lead", subject_id=lead_id, asked_of="partner",
        due_at=NOW + timedelta(days=3), actor=ANA, recorded_at=NOW, partner_id=other,
        reason="only they know",
    )  # fmt: skip
    path = f"/portal/requests/{asked.request_id}/answer"
    for partner_id, is_asked in ((credited, False), (other, True)):
        page = own_app.client(f"partner:{partner_id}").get("/portal/leads").text
        assert (path in page) is is_asked and ("only they know" in page) is is_asked
    assert own_app.post(f"partner:{credited}", path, {"text": "me!"}).status_code == 404
    assert own_app.post(f"partner:{other}", path, {"text": "in May"}).status_code == 303
    pages = [
        own_app.client(f"partner:{each}").get(f"/portal/leads/{lead_id}").text
        for each in (other, credited)
    ]
    assert ["in May" in page for page in pages] == [True, False]


def test_request_to_a_partner_that_has_nothing_to_do_with_the_lead_reaches_nobody(own_app):
    lead_id = foreign_lead(own_app.settings.home, PARTNER)
    asked = request_update(
        own_app.store, subject_type="lead", subject_id=lead_id, asked_of="partner",
        due_at=NOW + timedelta(days=3), actor=ANA, recorded_at=NOW, partner_id=PARTNER,
    )  # fmt: skip
    assert asked.request_id not in own_app.client(ME).get("/portal/leads").text
    path = f"/portal/requests/{asked.request_id}/answer"
    assert own_app.post(ME, path, {"text": "x"}).status_code == 404


def test_message_of_a_rival_on_a_shared_lead_is_not_shown(own_app):
    home = own_app.settings.home
    lead_id = leads_of(home, PARTNER, shared=True)[0]
    rival = one(
        home,
        "select partner_id from marts.fct_touchpoints where lead_id = ? and partner_id <> ? "
        "order by 1 limit 1",
        lead_id,
        PARTNER,
    )
    path = f"/portal/leads/{lead_id}/messages"
    assert own_app.post(f"partner:{rival}", path, {"text": "my plan"}).status_code == 303
    assert own_app.post(ME, path, {"text": "our plan"}).status_code == 303
    mine = own_app.client(ME).get(f"/portal/leads/{lead_id}").text
    theirs = own_app.client(f"partner:{rival}").get(f"/portal/leads/{lead_id}").text
    assert "our plan" in mine and "my plan" not in mine
    assert "my plan" in theirs and "our plan" not in theirs


def test_dispute_that_staff_opened_for_themselves_is_not_shown(own_app):
    from payouts.disputes import open_dispute
    from payouts.terms import approval_rules, payout_rules

    workspace = own_app.settings.workspace
    line = newest_line(own_app.settings.home, PARTNER)
    dispute, _ = open_dispute(
        own_app.store, own_app.settings.home, subject_type="line", subject_id=line,
        partner_id=PARTNER, happened_on=None, text="we suspect them", evidence='{"a": "b"}',
        opened_by_role="partnerships", actor=ANA, rules=approval_rules(workspace),
        payout_rules=payout_rules(workspace), timezone="America/New_York", recorded_at=NOW,
    )  # fmt: skip
    client = own_app.client(ME)
    assert dispute.dispute_id not in client.get("/portal/disputes").text
    assert client.get(f"/portal/disputes/{dispute.dispute_id}").status_code == 404


def test_lead_that_somebody_else_brought_shows_no_stage(sample_app):
    home = sample_app.settings.home
    partner_id, lead_id = rows(
        home,
        "select s.partner_id, s.lead_id from marts.fct_lead_submissions s "
        "inner join marts.fct_leads l on s.lead_id = l.lead_id "
        "where s.verdict = 'duplicate_other_partner' and l.stage = 'first_payment' "
        "and not exists (select 1 from marts.fct_attributions a where a.lead_id = s.lead_id "
        "and a.partner_id = s.partner_id and a.is_paying) order by 1, 2 limit 1",
    )[0]
    page = sample_app.client(f"partner:{partner_id}").get(f"/portal/leads/{lead_id}").text
    assert "Protected for another partner" in page
    assert "First payment" not in page and "Demo" not in page


def test_every_query_of_the_portal_is_bound_to_the_partner():
    # Those two take a lead that `find_lead` has found among the partner's own.
    unbound = {"lead_id", "lead_newest"}
    for file in (FOLDER / "portal").glob("*.sql"):
        has_partner = "= $partner_id" in file.read_text("utf-8")
        assert has_partner is (file.stem not in unbound), file.name
