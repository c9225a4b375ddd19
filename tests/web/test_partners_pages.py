"""The list of partners and the page of one: by hand on a tiny night, and whole on the sample."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from dashboards.pages.programme_partners import sorted_rows
from dashboards.snapshot import open_snapshot
from dashboards.users import ANALYST
from payouts.holds import load_holds
from tests.web.overview_world import FEB, ROWS, balance, partner
from tests.web.page_tables import csv_rows, links_of, page_of, table_links, table_rows, text_of
from tests.web.page_tiles import SPACE, tiles_of
from tests.web.tiny_warehouse import publish_tiny
from tests.web_app import ANA, user_of, web_app


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    with web_app(publish_tiny(tmp_path_factory.mktemp("tiny") / "var", ROWS)) as made:
        yield made


@pytest.fixture(scope="module")
def marts(sample_home):
    with open_snapshot(sample_home) as connection:
        yield connection


def listed(app, query: str = "") -> list[dict[str, str]]:
    return csv_rows(app.client(ANA).get(f"/partners?csv=partners&{query}"))


def test_list_by_hand(tiny):
    found = {row["partner_id"]: row for row in listed(tiny)}
    first = found["p_1"]
    # 10,000 + 5,000 − 3,000; 80,000 + 20,000 − 10,000; 3,000 ÷ 15,000.
    assert (first["net_minor"], first["revenue_minor"]) == ("12000", "90000")
    assert first["clawback_rate"] == "0.200000"
    # Credited for four leads of the period, three with a deal: after 31, 4 and 1 days.
    assert (first["lead_to_deal"], first["days_to_deal"]) == ("0.750000", "4")
    # The shared lead counts for p_2 too.
    assert (found["p_2"]["lead_to_deal"], found["p_2"]["days_to_deal"]) == ("1.000000", "1")
    assert (first["balance_amount_minor"], first["last_activity_date"]) == ("9000", "2026-01-10")
    assert found["p_3"]["net_minor_currency_code"] == "EUR"
    # A payout is no activity, a touch is.
    assert found["p_9"]["last_activity_date"] == FEB.isoformat()
    assert (found["p_9"]["lead_to_deal"], found["p_9"]["clawback_rate"]) == ("", "")


def test_list_is_sorted_by_the_address(tiny):
    assert [row["partner_id"] for row in listed(tiny)] == ["p_3", "p_1", "p_2", "p_9"]
    by_name = [row["partner_id"] for row in listed(tiny, "sort=name")]
    assert by_name == ["p_9", "p_1", "p_2", "p_3"]
    days = [row["partner_id"] for row in listed(tiny, "sort=days_to_deal")]
    assert days == ["p_2", "p_1", "p_3", "p_9"]
    assert tiny.client(ANA).get("/partners?sort=nix").status_code == 400


def test_what_is_unknown_comes_last_in_both_directions():
    rows = [
        {"partner_id": "a", "currency_code": "USD", "last_activity_date": None},
        {"partner_id": "b", "currency_code": "USD", "last_activity_date": date(2026, 1, 1)},
        {"partner_id": "c", "currency_code": "USD", "last_activity_date": date(2026, 2, 1)},
    ]
    assert [row["partner_id"] for row in sorted_rows(rows, "-last_activity")] == ["c", "b", "a"]
    assert [row["partner_id"] for row in sorted_rows(rows, "last_activity")] == ["b", "c", "a"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=P_2", ["p_2"]),
        ("q=partner", ["p_3", "p_1", "p_2"]),
        ("group=agency", ["p_2"]),
        ("status=paused", ["p_9"]),
        ("currency=EUR", ["p_3"]),
        ("pilot=1", ["p_2"]),
        ("q=nobody", []),
    ],
)
def test_list_is_filtered_by_the_address(tiny, query, found):
    assert [row["partner_id"] for row in listed(tiny, query)] == found


@pytest.mark.parametrize("query", ["status=nix", "group=nix", "page=0", "page=2", "currency=1"])
def test_list_says_what_it_cannot_use(tiny, query):
    assert tiny.client(ANA).get(f"/partners?{query}").status_code == 400


def test_file_takes_no_formula_and_agrees_with_the_page(tiny):
    client = tiny.client(ANA)
    shown = table_rows(client.get("/partners"), "partners")
    assert [row["Partner"] for row in shown] == [
        "Partner p_3",
        "Partner p_1",
        "Partner p_2",
        "=cmd",
    ]
    assert [row["name"] for row in listed(tiny)][-1] == "'=cmd"
    assert [row["Net"].replace(SPACE, " ") for row in shown] == [
        "70.00 EUR", "120.00 USD", "10.00 USD", "0.00 USD",
    ]  # fmt: skip
    links = table_links(client.get("/partners"), "partners", "Partner")
    assert links == ["/partners/p_3", "/partners/p_1", "/partners/p_2", "/partners/p_9"]


def test_long_list_has_pages(tmp_path):
    many = [partner(f"p_{number:03}", "g", "USD") for number in range(120)]
    owed = [balance(f"p_{number:03}", "USD", 0, number) for number in range(120)]
    rows = {"marts.dim_partners": many, "marts.fct_partner_balances": owed}
    with web_app(publish_tiny(tmp_path / "var", rows)) as app:
        client = app.client(ANA)
        sizes = [
            len(table_rows(client.get(f"/partners?sort=-balance&page={number}"), "partners"))
            for number in (1, 2, 3)
        ]
        assert sizes == [50, 50, 20]
        assert client.get("/partners?page=4").status_code == 400
        whole = csv_rows(client.get("/partners?sort=-balance&page=2&csv=partners"))
        assert len(whole) == 120
        assert whole[0]["partner_id"] == "p_119"


def test_page_of_one_partner_by_hand(tiny):
    answer = tiny.client(ANA).get("/partners/p_1?period=90d")
    values = {name: value for name, (value, _, _) in tiles_of(answer).items()}
    assert values == {
        "Attributed revenue": "900.00 USD",
        "Commission earned": "150.00 USD",
        "Taken back": "30.00 USD",
        "Net commission": "120.00 USD",
        # 10,000 ÷ 90,000.
        "Effective rate": "11.1 %",
        "Clawback rate": "20.0 %",
        "Valid leads": "4",
        "Demos held": "0",
        "Deals won": "3",
        "New customers": "1",
        "Lead to deal": "75.0 %",
        "Days to deal": "4 days",
    }
    # Nothing of others.
    assert "Partner p_2" not in text_of(page_of(answer))


def test_partner_that_nobody_knows_is_not_found(tiny):
    for partner_id in ("p_404", "p_1%2F..", "'"):
        assert tiny.client(ANA).get(f"/partners/{partner_id}").status_code == 404


def test_partner_with_an_odd_id_has_a_page(tmp_path):
    rows = {"marts.dim_partners": [partner("a b&c", "g", "USD", name=None, status=None)]}
    with web_app(publish_tiny(tmp_path / "var", rows)) as app:
        client = app.client(ANA)
        (address,) = table_links(client.get("/partners"), "partners", "Partner")
        assert "a b&c" in text_of(page_of(client.get(address)).xpath("//h1")[0])


def test_tables_of_a_partner_are_those_of_the_marts(sample_app, marts):
    client = sample_app.client(ANA)
    lines = csv_rows(client.get("/partners/p_1?csv=commissions"))
    (count, total) = marts.execute(
        "select count(*), sum(payout_amount_minor) from marts.fct_commission_lines "
        "where partner_id = 'p_1'"
    ).fetchone()
    assert len(lines) == count > 25
    assert sum(int(row["payout_amount_minor"]) for row in lines) == total
    shown = table_rows(client.get("/partners/p_1"), "commissions")
    assert len(shown) == 25
    assert [row["Commission"] for row in shown] == [row["commission_id"] for row in lines[:25]]
    leads = csv_rows(client.get("/partners/p_1?csv=leads"))
    known = marts.execute(
        "select lead_id, stage from marts.fct_attributions join marts.fct_leads using (lead_id) "
        "where partner_id = 'p_1' and is_paying"
    ).fetchall()
    assert {(row["lead_id"], row["stage"]) for row in leads} == set(known)
    since = [row["decided_at"] for row in leads]
    assert since == sorted(since, reverse=True)


def test_page_of_a_partner_leads_on(sample_app):
    answer = sample_app.client(ANA).get("/partners/p_1")
    assert links_of(answer, "/commissions?") == ["/commissions?partner=p_1"]
    assert links_of(answer, "/leads?") == ["/leads?partner=p_1"]
    assert links_of(answer, "/explain?ref=p_1") == ["/explain?ref=p_1"]
    client = sample_app.client(ANA)
    for address in (
        *links_of(answer, "/commissions/")[:1], *links_of(answer, "/leads/")[:1],
        *links_of(answer, "/explain"), *links_of(answer, "/approvals/")[:1],
        "/commissions?partner=p_1", "/leads?partner=p_1",
    ):  # fmt: skip
        assert client.get(address).status_code == 200, address


def test_balances_and_gates_of_a_partner(sample_app, marts):
    client = sample_app.client(ANA)
    (row,) = csv_rows(client.get("/partners/p_1?csv=balances"))
    (balance_minor,) = marts.execute(
        "select balance_amount_minor from marts.fct_partner_balances where partner_id = 'p_1'"
    ).fetchone()
    assert int(row["balance_amount_minor"]) == balance_minor
    gates = table_rows(client.get("/partners/p_1"), "gates")
    assert [gate["Passed"] for gate in gates] == ["yes"] * 6
    steps = table_rows(client.get("/partners/p_1"), "onboarding")
    assert {step["Step"] for step in steps} >= {"Terms accepted", "Payout details", "Tax form"}


def test_all_partners_together_are_the_programme(sample_app):
    """Sums of the list are the tiles of the first page, currency by currency."""
    client = sample_app.client(ANA)
    rows = listed(sample_app, "period=12m")
    for currency in ("USD", "EUR", "JPY"):
        top = csv_rows(client.get(f"/?period=12m&currency={currency}&csv=top-partners"))
        own = [row for row in rows if row["net_minor_currency_code"] == currency]
        assert sum(int(row["net_minor"]) for row in own) == sum(
            int(row["net_minor"]) for row in top
        )


def test_partner_is_held_and_released(own_app):
    answer = own_app.post(ANA, "/partners/p_1/hold", {"subject": "partner", "reason": "asked why"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/partners/p_1")
    with own_app.store.read() as connection:
        (hold,) = [each for each in load_holds(connection) if each.subject_id == "p_1"]
    assert hold.is_open
    assert "asked why" in own_app.client(ANA).get("/partners/p_1").text
    answer = own_app.post(
        ANA, "/partners/p_1/release", {"hold_id": hold.hold_id, "reason": "answered"}
    )
    assert answer.status_code == 303
    with own_app.store.read() as connection:
        assert not any(each.is_open for each in load_holds(connection) if each.subject_id == "p_1")


def test_hold_needs_a_role_a_reason_and_a_partner(own_app):
    hold = {"subject": "partner", "reason": "asked why"}
    analyst = replace(user_of(ANA), roles=frozenset({ANALYST}))
    assert own_app.post(analyst, "/partners/p_1/hold", hold).status_code == 403
    assert own_app.post(ANA, "/partners/p_404/hold", hold).status_code == 404
    assert own_app.post(ANA, "/partners/p_1/hold", {"subject": "partner"}).status_code == 400
    assert own_app.post(ANA, "/partners/p_1/hold", hold | {"subject": "lead"}).status_code == 400
    with own_app.store.read() as connection:
        assert load_holds(connection) == []


def test_updates_that_are_owed(tiny):
    rows = table_rows(tiny.client(ANA).get("/follow-ups"), "updates")
    assert [(row["State"], row["Lead"], row["Why"]) for row in rows] == [
        ("Overdue", "l_3", "No movement"),
        ("Open", "l_2", "Somebody asked"),
    ]
