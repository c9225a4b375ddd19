"""Attribution, liability, the pay calendar, rules: numbers that equal the marts they come from."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from urllib.parse import urlencode

import pytest

from dashboards.markdown import to_html
from dashboards.model_words import model_sentences, version_in_force
from dashboards.snapshot import open_snapshot
from program.load import load_workspace
from program.schema_lead import AttributionVersion
from tests.web.changed_snapshot import change_snapshot
from tests.web.page_tables import csv_rows, links_of, page_of, table_links, table_rows, text_of
from tests.web_app import ANA, PROGRAM


@pytest.fixture(scope="module")
def marts(sample_home):
    with open_snapshot(sample_home) as connection:
        yield connection


# ── attribution ─────────────────────────────────────────────────────────────────────────────────


def test_what_would_change_hands_is_the_sum_over_partners(sample_app, marts):
    client = sample_app.client(ANA)
    models = csv_rows(client.get("/attribution?csv=models"))
    assert {row["model"] for row in models} == {
        "first_touch", "linear", "position_based", "time_decay",
    }  # fmt: skip
    for row in models:
        currency = row["moved_amount_minor_currency_code"]
        path = f"/attribution?model={row['model']}&currency={currency}&csv=comparison"
        moved = [int(each["moved_amount_minor"]) for each in csv_rows(client.get(path))]
        assert int(row["gained_amount_minor"]) == sum(each for each in moved if each > 0)
        assert int(row["lost_amount_minor"]) == sum(each for each in moved if each < 0)
        assert int(row["moved_amount_minor"]) == sum(moved)
        assert int(row["partners"]) == sum(1 for each in moved if each)
    (count,) = marts.execute("select count(*) from marts.fct_attribution_comparison").fetchone()
    listed = [
        each
        for model in {row["model"] for row in models}
        for each in csv_rows(client.get(f"/attribution?model={model}&csv=comparison"))
    ]
    assert len(listed) == count


def test_moved_leads_are_those_whose_credit_differs(sample_app, marts):
    client = sample_app.client(ANA)
    path = "/attribution?model=first_touch&partner=p_1&csv=moved-leads"
    shown = {row["lead_id"] for row in csv_rows(client.get(path))}
    credits = {}
    for lead_id, is_paying, credit in marts.execute(
        "select lead_id, is_paying, credit_ppm from marts.fct_attributions "
        "where partner_id = 'p_1' and (is_paying or model = 'first_touch')"
    ).fetchall():
        credits.setdefault(lead_id, {})[is_paying] = credit
    differing = {
        lead_id for lead_id, each in credits.items() if each.get(True, 0) != each.get(False, 0)
    }
    assert shown == differing
    assert shown


def test_missed_credit_counts_a_customer_once(sample_app, marts):
    client = sample_app.client(ANA)
    totals = csv_rows(client.get("/attribution?view=missed&csv=missed-totals"))
    expected = marts.execute(
        "select currency_code, count(*), sum(amount_minor) from (select distinct customer_id, "
        "currency_code, amount_minor from marts.fct_missed_credits) group by 1"
    ).fetchall()
    assert {
        (row["currency_code"], int(row["customers"]), int(row["amount_minor"])) for row in totals
    } == set(expected)
    rows = csv_rows(client.get("/attribution?view=missed&csv=missed"))
    (count,) = marts.execute("select count(*) from marts.fct_missed_credits").fetchone()
    assert len(rows) == count
    for owner in {row["owner"] for row in rows}:
        own = csv_rows(client.get(f"/attribution?view=missed&owner={owner}&csv=missed"))
        assert own == [row for row in rows if row["owner"] == owner]


def test_missed_money_leads_to_its_lines(sample_app):
    client = sample_app.client(ANA)
    answer = client.get("/attribution?view=missed")
    rows = csv_rows(client.get("/attribution?view=missed&csv=missed"))
    for row, address in zip(rows, table_links(answer, "missed", "Customer"), strict=True):
        lines = csv_rows(client.get(f"{address}&csv=lines"))
        assert sum(int(each["amount_minor"]) for each in lines) >= int(row["amount_minor"])
        assert int(row["paid_lines"]) <= len(lines)


def test_duplicates_are_those_of_the_mart(sample_app, marts):
    client = sample_app.client(ANA)
    for kind, count in marts.execute(
        "select kind, count(*) from marts.fct_duplicate_leads group by 1"
    ).fetchall():
        rows = csv_rows(client.get(f"/attribution?view=duplicates&kind={kind}&csv=duplicates"))
        assert len(rows) == count
        shown = table_rows(client.get(f"/attribution?view=duplicates&kind={kind}"), "duplicates")
        assert len(shown) == min(count, 50)


def test_views_and_models_that_do_not_exist_are_refused(sample_app):
    client = sample_app.client(ANA)
    for query in ("view=nix", "model=nix", "view=duplicates&kind=nix"):
        assert client.get(f"/attribution?{query}").status_code == 400, query
    assert client.get("/attribution?view=discrepancies").status_code == 200


def test_models_are_told_with_the_settings_of_the_version_in_force():
    old = AttributionVersion(effective_from=date(2025, 1, 1))
    new = AttributionVersion.model_validate(
        {
            "effective_from": "2026-01-01",
            "position_based": {"first": Decimal("0.25"), "last": Decimal("0.125")},
            "time_decay": {"half_life_days": 30},
        }
    )
    assert version_in_force((new, old), date(2025, 12, 31)) is old
    assert version_in_force((new, old), date(2026, 1, 1)) is new
    assert version_in_force((new, old), date(2020, 1, 1)) is old
    assert "25\N{NARROW NO-BREAK SPACE}%" in model_sentences(new)["position_based"]
    assert "12.5\N{NARROW NO-BREAK SPACE}%" in model_sentences(new)["position_based"]
    assert "30 days" in model_sentences(new)["time_decay"]


# ── liability and calendar ──────────────────────────────────────────────────────────────────────


def test_liability_is_that_of_the_mart_and_adds_up(sample_app, marts):
    client = sample_app.client(ANA)
    months = csv_rows(client.get("/liability?csv=months"))
    states = ("on_hold", "held", "available", "in_batch", "paid")
    expected = marts.execute(
        "select posting_month, payout_currency_code, liability_state, amount_minor "
        "from marts.fct_commission_liability"
    ).fetchall()
    found = {
        (row["posting_month"], row["payout_currency_code"], state): int(
            row[f"{state}_amount_minor"]
        )
        for row in months
        for state in states
    }
    assert {key: amount for key, amount in found.items() if amount} == {
        (month, currency, state): amount for month, currency, state, amount in expected if amount
    }
    for row in csv_rows(client.get("/liability?csv=totals")):
        own = [
            each for each in months if each["payout_currency_code"] == row["payout_currency_code"]
        ]
        for state in (*states, "owed"):
            name = f"{state}_amount_minor"
            assert int(row[name]) == sum(int(each[name]) for each in own)


def test_each_number_of_liability_leads_to_its_entries(sample_app):
    client = sample_app.client(ANA)
    answer = client.get("/liability?currency=EUR")
    addresses = links_of(answer, "/entries?month=")
    assert len(addresses) > 10
    for address in addresses[:3]:
        assert table_rows(client.get(address), "entries") != []
    assert "JPY" not in text_of(page_of(answer).xpath("//section[@id='months']")[0])


def test_charts_hold_what_their_tables_hold(sample_app):
    import json

    page = page_of(sample_app.client(ANA).get("/liability?currency=USD"))
    (chart,) = page.xpath("//figure[@class='chart']")
    told = json.loads(chart.xpath(".//@data-chart")[0])
    assert told["unit"] == "USD"
    assert [each["name"] for each in told["series"]] == [
        "Waiting time runs", "Held", "Payable", "In a batch",
    ]  # fmt: skip
    assert len(chart.xpath(".//tbody/tr")) == len(told["x"])


def test_calendar_expects_all_of_the_forecast_and_shows_all_batches(sample_app, marts):
    rows = csv_rows(sample_app.client(ANA).get("/calendar?csv=calendar"))
    expected = marts.execute(
        "select cast(pay_date as varchar), payout_currency_code, amount_minor, partners "
        "from marts.fct_payout_forecast"
    ).fetchall()
    assert {
        (row["pay_date"], row["amount_minor_currency_code"], int(row["amount_minor"]),
         int(row["partners"]))
        for row in rows if row["amount_minor"]
    } == set(expected)  # fmt: skip
    batches = marts.execute("select batch_id from marts.fct_payout_batches").fetchall()
    assert {row["batch_id"] for row in rows if row["batch_id"]} == {each for (each,) in batches}


def test_calendar_reaches_a_year_ahead(sample_app):
    rows = csv_rows(sample_app.client(ANA).get("/calendar?csv=calendar"))
    days = sorted({row["pay_date"] for row in rows})
    ahead = [each for each in days if each > "2026-02-28"]
    assert len(ahead) == 12
    (march,) = {
        (row["cutoff_date"], row["review_from"], row["review_to"], row["phase"])
        for row in rows
        if row["pay_date"] == "2026-03-16"
    }
    # 15 March 2026 is a Sunday: paid on Monday; the last business day before is Friday.
    assert march == ("2026-02-28", "2026-03-01", "2026-03-13", "in_review")


# ── rules ───────────────────────────────────────────────────────────────────────────────────────


def test_rules_are_those_of_the_terms(sample_app):
    client = sample_app.client(ANA)
    shown = text_of(page_of(client.get("/rules")).xpath("//article")[0])
    program = load_workspace(PROGRAM).program
    assert f"How partners of {program.program.name} earn" in shown
    for plan in program.plans:
        assert f"Plan {plan.id}" in shown
    assert "have changed since the last night" not in client.get("/rules").text
    versions = csv_rows(client.get("/rules?csv=versions"))
    assert {(row["plan_id"], row["state"]) for row in versions} == {
        (plan.id, "in_force") for plan in program.plans
    }


def test_rules_of_one_partner(sample_app):
    client = sample_app.client(ANA)
    assert client.get("/rules?partner=p_2").headers["location"] == "/rules/p_2"
    assert "group agency" in client.get("/rules/p_2").text
    for path in ("/rules/nix", "/rules/%22%3E%3Cscript%3E"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert "<script>" not in answer.text


def test_terms_that_changed_since_the_night_are_told(sample_app, monkeypatch):
    from dashboards import visit

    pointer = visit.Visit.pointer.fget
    monkeypatch.setattr(
        visit.Visit,
        "pointer",
        property(
            lambda self: pointer(self).__class__(**{**vars(pointer(self)), "terms_hash": "0"})
        ),
    )
    assert "have changed since the last night" in sample_app.client(ANA).get("/rules").text


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("# A *b* `c<d`", "<h1>A <em>b</em> <code>c&lt;d</code></h1>"),
        ("<b onclick=x>no</b>", "<p>&lt;b onclick=x&gt;no&lt;/b&gt;</p>"),
        ("<div>\nno\n</div>", "<p>&lt;div&gt;\nno\n&lt;/div&gt;</p>"),
        ("[a](javascript:alert(1))", "<p>[a](javascript:alert(1))</p>"),
        ("![a](https://x.example/a.png)", "<p>![a](https://x.example/a.png)</p>"),
        ("<https://x.example>", "<p>&lt;https://x.example&gt;</p>"),
    ],
)
def test_markdown_makes_no_html_of_what_is_not_its_own(text, html):
    assert to_html(text).strip() == html


def test_tables_of_markdown_carry_no_styles():
    shown = to_html("| a | b |\n|---|--:|\n| 1 | 2 |")
    assert "style" not in shown
    assert '<td class="right">2</td>' in shown


def test_hostile_partner_names_stay_text(sample_app):
    query = urlencode({"partner": '"><img src=x onerror=alert(1)>'})
    answer = sample_app.client(ANA).get(f"/attribution?{query}")
    assert "<img" not in answer.text


def test_discrepancies_show_both_credits(own_home, own_app):
    change_snapshot(
        own_home,
        ["insert into marts.fct_attribution_discrepancies values ('lead_x', 'lead', 'lead_x', "
         "'p_2', 'pin', 1000000, 333333, timestamp '2026-01-05 12:00:00')"],
    )  # fmt: skip
    client = own_app.client(ANA)
    (row,) = csv_rows(client.get("/attribution?view=discrepancies&csv=discrepancies"))
    assert (row["share"], row["computed_share"]) == ("1.000000", "0.333333")
    assert (
        csv_rows(client.get("/attribution?view=discrepancies&partner=p_1&csv=discrepancies")) == []
    )
    assert "Pins and rulings 1" in text_of(page_of(client.get("/attribution")))


def test_pay_date_that_the_terms_no_longer_have_stays_on_the_calendar(own_home, own_app):
    change_snapshot(
        own_home,
        ["insert into marts.fct_payout_forecast values (date '2026-03-20', 'USD', 12345, 2)"],
    )
    rows = csv_rows(own_app.client(ANA).get("/calendar?csv=calendar"))
    (row,) = [each for each in rows if each["pay_date"] == "2026-03-20"]
    assert (row["amount_minor"], row["cutoff_date"]) == ("12345", "")
