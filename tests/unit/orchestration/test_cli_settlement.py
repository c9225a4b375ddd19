"""`partnerledger batches settle|abort|match` against a home with an exported batch."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from cli_world import REPOSITORY, run_cli

SETTLEMENT = REPOSITORY / "tests" / "unit" / "payouts" / "settlement"
sys.path[:0] = [str(SETTLEMENT), str(SETTLEMENT.parent)]

from bank_files import Move, camt, end_to_end, status_csv  # noqa: E402
from settled_world import AMOUNTS, SettledWorld  # noqa: E402
from signing import make_key, needs_ssh_keygen, signer_line  # noqa: E402

ANA, BEN, CLEO = "ana@acme.example", "ben@acme.example", "cleo@acme.example"


@pytest.fixture(scope="module")
def first(tmp_path_factory) -> tuple[Path, str, dict[str, str]]:
    """An exported home, its batch and its payouts by partner."""
    world = SettledWorld.create(tmp_path_factory.mktemp("first") / "var")
    world.store.close()
    return world.home, world.batch.batch_id, world.payouts


@pytest.fixture
def office(first, tmp_path):
    """A copy of the home with a function that runs `batches …` in it."""
    home, batch_id, payouts = first
    copy = shutil.copytree(home, tmp_path / "var")

    def run(*arguments: str, who: str = BEN, code: int = 0):
        outcome = run_cli("batches", *arguments, "--as", who, home=copy)
        assert outcome.code == code, outcome
        return outcome

    return run, batch_id, payouts, tmp_path


def _match(home: Path, batch_id: str, *arguments: str):
    return run_cli("batches", "match", batch_id, *arguments, home=home)


def test_file_settles_and_match_shows_it(office):
    run, batch_id, payouts, folder = office
    file = folder / "bank.xml"
    moves = [
        Move(end_to_end(payouts["p_1"]), "150.00"),
        Move(end_to_end(payouts["p_2"]), "70.00", True, "AC04", "2026-03-19"),
    ]
    file.write_bytes(camt(moves))
    found = run("settle", "--file", str(file), "--json").records
    assert found["outcomes"] == {"returned": 1, "settled": 1}
    assert found["returned_amount_minor"] == {"USD": 7000}
    assert found["batches"][0]["state"] == "sent"
    again = run("settle", batch_id, "--file", str(file)).out
    assert "read before" in again
    assert "Known already: 2" in again
    match = _match(folder / "var", batch_id, "--json").records
    assert (match["is_matched"], match["open_amount_minor"]) == (False, 6000)
    assert match["earned_amount_minor"] == {"earning": sum(AMOUNTS.values())}
    text = _match(folder / "var", batch_id).out
    assert "not matched yet" in text
    assert "1 returned, 7000 minor units" in text


def test_doubtful_lines_are_shown_with_what_to_do(office):
    run, batch_id, payouts, folder = office
    run("settle", batch_id, "--sent", "UPLOAD 7", who=CLEO)
    file = folder / "status.csv"
    file.write_bytes(
        status_csv(
            (payouts["p_1"], "settled", 14999, "USD", "2026-03-17", "", ""),
            (payouts["p_2"], "returned", 7000, "USD", "2026-03-17", "R03", ""),
        )
    )
    text = run("settle", "--file", str(file), "--format", "status_csv").out
    assert "amount_differs" in text
    assert "Check the payout details of: p_2" in text
    assert "Back on balances: 70.00 USD" in text
    (open_line,) = _match(folder / "var", batch_id, "--json").records["discrepancies"]
    named = (open_line["settlement"], str(open_line["line"]))
    why = ("--reason", "a typing error of ours")
    assert "may not acknowledge" in run("acknowledge", *named, *why, who=ANA, code=1).err
    assert "Line 2 is acknowledged (amount_differs)" in run("acknowledge", *named, *why).out
    assert _match(folder / "var", batch_id, "--json").records["discrepancies"] == []
    assert "has no open line 2" in run("acknowledge", *named, *why, "--json", code=1).err


def test_confirmed_sent(office):
    run, batch_id, _, _ = office
    assert run("settle", batch_id, "--sent", "UPLOAD 7", "--json").records["state"] == "sent"
    assert "the bank has its file" in run("settle", batch_id, "--sent", "UPLOAD 7", code=1).err


def test_abort_by_two_people(office):
    run, batch_id, _, folder = office
    why = ("--reason", "wrong file", "--evidence", "portal shows none")
    asked = run("abort", batch_id, *why).out
    assert "nothing has changed yet" in asked
    assert "nothing has changed yet" in run("abort", batch_id, *why).out
    text = run("abort", batch_id, *why, who=CLEO).out
    assert "280.00 USD of 3 payouts are back on the balances" in text
    assert "payouts.csv; its manifest stays" in text
    assert run("abort", batch_id, *why, "--json").records["returned_amount_minor"] == 0
    assert _match(folder / "var", batch_id, "--json").records["is_matched"]


@needs_ssh_keygen
def test_abort_is_signed_by_both(office):
    """With approvals.min_identity: ssh_signed a typed name proves nothing."""
    run, batch_id, _, folder = office
    ben, cleo = make_key(folder, "ben"), make_key(folder, "cleo")
    program = folder / "program"
    program.mkdir()
    shutil.copy(REPOSITORY / "program" / "sources.yml", program)
    terms = (REPOSITORY / "program" / "program.yml").read_text()
    (program / "program.yml").write_text(
        terms.replace("min_identity: os_user", "min_identity: ssh_signed")
    )
    (program / "allowed_signers").write_text(signer_line(BEN, ben) + signer_line(CLEO, cleo))
    abort = ("abort", batch_id, "--reason", "wrong file", "--evidence", "portal shows none",
             "--program", str(program))  # fmt: skip
    assert "min_identity asks for ssh_signed" in run(*abort, code=1).err
    assert f"|batch_abort_requested|batch:{batch_id}|" in run(*abort, "--print-message").out
    asked = run(*abort, "--sign", str(ben), "--json").records
    assert (asked["state"], asked["abort_requested_by"]) == ("exported", BEN)
    assert "min_identity asks for ssh_signed" in run(*abort, who=CLEO, code=1).err
    assert "|batch_aborted|" in run(*abort, "--print-message", who=CLEO).out
    assert f"Batch {batch_id} is aborted" in run(*abort, "--sign", str(cleo), who=CLEO).out
    verified = run_cli("verify", home=folder / "var")
    assert verified.code == 0 and "2 signed decisions" in verified.out


@pytest.mark.parametrize(
    ("arguments", "who", "code", "text"),
    [
        (("settle",), BEN, 2, "give either --file or --sent"),
        (("settle", "--sent", "7"), BEN, 2, "name the batch"),
        (("settle", "--file", "missing.xml"), BEN, 1, "cannot be read"),
        (("settle", "--file", "bad.csv", "--format", "excel"), BEN, 2, "one of status_csv"),
        (("settle", "--file", "bad.csv"), BEN, 1, "bad.csv: line 1: has no known format"),
        (("settle", "--file", "bad.csv"), ANA, 1, "may not settle payouts"),
        (("abort", "b-1", "--reason", "x", "--evidence", "y"), BEN, 1, "there is no batch 'b-1'"),
    ],
)
def test_refusals_are_one_line(office, arguments, who, code, text):
    run, _, _, folder = office
    (folder / "bad.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    named = [str(folder / each) if each.endswith((".csv", ".xml")) else each for each in arguments]
    outcome = run(*named, who=who, code=code)
    if code == 1:
        assert outcome.err.count("\n") == 1
    assert text in " ".join(outcome.err.replace("│", " ").split())


def test_match_of_a_batch_that_is_not_known(office):
    _, _, _, folder = office
    outcome = _match(folder / "var", "b-1")
    assert (outcome.code, outcome.err.count("\n")) == (1, 1)
