"""Leads: counts that equal the lists behind them, one lead's evidence, and what staff record."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from dashboards.snapshot import open_snapshot
from dashboards.users import User
from payouts.holds import load_holds
from payouts.lead_update_records import load_answers, load_messages, load_requests
from payouts.registrations import load_decisions, submit_registration
from tests.web.changed_snapshot import change_snapshot
from tests.web.page_tables import csv_rows, links_of, page_of, table_rows, text_of
from tests.web_app import ANA, BEN, NOW

HOSTILE = ("' or 1=1 --", "%", "_", '"><script>alert(1)</script>', "\x00", "𝕏" * 20, "a" * 200)


@pytest.fixture(scope="module")
def marts(sample_home):
    with open_snapshot(sample_home) as connection:
        yield connection


def value(marts, sql, *values):
    return marts.execute(sql, list(values)).fetchone()[0]


@pytest.fixture(scope="module")
def contested(marts):
    """A lead with a winner and another partner's touch that lost."""
    return value(
        marts,
        "select lead_id from marts.fct_attribution_candidates group by lead_id "
        "having bool_or(is_winner) and not bool_and(is_winner) "
        "and count(distinct partner_id) > 1 order by lead_id limit 1",
    )


def test_tiles_count_what_they_show(sample_app):
    client = sample_app.client(ANA)
    page = page_of(client.get("/leads"))
    tiles = page.xpath("//ul[@class='chips']//a")
    assert len(tiles) > 10
    for tile in tiles:
        shown = int("".join(filter(str.isdigit, tile.xpath("./strong/text()")[0])))
        listed = csv_rows(client.get(f"{tile.get('href')}&csv=leads"))
        assert len(listed) == shown, tile.get("href")


def test_stages_add_up_to_all_leads(sample_app, marts):
    rows = csv_rows(sample_app.client(ANA).get("/leads?csv=leads"))
    assert len(rows) == value(marts, "select count(*) from marts.fct_leads")
    assert len({row["lead_id"] for row in rows}) == len(rows)


def test_paging_loses_no_lead_and_shows_none_twice(sample_app):
    client = sample_app.client(ANA)
    whole = [row["lead_id"] for row in csv_rows(client.get("/leads?csv=leads"))]
    paged = []
    for number in range(1, 1 + -(-len(whole) // 50)):
        shown = table_rows(client.get(f"/leads?page={number}"), "leads")
        assert 0 < len(shown) <= 50
        paged += [row["Lead"] for row in shown]
    assert paged == whole
    assert table_rows(client.get(f"/leads?page={len(whole)}"), "leads") == []


def test_leads_of_a_partner_are_those_credited_or_sent_in(sample_app, marts):
    rows = csv_rows(sample_app.client(ANA).get("/leads?partner=p_2&csv=leads"))
    expected = marts.execute(
        "select lead_id from marts.fct_attributions where is_paying and credit_ppm > 0 "
        "and partner_id = 'p_2' union select lead_id from marts.fct_lead_submissions "
        "where partner_id = 'p_2' and lead_id is not null"
    ).fetchall()
    assert {row["lead_id"] for row in rows} == {lead_id for (lead_id,) in expected}


def test_search_finds_by_id_customer_and_part_of_the_domain(sample_app, marts):
    lead_id, domain, customer = marts.execute(
        "select lead_id, company_domain, customer_id from marts.fct_leads "
        "where company_domain is not null and customer_id is not null order by 1 limit 1"
    ).fetchone()
    client = sample_app.client(ANA)
    for search in (lead_id, customer, domain, domain[1:-1].upper()):
        rows = csv_rows(client.get(f"/leads?{urlencode({'q': search, 'csv': 'leads'})}"))
        assert lead_id in {row["lead_id"] for row in rows}, search


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_search_texts_find_nothing_and_break_nothing(sample_app, text):
    client = sample_app.client(ANA)
    for path in ("/leads", "/commissions", "/unearned", "/attribution", "/explain"):
        names = {"/leads": "q", "/unearned": "customer", "/explain": "ref"}
        answer = client.get(f"{path}?{urlencode({names.get(path, 'partner'): text})}")
        assert answer.status_code in (200, 404), path
        assert "<script>alert" not in answer.text
    rows = csv_rows(client.get(f"/leads?{urlencode({'q': text, 'csv': 'leads'})}"))
    assert rows == []


def test_unknown_filter_values_are_refused_by_name(sample_app):
    client = sample_app.client(ANA)
    for query in ("stage=nix", "verdict=nix", "submission=nix", "page=0", "page=x"):
        answer = client.get(f"/leads?{query}")
        assert answer.status_code == 400
        assert query.partition("=")[0] in answer.text
    assert client.get(f"/leads?q={'a' * 201}").status_code == 400


def test_lead_tells_the_winner_and_why_each_other_one_lost(sample_app, marts, contested):
    answer = sample_app.client(ANA).get(f"/leads/{contested}")
    rows = table_rows(answer, "touches")
    judged = marts.execute(
        "select touchpoint_id, partner_id, is_winner, why, coalesce(lost_to, '') "
        "from marts.fct_attribution_candidates where lead_id = ?",
        [contested],
    ).fetchall()
    shown = {(row["Record"], row["Partner"]): row for row in rows}
    for touchpoint_id, partner_id, is_winner, why, lost_to in judged:
        row = shown[(touchpoint_id, partner_id)]
        assert row["Result"] == ("Credited" if is_winner else "Not credited")
        assert row["Why"] == " ".join(why.split())
        assert row["Lost to"] == lost_to


def test_credits_of_each_model_add_up_to_the_whole(sample_app, contested):
    rows = csv_rows(sample_app.client(ANA).get(f"/leads/{contested}?csv=credits"))
    models = {row["model"] for row in rows}
    assert len(models) > 1
    for model in models:
        assert sum(int(row["credit_ppm"]) for row in rows if row["model"] == model) == 1_000_000


def test_commissions_of_a_lead_add_up_to_its_totals(sample_app, marts):
    lead_id = value(
        marts,
        "select lead_id from marts.fct_commission_lines where kind = 'refund' "
        "group by lead_id order by count(*) desc, lead_id limit 1",
    )
    client = sample_app.client(ANA)
    lines = csv_rows(client.get(f"/leads/{lead_id}?csv=commissions"))
    for total in csv_rows(client.get(f"/leads/{lead_id}?csv=totals")):
        currency = total["amount_minor_currency_code"]
        amounts = [
            int(line["amount_minor"])
            for line in lines
            if line["partner_id"] == total["partner_id"]
            and line["amount_minor_currency_code"] == currency
        ]
        assert int(total["amount_minor"]) == sum(amounts)
        assert int(total["earned_amount_minor"]) == sum(each for each in amounts if each > 0)
        assert int(total["taken_back_amount_minor"]) == sum(each for each in amounts if each < 0)
        assert int(total["lines"]) == len(amounts)


def test_other_ids_of_a_lead_lead_to_its_page(sample_app, marts):
    lead_id, customer = marts.execute(
        "select lead_id, customer_id from marts.fct_leads where customer_id is not null limit 1"
    ).fetchone()
    answer = sample_app.client(ANA).get(f"/leads/{customer}")
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/leads/{lead_id}"


def test_unknown_leads_and_registrations_are_not_found(sample_app):
    client = sample_app.client(ANA)
    for path in (
        "/leads/lead_nix", "/registrations/nix", "/registrations/drop:form_submissions:fs_annual",
        "/registrations/control:deal_registrations:reg_nix",
    ):  # fmt: skip
        assert client.get(path).status_code == 404, path


def test_partner_does_not_see_leads(sample_app, contested):
    client = sample_app.client("partner:p_1")
    for path in ("/leads", f"/leads/{contested}", "/registrations/nix", "/explain?ref=p_1"):
        assert client.get(path).status_code == 404


@pytest.fixture(scope="module")
def present(marts, contested):
    """Partners with a touch on that lead."""
    rows = marts.execute(
        "select distinct partner_id from marts.fct_touchpoints "
        "where lead_id = ? and partner_id is not null order by 1",
        [contested],
    )
    return [partner_id for (partner_id,) in rows.fetchall()]


def test_message_is_for_staff_alone_unless_a_partner_is_named(own_app, contested, present):
    path = f"/leads/{contested}/messages"
    assert own_app.post(ANA, path, {"text": "called them"}).headers["location"] == (
        f"/leads/{contested}"
    )
    message = {"text": "<b>hello</b>", "reader": present[0]}
    assert own_app.post(ANA, path, message).status_code == 303
    with own_app.store.read() as connection:
        first, second = load_messages(connection, "lead", contested)
    assert (first.text, first.is_partner_visible, first.author) == ("called them", False, "ana")
    assert (second.is_partner_visible, second.partner_id) == (True, present[0])
    # The same words to another partner are another message.
    assert own_app.post(ANA, path, message).status_code == 409
    assert own_app.post(ANA, path, {**message, "reader": present[1]}).status_code == 303
    shown = text_of(
        page_of(own_app.client(ANA).get(f"/leads/{contested}")).get_element_by_id("messages")
    )
    assert "called them" in shown
    assert "<b>hello</b>" in shown and f"{present[0]} sees it" in shown
    assert own_app.post(ANA, path, {"text": " "}).status_code == 400
    assert own_app.post(ANA, path, {**message, "reader": "p_nix"}).status_code == 400
    assert own_app.post(ANA, "/leads/lead_nix/messages", {"text": "x"}).status_code == 404


def test_update_is_asked_for_and_answered(own_app, contested, present):
    asked = {"asked_of": present[0], "due": "2026-03-10", "text": "how is it going?"}
    path = f"/leads/{contested}/update-requests"
    assert own_app.post(ANA, path, asked).status_code == 303
    with own_app.store.read() as connection:
        (request,) = load_requests(connection)
        (question,) = load_messages(connection, "lead", contested)
    # Local midnight in New York.
    assert (request.subject_id, request.due_at[:16]) == (contested, "2026-03-10T04:00")
    assert (request.asked_of, request.partner_id) == ("partner", present[0])
    assert (question.is_partner_visible, question.partner_id) == (True, present[0])
    assert own_app.post(ANA, path, asked).status_code == 409
    assert own_app.post(ANA, path, {**asked, "due": "2026-02-01"}).status_code == 409
    assert own_app.post(ANA, path, {**asked, "due": "soon"}).status_code == 400
    assert own_app.post(ANA, path, {**asked, "asked_of": "nobody"}).status_code == 400
    assert own_app.post(ANA, path, {**asked, "asked_of": present[1]}).status_code == 303
    assert own_app.post(ANA, path, {**asked, "asked_of": "owner"}).status_code == 303
    answered = {"request_id": request.request_id, "text": "next week"}
    assert own_app.post(BEN, f"/leads/{contested}/answers", answered).status_code == 303
    with own_app.store.read() as connection:
        (answer,) = load_answers(connection)
    assert (answer.request_id, answer.answered_by) == (request.request_id, "ben")
    assert own_app.post(BEN, f"/leads/{contested}/answers", answered).status_code == 409


def test_request_that_a_night_raised_is_answered(own_app, marts):
    lead_id, request_id = marts.execute(
        "select lead_id, request_id from marts.fct_lead_update_requests "
        "where reason = 'stale' order by request_id limit 1"
    ).fetchone()
    answered = {"request_id": request_id, "text": "still talking"}
    assert own_app.post(ANA, f"/leads/{lead_id}/answers", answered).status_code == 303
    (row,) = [
        row
        for row in table_rows(own_app.client(ANA).get(f"/leads/{lead_id}"), "requests")
        if row["Request"] == request_id
    ]
    assert row["State"] == "Answered"


def test_lead_is_held_and_released(own_app, contested):
    held = {"subject": "lead", "reason": "who brought it is being looked at"}
    assert own_app.post(ANA, f"/leads/{contested}/hold", held).status_code == 303
    assert own_app.post(ANA, f"/leads/{contested}/hold", held).status_code == 409
    with own_app.store.read() as connection:
        (hold,) = [each for each in load_holds(connection) if each.subject_id == contested]
    assert held["reason"] in own_app.client(ANA).get(f"/leads/{contested}").text
    released = {"hold_id": hold.hold_id, "reason": "it is clear"}
    assert own_app.post(BEN, f"/leads/{contested}/release", released).status_code == 303
    with own_app.store.read() as connection:
        assert not any(each.is_open for each in load_holds(connection) if not each.signal_id)


def test_hold_of_something_else_than_the_lead_is_refused(own_app, contested):
    posted = {"subject": "partner", "reason": "no"}
    assert own_app.post(ANA, f"/leads/{contested}/hold", posted).status_code == 400
    assert own_app.post(ANA, f"/leads/{contested}/hold", {"subject": "lead"}).status_code == 400


@pytest.fixture
def waiting(own_app):
    """A registration that ben entered since the night."""
    entered = submit_registration(
        own_app.store, partner_id="p_1", submitted_at=NOW, actor=BEN, recorded_at=NOW,
        company_domain="brand-new.example",
    )  # fmt: skip
    return entered.key


def test_registration_of_today_waits_and_is_approved_by_another_person(own_app, waiting):
    assert waiting in [
        row["Submission"] for row in table_rows(own_app.client(ANA).get("/leads"), "registrations")
    ]
    assert "brand-new.example" in own_app.client(ANA).get(f"/registrations/{waiting}").text
    approval = {"key": waiting, "decision": "approved", "reason": "they know each other"}
    refused = own_app.post(BEN, "/registrations/decide", approval)
    assert refused.status_code == 409
    assert "four eyes" in refused.text
    assert own_app.post(ANA, "/registrations/decide", approval).status_code == 303
    with own_app.store.read() as connection:
        (decision,) = load_decisions(connection, waiting)
    assert (decision.decision, decision.decided_by) == ("approved", "ana")
    extension = {
        "key": waiting, "decision": "extended", "reason": "slow", "evidence": "mail of May",
        "until": "2026-12-31",
    }  # fmt: skip
    assert own_app.post(ANA, "/registrations/decide", {**extension, "until": ""}).status_code == 400
    assert own_app.post(ANA, "/registrations/decide", extension).status_code == 303
    withdrawal = {"key": waiting, "decision": "withdrawn", "reason": "gone"}
    assert own_app.post(ANA, "/registrations/decide", withdrawal).status_code == 303
    assert own_app.post(ANA, "/registrations/decide", approval).status_code == 409
    page = page_of(own_app.client(ANA).get(f"/registrations/{waiting}"))
    assert page.xpath("//section[@id='decide']") == []


def test_delivered_registration_is_decided_and_shows_it_at_once(own_app, marts):
    key = value(
        marts,
        "select submission_key from marts.fct_lead_submissions where submission_type = "
        "'deal_registration' and registration_status = 'pending' and lead_id is not null "
        "order by 1 limit 1",
    )
    declined = {"key": key, "decision": "declined", "reason": "we knew them"}
    assert own_app.post(ANA, "/registrations/decide", declined).status_code == 303
    page = page_of(own_app.client(ANA).get(f"/registrations/{key}"))
    assert "Declined" in text_of(page.xpath("//main//p/span[contains(@class,'badge')]")[0])
    listed = table_rows(own_app.client(ANA).get("/leads"), "registrations")
    assert key not in [row["Submission"] for row in listed if row["State"] == "Waiting"]


def test_forms_are_shown_to_those_who_may_use_them(sample_app, contested):
    analyst = User("dan@acme.example", "dan", frozenset({"analyst"}), None, "os_user", "s" * 64)
    forms = "//main//form[@method='post']"
    assert page_of(sample_app.client(analyst).get(f"/leads/{contested}")).xpath(forms) == []
    assert (
        sample_app.post(analyst, f"/leads/{contested}/messages", {"text": "x"}).status_code == 403
    )
    assert sample_app.post(analyst, f"/leads/{contested}/hold", {}).status_code == 403
    assert len(page_of(sample_app.client(ANA).get(f"/leads/{contested}")).xpath(forms)) >= 3


def test_every_link_of_a_lead_opens(sample_app, contested):
    client = sample_app.client(ANA)
    answer = client.get(f"/leads/{contested}")
    for below in ("/explain", "/commissions/", "/registrations/", "/partners/"):
        for address in links_of(answer, below)[:3]:
            assert client.get(address).status_code == 200, address


def test_former_id_of_a_lead_leads_to_its_page_and_its_hold_is_shown(own_home, own_app, contested):
    change_snapshot(
        own_home, [f"insert into marts.dim_lead_aliases values ('lead_before', '{contested}')"]
    )
    client = own_app.client(ANA)
    answer = client.get("/leads/lead_before")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/leads/{contested}")
    assert "lead_before" in client.get(f"/leads/{contested}").text
    found = csv_rows(client.get("/leads?q=lead_before&csv=leads"))
    assert [row["lead_id"] for row in found] == [contested]
    held = {"subject": "lead", "reason": "under its old name"}
    assert own_app.post(ANA, "/leads/lead_before/hold", held).headers["location"] == (
        f"/leads/{contested}"
    )
    with own_app.store.read() as connection:
        assert contested in {each.subject_id for each in load_holds(connection)}


def test_signals_and_missed_credit_of_a_lead_are_shown(sample_app, marts):
    lead_id, amount = marts.execute(
        "select lead_id, amount_minor from marts.fct_missed_credits order by 2 desc limit 1"
    ).fetchone()
    rows = csv_rows(sample_app.client(ANA).get(f"/leads/{lead_id}?csv=missed-credit"))
    assert amount in [int(row["amount_minor"]) for row in rows]
