"""Every metric of the first page against numbers worked out by hand (overview_world)."""

from __future__ import annotations

from datetime import date, datetime
from fractions import Fraction

import duckdb
import pytest

from dashboards.metrics import metrics
from orchestration.warehouse import working_file
from payouts.payees import record_payee
from payouts.store import open_store
from payouts.terms import approval_rules
from program.load import load_workspace
from tests.web.overview_world import ROWS, day, partner
from tests.web.page_tables import csv_rows, page_of, table_rows, text_of
from tests.web.page_tiles import SPACE, tiles_of
from tests.web.tiny_warehouse import contracts, publish_tiny
from tests.web_app import ANA, PROGRAM, WebApp, web_app

MINUS = "\N{MINUS SIGN}"
NEW = ("marts.fct_partner_revenue_daily", "marts.fct_lead_daily", "marts.fct_lead_journeys")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """The app over the hand-written night; p_1 and p_3 pass every gate, p_2 has no account."""
    home = publish_tiny(tmp_path_factory.mktemp("tiny") / "var", ROWS)
    store = open_store(home)
    for partner_id, verified in (("p_1", True), ("p_2", False), ("p_3", True)):
        record_payee(
            store, partner_id,
            terms_accepted=True, payee_verified=verified, tax_form=True, screening=True,
            actor=ANA, recorded_at=datetime(2026, 2, 1), reason="checked",
            rules=approval_rules(load_workspace(PROGRAM)),
        )  # fmt: skip
    store.close()
    with web_app(home) as made:
        yield made


def tiles(app: WebApp, address: str = "/") -> dict[str, tuple[str, str, str]]:
    return tiles_of(app.client(ANA).get(address))


def test_tiles_of_the_currency_with_most_earnings(tiny):
    assert tiles(tiny) == {
        # 80,000 + 20,000 − 10,000 of p_1 and 10,000 of p_2, against 60,000: 40,000 ÷ 60,000.
        "Attributed revenue": ("1 000.00 USD", "+66.7 % against 600.00 USD", "good"),
        # 10,000 + 5,000 + 1,000 against 12,000: 4,000 ÷ 12,000.
        "Commission earned": ("160.00 USD", "+33.3 % against 120.00 USD", "neutral"),
        # 3,000 against 600: a cost that grows is bad news.
        "Taken back": ("30.00 USD", "+400.0 % against 6.00 USD", "bad"),
        # 13,000 against 11,400: 1,600 ÷ 11,400.
        "Net commission": ("130.00 USD", "+14.0 % against 114.00 USD", "neutral"),
        # (8,000 + 2,000 + 1,000) ÷ 100,000 against 11,400 ÷ 60,000 = 19 %.
        "Effective rate": ("11.0 %", f"{MINUS}8.0 points against 19.0 %", "neutral"),
        # All currencies: p_1, p_2 and p_3 against p_1. p_9 has touches alone.
        "Active partners": ("3", "+2 against 1", "good"),
        # One each.
        "New customers": ("1", "as before: 1", "neutral"),
        # 9,000 of p_1; p_2 has no verified account, p_3 is paid in EUR.
        "Payable now": ("90.00 USD", "to 1 partner", "neutral"),
        # 3,000 ÷ 16,000 = 18.75 % against 600 ÷ 12,000 = 5 %.
        "Clawback rate": ("18.8 %", "+13.8 points against 5.0 %", "bad"),
        # One deal of 3 + 1 leads, against both of two.
        "Lead to deal": ("25.0 %", f"{MINUS}75.0 points against 100.0 %", "bad"),
    }


def test_another_currency_is_never_added(tiny):
    found = tiles(tiny, "/?currency=EUR")
    assert found["Attributed revenue"] == ("350.00 EUR", "nothing before", "good")
    assert found["Commission earned"] == ("70.00 EUR", "nothing before", "neutral")
    assert found["Taken back"] == ("0.00 EUR", "as before: 0.00 EUR", "neutral")
    assert found["Effective rate"][:2] == ("20.0 %", "")
    assert found["Payable now"][:2] == ("70.00 EUR", "to 1 partner")
    assert found["Active partners"][0] == "3"
    assert tiles(tiny, "/?currency=GBP")["Commission earned"][0] == "0.00 GBP"


@pytest.mark.parametrize(
    ("address", "earned", "partners"),
    [
        ("/?group=agency", "10.00 USD", "1"),
        ("/?pilot=1", "10.00 USD", "1"),
        ("/?group=default", "150.00 USD", "2"),
        ("/?period=this_month", "10.00 USD", "2"),
        ("/?period=last_month", "50.00 USD", "1"),
        ("/?period=custom&from=2025-09-01&to=2025-12-10", "1 210.00 USD", "2"),
    ],
)
def test_filters_of_the_address(tiny, address, earned, partners):
    found = tiles(tiny, address)
    assert found["Commission earned"][0] == earned
    assert found["Active partners"][0] == partners


def test_nothing_is_compared_when_nothing_is_asked_for(tiny):
    found = tiles(tiny, "/?compare=none")
    assert {name: delta for name, (_, delta, _) in found.items() if delta} == {
        "Payable now": "to 1 partner"
    }
    rows = table_rows(tiny.client(ANA).get("/?compare=none"), "funnel")
    assert {row["Compared with"] for row in rows} == {""}


def test_maturity_says_how_many_leads_are_young(tiny):
    # 30 days over 3 deals are 10 days each; of the period's three without a deal, the one of
    # 20 February is 8 days old.
    text = text_of(page_of(tiny.client(ANA).get("/")))
    assert "1 of 4 leads of the period have had less than the usual 10 days" in text
    # Before it all are older.
    address = "/?period=custom&from=2025-12-01&to=2025-12-31"
    assert "every lead of the period is older" in text_of(page_of(tiny.client(ANA).get(address)))


def test_funnel_counts_each_lead_once(tiny):
    rows = table_rows(tiny.client(ANA).get("/"), "funnel")
    assert [tuple(cell.replace(SPACE, " ") for cell in row.values()) for row in rows] == [
        ("Became valid", "4", "2", "4", "100.0 %"),
        ("Signed up", "1", "0", "1", "25.0 %"),
        ("Demo booked", "3", "0", "3", "75.0 %"),
        ("Demo held", "2", "0", "2", "50.0 %"),
        ("Deal won", "1", "2", "1", "25.0 %"),
        ("First payment", "1", "1", "1", "25.0 %"),
    ]


def test_new_against_recurring_adds_up_to_revenue(tiny):
    rows = csv_rows(tiny.client(ANA).get("/?csv=new-and-recurring"))
    assert [(row["metric"], row["now_minor"], row["before_minor"]) for row in rows] == [
        ("First invoices", "30000", "60000"),
        ("Later invoices", "80000", "0"),
        ("Went back", "-10000", "0"),
        ("Attributed revenue", "100000", "60000"),
    ]


def test_top_partners_and_their_file_agree(tiny):
    rows = csv_rows(tiny.client(ANA).get("/?csv=top-partners"))
    assert [
        (row["partner_id"], row["revenue_minor"], row["net_minor"], row["clawback_rate"])
        for row in rows
    ] == [("p_1", "90000", "12000", "0.200000"), ("p_2", "10000", "1000", "0.000000")]
    shown = table_rows(tiny.client(ANA).get("/"), "top-partners")
    assert [(row["Partner"], row["Net"].replace(SPACE, " ")) for row in shown] == [
        ("Partner p_1", "120.00 USD"),
        ("Partner p_2", "10.00 USD"),
    ]
    assert shown[0].keys() - {"Partner"} >= {"Revenue", "Earned", "Taken back", "Clawback"}


def test_tasks_count_what_waits(tiny):
    items = page_of(tiny.client(ANA).get("/")).xpath("//ul[@class='tasks']/li")
    assert [text_of(item).replace(SPACE, " ") for item in items] == [
        "1partner with a balance, without payout details",
        "1request for an update overdue",
        "1paying customer with a partner's trace, credited to nobody42.00 USD",
    ]
    rows = table_rows(tiny.client(ANA).get("/"), "exceptions")
    assert [tuple(row.values()) for row in rows] == [
        ("Error", "ben", "1", "2026-02-02"),
        ("Warning", "ana", "2", "2026-02-03"),
        ("Info", "vic", "1", "2026-02-01"),
    ]


def chart(app: WebApp, address: str) -> tuple[list[str], dict[str, list[str]]]:
    """Places and series of the chart, from the table below it."""
    (table,) = page_of(app.client(ANA).get(address)).xpath("//figure//table")
    heads = [text_of(head) for head in table.xpath(".//thead//th")]
    rows = [
        [text_of(cell).replace(SPACE, " ") for cell in row] for row in table.xpath(".//tbody/tr")
    ]
    columns = list(zip(*rows, strict=True))
    return list(columns[0]), {
        name: list(cells) for name, cells in zip(heads[1:], columns[1:], strict=True)
    }


def test_chart_follows_the_tile_and_marks_what_is_cut_short(tiny):
    # 90 days are twelve weeks of seven days and six days.
    places, series = chart(tiny, "/?tile=net")
    assert (len(places), places[0], places[-1]) == (13, "2025-12-01", "2026-02-23 (not over)")
    assert list(series) == ["Net commission", "Period before"]
    # 10 December is in the second week, 10 January in the sixth, 20 February in the twelfth.
    filled = {place: value for place, value in enumerate(series["Net commission"])
              if value != "0.00 USD"}  # fmt: skip
    assert filled == {1: "100.00 USD", 5: "20.00 USD", 11: "10.00 USD"}
    # 30 November is the last day of the 90 before.
    assert series["Period before"][12] == "114.00 USD"


@pytest.mark.parametrize(
    ("tile", "expected"),
    [
        ("revenue", {"Attributed revenue": {0: "800.00 USD", 1: "100.00 USD", 2: "100.00 USD"}}),
        ("earned", {"Commission earned": {0: "100.00 USD", 1: "50.00 USD", 2: "10.00 USD"}}),
        ("taken_back", {"Taken back": {1: "30.00 USD"}}),
        ("active_partners", {"Active partners": {0: "1", 1: "1", 2: "2"}}),
        ("new_customers", {"New customers": {1: "1"}}),
        ("lead_to_deal", {"Became valid": {0: "3", 2: "1"}, "Of these, won until now": {0: "1"}}),
        (
            "effective_rate",
            {
                "Attributed revenue": {0: "800.00 USD", 1: "100.00 USD", 2: "100.00 USD"},
                "Net commission": {0: "80.00 USD", 1: "20.00 USD", 2: "10.00 USD"},
            },
        ),
    ],
)
def test_chart_of_each_tile_by_month(tiny, tile, expected):
    span = "period=custom&from=2025-06-01&to=2026-02-28&compare=none"
    places, series = chart(tiny, f"/?tile={tile}&{span}")
    assert places == [
        "2025-06", "2025-07", "2025-08", "2025-09", "2025-10", "2025-11", "2025-12", "2026-01",
        "2026-02",
    ]  # fmt: skip
    shown = {
        name: {place: value for place, value in enumerate(values[6:])
               if value not in ("0", "0.00 USD")}
        for name, values in series.items()
    }  # fmt: skip
    assert shown == expected


@pytest.mark.parametrize(
    "query",
    ["tile=nix", "group=nobody", "period=nix", "currency=EURO", "compare=nix",
     "period=custom&from=2026-02-30&to=2026-03-01", "period=custom&from=2026-02-02&to=2026-02-01"],
)  # fmt: skip
def test_what_cannot_be_understood_is_said(tiny, query):
    answer = tiny.client(ANA).get(f"/?{query}")
    assert answer.status_code == 400
    assert query.partition("=")[0] in answer.text or "from=" in answer.text


def test_night_before_the_tables_existed_says_that_they_come(tmp_path):
    rows = {table: each for table, each in ROWS.items() if table not in NEW}
    home = publish_tiny(tmp_path / "var", rows, without=NEW)
    with web_app(home) as app:
        found = tiles(app)
        later = "Comes with the next night"
        missing = {name for name, (_, change, _) in found.items() if change == later}
        assert missing == {"Attributed revenue", "Effective rate", "New customers", "Lead to deal"}
        assert found["Commission earned"][0] == "160.00 USD"
        for address in (
            "/?tile=revenue",
            "/partners",
            "/partners/p_1",
            "/partners/p_1?tile=revenue",
        ):
            answer = app.client(ANA).get(address)
            assert answer.status_code == 200
        assert later in answer.text


def test_empty_programme_has_pages(tmp_path):
    with web_app(publish_tiny(tmp_path / "var", {})) as app:
        found = tiles(app)
        assert found["Commission earned"] == ("0.00 USD", "as before: 0.00 USD", "neutral")
        assert found["Clawback rate"][0] == found["Lead to deal"][0] == "–"
        text = text_of(page_of(app.client(ANA).get("/")))
        assert "Nothing has been earned yet" in text
        assert "Nothing waits." in text
        assert "No partner matches" in app.client(ANA).get("/partners").text
        for tile in ("payable", "net", "active_partners", "lead_to_deal"):
            assert app.client(ANA).get(f"/?tile={tile}").status_code == 200


def test_without_a_snapshot_the_page_says_what_to_do(tmp_path):
    with web_app(tmp_path / "var") as app:
        for address in ("/", "/partners", "/partners/p_1", "/follow-ups"):
            answer = app.client(ANA).get(address)
            assert answer.status_code == 503
            assert "partnerledger run" in answer.text


def test_tables_of_the_metrics_exist():
    known = {*contracts(), "control database"}
    assert {table for each in metrics().values() for table in each.tables} <= known


def test_group_of_one_partner_alone(tmp_path):
    rows = {
        "marts.dim_partners": [partner("p_1", "g & h", "JPY")],
        "marts.fct_partner_daily": [day("p_1", date(2026, 2, 1), "JPY", earned_amount_minor=1234)],
    }
    with web_app(publish_tiny(tmp_path / "var", rows)) as app:
        assert tiles(app, "/?group=g+%26+h")["Commission earned"][0] == "1 234 JPY"


def test_revenue_of_the_sample_is_what_its_customers_paid(sample_home):
    """Line by line with whole fractions, beside the mart; the sample credits one partner a lead."""
    with duckdb.connect(str(working_file(sample_home)), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        lines = connection.execute(
            "select credits.partner_id, lines.currency_code, lines.net_amount_minor, "
            "lines.paid_amount_minor, invoices.total_amount_minor, credits.credit_ppm "
            "from intermediate.int_billing__paid_lines as lines "
            "join intermediate.int_attribution__customer_credits as credits using (customer_id) "
            "join intermediate.int_billing__invoices as invoices using (invoice_id) "
            "where lines.invoice_status <> 'void'"
        ).fetchall()
        mart = connection.execute(
            "select partner_id, currency_code, sum(collected_amount_minor) "
            "from marts.fct_partner_revenue_daily group by all "
            "having sum(collected_amount_minor) <> 0"
        ).fetchall()
    by_hand: dict[tuple[str, str], int] = {}
    for partner_id, currency, net, paid, total, credit_ppm in lines:
        assert credit_ppm == 1_000_000
        share = Fraction(1) if total <= 0 else Fraction(min(max(paid, 0), total), total)
        exact = net * share
        whole = int(abs(exact) + Fraction(1, 2)) * (1 if exact >= 0 else -1)
        by_hand[partner_id, currency] = by_hand.get((partner_id, currency), 0) + whole
    assert len(by_hand) > 10
    assert {(each, code): amount for each, code, amount in mart} == {
        key: amount for key, amount in by_hand.items() if amount
    }


def test_leads_of_the_sample_are_the_same_in_each_table(sample_home):
    with duckdb.connect(str(working_file(sample_home)), read_only=True) as connection:
        names = (
            "valid_leads",
            "signups",
            "demos_booked",
            "demos_held",
            "deals_won",
            "new_customers",
        )
        sums = ", ".join(f"sum({name})" for name in names)
        daily, whole = (
            connection.execute(f"select {sums} from marts.{table}").fetchall()
            for table in ("fct_lead_daily", "fct_partner_daily")
        )
        # One partner per lead in the sample: counted once is counted whole.
        assert daily == whole
        assert daily[0][0] > 100
