"""`partnerledger batches evidence`: one file per batch, the same every time, and its check."""

import json

import pytest
import typer
from cli_world import REPOSITORY

from orchestration.cli import app
from orchestration.cli_common import CommandError
from payouts.errors import BatchNotFoundError
from tests.unit.payouts.payout_world import payable_world

WRONG_USAGE = typer.BadParameter.__base__


@pytest.fixture
def world(tmp_path, monkeypatch):
    monkeypatch.chdir(REPOSITORY)
    return payable_world(tmp_path / "home", synchronous="OFF")


@pytest.fixture
def run(world, capsys):
    def command(*arguments, home=world.home):
        app(["batches", "evidence", *arguments, "--home", str(home)], standalone_mode=False)
        return capsys.readouterr().out

    return command


def test_a_pack_is_written_beside_the_claims_and_checked(world, run, tmp_path):
    batch = world.propose()[0]
    out = run(batch.batch_id)
    path = world.home / "batches" / batch.batch_id / "evidence.zip"
    first = path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    assert str(path) in out and "--check" in out
    record = json.loads(run(batch.batch_id, "--json"))
    assert (record["batch_id"], record["bytes"]) == (batch.batch_id, len(first))
    assert path.read_bytes() == first
    other = tmp_path / "pack.zip"
    run(batch.batch_id, "--output", str(other))
    assert other.read_bytes() == first and other.stat().st_mode & 0o777 == 0o600
    assert "is whole" in run("--check", str(other))
    checked = json.loads(run("--check", str(other), "--json"))
    assert (checked["faults"], checked["is_held_against_home"]) == ([], True)
    away = json.loads(run("--check", str(other), "--json", home=tmp_path / "nothing"))
    assert (away["faults"], away["is_held_against_home"]) == ([], False)
    assert not (tmp_path / "nothing").exists()


def test_a_changed_pack_is_refused_and_says_where(world, run, tmp_path, capsys):
    batch = world.propose()[0]
    path = tmp_path / "pack.zip"
    run(batch.batch_id, "--output", str(path))
    content = path.read_bytes()
    at = content.index(b'"maker":"system:night"')
    path.write_bytes(content[:at] + content[at:].replace(b"system:night", b"system:light", 1))
    with pytest.raises(CommandError, match="is not what was written"):
        run("--check", str(path))
    with pytest.raises(CommandError):
        run("--check", str(path), "--json")
    assert json.loads(capsys.readouterr().out)["faults"]
    with pytest.raises(CommandError, match="cannot be read"):
        run("--check", str(tmp_path / "no.zip"))


def test_a_pack_of_another_home_is_not_in_this_chain(world, run, tmp_path):
    path = tmp_path / "pack.zip"
    run(world.propose()[0].batch_id, "--output", str(path))
    other = payable_world(tmp_path / "other", synchronous="OFF")
    with pytest.raises(CommandError, match="not in the chain of this home"):
        run("--check", str(path), home=other.home)


def test_an_unknown_batch_and_wrong_usage(world, run, tmp_path):
    with pytest.raises(BatchNotFoundError):
        run("b-9")
    for arguments in ((), ("b-9", "--check", "x.zip"), ("--check", "x.zip", "--output", "y.zip")):
        with pytest.raises(WRONG_USAGE):
            run(*arguments)
