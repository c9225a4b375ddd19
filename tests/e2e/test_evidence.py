"""B1, B2 over two nights: every cent explained down to its file, what was known stays known.

The tiny programme after its night of 10 February: 50.00 + 20.00 - 5.00 USD. A second night brings a
refund of 25.00 that was made on 30 January and arrives late: another 5.00 is taken back.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from tiny import FILES

from tests.recomputing import recomputed
from tests.workspaces import post_night

pytestmark = pytest.mark.e2e

LATE_REFUND = "refund_id,invoice_id,amount_minor,refunded_at\nr2,i1,2500,2026-01-30T12:00:00Z\n"
STATEMENT = ("statement", "p1", "--period", "2026-01", "--as-known", "2026-02-10", "--json")


@dataclass(frozen=True)
class Desk:
    """Somebody who asks about the tiny programme."""

    workspace: Path
    home: Path

    def ask(self, *arguments: str, code: int = 0) -> str:
        """Standard output of a command that must end with `code`."""
        done = subprocess.run(
            [sys.executable, "-m", "orchestration.cli", *arguments],
            env={
                **os.environ,
                "PARTNERLEDGER_HOME": str(self.home),
                "PARTNERLEDGER_PROGRAM": str(self.workspace),
            },
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == code, done.stderr
        return done.stdout

    def record(self, *arguments: str) -> Any:
        """The same with --json."""
        return json.loads(self.ask(*arguments, "--json"))


@pytest.fixture(scope="module")
def desk(tiny, tmp_path_factory) -> Desk:
    """The tiny programme in folders of its own, after its first night."""
    root = tmp_path_factory.mktemp("desk")
    workspace = shutil.copytree(tiny.workspace, root / "workspace")
    return Desk(workspace, shutil.copytree(tiny.home, root / "var"))


@pytest.fixture(scope="module")
def told(desk) -> dict[str, str]:
    """What was said before the second night, which then runs."""
    before = {
        "statement": desk.ask(*STATEMENT),
        "balance": desk.ask("balance", "p1", "--as-known", "2026-02-10", "--json"),
    }
    (desk.workspace / "drop" / "refunds-late.csv").write_text(LATE_REFUND, encoding="utf-8")
    night = post_night(desk.workspace, desk.home, date(2026, 3, 1), now=datetime(2027, 1, 1))
    assert night.new_entries > 0
    return before


def test_every_entry_is_explained_down_to_the_line_of_its_file(desk, tiny):
    balance = desk.record("balance", "p1")
    assert len(balance["entries"]) == 3
    for entry in balance["entries"]:
        chain = desk.record("explain", entry["entry_id"])
        assert chain["entry"]["recomputed"]["result"] == "matches"
        assert chain["terms"]["plan_version"] == "2025-01-01"
        assert [row["rule"] for row in chain["winners"]] == ["A3:last_touch"]
        assert [row["state"] for row in chain["segments"]] == ["as recorded"]
        sources = {(row["record_type"], row["record_id"]): row for row in chain["sources"]}
        touch = sources["touchpoint", "t1"]
        assert (touch["file"], touch["line"]) == ("touchpoints.csv", 2)
        for row in chain["sources"]:
            text = FILES[row["file"]].encode()
            assert row["sha256"] == hashlib.sha256(text).hexdigest()
            assert row["state"] == "as recorded"
            assert row["record_id"] in text.decode().splitlines()[row["line"] - 1]
        own = (entry["source_type"], entry["source_id"])
        assert own in sources
        if entry["cause_id"]:
            assert (entry["cause_type"], entry["cause_id"]) in sources
        if entry["source_type"] == "invoice_line":
            assert ("invoice", "i1") in sources


def test_a_balance_says_that_all_of_it_matches(desk):
    text = desk.ask("explain", "balance", "p1")
    assert "recomputed 3 entries from the stored explanations: 3 match, 0 differ" in text
    assert "its entries add up to 65.00 USD, as shown" in text


def test_the_balance_as_known_is_what_the_night_published(desk):
    (known,) = desk.record("balance", "p1", "--as-known", "2026-02-10")["balances"]
    (published,) = desk.record("balance", "p1")["balances"]
    assert {name: published[name] for name in known} == known


def test_what_was_known_is_said_again_byte_for_byte(desk, told):
    assert desk.ask(*STATEMENT) == told["statement"]
    again = desk.ask("balance", "p1", "--as-known", "2026-02-10", "--json")
    assert again == told["balance"]


def test_the_late_refund_stands_in_the_month_to_which_it_belongs(desk, told):
    (then,) = json.loads(told["statement"])["currencies"]
    assert (then["opening_amount_minor"], then["closing_amount_minor"]) == (0, 7000)
    now = desk.record("statement", "p1", "--period", "2026-01")
    (january,) = now["currencies"]
    assert january["closing_amount_minor"] < then["closing_amount_minor"]
    (march,) = desk.record("statement", "p1")["currencies"]
    assert march["closing_amount_minor"] == march["balance_amount_minor"] == 6000
    february = desk.record("statement", "p1", "--period", "2026-02")["currencies"][0]
    assert february["opening_amount_minor"] == january["closing_amount_minor"]


def test_every_entry_of_both_nights_recomputes(desk, told):
    assert {check.result for check in recomputed(desk.home)} == {"matches"}


def test_a_schedule_that_changes_later_changes_no_past_statement(desk, told):
    """Last: it edits the terms."""
    program = desk.workspace / "program.yml"
    text = program.read_text(encoding="utf-8")
    assert "pay_day: 15" in text
    program.write_text(text.replace("pay_day: 15", "pay_day: 20"), encoding="utf-8")
    assert desk.ask(*STATEMENT) == told["statement"]
