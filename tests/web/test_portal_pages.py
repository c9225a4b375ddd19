"""The portal's numbers are those of balances, statements and lines, and each says why."""

from __future__ import annotations

import csv
import io
import json

import pytest

from dashboards.statements.csv_file import render_csv
from dashboards.templating import money
from orchestration.web_services import WebServices
from tests.web.portal_world import ME, PARTNER, links, newest_line, one, payout_of, rows


def balances_of(home):
    return rows(
        home,
        "select partner_id, payout_currency_code, earned_amount_minor, reversed_amount_minor, "
        "-paid_amount_minor, balance_amount_minor from marts.fct_partner_balances order by 1, 2",
    )


def records(answer) -> list[dict[str, str]]:
    assert answer.status_code == 200
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def test_totals_are_the_balances_of_every_partner(sample_app):
    home = sample_app.settings.home
    compared = 0
    for partner_id, code, earned, reversed_, paid, _ in balances_of(home):
        client = sample_app.client(f"partner:{partner_id}")
        (row,) = records(client.get("/portal/earnings?csv=totals"))
        assert row["payout_currency_code"] == code
        assert int(row["earned_amount_minor"]) == earned
        assert int(row["taken_amount_minor"]) == reversed_
        # In a tile the currency may go on in the next line.
        page = client.get("/portal").text.replace("\N{THIN SPACE}", "\N{NARROW NO-BREAK SPACE}")
        assert money(earned, code) in page and money(paid, code) in page
        compared += 1
    assert compared > 10


def test_balance_explained_is_the_statement(sample_app):
    home = sample_app.settings.home
    services = WebServices(home, lambda: sample_app.settings.workspace)
    for partner_id, code, *_, balance in balances_of(home):
        statement = services.statement(sample_app.store, partner_id, "2026-02")
        (of_code,) = statement["currencies"]
        page = sample_app.client(f"partner:{partner_id}").get("/portal").text
        explained = page[page.index(f'id="balance-{code.lower()}"') :]
        explained = explained[: explained.index("</section>")]
        assert money(of_code["opening_amount_minor"], code) in explained
        for name in ("earned", "taken_back"):
            amount = of_code[f"{name}_amount_minor"]
            assert not amount or money(amount, code, is_signed=True) in explained
        assert f">{money(balance, code)}</td></tr></tfoot>" in explained
        assert of_code["balance_amount_minor"] == balance


def test_list_is_every_line_with_state_and_pay_day(sample_app):
    home = sample_app.settings.home
    expected = rows(
        home,
        "select commission_id, payout_amount_minor, status, "
        "coalesce(cast(expected_pay_date as varchar), '') from marts.fct_commission_lines "
        "where partner_id = ? order by 1",
        PARTNER,
    )
    shown = records(sample_app.client(ME).get("/portal/earnings?csv=earnings"))
    assert expected == sorted(
        (row["commission_id"], int(row["payout_amount_minor"]), row["status"],
         row["expected_pay_date"])
        for row in shown
    )  # fmt: skip
    assert all(row["waits_because"] for row in shown if row["status"] != "paid")


def test_pages_of_the_list_show_each_line_once(sample_app):
    client = sample_app.client(ME)
    total = one(
        sample_app.settings.home,
        "select count(*) from marts.fct_commission_lines where partner_id = ?",
        PARTNER,
    )
    shown = []
    for number in range(1, total // 50 + 2):
        shown += links(client.get(f"/portal/earnings?page={number}").text, "/portal/earnings")
    assert len(shown) == len(set(shown)) == total


def test_filters_of_the_list(sample_app):
    client = sample_app.client(ME)
    waiting = records(client.get("/portal/earnings?status=accrued&csv=earnings"))
    assert waiting and {row["status"] for row in waiting} == {"accrued"}
    month = records(client.get("/portal/earnings?period=last_month&csv=earnings"))
    assert month and {row["effective_date"][:7] for row in month} == {"2026-01"}
    for wrong in ("status=none", "period=never", "page=0", "period=custom&from=x&to=y"):
        assert client.get(f"/portal/earnings?{wrong}").status_code == 400
    leads = records(client.get("/portal/leads?verdict=credited&csv=leads"))
    assert leads and {row["outcome"] for row in leads} == {"credited"}


def test_takeback_names_its_cause_and_leads_to_what_it_reverses(sample_app):
    home = sample_app.settings.home
    partner_id, takeback, earning = rows(
        home,
        "select t.partner_id, t.commission_id, e.commission_id "
        "from marts.fct_commission_entries t inner join marts.fct_commission_entries e "
        "on t.reverses_entry_id = e.entry_id where t.entry_kind = 'refund' order by 2 limit 1",
    )[0]
    client = sample_app.client(f"partner:{partner_id}")
    page = client.get(f"/portal/earnings/{takeback}").text
    assert "The customer was refunded." in page
    assert f'href="/portal/earnings/{earning}"' in page
    assert f'href="/portal/earnings/{takeback}"' in client.get(f"/portal/earnings/{earning}").text


def test_line_is_explained_from_base_to_cents(sample_app):
    home = sample_app.settings.home
    line, amount, code, payout_amount, payout_code, text = rows(
        home,
        "select l.commission_id, l.amount_minor, l.currency_code, l.payout_amount_minor, "
        "l.payout_currency_code, e.explanation from marts.fct_commission_lines l "
        "inner join marts.fct_commission_entries e on l.commission_id = e.commission_id "
        "where l.partner_id = ? and l.source_type = 'invoice_line' and l.kind = 'earning' "
        "and l.currency_code <> l.payout_currency_code order by 1 limit 1",
        PARTNER,
    )[0]
    page = sample_app.client(ME).get(f"/portal/earnings/{line}").text
    base = json.loads(text)["line_base_amount_minor"]
    assert f"What counts of it, without tax: {money(base, code)}." in page
    assert f"That makes {money(amount, code)}, rounded once." in page
    assert f"{money(payout_amount, payout_code)}." in page
    assert "It can be paid 30 days after the payment." in page


def test_next_payout_is_the_one_of_the_batch(sample_app):
    page = sample_app.client(ME).get("/portal").text
    amount, code, day = rows(
        sample_app.settings.home,
        "select amount_minor, currency_code, cast(expected_pay_date as varchar) "
        "from marts.fct_payout_items where partner_id = ?",
        PARTNER,
    )[0]
    assert money(amount, code) in page and f"On {day}" in page
    assert "Planned, waits for approval" in page


def test_who_was_left_out_reads_why_and_what_to_do(sample_app):
    home = sample_app.settings.home
    partner_id = one(
        home,
        "select partner_id from marts.fct_payout_items where left_out_reason = 'tax_form' "
        "order by 1 limit 1",
    )
    client = sample_app.client(f"partner:{partner_id}")
    home_page = client.get("/portal").text
    assert "Tax form missing or run out" in home_page
    assert 'href="/portal/account#tax_form"' in home_page
    assert 'id="tax_form"' in client.get("/portal/account").text
    assert "Tax form missing or run out" in client.get("/portal/payouts").text


def test_payout_consists_of_its_lines(sample_app):
    payout = payout_of(sample_app.settings.home, PARTNER)
    client = sample_app.client(ME)
    lines = records(client.get(f"/portal/payouts/{payout}?csv=lines"))
    amount = one(
        sample_app.settings.home,
        "select amount_minor from marts.fct_payout_items where payout_id = ?",
        payout,
    )
    assert sum(int(row["amount_minor"]) for row in lines) == amount


def test_statement_is_the_same_on_the_page_and_in_its_files(sample_app):
    services = WebServices(sample_app.settings.home, lambda: sample_app.settings.workspace)
    statement = services.statement(sample_app.store, PARTNER, "2026-01")
    statement.pop("partner_name")
    client = sample_app.client(ME)
    page = client.get("/portal/statements/2026-01").text
    (of_code,) = statement["currencies"]
    for name in ("opening", "closing"):
        amount = of_code[f"{name}_amount_minor"]
        assert money(amount, of_code["payout_currency_code"]) in page
    assert client.get("/portal/statements/2026-01.csv").content == render_csv(statement)
    pdf = client.get("/portal/statements/2026-01.pdf")
    assert pdf.headers["content-type"] == "application/pdf" and pdf.content.startswith(b"%PDF")
    assert "attachment" in pdf.headers["content-disposition"]


def test_every_month_with_entries_has_a_statement(sample_app):
    client = sample_app.client(ME)
    months = {
        month
        for (month,) in rows(
            sample_app.settings.home,
            "select distinct posting_period from marts.fct_commission_entries where partner_id = ?",
            PARTNER,
        )
    }
    listed = links(client.get("/portal/payouts").text, "/portal/statements")
    assert {path.rpartition("/")[2] for path in listed if path[-4] != "."} == months
    for period in ("2026-13", "1999-01", "2026-2", "x" * 300):
        assert client.get(f"/portal/statements/{period}").status_code == 404


def test_rules_are_those_of_the_partner_without_markup_of_its_name(sample_app):
    page = sample_app.client(ME).get("/portal/rules").text
    assert "<h2>Payouts</h2>" in page and "45.00 EUR, once per lead" in page


def test_partner_that_no_night_knows_sees_empty_pages(sample_app):
    client = sample_app.client("partner:p_new")
    for path in ("/portal", "/portal/leads", "/portal/earnings", "/portal/payouts",
                 "/portal/disputes", "/portal/account"):  # fmt: skip
        assert client.get(path).status_code == 200, path
    assert client.get("/portal/rules").status_code == 404


@pytest.mark.parametrize("path", ["/portal/leads/%00", "/portal/earnings/'; drop table x; --"])
def test_odd_ids_are_not_found(sample_app, path):
    assert sample_app.client(ME).get(path).status_code == 404


def test_line_of_the_newest_earning_can_be_asked_about(sample_app):
    line = newest_line(sample_app.settings.home, PARTNER)
    page = sample_app.client(ME).get(f"/portal/earnings/{line}").text
    assert f"/portal/disputes/new?about=line&amp;id={line}" in page
