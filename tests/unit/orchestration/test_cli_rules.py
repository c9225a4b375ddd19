"""`partnerledger rule …`: two people, exact shares, and what would change."""

import pytest
from cli_world import run_cli, write_home

ANA, BEN, EVE = "ana@acme.example", "ben@acme.example", "eve@acme.example"
WHY = ("--reason", "both worked on it", "--evidence", "mail of 2026-02-20")


@pytest.fixture
def home(tmp_path):
    return write_home(tmp_path / "var")


def rule(home, *arguments, who=ANA):
    return run_cli("rule", *arguments, "--as", who, home=home)


def proposed(home, *arguments):
    outcome = rule(home, "propose", "lead_1", *arguments, *WHY, "--json")
    assert outcome.code == 0, outcome.err
    return outcome.records


def listed(home, *arguments):
    return run_cli("rule", "list", *arguments, "--json", home=home).records


def refused(outcome, *parts):
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (1, "", 1), outcome
    for part in parts:
        assert part in outcome.err


def test_a_proposal_shows_present_credits_beside_the_new_ones(home):
    ruling = proposed(home, "--credit", "p1=62.5", "--credit", "p2=37.5")
    assert ruling["credits"] == {"p1": 625_000, "p2": 375_000}
    assert ruling["compared"] == [
        {"partner_id": "p1", "present_credit_ppm": 1_000_000, "ruled_credit_ppm": 625_000,
         "earned": {"USD": 1500}},
        {"partner_id": "p2", "present_credit_ppm": 0, "ruled_credit_ppm": 375_000, "earned": {}},
    ]  # fmt: skip
    text = run_cli("rule", "show", ruling["ruling_id"], home=home).out
    for part in ("62.5 %", "37.5 %", "100 %", "15.00 USD", "both worked on it", "mail of"):
        assert part in text


def test_a_ruling_needs_another_person_with_a_role_and_counts_from_the_next_night(home):
    ruling_id = proposed(home, "--partner", "p2")["ruling_id"]
    refused(rule(home, "approve", ruling_id, "--reason", "yes"), "four eyes")
    refused(rule(home, "approve", ruling_id, "--reason", "yes", who=EVE), "roles in program.yml")
    refused(rule(home, "approve", ruling_id, "--reason", " ", who=BEN), "reason")
    approved = rule(home, "approve", ruling_id, "--reason", "yes", who=BEN)
    assert (approved.code, approved.err) == (0, "")
    assert "It counts from the next night on" in approved.out
    assert [row["state"] for row in listed(home)] == ["approved"]
    assert listed(home, "--state", "proposed") == []


def test_a_waiting_ruling_is_seen_at_the_lead_and_an_approved_one_in_the_timeline(home):
    ruling_id = proposed(home, "--nobody")["ruling_id"]
    shown = run_cli("lead", "show", "lead_1", home=home).out
    assert f"Ruling {ruling_id} by ana waits for approval: nobody" in shown
    rule(home, "approve", ruling_id, "--reason", "yes", who=BEN)
    assert "waits for approval" not in run_cli("lead", "show", "lead_1", home=home).out
    record = run_cli("explain", "lead", "lead_1", "--json", home=home).records
    told = [event for event in record["timeline"] if event["kind"].startswith("ruling")]
    assert [event["kind"] for event in told] == ["ruling_proposed", "ruling_approved"]
    assert "nobody" in told[1]["text"]


def test_declined_and_revoked_rulings_stay_listed(home):
    first = proposed(home, "--partner", "p2")["ruling_id"]
    assert rule(home, "decline", first, "--reason", "no", who=BEN).code == 0
    refused(rule(home, "revoke", first, "--reason", "no", who=BEN), "declined")
    second = proposed(home, "--partner", "p2")["ruling_id"]
    rule(home, "approve", second, "--reason", "yes", who=BEN)
    revoked = rule(home, "revoke", second, "--reason", "wrong lead", "--json", who=BEN)
    assert revoked.records["state"] == "revoked"
    assert [row["state"] for row in listed(home)] == ["declined", "revoked"]
    assert "wrong lead" in run_cli("rule", "list", home=home).out


def test_an_old_id_names_the_lead_as_it_is_called_now(home):
    outcome = rule(home, "propose", "lead_0", "--partner", "p2", *WHY, "--json")
    assert outcome.records["lead_id"] == "lead_1"


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--partner", "p1", "--nobody"),
        ("--credit", "p1=100", "--nobody"),
        ("--credit", "p1=60", "--credit", "p2=39.9999"),
        ("--credit", "p1=60", "--credit", "p1=40"),
        ("--credit", "p1=0", "--credit", "p2=100"),
        ("--credit", "p1=-5", "--credit", "p2=105"),
        ("--credit", "p1=33.33333", "--credit", "p2=66.66667"),
        ("--credit", "p1=half", "--credit", "p2=50"),
        ("--credit", "p1=NaN", "--credit", "p2=50"),
        ("--credit", "=100"),
        ("--credit", "100"),
    ],
)
def test_shares_that_do_not_make_a_whole_are_wrong_usage(home, arguments):
    outcome = rule(home, "propose", "lead_1", *arguments, *WHY)
    assert (outcome.code, outcome.out) == (2, "")
    assert listed(home) == []


def test_shares_with_four_decimals_are_exact(home):
    ruling = proposed(home, "--credit", "p1=33.3333", "--credit", "p2=66.6667%")
    assert ruling["credits"] == {"p1": 333_333, "p2": 666_667}


def test_unknown_partners_leads_and_rulings_are_refused(home):
    refused(rule(home, "propose", "lead_1", "--partner", "p9", *WHY), "p9", "partner list")
    refused(rule(home, "propose", "lead_9", "--partner", "p1", *WHY), "lead_9", "lead list")
    refused(rule(home, "approve", "rul_9", "--reason", "r", who=BEN), "rul_9")
    refused(run_cli("rule", "show", "rul_9", home=home), "rule list")
    assert listed(home) == []


def test_a_ruling_over_an_older_snapshot_is_possible(tmp_path):
    home = write_home(tmp_path / "var", is_old=True)
    assert proposed(home, "--partner", "p1")["state"] == "proposed"
