"""Rows per CPU second of the Stripe pull, against GET plus JSON decoding in the same run.

The server and every client are processes of their own. CPU seconds are the client's, without
imports. One pull is killed half-way (SIGKILL) and continued: what that costs more than a pull in
one piece is the price of a resume.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.nights import ROOT


@dataclass(frozen=True)
class PullTiming:
    """rows: invoices. limit, pull, resumed: what each client told of itself. pages_again: pages
    that the continued pull asked for although the killed one had landed them."""

    rows: int
    bytes_per_row: int
    limit: dict[str, Any]
    pull: dict[str, Any]
    resumed: dict[str, Any]
    pages_landed_before_kill: int
    pages_again: int

    @property
    def land_cpu_seconds(self) -> float:
        """CPU of the pull without slicing pages into rows."""
        return self.pull["cpu_seconds"] - self.pull["rows_cpu_seconds"]


def measure_stripe_pull(work: Path, invoices: int) -> PullTiming:
    """Measure with that many invoices, 100 a page."""
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.stripe_pages", str(invoices)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        told = json.loads(server.stdout.readline())
        base_url = f"http://127.0.0.1:{told['port']}"
        limit = _run("limit", base_url, work / "limit")
        whole = _run("pull", base_url, work / "whole")
        landed = _kill_half_way(base_url, work / "killed", invoices // 200)
        resumed = _run("pull", base_url, work / "killed")
    finally:
        server.kill()
        server.wait()
    assert limit["rows"] == whole["rows"] == resumed["rows"] == invoices, (limit, whole, resumed)
    pages = _pages(work / "killed")
    return PullTiming(
        rows=invoices,
        bytes_per_row=told["bytes_per_row"],
        limit=limit,
        pull=whole,
        resumed=resumed,
        pages_landed_before_kill=landed,
        pages_again=pages - -(-invoices // 100),
    )


def _command(what: str, base_url: str, folder: Path) -> list[str]:
    return [sys.executable, "-m", "tests.bench.stripe_client", what, base_url, str(folder)]


def _run(what: str, base_url: str, folder: Path) -> dict[str, Any]:
    done = subprocess.run(
        _command(what, base_url, folder), cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(done.stdout)


def _kill_half_way(base_url: str, folder: Path, pages: int) -> int:
    """Start a pull, kill it once it has landed so many pages; how many it had."""
    victim = subprocess.Popen(
        _command("pull", base_url, folder), cwd=ROOT, stdout=subprocess.DEVNULL
    )
    while _pages(folder) < pages and victim.poll() is None:
        time.sleep(0.02)
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    return _pages(folder)


def _pages(folder: Path) -> int:
    """Pages recorded in the manifests of a home."""
    found = 0
    for manifest in folder.glob("home/landing/*/*/*/manifest.jsonl"):
        for line in manifest.read_text(encoding="utf-8").splitlines():
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if record.get("role") == "pages":
                found += record["rows"]
    return found
