"""`partnerledger lead …` and `explain lead …` over a hand-written snapshot."""

import json
import subprocess
import sys

import pytest
from cli_world import REPOSITORY, run_cli, write_home

ANA, BEN, EVE = "ana@acme.example", "ben@acme.example", "eve@acme.example"


@pytest.fixture(scope="module")
def looked(tmp_path_factory):
    """A home that no test changes."""
    return write_home(tmp_path_factory.mktemp("leads") / "var")


@pytest.fixture(scope="module")
def old(tmp_path_factory):
    """A home whose snapshot is from before leads were decided on here."""
    return write_home(tmp_path_factory.mktemp("old") / "var", is_old=True)


@pytest.fixture
def home(tmp_path):
    return write_home(tmp_path / "var")


def lead(home, *arguments, who=None):
    return run_cli("lead", *arguments, *(("--as", who) if who else ()), home=home)


def records(home, *arguments, who=None):
    outcome = lead(home, *arguments, "--json", who=who)
    assert outcome.code == 0, outcome.err
    return outcome.records


def refused(outcome, *parts):
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (1, "", 1), outcome
    for part in parts:
        assert part in outcome.err


def registered(home, *arguments, who=ANA, command="register"):
    named = arguments or ("--company-domain", "fresh.example", "--submitted-at", "2026-02-27")
    return records(home, command, "--partner", "p1", *named, who=who)["registration_key"]


@pytest.mark.parametrize(
    "reference",
    [
        "lead_1", "lead_0", "c1", "buyer.example", "WWW.Buyer.example",
        "drop:form_submissions:f1", "drop:deal_registrations:R1", "drop:touchpoints:t1",
    ],
)  # fmt: skip
def test_show_finds_the_lead_by_whatever_is_at_hand(looked, reference):
    assert records(looked, "show", reference)["lead"]["lead_id"] == "lead_1"


def test_show_has_every_section(looked):
    shown = records(looked, "show", "lead_1")
    assert shown["aliases"] == [{"alias_lead_id": "lead_0", "lead_id": "lead_1"}]
    assert [row["submission_key"] for row in shown["submissions"]] == [
        "drop:form_submissions:f1", "drop:deal_registrations:R1",
    ]  # fmt: skip
    assert [row["why"] for row in shown["candidates"] if not row["is_winner"]] == [
        "The lead was protected for another partner."
    ]
    assert [row["model"] for row in shown["attributions"]] == ["last_touch", "first_touch"]
    assert [row["stage"] for row in shown["stages"]][0] == "demo_booked"
    assert [row["signal_id"] for row in shown["signals"]] == ["sig_1"]
    assert [row["duplicate_id"] for row in shown["duplicates"]] == ["dup_1"]
    assert (shown["requests"], shown["messages"], shown["holds"]) == ([], [], [])


def test_show_prints_where_the_lead_stands_and_why_the_others_lost(looked):
    text = lead(looked, "show", "lead_0").out
    assert "lead_1 stands at first payment; valid since 2026-01-08 10:00 UTC" in text
    assert "older ids: lead_0" in text
    assert "The lead was protected for another partner." in text
    assert "Held by a pin: p1 has 100 %; computed anew it would have 0 %." in text
    assert "signed up 3 s after the click" in text


def test_a_domain_of_several_leads_is_refused_with_their_names(looked):
    refused(lead(looked, "show", "shop.example"), "2 leads", "lead_2, lead_3")


def test_an_unknown_lead_is_refused_with_what_to_do(looked):
    refused(lead(looked, "show", "nobody.example"), "partnerledger lead list")
    refused(lead(looked, "show", "jane@buyer.example"), "company domain")


def test_an_id_with_a_quote_is_only_unknown(looked):
    refused(lead(looked, "show", "x' or 'x' = 'x"), "there is no lead")


def test_lists_can_be_narrowed(looked):
    assert [row["lead_id"] for row in records(looked, "list", "--verdict", "pending")] == [
        "lead_3", "lead_2",
    ]  # fmt: skip
    assert [row["lead_id"] for row in records(looked, "list", "--partner", "p1")] == ["lead_1"]
    submissions = records(looked, "list", "--submissions", "--partner", "p2")
    assert [row["submission_key"] for row in submissions] == [
        "drop:deal_registrations:R2", "drop:deal_registrations:R1",
    ]  # fmt: skip
    assert records(looked, "list", "--submissions", "--verdict", "valid", "--partner", "p2") == []


def test_duplicates_missed_credit_and_signals_are_listed(looked):
    assert [row["duplicate_id"] for row in records(looked, "duplicates", "--partner", "p1")] == [
        "dup_1"
    ]
    assert records(looked, "duplicates", "--kind", "merged_leads") == []
    assert [row["customer_id"] for row in records(looked, "missed", "--owner", "kim")] == ["c9"]
    assert records(looked, "missed", "--partner", "p1") == []
    assert [row["signal_id"] for row in records(looked, "signals")] == ["sig_2", "sig_1"]
    assert [row["signal_id"] for row in records(looked, "signals", "--severity", "high")] == [
        "sig_1"
    ]
    assert records(looked, "signals", "--held") == []
    assert "40.00 USD" in lead(looked, "missed").out
    assert "other_partner_claim" in lead(looked, "duplicates").out


def test_requests_are_listed_with_due_dates_and_reminders(looked):
    (row,) = records(looked, "requests", "--overdue", "--owner", "sam")
    assert (row["request_id"], row["due_at"], row["reminders_due"]) == (
        "req_night", "2026-02-17T00:00:00Z", 4,
    )  # fmt: skip
    assert records(looked, "requests", "--owner", "kim") == []


def test_an_older_snapshot_is_shown_as_far_as_it_goes(old):
    shown = records(old, "show", "lead_1")
    assert (shown["stages"], shown["signals"], shown["aliases"]) == (None, None, None)
    text = lead(old, "show", "lead_1").out
    assert "This snapshot is older than: aliases, discrepancies" in text
    assert "partnerledger run" in text
    explained = run_cli("explain", "lead", "lead_1", "--json", home=old).records
    assert [event["kind"] for event in explained["timeline"]] == [
        "touch", "submission", "valid", "attribution", "earning",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["requests", "duplicates", "missed", "signals"])
def test_lists_that_an_older_snapshot_lacks_say_so(old, name):
    outcome = lead(old, name)
    assert (outcome.code, outcome.out.count("\n")) == (0, 1)
    assert "partnerledger run" in outcome.out
    assert records(old, name) == []


def test_registrations_are_not_decided_over_an_older_snapshot(tmp_path):
    home = write_home(tmp_path / "var", is_old=True)
    snapshot = home / "serving" / "2026-02-28-0001.duckdb"
    import duckdb

    with duckdb.connect(str(snapshot)) as connection:
        connection.execute(
            "insert into marts.fct_lead_submissions values ('drop:deal_registrations:R1', "
            "'lead_1', 'p1', timestamp '2026-01-06', 'pending', 'L2', null)"
        )
    outcome = lead(
        home, "approve", "drop:deal_registrations:R1", "--reason", "r", who=ANA
    )  # fmt: skip
    refused(outcome, "partnerledger run")
    assert records(home, "show", "drop:deal_registrations:R1")["lead"]["lead_id"] == "lead_1"


def test_a_copied_snapshot_without_a_control_database_can_be_read(home):
    (home / "control.sqlite").unlink()
    shown = records(home, "show", "lead_1")
    assert "messages" not in shown
    assert len(records(home, "requests")) == 1
    assert len(records(home, "list", "--submissions")) == 3
    assert not (home / "control.sqlite").exists()


def test_a_registration_waits_until_another_person_approves_it(home):
    key = registered(home)
    assert key.startswith("control:deal_registrations:reg_")
    (row,) = [r for r in records(home, "list", "--submissions") if r["submission_key"] == key]
    assert (row["registration_status"], row["verdict"]) == ("pending", None)
    refused(lead(home, "approve", key, "--reason", "known", who=ANA), "four eyes")
    refused(lead(home, "approve", key, "--reason", "known", who=EVE), "roles in program.yml")
    bare = key.rpartition(":")[2]
    decided = records(
        home, "approve", bare, "--reason", "known", "--expires-at", "2026-07-01", who=BEN
    )
    assert (decided["registration_key"], decided["decision"]) == (key, "approved")
    assert decided["expires_at"] == "2026-07-01T04:00:00.000000Z"
    (row,) = [r for r in records(home, "list", "--submissions") if r["submission_key"] == key]
    assert row["registration_status"] == "approved"


def test_registering_says_what_comes_next_and_never_repeats_the_address(home):
    arguments = ("register", "--partner", "p1", "--email", "jane@fresh.example")
    told = lead(home, *arguments, who=ANA)
    assert "partnerledger lead approve control:deal_registrations:reg_" in told.out
    key = registered(home, "--email", "joe@fresh.example", "--reason", "mail of Joe's manager")
    everything = [
        told.out,
        lead(home, "list", "--submissions").out,
        lead(home, "list", "--submissions", "--json").out,
        lead(home, "approve", key, "--reason", "known", "--json", who=BEN).out,
    ]
    assert "fresh.example" not in "".join(everything)


def test_instants_are_local_unless_they_say_otherwise(home):
    given = {
        "2026-02-27": "2026-02-27T05:00:00.000000Z",
        "2026-07-01T09:30": "2026-07-01T13:30:00.000000Z",
        "2026-02-27T09:30:00+01:00": "2026-02-27T08:30:00.000000Z",
        "2026-02-27T09:30:00Z": "2026-02-27T09:30:00.000000Z",
    }
    for number, (text, instant) in enumerate(given.items()):
        record = records(
            home, "register", "--partner", "p1", "--deal-id", f"d{number}", "--submitted-at", text,
            who=ANA,
        )  # fmt: skip
        assert record["submitted_at"] == instant


def test_an_expected_amount_is_exact_minor_units(home):
    record = records(
        home, "register", "--partner", "p1", "--deal-id", "d1",
        "--expected-amount", "1200.00", "--currency", "USD", who=ANA,
    )  # fmt: skip
    assert (record["expected_amount_minor"], record["currency_code"]) == (120_000, "USD")
    refused(
        lead(home, "register", "--partner", "p1", "--deal-id", "d2",
             "--expected-amount", "10.005", "--currency", "USD", who=ANA),
        "too many decimals",
    )  # fmt: skip
    outcome = lead(
        home, "register", "--partner", "p1", "--deal-id", "d2", "--expected-amount", "much",
        "--currency", "USD",
    )  # fmt: skip
    assert outcome.code == 2


def test_an_unknown_partner_cannot_be_entered(home):
    outcome = lead(home, "enter", "--partner", "p9", "--deal-id", "d1", who=ANA)
    refused(outcome, "p9", "partnerledger partner list")
    assert len(records(home, "list", "--submissions")) == 3


def test_a_lead_that_counts_at_once_is_entered_by_somebody_with_a_role(home) -> None:
    outcome = lead(home, "enter", "--partner", "p1", "--deal-id", "d1", who="eve@else.example")
    refused(outcome, "eve@else.example may not enter a lead", "Name yourself with --as")


def test_an_entered_lead_needs_no_approval_but_can_be_declined(home):
    key = registered(home, "--deal-id", "d1", command="enter")
    assert key.startswith("control:lead_entries:reg_")
    refused(lead(home, "approve", key, "--reason", "r", who=BEN), "without an approval")
    assert records(home, "decline", key, "--reason", "not ours", who=BEN)["decision"] == "declined"


def test_a_delivered_registration_is_decided_from_what_the_night_says(home):
    r1, r2 = "drop:deal_registrations:R1", "drop:deal_registrations:R2"
    approved = records(home, "approve", r1, "--reason", "known", who=ANA)
    assert approved["registration_key"] == r1
    refused(lead(home, "approve", r2, "--reason", "again", who=ANA), "approved already")
    later = ("--evidence", "mail 7", "--reason", "long sale")
    refused(lead(home, "extend", r2, "--until", "2026-04-01", *later, who=ANA), "must end later")
    extended = records(home, "extend", r2, "--until", "2026-06-01T00:00Z", *later, who=ANA)
    assert extended["expires_at"] == "2026-06-01T00:00:00.000000Z"
    withdrawn = records(home, "withdraw", r2, "--reason", "the partner asked", who=ANA)
    assert withdrawn["decision"] == "withdrawn"
    refused(lead(home, "approve", r2, "--reason", "sorry", who=ANA), "withdrawn")
    shown = records(home, "show", "lead_2")
    assert [row["decision"] for row in shown["decisions"]] == ["extended", "withdrawn"]


def test_a_files_later_decision_is_not_overruled_by_an_older_one_here(home):
    """The night knew of the approval and says declined: the file's decision came later."""
    import duckdb

    key = "drop:deal_registrations:R1"
    decided = records(home, "approve", key, "--reason", "known", who=ANA)
    with duckdb.connect(str(home / "serving" / "2026-02-28-0001.duckdb")) as connection:
        connection.execute(
            "insert into marts.fct_lead_decisions values ('registration:1', 'lead_1', "
            "'registration', $1, 'approved', 'p2', $2::timestamp, 'ana', null, 'known', null)",
            [key, decided["decided_at"].rstrip("Z")],
        )
        connection.execute(
            "update marts.fct_lead_submissions set registration_status = 'declined' "
            "where submission_key = $1",
            [key],
        )
    refused(lead(home, "decline", key, "--reason", "r", who=ANA), "declined already")
    assert records(home, "approve", key, "--reason", "r", who=BEN)["decision"] == "approved"


def test_what_is_no_registration_is_refused_with_how_to_list_them(home):
    for unknown in ("drop:deal_registrations:R9", "reg_000000000000", "nonsense"):
        outcome = lead(home, "approve", unknown, "--reason", "r", who=ANA)
        refused(outcome, unknown, "partnerledger lead list --submissions")
    form = "drop:form_submissions:f1"
    refused(lead(home, "decline", form, "--reason", "r", who=ANA), "is a form")


def test_requests_and_answers_are_seen_at_once(home):
    asked = records(
        home, "request", "c1", "--of", "partner", "--due", "2099-01-01", "--text", "any news?"
    )
    assert (asked["subject_id"], asked["due_at"]) == ("lead_1", "2099-01-01T05:00:00.000000Z")
    listed = records(home, "requests")
    assert [(row["request_id"], row["state"]) for row in listed] == [
        ("req_night", "overdue"), (asked["request_id"], "open"),
    ]  # fmt: skip
    assert [row["request_id"] for row in records(home, "requests", "--overdue")] == ["req_night"]
    answered = records(
        home, "answer", asked["request_id"], "--text", "they sign on Monday", "--by", "partner"
    )
    assert answered["author_role"] == "partner"
    assert [row["request_id"] for row in records(home, "requests")] == ["req_night"]
    shown = records(home, "show", "lead_1")
    assert [row["state"] for row in shown["requests"]] == ["answered"]
    assert [(row["text"], row["is_partner_visible"]) for row in shown["messages"]] == [
        ("any news?", True),
        ("they sign on Monday", True),
    ]
    kinds = [e["kind"] for e in run_cli("explain", "c1", "--json", home=home).records["timeline"]]
    assert sorted(kinds[-4:]) == ["answer", "message", "message", "request"]


def test_a_request_that_a_night_raised_can_be_answered(home):
    answered = records(home, "answer", "req_night", "--text", "still talking")
    assert (answered["subject_type"], answered["subject_id"]) == ("lead", "lead_2")
    assert records(home, "requests") == []
    assert [row["state"] for row in records(home, "requests", "--all")] == ["answered"]
    refused(lead(home, "answer", "req_night", "--text", "again"), "answered")
    refused(lead(home, "answer", "req_none", "--text", "x"), "partnerledger lead requests")


def test_a_message_is_internal_unless_said_otherwise(home):
    assert records(home, "message", "lead_0", "--text", "called")["is_partner_visible"] is False
    seen = records(home, "message", "lead_1", "--text", "thanks", "--visible-to-partner")
    assert seen["is_partner_visible"] is True
    about = records(home, "message", "drop:deal_registrations:R1", "--text", "which deal?")
    assert about["subject_type"] == "registration"
    texts = [row["text"] for row in records(home, "show", "lead_1")["messages"]]
    assert texts == ["called", "thanks", "which deal?"]
    refused(lead(home, "message", "lead_9", "--text", "x"), "lead_9")


def test_a_message_and_a_request_are_for_one_partner(home):
    posted = records(home, "message", "lead_1", "--text", "your turn", "--partner", "p2")
    assert (posted["partner_id"], posted["is_partner_visible"]) == ("p2", True)
    due = ("--of", "partner", "--due", "2099-01-01", "--text", "news?")
    asked = records(home, "request", "lead_1", *due, "--partner", "p1")
    listed = {row["request_id"]: row["partner_id"] for row in records(home, "requests")}
    assert listed == {"req_night": None, asked["request_id"]: "p1"}
    shown = lead(home, "show", "lead_1").out
    assert "p2 sees it" in shown and "p1 sees it" in shown
    told = lead(home, "request", "lead_1", *due, "--partner", "p2").out
    assert told.startswith("Asked p2 of lead lead_1")


def test_a_partner_that_has_nothing_to_do_with_it_is_refused(home):
    message = ("--text", "x", "--partner")
    refused(lead(home, "message", "lead_3", *message, "p1"), "p1 has nothing to do with lead")
    registration = "drop:deal_registrations:R1"
    refused(lead(home, "message", registration, *message, "p1"), "p1 has nothing to do", "p2")
    assert records(home, "message", registration, *message, "p2")["partner_id"] == "p2"
    asked = ("request", "lead_1", "--of", "owner", "--due", "2099-01-01", "--partner", "p1")
    refused(lead(home, *asked), "the owner is asked, and p1 was named")


def test_an_old_id_holds_the_lead_that_it_became(home):
    held = run_cli(
        "batches", "hold", "lead", "lead_0", "--reason", "disputed", "--as", BEN, "--json",
        home=home,
    ).records  # fmt: skip
    assert held["subject_id"] == "lead_1"
    shown = records(home, "show", "lead_1")
    assert [(row["subject_id"], row["reason"]) for row in shown["holds"]] == [
        ("lead_1", "disputed")
    ]
    assert "Held: lead lead_1" in lead(home, "show", "lead_1").out
    refused(
        run_cli("batches", "hold", "lead", "lead_9", "--reason", "r", "--as", BEN, home=home),
        "lead_9",
    )


def test_a_signal_shows_the_hold_of_now(home):
    code = (
        "import sys; from datetime import datetime; from pathlib import Path; "
        "from payouts.signal_holds import SignalRules, open_signal_holds; "
        "from payouts.store import open_store; home = Path(sys.argv[1]); "
        "store = open_store(home); open_signal_holds(store, home, [{'signal_id': 'sig_1', "
        "'severity': 'high', 'subject_type': 'lead', 'subject_id': 'lead_1', 'evidence': 'e'}], "
        "SignalRules(), datetime(2026, 3, 1))"
    )
    subprocess.run([sys.executable, "-c", code, str(home)], cwd=REPOSITORY, check=True)
    (held,) = records(home, "signals", "--held")
    assert (held["signal_id"], held["hold_state"]) == ("sig_1", "open")
    run_cli("batches", "release", held["hold_id"], "--reason", "fine", "--as", BEN, home=home)
    assert records(home, "signals", "--held") == []
    assert records(home, "signals", "--severity", "high")[0]["hold_state"] == "released"


def test_explain_lead_tells_everything_in_order_and_then_the_summary(looked):
    record = run_cli("explain", "lead", "lead_0", "--json", home=looked).records
    assert (record["reference"], record["reference_type"]) == ("lead_0", "lead")
    events = record["timeline"]
    assert [event["at"] for event in events] == sorted(event["at"] for event in events)
    assert [event["kind"] for event in events] == [
        "touch", "submission", "submission", "stage", "valid", "attribution", "lost", "stage",
        "earning",
    ]  # fmt: skip
    assert set(events[0]) == {"at", "kind", "partner_id", "record", "text"}
    text = run_cli("explain", "lead", "lead_0", home=looked).out
    assert text.index("Timeline") < text.index("lead_1 stands at") < text.index("Candidates")


def test_explain_with_a_type_looks_for_nothing_else(looked):
    for type_word, reference, found in (
        ("line", "l1", "invoice_line"), ("invoice", "i1", "invoice"), ("entry", "e1", "entry"),
        ("commission", "k1", "commission"), ("lead", "c1", "lead"),
    ):  # fmt: skip
        outcome = run_cli("explain", type_word, reference, "--json", home=looked)
        assert outcome.records["reference_type"] == found
    refused(run_cli("explain", "entry", "k1", home=looked), "no entry 'k1'")
    refused(run_cli("explain", "lead", "e1", home=looked), "partnerledger lead list")


def test_a_fingerprint_is_recorded_and_no_account_number_is(home):
    recorded = run_cli(
        "payee", "record", "p1", "--fingerprint", "9F86D081884C7D65", "--as", "ana@acme.example",
        "--json", home=home,
    )  # fmt: skip
    assert recorded.records[0]["payee_fingerprint"] == "9f86d081884c7d65"
    refused(
        run_cli("payee", "record", "p1", "--fingerprint", "DE89370400440532013000", home=home),
        "fingerprint",
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("lead", "show", "lead_1"), ("lead", "list", "--verdict", "valid"), ("lead", "requests"),
        ("lead", "signals"), ("rule", "list"), ("explain", "lead", "lead_1"),
    ],
)  # fmt: skip
def test_reading_loads_no_heavy_package(looked, arguments):
    code = (
        "import sys, json; from orchestration.cli import app\n"
        "try: app(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "heavy = {'dagster', 'dbt', 'pandas', 'pyarrow', 'great_expectations', 'alembic'}\n"
        "print(json.dumps(sorted(heavy & set(sys.modules))), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments, "--home", str(looked)],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert json.loads(done.stderr) == []
