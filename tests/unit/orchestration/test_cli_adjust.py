"""`partnerledger adjust …`: exact amounts, two people, and what a night has posted."""

import subprocess
import sys
from datetime import date

import pytest
from cli_world import REPOSITORY, run_cli, write_home
from ledger_home import adjusting, earning, post

ANA, BEN, EVE = "ana@acme.example", "ben@acme.example", "eve@acme.example"
WHY = ("--reason", "the fair was promised", "--evidence", "mail of 2026-02-20")
NIGHT = date(2026, 2, 28)


@pytest.fixture
def home(tmp_path):
    return write_home(tmp_path / "var")


def adjust(home, *arguments, who=ANA):
    return run_cli("adjust", *arguments, "--as", who, home=home)


def proposed(home, *arguments, amount="25.00", partner="p1"):
    outcome = adjust(home, "propose", partner, "--amount", amount, *arguments, *WHY, "--json")
    assert outcome.code == 0, outcome.err
    return outcome.records


def listed(home, *arguments):
    return run_cli("adjust", "list", *arguments, "--json", home=home).records


def refused(outcome, *parts):
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (1, "", 1), outcome
    for part in parts:
        assert part in outcome.err


def test_a_proposal_says_what_it_is_and_what_follows(home):
    outcome = adjust(home, "propose", "p1", "--amount", "-25.50", "--lead", "buyer.example", *WHY)
    assert (outcome.code, outcome.err) == (0, "")
    (record,) = listed(home)
    assert (record["amount_minor"], record["currency_code"]) == (-2550, "USD")
    assert (record["state"], record["lead_id"], record["proposed_by"]) == (
        "proposed", "lead_1", "ana",
    )  # fmt: skip
    for part in ("-25.50 USD, taken from partner p1", "the fair was promised", "mail of", "lead_1",
                 f"adjust approve {record['adjustment_id']}"):  # fmt: skip
        assert part in outcome.out


def test_it_needs_another_person_of_finance(home):
    adjustment_id = proposed(home)["adjustment_id"]
    refused(adjust(home, "approve", adjustment_id, "--reason", "yes"), "roles.finance")
    refused(adjust(home, "approve", adjustment_id, "--reason", "yes", who=EVE), "roles.finance")
    refused(adjust(home, "approve", adjustment_id, "--reason", " ", who=BEN), "reason")
    own = proposed(home, amount="3.00")["adjustment_id"]
    assert own != adjustment_id
    approved = adjust(home, "approve", adjustment_id, "--reason", "yes", who=BEN)
    assert (approved.code, approved.err) == (0, "")
    assert "The next night posts it" in approved.out
    assert [row["state"] for row in listed(home)] == ["approved", "proposed"]
    assert [row["adjustment_id"] for row in listed(home, "--state", "approved")] == [adjustment_id]
    assert listed(home, "--partner", "p2") == []


def test_who_proposed_it_may_not_approve_it(home):
    outcome = adjust(home, "propose", "p1", "--amount", "5", *WHY, "--json", who=BEN)
    refused(
        adjust(home, "approve", outcome.records["adjustment_id"], "--reason", "yes", who=BEN),
        "four eyes",
    )


def test_a_name_without_a_role_proposes_nothing(home):
    refused(adjust(home, "propose", "p1", "--amount", "5", *WHY, who=EVE), "may not propose")
    assert listed(home) == []


def test_an_approved_one_can_be_revoked_until_a_night_has_posted_it(home):
    first, second = (proposed(home, amount=amount)["adjustment_id"] for amount in ("1", "2"))
    for each in (first, second):
        adjust(home, "approve", each, "--reason", "yes", who=BEN)
    assert adjust(home, "revoke", first, "--reason", "wrong partner", who=BEN).code == 0
    (record,) = listed(home, "--state", "approved")
    post(home, NIGHT, adjusting(record))
    refused(
        adjust(home, "revoke", second, "--reason", "too late", who=BEN), "posted in segment 1",
        "second one",
    )  # fmt: skip
    assert [row["state"] for row in listed(home)] == ["revoked", "posted"]
    shown = run_cli("adjust", "show", second, home=home).out
    for part in ("2.00 USD, given to partner p1", "segment 1", "approved", "system:night", "yes"):
        assert part in shown
    told = run_cli("adjust", "show", second, "--json", home=home).records
    assert [event["kind"] for event in told["events"]] == [
        "adjustment_proposed", "adjustment_approved", "adjustment_posted",
    ]  # fmt: skip


def test_a_declined_one_is_final(home):
    adjustment_id = proposed(home)["adjustment_id"]
    declined = adjust(home, "decline", adjustment_id, "--reason", "no", "--json", who=BEN)
    assert (declined.code, declined.records["state"]) == (0, "declined")
    refused(adjust(home, "approve", adjustment_id, "--reason", "yes", who=BEN), "declined", "final")
    assert "the fair was promised" in run_cli("adjust", "list", home=home).out


@pytest.mark.parametrize(
    ("amount", "minor"), [("25", 2500), ("0.01", 1), ("-0.01", -1), ("+7.5", 750), ("1.10000", 110)]
)
def test_amounts_are_exact(home, amount, minor):
    assert proposed(home, amount=amount)["amount_minor"] == minor


@pytest.mark.parametrize(
    "amount", ["1,000.00", "1e3", "NaN", "Infinity", "ten", "", "1.", ".5", "--5", "1_000", "٣"]
)
def test_what_is_no_amount_is_wrong_usage(home, amount):
    outcome = adjust(home, "propose", "p1", f"--amount={amount}", *WHY)
    assert (outcome.code, outcome.out) == (2, "")
    assert listed(home) == []


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("p1", "--amount", "0.00"), ("zero",)),
        (("p1", "--amount", "0.001"), ("too many decimals",)),
        (("p1", "--amount", "99999999999999999999"), ("larger than 10,000,000,000,000.00 USD",)),
        (("p1", "--amount", "10000000000000.01"), ("larger than 10,000,000,000,000.00 USD",)),
        (("p1", "--amount", "-10000000000000.01"), ("with a minus, from the partner",)),
        (("p1", "--amount", "5", "--currency", "EUR"), ("paid in USD",)),
        (("p1", "--amount", "5", "--currency", "DOLLAR"), ("DOLLAR",)),
        (("p9", "--amount", "5"), ("p9", "partner list")),
        (("p1", "--amount", "5", "--lead", "lead_9"), ("lead_9", "lead list")),
        (("p1", "--amount", "5", "--corrects", "e9"), ("e9", "balance p1")),
    ],
)
def test_a_proposal_that_cannot_be_is_refused(home, arguments, parts):
    refused(adjust(home, "propose", *arguments, *WHY), *parts)
    assert listed(home) == []


def test_a_currency_in_small_letters_is_the_partners(home):
    assert proposed(home, "--currency", "usd")["currency_code"] == "USD"


def test_a_correction_names_an_entry_of_the_same_partner(home):
    own, others = earning("l7", NIGHT), earning("l8", NIGHT, partner_id="p2")
    post(home, NIGHT, own, others)
    record = proposed(home, "--corrects", own["entry_id"], amount="-10.00")
    assert (record["corrects_entry_id"], record["lead_id"]) == (own["entry_id"], "lead_1")
    assert record["asked_available_date"] == "2026-03-30"
    refused(
        adjust(home, "propose", "p1", "--amount", "5", "--corrects", others["entry_id"], *WHY),
        "partner p2, not of p1",
    )


def test_the_first_day_for_paying_may_be_named(home):
    record = proposed(home, "--available", "2099-01-31")
    assert (record["asked_available_date"], record["available_date"]) == ("2099-01-31", None)
    adjust(home, "approve", record["adjustment_id"], "--reason", "yes", who=BEN)
    assert listed(home)[0]["available_date"] == "2099-01-31"
    assert adjust(home, "propose", "p1", "--amount", "1", "--available", "soon", *WHY).code == 2


def test_unknown_adjustments_are_refused(home):
    for verb in ("approve", "decline", "revoke"):
        refused(adjust(home, verb, "adj_9", "--reason", "r", who=BEN), "adj_9", "adjust list")
    refused(run_cli("adjust", "show", "adj_9", home=home), "adj_9", "adjust list")


def test_a_proposal_over_an_older_snapshot_is_possible(tmp_path):
    home = write_home(tmp_path / "var", is_old=True)
    assert proposed(home)["state"] == "proposed"


@pytest.mark.parametrize("command", ["adjust", "period"])
def test_reading_loads_nothing_that_is_slow(home, command):
    """Half a second of other packages would be noticed each time; clocks of tests are not."""
    proposed(home)
    code = (
        "import sys; from orchestration.cli import app\n"
        f"try:\n    app(['{command}', 'list', '--json', '--home', {str(home)!r}])\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        "slow = {'alembic', 'pandas', 'numpy', 'pyarrow', 'dagster', 'dbt', 'iso4217'}\n"
        "print(sorted(slow & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert done.stderr.strip() == "[]"
