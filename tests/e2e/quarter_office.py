"""The people and the nights of the quarter: commands in this process, on days that they choose.

A night here is all steps of `Night` without Dagster, its models built as `tests.compiled` does.
What does not belong here: what the quarter is (`quarter`) and expected values (`quarter.md`).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dashboards.snapshot import open_snapshot
from orchestration import phases
from orchestration.night import Night
from orchestration.warehouse import mark_passed, open_working_file
from payouts.journal import PostResult
from payouts.records import BatchSummary
from tests.compiled import build_phase

TESTS = Path(__file__).parents[1]
sys.path[:0] = [
    str(TESTS / "unit" / "orchestration"),
    str(TESTS / "unit" / "payouts" / "settlement"),
]

from cli_world import Outcome, run_cli  # noqa: E402

ANA, BEN, CLEO = (f"{name}@quarter.example" for name in ("ana", "ben", "cleo"))
# 32 bytes in base64; of no use to anybody.
VAULT_KEY = "cXVhcnRlciBxdWFydGVyIHF1YXJ0ZXIgcXVhcnRlciE="


class Office:
    """A home, its programme, and a calendar on the wall: `now` is what every command sees."""

    def __init__(self, workspace: Path, home: Path) -> None:
        self.workspace = workspace
        self.home = home
        self.now = datetime.min

    @contextmanager
    def clock(self) -> Iterator[None]:
        """Let commands read `now` instead of the clock."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("orchestration.clock.utc_now", lambda: self.now)
            yield

    def on(self, day: str) -> None:
        """It is ten o'clock on this day."""
        self.now = datetime.combine(date.fromisoformat(day), time(10))

    def run(self, *arguments: str, who: str = "", code: int = 0, program: Path | None = None):
        """What a command leaves behind, which must end with `code`; `who` decides."""
        deciding = ("--as", who) if who else ()
        outcome: Outcome = run_cli(
            *arguments, *deciding, home=self.home, cwd=program or self.workspace,
            PARTNERLEDGER_VAULT_KEY=VAULT_KEY,
        )  # fmt: skip
        assert outcome.code == code, (arguments, outcome.err or outcome.out)
        return outcome

    def records(self, *arguments: str, who: str = "", program: Path | None = None) -> Any:
        """The same with --json."""
        return self.run(*arguments, "--json", who=who, program=program).records

    def file(self, name: str, content: bytes | str) -> str:
        """A file outside of the home, as people have it on their desk; its path."""
        path = self.workspace.parent / "desk" / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    def night(self, as_of: str) -> tuple[PostResult, list[BatchSummary]]:
        """What the night of a day posted and proposed; it runs at three on the next morning."""
        day = date.fromisoformat(as_of)
        self.now = datetime.combine(day + timedelta(days=1), time(3))
        night = Night.open(self.workspace, self.home, day, clock=lambda: self.now)
        try:
            night.ingest()
            night.prepare()
            night.require_checks(night.check_boundary())
            self._build(phases.FACTS)
            posted = night.post()
            self._build(phases.LEDGER)
            batches = night.propose()
            self._build(phases.PAYOUTS)
            night.require_checks(night.check_marts())
            night.publish()
        finally:
            night.close()
        return posted, batches

    def rows(self, sql: str) -> list[tuple]:
        """Rows of a query on the published snapshot."""
        with open_snapshot(self.home) as snapshot:
            return snapshot.execute(sql).fetchall()

    def _build(self, phase: str) -> None:
        build_phase(self.home, phase)
        with open_working_file(self.home) as connection:
            mark_passed(connection, f"dbt_{phase}")

    def batch(self, cutoff: str, currency: str) -> dict[str, Any]:
        """The newest batch of a cut-off and currency, in full."""
        found = [
            batch
            for batch in self.records("batches", "list")
            if (batch["cutoff_date"], batch["currency_code"]) == (cutoff, currency)
        ]
        newest = max(found, key=lambda batch: batch["version"])
        return self.records("batches", "show", newest["batch_id"])

    def pay(self, cutoff: str, currency: str) -> dict[str, Any]:
        """Approve a batch by two people and export it; the batch."""
        batch = self.batch(cutoff, currency)
        approve = ("batches", "approve", batch["batch_id"], "--hash", batch["content_hash"])
        self.run(*approve, "--role", "partnerships", who=ANA)
        self.run(*approve, "--role", "finance", who=BEN)
        exported = self.records("batches", "export", batch["batch_id"], who=CLEO)
        assert exported["total_amount_minor"] == batch["total_amount_minor"]
        self.run("batches", "settle", batch["batch_id"], "--sent", "UPLOAD", who=BEN)
        return batch

    def settle(self, name: str, content: bytes) -> dict[str, Any]:
        """What a bank's file changed; no line of it was doubtful."""
        found = self.records("batches", "settle", "--file", self.file(name, content), who=BEN)
        assert found["discrepancies"] == []
        return found


def payout_of(batch: dict[str, Any], partner_id: str) -> str:
    """The payout id of a partner in a batch."""
    (found,) = [item for item in batch["items_paid"] if item["partner_id"] == partner_id]
    return found["payout_id"]


def tables(markdown: Path) -> dict[str, list[dict[str, str]]]:
    """The rows of each table of a page by its first heading cells, as `partner month`."""
    found: dict[str, list[dict[str, str]]] = {}
    names: list[str] = []
    for line in markdown.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if not line.startswith("|"):
            names = []
        elif not names:
            names = cells
            rows = found.setdefault(" ".join(names[:3]), [])
        elif set(cells[0]) != {"-"}:
            rows.append(dict(zip(names, cells, strict=True)))
    return found


def minor(amount: str) -> int:
    """`-49.99` as -4999."""
    return int(Decimal(amount) * 100)
