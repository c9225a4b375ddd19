"""`explain`, `balance`, `statement` and `batches` as people ask them: recomputed, or as known."""

import json
from datetime import date, datetime

import duckdb
import pytest
from cli_world import RUN_ID, run_cli, write_home
from known_world import Ledger, entry
from ledger_home import approved_adjustment

LINE = {
    "desired_amount_minor": 2000, "desired_payout_amount_minor": 2000, "shape": "line",
    "line_base_amount_minor": 10_000, "rate_from": "rate", "rate": "0.200000", "days": "1/1",
    "paid_share": "1/1", "fx": "1/1", "stands_under_ruling": None,
}  # fmt: skip
REFUND = {
    "desired_amount_minor": -500, "desired_payout_amount_minor": -500, "shape": "takeback",
    "earned_amount_minor": 2000, "paid_amount_minor": 10_000, "invoice_before_minor": 0,
    "invoice_part_minor": 2500, "line_before_minor": 0, "line_part_minor": 0,
    "returned_before_minor": 0, "cause_amount_minor": 2500, "line_total_amount_minor": 10_000,
    "line_share": "1/1", "fx": "1/1", "stands_under_ruling": None,
}  # fmt: skip


def explained(home, **explanations):
    """Give entries of the snapshot an explanation."""
    with duckdb.connect(str(home / "serving" / f"{RUN_ID}.duckdb")) as connection:
        for entry_id, explanation in explanations.items():
            connection.execute(
                "update marts.fct_commission_entries set explanation = ? where entry_id = ?",
                [json.dumps(explanation), entry_id],
            )
    return home


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """20.00 earned and 5.00 of it taken back, both explained."""
    return explained(write_home(tmp_path_factory.mktemp("sound") / "var"), e1=LINE, e2=REFUND)


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    """The same, but what is recorded of the refund does not follow from its explanation."""
    home = write_home(tmp_path_factory.mktemp("faulty") / "var")
    return explained(home, e1=LINE, e2={**REFUND, "cause_amount_minor": 5000,
                                        "invoice_part_minor": 5000})  # fmt: skip


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    """100.00 of January in a batch, approved and paid; 40.00 of February; a late refund."""
    ledger = Ledger.begun(tmp_path_factory.mktemp("ledger") / "var")
    earned = entry("l1", 10_000, date(2026, 1, 1))
    ledger.night(date(2026, 1, 31), datetime(2026, 2, 1, 8), earned)
    ledger.approve_at(datetime(2026, 2, 1, 10), datetime(2026, 2, 1, 11))
    ledger.night(date(2026, 2, 1), datetime(2026, 2, 2, 8), entry("l2", 4_000, date(2026, 2, 1)))
    ledger.export_at(datetime(2026, 2, 2, 12), date(2026, 2, 1))
    refund = entry(
        "l1", -1_000, date(2026, 1, 30), entry_kind="refund", cause_id="r1",
        reverses_entry_id=earned["entry_id"],
    )  # fmt: skip
    ledger.night(date(2026, 2, 10), datetime(2026, 2, 11, 8), refund)
    ledger.store.close()
    return ledger.home


def test_an_entry_is_recomputed(home):
    text = run_cli("explain", "e1", home=home)
    assert text.code == 0
    assert "recomputed from the stored explanation: 20.00 USD, matches" in text.out
    assert "× rate: 20 %, the component's rate" in text.out
    record = run_cli("explain", "e2", "--json", home=home).records
    assert record["entry"]["recomputed"]["amount_minor"] == -500
    assert record["recomputation"]["matches"] == 1
    assert record["winners"][0]["rule"] == "A3:last_touch"
    assert (record["segments"], record["sources"]) == ([], None)


def test_a_balance_is_recomputed_entry_by_entry_and_held_against_its_sum(home):
    record = run_cli("explain", "balance", "p1", "--json", home=home).records
    assert record["reference_type"] == "balance"
    assert [row["recomputed"] for row in record["entries"]] == ["matches", "matches"]
    assert record["recomputation"]["sums"] == [
        {"payout_currency_code": "USD", "payout_amount_minor": 1500,
         "recorded_amount_minor": 1500, "is_equal": True}
    ]  # fmt: skip
    text = run_cli("explain", "p1", home=home).out
    assert "recomputed 2 entries from the stored explanations: 2 match, 0 differ" in text
    assert "its entries add up to 15.00 USD, as shown" in text


@pytest.mark.parametrize("reference", [("e2",), ("k2",), ("l1",), ("lead", "lead_1"),
                                       ("balance", "p1")])  # fmt: skip
def test_what_does_not_recompute_is_shown_and_exits_with_1(faulty, reference):
    outcome = run_cli("explain", *reference, home=faulty)
    assert (outcome.code, outcome.err.count("\n")) == (1, 1)
    assert "not recompute from the stored explanation, first e2" in outcome.err
    assert "differ" in outcome.out
    assert run_cli("explain", "e1", home=faulty).code == 0


def test_both_numbers_of_a_difference_are_shown(faulty):
    text = run_cli("explain", "e2", home=faulty).out
    assert "-10.00 USD, differs: recorded is -5.00 USD, posted -5.00 USD" in text


def test_a_balance_that_its_entries_do_not_add_up_to_exits_with_1(tmp_path):
    home = explained(write_home(tmp_path / "var"), e1=LINE, e2=REFUND)
    with duckdb.connect(str(home / "serving" / f"{RUN_ID}.duckdb")) as connection:
        connection.execute("update marts.fct_partner_balances set balance_amount_minor = 1400")
    outcome = run_cli("explain", "balance", "p1", home=home)
    assert outcome.code == 1
    assert "do not add up to what is shown in USD" in outcome.err
    assert "its entries add up to 15.00 USD, but 14.00 USD is shown" in outcome.out


def test_a_page_is_written_and_nothing_else_printed(home, tmp_path):
    file = tmp_path / "e1.html"
    outcome = run_cli("explain", "e1", "--html", str(file), home=home)
    assert (outcome.code, outcome.out) == (0, f"Wrote {file}\n")
    page = file.read_text(encoding="utf-8")
    assert "recomputed from the stored explanation: 20.00 USD, matches" in page
    assert "<script" not in page and "http" not in page.replace("http-equiv", "")
    both = run_cli("explain", "e1", "--json", "--html", str(file), home=home)
    assert both.code == 2


def test_a_lead_has_a_page_too(home, tmp_path):
    file = tmp_path / "lead.html"
    assert run_cli("explain", "lead_1", "--html", str(file), home=home).code == 0
    assert "the lead became valid" in file.read_text(encoding="utf-8")


def test_a_balance_as_known_has_the_states_of_that_day(ledger):
    def balance(asked):
        record = run_cli("balance", "p_1", "--as-known", asked, "--json", home=ledger).records
        return record, record["balances"][0]

    record, first = balance("2026-01-31")
    assert first["in_batch_amount_minor"] == first["balance_amount_minor"] == 10_000
    assert [row["state"] for row in record["entries"]] == ["in_batch"]
    assert record["as_known"]["segment"] == 1
    _, last = balance("2026-02-10")
    assert (last["paid_amount_minor"], last["balance_amount_minor"]) == (-10_000, 3_000)
    text = run_cli("balance", "p_1", "--as-known", "2026-01-31", home=ledger).out
    assert "as known on 2026-01-31 (up to journal segment 1)" in text


def test_batches_as_known_have_the_state_of_then(ledger):
    def listed(asked, *more):
        return run_cli("batches", "list", "--as-known", asked, *more, "--json", home=ledger).records

    assert [row["state"] for row in listed("2026-01-31")] == ["proposed"]
    assert listed("2026-01-31", "--state", "exported") == []
    (batch,) = listed("2026-02-10")
    assert batch["state"] == "exported"
    shown = run_cli(
        "batches", "show", batch["batch_id"], "--as-known", "2026-02-01T10:30Z", "--json",
        home=ledger,
    ).records  # fmt: skip
    assert (shown["state"], len(shown["events"])) == ("partnerships_approved", 2)
    early = run_cli("batches", "show", batch["batch_id"], "--as-known", "2026-01-30", home=ledger)
    assert (early.code, early.err.count("\n")) == (1, 1)


def test_a_statement_ties_to_the_balance(ledger):
    (usd,) = run_cli("statement", "p_1", "--json", home=ledger).records["currencies"]
    assert usd["opening_amount_minor"] == 9_000  # the late refund is January's
    assert usd["earned_amount_minor"] == 4_000
    assert usd["closing_amount_minor"] == usd["balance_amount_minor"] == 3_000
    january = run_cli("statement", "p_1", "--period", "2026-01", "--json", home=ledger).records
    assert january["currencies"][0]["closing_amount_minor"] == 9_000
    text = run_cli("statement", "p_1", home=ledger).out
    assert "Statement of p_1" in text and "Closing balance" in text


def test_a_statement_as_known_is_the_same_whenever_it_is_asked_for(ledger, tmp_path):
    """What was known before the refund does not know it, before and after the night that did."""
    asked = ("statement", "p_1", "--period", "2026-01", "--as-known", "2026-02-01", "--json")
    before = Ledger.begun(tmp_path / "var")
    before.night(date(2026, 1, 31), datetime(2026, 2, 1, 8), entry("l1", 10_000, date(2026, 1, 1)))
    before.approve_at(datetime(2026, 2, 1, 10), datetime(2026, 2, 1, 11))
    before.night(date(2026, 2, 1), datetime(2026, 2, 2, 8), entry("l2", 4_000, date(2026, 2, 1)))
    first = run_cli(*asked, home=before.home)
    assert run_cli(*asked, home=ledger).out == first.out
    assert json.loads(first.out)["currencies"][0]["closing_amount_minor"] == 10_000
    before.store.close()


def test_a_statement_with_the_terms_of_another_programme_is_refused(tmp_path):
    home = write_home(tmp_path / "var")
    with duckdb.connect(str(home / "serving" / f"{RUN_ID}.duckdb")) as connection:
        connection.execute(
            "create or replace table marts.mart_metadata as select 'other' as programme_id"
        )
    outcome = run_cli("statement", "p1", home=home)
    assert (outcome.code, outcome.err.count("\n")) == (1, 1)
    assert "--program" in outcome.err


def test_a_statement_has_a_page(ledger, tmp_path):
    file = tmp_path / "statement.html"
    assert run_cli("statement", "p_1", "--html", str(file), home=ledger).code == 0
    assert "Closing balance" in file.read_text(encoding="utf-8")


def test_a_statement_has_files_that_are_the_same_whenever_they_are_written(ledger, tmp_path):
    written = []
    for turn in ("first", "again"):
        files = [tmp_path / f"{turn}.pdf", tmp_path / f"{turn}.csv"]
        asked = ("--pdf", str(files[0]), "--csv", str(files[1]))
        told = run_cli("statement", "p_1", *asked, home=ledger)
        assert told.code == 0
        assert [line for line in told.out.splitlines() if line] == [f"Wrote {f}" for f in files]
        written.append([file.read_bytes() for file in files])
    assert written[0] == written[1]
    assert written[0][0].startswith(b"%PDF-1.7")
    assert b"opening_balance,p_1," in written[0][1]
    assert len(list(tmp_path.iterdir())) == 4, "no half-written file stays"


def test_a_statement_into_a_folder_that_is_not_there_writes_nothing(ledger, tmp_path):
    file = tmp_path / "nowhere" / "statement.pdf"
    told = run_cli("statement", "p_1", "--pdf", str(file), home=ledger)
    assert told.code == 1
    assert f"{file} cannot be written" in told.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("statement", "p_1", "--period", "January"),
        ("statement", "p_1", "--period", "2026-13"),
        ("statement", "p_1", "--json", "--pdf", "statement.pdf"),
        ("statement", "p_1", "--csv", "statement", "--pdf", "statement"),
        ("statement", "p_1", "--as-known", "soon"),
        ("balance", "p_1", "--as-known", "segment:x"),
        ("batches", "list", "--as-known", "2026-02-30"),
    ],
)
def test_what_cannot_be_read_exits_with_2(ledger, arguments):
    assert run_cli(*arguments, home=ledger).code == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("statement", "nobody"),
        ("balance", "nobody", "--as-known", "2026-02-01"),
        ("statement", "p_1", "--as-known", "segment:99"),
    ],
)
def test_what_was_not_known_is_refused_in_one_line(ledger, arguments):
    outcome = run_cli(*arguments, home=ledger)
    assert (outcome.code, outcome.err.count("\n")) == (1, 1)


def test_an_adjustment_names_who_decided_it_why_and_on_what(tmp_path):
    """25.00 USD for p1, proposed by ana and approved by ben (decision 0042)."""
    home = write_home(tmp_path / "var")
    approved_adjustment(home, datetime(2026, 2, 20, 9))
    (adjustment,) = run_cli("adjust", "list", "--json", home=home).records
    adjustment_id = adjustment["adjustment_id"]
    explanation = {
        "desired_amount_minor": 2500, "desired_payout_amount_minor": 2500, "shape": "adjustment",
        "decided_by": f"adjustment:{adjustment_id}", "stands_under_ruling": None,
    }  # fmt: skip
    with duckdb.connect(str(home / "serving" / f"{RUN_ID}.duckdb")) as connection:
        connection.execute(
            "insert into marts.fct_commission_entries select * replace ('e9' as entry_id, "
            "'k9' as commission_id, 'adjustment' as entry_kind, null as customer_id, "
            "null as lead_id, '' as component_id, 'adjustment' as source_type, $1 as source_id, "
            "2500 as amount_minor, 2500 as payout_amount_minor, $2 as explanation) "
            "from marts.fct_commission_entries where entry_id = 'e1'",
            [adjustment_id, json.dumps(explanation)],
        )
    record = run_cli("explain", "e9", "--json", home=home).records
    (shown,) = record["adjustments"]
    assert (shown["adjustment_id"], shown["amount_minor"]) == (adjustment_id, 2500)
    people = {"ana", "ben"}
    assert people <= set(map(str, shown.values())), "who proposed it and who approved it"
    assert {"promised", "mail"} <= set(map(str, shown.values())), "why, and on what evidence"
    assert record["sources"] is None, "what people decided was never landed"
    assert record["recomputation"]["differs"] == 0
    text = run_cli("explain", "e9", home=home).out
    assert f"Adjustment {adjustment_id}" in text
    assert all(word in text for word in ("ana", "ben", "promised", "mail"))
    assert "adjustments" in run_cli("explain", "e1", "--json", home=home).records
    assert run_cli("explain", "e1", "--json", home=home).records["adjustments"] == []
