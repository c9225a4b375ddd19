"""The ledger and what is behind its numbers: totals of the marts, bounds, drill-down, holds."""

from __future__ import annotations

from datetime import date, timedelta
from urllib.parse import urlencode

import pytest

from dashboards.snapshot import open_snapshot
from dashboards.users import User
from payouts.holds import load_holds
from payouts.records import list_batches
from tests.web.changed_snapshot import change_snapshot
from tests.web.page_tables import csv_rows, links_of, page_of, table_links, table_rows, text_of
from tests.web_app import ANA, BEN

AS_OF = date(2026, 2, 28)
FIRST = AS_OF - timedelta(days=30)


@pytest.fixture(scope="module")
def marts(sample_home):
    with open_snapshot(sample_home) as connection:
        yield connection


def all_csv(client, path, name):
    return csv_rows(client.get(f"{path}{'&' if '?' in path else '?'}csv={name}"))


def sums(rows, key="amount_minor"):
    """Sum and count per currency of a CSV's rows."""
    found = {}
    for row in rows:
        count, total = found.get(row[f"{key}_currency_code"], (0, 0))
        found[row[f"{key}_currency_code"]] = (count + 1, total + int(row[key]))
    return found


FILTERS = (
    "", "partner=p_2", "partner=p_4&kind=refund", "status=claimed&from=2025-06-01&to=2025-06-30",
    "partner=p_1&currency=eur", "plan=agency&from=2026-01-15&to=2026-02-14",
    "partner=p_22&customer=cus_37", "partner=p_7&payout_currency=USD", "partner=nobody",
)  # fmt: skip


@pytest.mark.parametrize("query", FILTERS)
def test_totals_are_those_of_all_lines_that_match(sample_app, query):
    client = sample_app.client(ANA)
    lines = all_csv(client, f"/commissions?{query}", "commissions")
    totals = all_csv(client, f"/commissions?{query}", "totals")
    together = {
        row["currency_code"]: (int(row["lines"]), int(row["amount_minor"])) for row in totals
    }
    assert len(together) == len(totals)
    assert together == sums(lines)
    for row in totals:
        parts = int(row["earned_amount_minor"]) + int(row["taken_back_amount_minor"])
        assert parts == int(row["amount_minor"])
    paid_in = {
        row["payout_currency_code"]: (int(row["lines"]), int(row["payout_amount_minor"]))
        for row in all_csv(client, f"/commissions?{query}", "payout-totals")
    }
    assert paid_in == sums(lines, "payout_amount_minor")


def test_ledger_of_a_partner_is_that_of_the_mart(sample_app, marts):
    rows = all_csv(sample_app.client(ANA), "/commissions?partner=p_2", "commissions")
    expected = marts.execute(
        "select currency_code, count(*), sum(amount_minor) from marts.fct_commission_lines "
        "where partner_id = 'p_2' group by 1"
    ).fetchall()
    assert sums(rows) == {currency: (count, amount) for currency, count, amount in expected}
    assert len(rows) > 50


def test_without_a_partner_the_ledger_shows_the_newest_31_days(sample_app, marts):
    rows = all_csv(sample_app.client(ANA), "/commissions", "commissions")
    days = {date.fromisoformat(row["effective_date"]) for row in rows}
    assert min(days) >= FIRST
    assert max(days) <= AS_OF
    (expected,) = marts.execute(
        "select count(*) from marts.fct_commission_lines where effective_date >= ?", [FIRST]
    ).fetchone()
    assert len(rows) == expected


@pytest.mark.parametrize(
    "query",
    [
        "from=2025-01-01&to=2025-12-31",
        "from=2026-01-28&to=2026-02-28",
        "from=2026-02-02&to=2026-02-01",
        "from=yesterday",
        "to=2026-13-01",
        "from=0001-01-01",
        "kind=payout",
        "status=nix",
        "page=-1",
        "customer=cus_1&from=2025-01-01&to=2025-12-31",
        "csv=commissions&from=2025-01-01&to=2026-01-01",
    ],
)
def test_what_is_not_bounded_is_refused(sample_app, query):
    assert sample_app.client(ANA).get(f"/commissions?{query}").status_code == 400


@pytest.mark.parametrize(
    "query", ["from=2026-01-29&to=2026-02-28", "from=2025-03-01", "to=2025-03-31", "partner=p_1"]
)
def test_what_is_bounded_is_shown(sample_app, query):
    assert sample_app.client(ANA).get(f"/commissions?{query}").status_code == 200


def test_one_bound_alone_is_31_days(sample_app):
    client = sample_app.client(ANA)
    assert "from 2025-03-01 to 2025-03-31" in client.get("/commissions?from=2025-03-01").text
    assert "from 2025-03-01 to 2025-03-31" in client.get("/commissions?to=2025-03-31").text
    assert "from 2026-02-20 to 2026-02-28" in client.get("/commissions?from=2026-02-20").text


@pytest.mark.parametrize(
    ("path", "name", "label", "key"),
    [
        ("/commissions?partner=p_1", "commissions", "For", "source_id"),
        ("/entries?partner=p_1", "entries", "For", "source_id"),
        ("/unearned?reason=no_attribution", "lines", "Invoice line", "invoice_line_id"),
    ],
)
def test_paging_shows_each_row_once_and_in_the_order_of_the_file(
    sample_app, path, name, label, key
):
    client = sample_app.client(ANA)
    whole = [row[key] for row in all_csv(client, path, name)]
    assert len(whole) > 100
    shown = []
    for number in range(1, 1 + -(-len(whole) // 50)):
        shown += [row[label] for row in table_rows(client.get(f"{path}&page={number}"), name)]
    assert shown == whole
    assert table_rows(client.get(f"{path}&page=99999"), name) == []


def test_every_line_leads_to_its_commission_and_its_explanation(sample_app):
    client = sample_app.client(ANA)
    answer = client.get("/commissions?partner=p_2")
    addresses = table_links(answer, "commissions", "Kind")
    assert len(addresses) == 50
    for address in addresses[:5]:
        page = client.get(address)
        assert page.status_code == 200
        explained = links_of(page, "/explain")
        assert len(explained) >= 3
        for each in explained:
            assert client.get(each).status_code == 200, each


def test_commission_shows_line_terms_steps_and_entries(sample_app, marts):
    commission_id, source_id = marts.execute(
        "select commission_id, source_id from marts.fct_commission_lines where component_id = "
        "'recurring' and kind = 'earning' and plan_id = 'standard' and amount_minor = 980 "
        "and currency_code = 'USD' and status = 'claimed' order by 1 limit 1"
    ).fetchone()
    page = page_of(sample_app.client(ANA).get(f"/commissions/{commission_id}"))
    shown = text_of(page.xpath("//main")[0])
    # 20 % of 49.00 USD, by hand.
    assert "9.80 USD: Earned" in shown
    assert "49.00 USD × 20 %" in shown
    assert source_id in shown
    assert "standard, version of 2025-01-01" in shown
    assert "rounded once, half away from zero" in shown
    assert "20 % of each paid invoice line" in shown
    assert "expected on 2026-03-16" in shown
    answer = sample_app.client(ANA).get(f"/commissions/{commission_id}?csv=entries")
    assert [int(row["amount_minor"]) for row in csv_rows(answer)] == [980]


def test_entries_of_every_commission_add_up_to_it(sample_app, marts):
    client = sample_app.client(ANA)
    for kind in ("earning", "refund", "chargeback", "churn", "credit_note"):
        commission_id, amount = marts.execute(
            "select commission_id, amount_minor from marts.fct_commission_lines where kind = ? "
            "order by 1 limit 1",
            [kind],
        ).fetchone()
        rows = csv_rows(client.get(f"/commissions/{commission_id}?csv=entries"))
        assert sum(int(row["amount_minor"]) for row in rows) == amount


def test_take_backs_and_what_they_take_from_name_each_other(sample_app, marts):
    refund = marts.execute(
        "select commission_id from marts.fct_commission_lines where kind = 'refund' "
        "order by 1 limit 1"
    ).fetchone()[0]
    client = sample_app.client(ANA)
    (earned,) = table_links(client.get(f"/commissions/{refund}"), "takes-back-from", "Kind")
    assert f"/commissions/{refund}" in table_links(client.get(earned), "taken-back-by", "Kind")


def test_unknown_ids_are_not_found(sample_app):
    client = sample_app.client(ANA)
    for path in ("/commissions/nix", "/explain?ref=nix", "/commissions/%00", "/leads/%00"):
        assert client.get(path).status_code == 404, path
    assert sample_app.post(ANA, "/commissions/nix/hold", {"subject": "line"}).status_code == 404


def test_lists_are_for_staff_alone(sample_app):
    client = sample_app.client("partner:p_1")
    for path in ("/commissions", "/entries", "/unearned", "/explain?ref=p_1"):
        assert client.get(path).status_code == 404


# ── entries ─────────────────────────────────────────────────────────────────────────────────────


def test_entries_of_each_month_and_state_are_the_liability(sample_app, marts):
    client = sample_app.client(ANA)
    cells = marts.execute(
        "select posting_month, liability_state, payout_currency_code, amount_minor, entries "
        "from marts.fct_commission_liability order by all"
    ).fetchall()
    assert len(cells) > 20
    for month, state, currency, amount, count in cells:
        query = urlencode({"month": month, "state": state, "currency": currency})
        (row,) = all_csv(client, f"/entries?{query}", "totals")
        assert (int(row["amount_minor"]), int(row["entries"])) == (amount, count), query


def test_entries_of_each_pay_date_are_the_forecast(sample_app, marts):
    client = sample_app.client(ANA)
    for pay_date, currency, amount, partners in marts.execute(
        "select * from marts.fct_payout_forecast order by all"
    ).fetchall():
        path = f"/entries?pay_date={pay_date}&currency={currency}"
        (row,) = all_csv(client, path, "totals")
        assert int(row["amount_minor"]) == amount, path
        rows = all_csv(client, path, "entries")
        assert len({each["partner_id"] for each in rows}) == partners
        assert sum(int(each["part_amount_minor"]) for each in rows) == amount


@pytest.mark.parametrize(
    "query",
    ["month=2026", "month=2026-13", "pay_date=2026-03-16", "pay_date=soon&currency=USD",
     "pay_date=9999-01-01&currency=USD", "state=nix"],
)  # fmt: skip
def test_entries_that_cannot_be_asked_for_are_refused(sample_app, query):
    assert sample_app.client(ANA).get(f"/entries?{query}").status_code == 400


def test_date_that_pays_nothing_has_no_entries(sample_app):
    answer = sample_app.client(ANA).get("/entries?pay_date=2026-03-17&currency=USD")
    assert table_rows(answer, "entries") == []


def test_unearned_lines_are_those_of_the_mart(sample_app, marts):
    client = sample_app.client(ANA)
    for reason, currency, count, amount in marts.execute(
        "select reason, currency_code, count(*), sum(amount_minor) from marts.fct_unpaid_lines "
        "group by all"
    ).fetchall():
        rows = all_csv(client, f"/unearned?reason={reason}&currency={currency}", "lines")
        assert sums(rows) == {currency: (count, amount)}


# ── explain ─────────────────────────────────────────────────────────────────────────────────────


def test_explain_answers_for_every_kind_of_id(sample_app, marts):
    client = sample_app.client(ANA)
    for sql in (
        "select entry_id from marts.fct_commission_entries limit 1",
        "select commission_id from marts.fct_commission_lines limit 1",
        "select invoice_id from marts.fct_commission_lines where invoice_id is not null limit 1",
        "select invoice_line_id from marts.fct_unpaid_lines limit 1",
        "select lead_id from marts.fct_leads limit 1",
        "select payout_id from marts.fct_payout_items limit 1",
        "select batch_id from marts.fct_payout_batches limit 1",
        "select partner_id from marts.fct_partner_balances limit 1",
    ):
        reference = marts.execute(sql).fetchone()[0]
        answer = client.get(f"/explain?{urlencode({'ref': reference})}")
        assert answer.status_code == 200, reference
        assert reference in answer.text
        assert "style=" not in answer.text


def test_long_evidence_is_cut_on_the_page_and_whole_in_the_file(sample_app, marts):
    partner_id, count = marts.execute(
        "select partner_id, count(*) from marts.fct_commission_entries group by 1 "
        "order by 2 desc limit 1"
    ).fetchone()
    client = sample_app.client(ANA)
    page = page_of(client.get(f"/explain?ref={partner_id}"))
    (section,) = page.xpath("//section[h2 or div/h2][.//th[normalize-space()='Effective']]")
    assert len(section.xpath(".//tbody/tr")) == min(count, 200)
    name = section.get("id")
    assert len(csv_rows(client.get(f"/explain?ref={partner_id}&csv={name}"))) == count


# ── holds ───────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def batched(marts):
    """A commission that a waiting batch would pay, with its batch."""
    return marts.execute(
        "select entries.commission_id, entries.partner_id, claims.batch_id "
        "from marts.fct_commission_entries as entries "
        "join marts.fct_entry_claims as claims using (entry_id) "
        "where entries.payout_currency_code = 'USD' and entries.entry_kind = 'earning' "
        "order by 1 limit 1"
    ).fetchone()


@pytest.mark.parametrize("subject", ["line", "lead", "partner"])
def test_hold_makes_the_batch_stale_and_is_released(own_app, batched, subject):
    commission_id, partner_id, batch_id = batched
    path = f"/commissions/{commission_id}"
    held = {"subject": subject, "reason": "the invoice is being looked at"}
    answer = own_app.post(BEN, f"{path}/hold", held)
    assert answer.headers["location"] == path
    with own_app.store.read() as connection:
        (hold,) = [each for each in load_holds(connection) if each.reason == held["reason"]]
        (batch,) = [each for each in list_batches(connection) if each.batch_id == batch_id]
    assert (hold.subject_type, hold.is_open) == (subject, True)
    if subject != "lead":
        assert hold.subject_id == (commission_id if subject == "line" else partner_id)
    assert batch.state == "stale"
    assert held["reason"] in own_app.client(ANA).get(path).text
    released = {"hold_id": hold.hold_id, "reason": "it is right"}
    assert own_app.post(ANA, f"{path}/release", released).status_code == 303
    assert own_app.post(ANA, f"{path}/release", released).status_code == 409
    assert hold.hold_id not in own_app.client(ANA).get(path).text


def test_hold_needs_a_reason_a_role_and_something_to_hold(own_app, batched):
    path = f"/commissions/{batched[0]}/hold"
    assert own_app.post(BEN, path, {"subject": "line"}).status_code == 400
    assert own_app.post(BEN, path, {"subject": "batch", "reason": "x"}).status_code == 400
    for role in ("analyst", "admin"):
        user = User("dan@acme.example", "dan", frozenset({role}), None, "os_user", "s" * 64)
        posted = own_app.post(user, path, {"subject": "line", "reason": "x"})
        assert posted.status_code == 403
    with own_app.store.read() as connection:
        assert [each for each in load_holds(connection) if not each.signal_id] == []


def test_entry_that_a_batch_claims_in_part_is_two_parts(own_home, own_app, marts):
    """P3: of a negative entry one part is in a batch, the rest is not."""
    entry_id, batch_id, month, amount = marts.execute(
        "select entry_id, batch_id, posting_period, payout_amount_minor "
        "from marts.fct_commission_entries join marts.fct_entry_claims using (entry_id) "
        "where payout_amount_minor < -100 and payout_currency_code = 'USD' order by 1 limit 1"
    ).fetchone()
    change_snapshot(
        own_home,
        [f"update marts.fct_entry_claims set claimed_amount_minor = -40 "
         f"where entry_id = '{entry_id}'"],
    )  # fmt: skip
    path = f"/entries?{urlencode({'month': month, 'currency': 'USD'})}"
    parts = [
        (row["entry_state"], row["batch_id"], int(row["part_amount_minor"]))
        for row in all_csv(own_app.client(ANA), path, "entries")
        if row["entry_id"] == entry_id
    ]
    assert sorted(parts) == [("available", "", amount + 40), ("in_batch", batch_id, -40)]
    totals = all_csv(own_app.client(ANA), path, "totals")
    (expected,) = marts.execute(
        "select sum(payout_amount_minor) from marts.fct_commission_entries "
        "where posting_period = ? and payout_currency_code = 'USD'",
        [month],
    ).fetchone()
    assert int(totals[0]["amount_minor"]) == expected


def test_held_line_tells_what_people_wrote(own_home, own_app, batched):
    commission_id = batched[0]
    change_snapshot(
        own_home,
        [f"update marts.fct_commission_lines set status = 'held', expected_pay_date = null, "
         f"unpaid_reason = 'lead_hold: looks odd' where commission_id = '{commission_id}'"],
    )  # fmt: skip
    shown = text_of(page_of(own_app.client(ANA).get(f"/commissions/{commission_id}")))
    assert "The lead is held: looks odd" in shown
    rows = all_csv(own_app.client(ANA), "/commissions?partner=p_1&status=held", "commissions")
    assert all(row["status"] == "held" for row in rows)
