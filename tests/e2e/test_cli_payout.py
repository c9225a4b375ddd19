"""From a night to an exported payout and the night after it, by the command line alone.

The tiny programme: 50.00 + 20.00 - 5.00 = 65.00 USD for Ann, all available by 28 February. The
batch of that cut-off pays her 65.00; afterwards her balance is 0 and nothing is payable twice.
"""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from dashboards.snapshot import open_snapshot
from orchestration.restore import restore
from tests.compiled import run_compiled_night

sys.path[:0] = [str(Path(__file__).parents[1] / "unit" / "orchestration")]

from cli_world import run_cli  # noqa: E402

pytestmark = pytest.mark.e2e

# An export is held against a night of at most a week ago.
NOW = datetime(2026, 3, 2, 10)
CUTOFF_NIGHT = date(2026, 2, 28)
NEXT_NIGHT = date(2026, 3, 1)


@dataclass(frozen=True)
class Office:
    """One programme, used by people through the command line."""

    workspace: Path
    home: Path

    def run(self, *arguments: str, code: int = 0) -> str:
        """Standard output of a command that must end with `code`."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("orchestration.clock.utc_now", lambda: NOW)
            done = run_cli(
                *arguments,
                PARTNERLEDGER_HOME=str(self.home),
                PARTNERLEDGER_PROGRAM=str(self.workspace),
            )
        assert done.code == code, done.err
        return done.out if code == 0 else done.err

    def records(self, *arguments: str) -> Any:
        """The same with --json."""
        return json.loads(self.run(*arguments, "--json"))


def _marts(home: Path) -> dict[str, list]:
    """Every mart but the one that names the run and the instant of publication."""
    with open_snapshot(home) as snapshot:
        names = snapshot.execute(
            "select table_name from information_schema.tables where table_schema = 'marts' "
            "and table_name <> 'mart_metadata' order by 1"
        ).fetchall()
        return {
            name: snapshot.execute(f"select * from marts.{name} order by all").fetchall()
            for (name,) in names
        }


@pytest.fixture(scope="module")
def office(tiny, tmp_path_factory) -> Office:
    """The tiny programme in a home of its own, after the night of the cut-off."""
    home = tmp_path_factory.mktemp("office") / "var"
    shutil.copytree(tiny.home, home)
    run_compiled_night(tiny.workspace, home, CUTOFF_NIGHT)
    return Office(tiny.workspace, home)


def test_batch_is_approved_by_two_people_and_exported_byte_identically(office):
    (batch,) = office.records("batches", "list")
    assert (batch["state"], batch["total_amount_minor"], batch["currency_code"]) == (
        "proposed",
        6500,
        "USD",
    )
    batch_id, content_hash = batch["batch_id"], batch["content_hash"]
    approve = ("batches", "approve", batch_id, "--hash")
    assert "waits for partnerships" in office.run(
        *approve, content_hash, "--role", "finance", "--as", "ben@tiny.example", code=1
    )
    office.run(*approve, content_hash[:12], "--role", "partnerships", "--as", "ana@tiny.example")
    assert "may not approve as finance" in office.run(
        *approve, content_hash, "--role", "finance", "--as", "ana@tiny.example", code=1
    )
    assert "waits for finance" in office.run("batches", "export", batch_id, code=1)
    state = office.records(*approve, content_hash, "--role", "finance", "--as", "ben@tiny.example")
    assert (state["state"], state["missing_approvals"]) == ("finance_approved", {})

    exported = office.records("batches", "export", batch_id, "--as", "ben@tiny.example")
    file = Path(exported["file_path"])
    before = file.read_bytes()
    file.unlink()
    again = office.records("batches", "export", batch_id, "--as", "ben@tiny.example")
    assert (again["is_new"], again["file_sha256"]) == (False, exported["file_sha256"])
    assert file.read_bytes() == before
    assert b",65.00,6500,USD," in before
    office.run("verify")


def test_night_after_the_export_shows_it_paid_and_pays_nothing_twice(office):
    after = run_compiled_night(office.workspace, office.home, NEXT_NIGHT)
    assert (after.posted_rows, after.batches) == (0, ())
    balance = office.records("balance", "p1")
    assert balance["balances"][0]["paid_amount_minor"] == -6500
    assert balance["balances"][0]["balance_amount_minor"] == 0
    proposed = office.records("batches", "propose", "--pay-date", "2026-03-16", "--as", "x")
    assert proposed == []
    office.run("verify")


def test_payout_item_is_explained_down_to_the_lead(office):
    (batch,) = office.records("batches", "list")
    detail = office.records("batches", "show", batch["batch_id"])
    payout = office.records("explain", detail["items_paid"][0]["payout_id"])
    assert sum(entry["payout_amount_minor"] for entry in payout["entries"]) == 6500
    for entry in payout["entries"]:
        chain = office.records("explain", entry["entry_id"])
        assert chain["lead"]["verdict"] == "valid"
        assert chain["claims"][0]["batch_id"] == batch["batch_id"]


def test_restore_without_a_warehouse_gives_identical_marts_and_posts_nothing(office):
    before = _marts(office.home)
    shutil.rmtree(office.home / "warehouse")
    rebuilt = restore(office.workspace, office.home)
    assert rebuilt.posted_rows == 0
    assert _marts(office.home) == before
    office.run("verify")
