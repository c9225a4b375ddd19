"""`partnerledger dispute …`: the facts of the snapshot, the evidence, and what people are told."""

import json
from datetime import timedelta

import duckdb
import pytest
import typer
from cli_world import REPOSITORY, RUN_ID, write_home

from orchestration import clock
from orchestration.cli import app
from orchestration.cli_common import CommandError, clear_line
from payouts.errors import PayoutsError
from payouts.hashing import parse_instant
from payouts.store import open_store
from payouts.verify import verify

ANA, BEN, CAT, EVE = (f"{name}@acme.example" for name in ("ana", "ben", "cat", "eve"))
WRONG_USAGE = typer.BadParameter.__base__  # also a missing option or an unknown word
TEXT = ("--text", "the June invoice is missing, ask jo@agency.example")
NOW = parse_instant("2026-03-02T09:00:00.000000Z")


class Cli:
    """The command line in this process: exit code, output, the one line of a refusal."""

    def __init__(self, home, capsys):
        self.home, self.capsys = home, capsys

    def __call__(self, *arguments, who=ANA):
        code, err = 0, ""
        words = ["dispute", *arguments, "--home", str(self.home)]
        if arguments[0] not in ("list", "show"):
            words += ["--as", who]
        try:
            app(words, standalone_mode=False)
        except WRONG_USAGE as error:
            code = error.exit_code
        except (CommandError, PayoutsError) as error:
            code, err = 1, clear_line(error)
        return code, self.capsys.readouterr().out, err

    def records(self, *arguments, **options):
        code, out, err = self(*arguments, "--json", **options)
        assert (code, err) == (0, "")
        return json.loads(out)

    def refused(self, *arguments, parts, **options):
        before = self.events()
        code, out, err = self(*arguments, **options)
        assert (code, out) == (1, "")
        for part in parts:
            assert part in err, err
        assert self.events() == before

    def events(self):
        store = open_store(self.home)
        with store.read() as connection:
            found = connection.exec_driver_sql("select count(*) from events").scalar()
        store.close()
        return found


@pytest.fixture
def cli(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(clock, "utc_now", lambda: NOW)
    monkeypatch.chdir(REPOSITORY)
    home = write_home(tmp_path / "var")
    with duckdb.connect(str(home / "serving" / f"{RUN_ID}.duckdb")) as connection:
        connection.execute("drop table marts.fct_payout_items")
        connection.execute(
            "create table marts.fct_payout_items as select 'po_1' as payout_id, 'b-1' as batch_id, "
            "'p1' as partner_id, 'USD' as currency_code, 2000::bigint as amount_minor"
        )
    return Cli(home, capsys)


def test_a_line_is_opened_for_its_partner_with_the_evidence_attached(cli):
    opened = cli.records("open", "line", "k1", *TEXT)
    assert (opened["subject_id"], opened["partner_id"], opened["state"]) == ("k1", "p1", "opened")
    assert (opened["opened_by_role"], opened["age_days"], opened["is_overdue"]) == (
        "partner", 0, False,
    )  # fmt: skip
    assert opened["due_at"].startswith("2026-03-16T09:00")
    shown = cli.records("show", opened["dispute_id"])
    assert shown["text"] == TEXT[1]
    evidence = shown["evidence"]
    assert (evidence["reference"], evidence["reference_type"]) == ("k1", "commission")
    assert evidence["entries"][0]["payout_amount_minor"] == 2000
    assert evidence["recomputation"] and evidence["attributions"] and "segments" in evidence
    assert "@" not in json.dumps(evidence).replace("***@", "")
    assert [event["kind"] for event in shown["events"]] == ["dispute_opened"]


def test_what_people_read_says_what_follows(cli):
    code, out, _ = cli("open", "line", "k1", *TEXT)
    (record,) = cli.records("list")
    assert code == 0
    named = (f"Held by {record['hold_id']}", f"dispute review {record['dispute_id']}")
    for part in (
        "opened",
        "Partner p1 on line k1",
        "as partner by ana",
        "2026-03-16 09:00",
        *named,
    ):
        assert part in out
    assert "June" not in out
    _, shown, _ = cli("show", record["dispute_id"])
    assert "Text: the June invoice" in shown and "SHA-256" in shown
    _, listed, _ = cli("list")
    assert record["dispute_id"] in listed and "2026-03-16 09:00" in listed


def test_a_lead_is_opened_by_any_of_its_names_and_needs_the_partner(cli):
    cli.refused("open", "lead", "buyer.example", *TEXT, parts=("needs the partner", "--partner"))
    opened = cli.records("open", "lead", "buyer.example", "--partner", "p2", *TEXT)
    assert (opened["subject_id"], opened["partner_id"]) == ("lead_1", "p2")
    evidence = cli.records("show", opened["dispute_id"])["evidence"]
    assert (evidence["reference_type"], evidence["messages"]) == ("lead", [])
    assert evidence["timeline"]
    # Nobody has earned on this one: a missing credit.
    assert cli.records("open", "lead", "lead_2", "--partner", "p2", *TEXT)["subject_id"] == "lead_2"


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("line", "k9"), ("no line 'k9'", "on the lead")),
        (("line", "k1", "--partner", "p2"), ("partner p1, not of p2",)),
        (("line", "k1", "--partner", "p9"), ("p9", "partner list")),
        (("lead", "lead_9", "--partner", "p1"), ("lead_9", "lead list")),
        (("payout", "po_9"), ("no payout 'po_9'", "batches show")),
        (("payout", "po_1"), ("no batch has a payout",)),
        (("line", "k1", "--opened-as", "finance"), ("may not open", "finance")),
    ],
)
def test_what_cannot_be_opened_is_refused(cli, arguments, parts):
    cli.refused("open", *arguments, *TEXT, parts=parts)


def test_who_has_no_role_enters_nothing(cli):
    cli.refused("open", "line", "k1", *TEXT, who=EVE, parts=("eve@acme.example may not open",))


def test_the_window_starts_when_the_line_was_earned(cli, monkeypatch):
    monkeypatch.setattr(clock, "utc_now", lambda: NOW + timedelta(days=15))
    cli.refused("open", "line", "k1", *TEXT, parts=("earned on 2026-01-15", "until 2026-03-16"))
    assert cli.records("open", "line", "k2", *TEXT)["subject_id"] == "k2"


def test_a_dispute_ends_in_a_linked_adjustment_of_another_person(cli):
    dispute_id = cli.records("open", "line", "k1", *TEXT)["dispute_id"]
    how = ("--outcome", "upheld", "--reason", "the invoice was booked late", "--amount", "2.50")
    cli.refused("decide", dispute_id, *how, who=BEN, parts=("review it first",))
    assert cli.records("review", dispute_id, "--reason", "invoices", who=BEN)["state"] == (
        "under_review"
    )
    cli.refused("decide", dispute_id, *how, parts=("ana@acme.example opened",))
    cli.refused("decide", dispute_id, *how[:4], who=BEN, parts=("exactly one of",))
    cli.refused(
        "decide", dispute_id, *how[:4], "--ruling", "rul_9", who=BEN, parts=("rul_9 is unknown",)
    )
    # The journal of this home is empty: the entry that it would correct is not there.
    cli.refused("decide", dispute_id, *how, who=BEN, parts=("no entry 'e1'",))
    code, out, _ = cli("decide", dispute_id, *how[:4], "--at-source", who=BEN)
    assert code == 0 and "hold is released" in out and "next night" in out
    (record,) = cli.records("list", "--state", "upheld")
    assert (record["remedy"], record["decided_by"], record["outcome"]) == (
        "source", "ben", "upheld",
    )  # fmt: skip
    assert {f.check for f in verify(cli.home) if not f.ok} == set()


def test_a_lead_dispute_proposes_an_adjustment_on_that_lead(cli):
    opened = cli.records("open", "lead", "lead_2", "--partner", "p2", *TEXT)
    cli.records("review", opened["dispute_id"], "--reason", "r", who=BEN)
    code, out, _ = cli(
        "decide", opened["dispute_id"], "--outcome", "partly_upheld", "--reason", "half of it",
        "--amount", "7.25", who=BEN,
    )  # fmt: skip
    (record,) = cli.records("list")
    assert code == 0 and f"adjust approve {record['adjustment_id']}" in out
    app(["adjust", "show", record["adjustment_id"], "--json", "--home", str(cli.home)],
        standalone_mode=False)  # fmt: skip
    adjustment = json.loads(cli.capsys.readouterr().out)
    assert (adjustment["amount_minor"], adjustment["currency_code"], adjustment["lead_id"]) == (
        725, "USD", "lead_2",
    )  # fmt: skip
    assert adjustment["evidence"] == f"dispute {opened['dispute_id']}"
    assert (adjustment["state"], adjustment["proposed_by"]) == ("proposed", "ben")


def test_withdrawing_and_lists(cli, monkeypatch):
    first = cli.records("open", "line", "k1", *TEXT)["dispute_id"]
    second = cli.records("open", "line", "k2", *TEXT)["dispute_id"]
    cli.refused("withdraw", first, "--reason", "r", who=BEN, parts=("did not open",))
    code, out, _ = cli("withdraw", first, "--reason", "it was found")
    assert code == 0 and "withdrawn" in out and "hold is released" in out
    assert cli.records("list", "--overdue") == []
    monkeypatch.setattr(clock, "utc_now", lambda: NOW + timedelta(days=15))
    (late,) = cli.records("list", "--overdue")
    assert (late["dispute_id"], late["age_days"], late["is_overdue"]) == (second, 15, True)
    assert [row["dispute_id"] for row in cli.records("list", "--partner", "p1")] == [first, second]
    assert cli.records("list", "--partner", "p2") == []
    cli.refused("show", "dsp_9", parts=("dsp_9", "dispute list"))
    cli.refused("review", "dsp_9", "--reason", "r", parts=("dsp_9",))


@pytest.mark.parametrize(
    "arguments",
    [
        ("open", "batch", "b-1", *TEXT),
        ("open", "line", "k1"),
        ("decide", "dsp_1", "--outcome", "maybe", "--reason", "r"),
        ("decide", "dsp_1", "--outcome", "upheld", "--reason", "r", "--amount", "1,000"),
        ("decide", "dsp_1", "--outcome", "upheld", "--reason", "r", "--available", "soon"),
        ("withdraw", "dsp_1"),
        ("list", "--state", "lost"),
    ],
)
def test_wrong_usage_exits_with_2(cli, arguments):
    assert cli(*arguments)[0] == 2
