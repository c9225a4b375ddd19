"""What commands print with --json: stable keys, whole minor units with a currency beside them."""

import pytest
from cli_world import run_cli, write_home

ANA = ("--as", "ana@acme.example")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return write_home(tmp_path_factory.mktemp("cli") / "var")


def test_explain_entry_leads_to_line_lead_terms_and_attribution(home):
    record = run_cli("explain", "e2", "--json", home=home).records
    assert record["reference_type"] == "entry"
    assert record["entry"]["amount_minor"] == -500
    assert record["entry"]["currency_code"] == "USD"
    assert record["entry"]["explanation"] == {"rate": "0.200000"}
    assert [entry["entry_id"] for entry in record["reverses"]] == ["e1"]
    assert record["line"]["commission_id"] == "k2"
    assert record["lead"]["lead_id"] == "lead_1"
    assert record["terms"]["plan_version"] == "2025-01-01"
    assert record["attributions"][0]["credit_ppm"] == 1_000_000


def test_explain_entry_that_was_taken_back_names_what_did(home):
    record = run_cli("explain", "e1", "--json", home=home).records
    assert [entry["entry_id"] for entry in record["reversed_by"]] == ["e2"]


@pytest.mark.parametrize(
    ("reference", "reference_type"),
    [
        ("k1", "commission"),
        ("l1", "invoice_line"),
        ("i1", "invoice"),
        ("l9", "invoice_line"),
        ("lead_1", "lead"),
        ("c1", "lead"),
        ("drop:form_submissions:f1", "lead"),
    ],
)
def test_explain_finds_every_kind_of_reference(home, reference, reference_type):
    record = run_cli("explain", reference, "--json", home=home).records
    assert (record["reference"], record["reference_type"]) == (reference, reference_type)


def test_explain_unpaid_line_says_why(home):
    record = run_cli("explain", "l9", "--json", home=home).records
    assert record["lines"] == []
    assert record["unpaid_lines"][0]["reason"] == "no_attribution"
    assert "no_attribution" in run_cli("explain", "l9", home=home).out


def test_explain_unknown_reference_refuses_in_one_line(home):
    outcome = run_cli("explain", "zzz", home=home)
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (1, "", 1)


def test_explain_text_shows_money_in_major_units(home):
    text = run_cli("explain", "e2", home=home).out
    assert "-5.00 USD" in text
    assert "20.00 USD" in text


def test_balance_has_amounts_and_every_entry(home):
    record = run_cli("balance", "p1", "--json", home=home).records
    assert record["balances"][0]["balance_amount_minor"] == 1500
    assert sum(entry["payout_amount_minor"] for entry in record["entries"]) == 1500
    assert run_cli("balance", "p_none", home=home).code == 1


def test_lead_show_has_submissions_candidates_and_lines(home):
    record = run_cli("lead", "show", "buyer.example", "--json", home=home).records
    assert set(record) >= {"lead", "submissions", "candidates", "attributions", "lines"}
    assert record["candidates"][0]["is_winner"] is True


def test_partner_list_and_show_have_stable_keys(home):
    row = run_cli("partner", "list", "--json", home=home).records[0]
    assert set(row) == {
        "partner_id", "name", "group", "status", "plan_id", "currency_code",
        "available_amount_minor", "balance_amount_minor",
    }  # fmt: skip
    shown = run_cli("partner", "show", "p1", "--json", home=home).records
    assert shown["payee"]["tax_form"] is False
    assert shown["balances"][0]["payout_currency_code"] == "USD"


def test_payee_record_changes_only_what_is_given(home):
    first = run_cli("payee", "record", "p1", "--tax-form", *ANA, "--json", home=home)
    assert (first.code, first.records[0]["tax_form"]) == (0, True)
    later = run_cli(
        "payee", "record", "p1", "--cooling-off-until", "2026-04-01", "--json", home=home
    )
    assert later.records[0]["cooling_off_until"] == "2026-04-01"
    assert later.records[0]["tax_form"] is True
    clear = ("payee", "record", "p1", "--cooling-off-until", "none")
    refused = run_cli(*clear, "--as", "eve@acme.example", home=home)
    assert "may not record an earlier end of the cooling-off of p1" in refused.err
    assert (refused.code, refused.err.count("\n")) == (1, 1)
    cleared = run_cli(*clear, *ANA, "--json", home=home)
    assert cleared.records[0]["cooling_off_until"] is None


def test_payee_of_an_unknown_partner_is_refused(home):
    outcome = run_cli("payee", "record", "p_none", "--tax-form", home=home)
    assert (outcome.code, outcome.err.count("\n")) == (1, 1)
    assert run_cli("payee", "show", "p_none", home=home).code == 1


def test_batches_of_a_home_without_any_are_an_empty_list(home):
    assert run_cli("batches", "list", "--json", home=home).records == []
    assert run_cli("batches", "holds", "--json", home=home).records == []
    assert "none" in run_cli("batches", "list", home=home).out


def test_hold_needs_a_role_and_is_refused_in_one_line(home):
    outcome = run_cli(
        "batches", "hold", "partner", "p1", "--reason", "why", "--as", "eve@acme.example", home=home
    )
    assert (outcome.code, outcome.err.count("\n")) == (1, 1)


def test_hold_and_release_are_listed(home):
    who = ("--as", "ben@acme.example", "--json")
    held = run_cli("batches", "hold", "partner", "p1", "--reason", "why", *who, home=home)
    assert held.records["stale_batches"] == []
    hold_id = held.records["hold_id"]
    released = run_cli("batches", "release", hold_id, "--reason", "clear", *who, home=home)
    assert released.records["is_open"] is False
    listed = run_cli("batches", "holds", "--json", home=home).records
    assert [(hold["hold_id"], hold["is_open"]) for hold in listed] == [(hold_id, False)]


def test_verify_finds_a_changed_snapshot_and_exits_with_1(home):
    outcome = run_cli("verify", "--json", home=home)
    assert outcome.code == 1
    checks = {each["check"]: each["ok"] for each in outcome.records}
    assert checks["event_chain"] is True
    assert checks["landing"] is True
    assert checks["snapshot"] is False
    assert outcome.err.count("\n") == 1
