"""The benchmark of payouts, small: a year of it runs, ties out, and its section can be written."""

from __future__ import annotations

import base64
import hashlib

from tests.bench.payouts import STEPS, PayoutsTiming, StepCost, run_year
from tests.bench.report import payouts_section, replace_section


def test_two_months_of_four_partners_run_and_verify(tmp_path, monkeypatch):
    key = base64.b64encode(hashlib.sha256(b"the key of a benchmark").digest()).decode()
    monkeypatch.setenv("PARTNERLEDGER_VAULT_KEY", key)
    record = run_year(tmp_path / "home", partners=4, months=2, entries=3, synchronous="OFF")
    # Four partners in the first month; the payout that came back of each rail in the second too.
    assert record["payouts"] == 8
    assert set(record["steps"]) == set(STEPS)
    assert all(cost[1] > 0 for cost in record["steps"].values())


def test_section_replaces_the_one_of_before():
    timing = PayoutsTiming(
        partners=500, months=12, entries=100, payouts=6000, events=900,
        steps={"propose": StepCost(1.5, 1.25, 0.125)}, wall_seconds=90.0, cpu_seconds=80.0,
        peak_mb=400, load=0.5,
    )  # fmt: skip
    section = payouts_section([("cores", "2")], timing)
    page = "# Benchmarks\n\n## Payouts\n\nold\n\n## Other\n\nkept\n"
    written = replace_section(page, section)
    assert "| propose | 1.50 | 1.25 | 0.12 |" in written
    assert "600,000 entries" in written and "old" not in written and "kept" in written
