"""Rows per second of the Stripe pull, against GET plus JSON decoding in the same run."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import requests

from tests.fakes.stripe_server import FakeStripe

KEY = "PARTNERLEDGER_BENCH_STRIPE_KEY"


@dataclass(frozen=True)
class PullTiming:
    """rows: invoices pulled. The limit does the requests and the decoding and nothing else."""

    rows: int
    bytes_per_row: int
    pull_seconds: float
    limit_seconds: float


def measure_stripe_pull(work: Path, invoices: int) -> PullTiming:
    """Pull `invoices` invoices with three lines each from a loopback server in another thread."""
    from ingest.run import ingest
    from program.load import load_workspace

    objects = [_invoice(number) for number in range(invoices)]
    os.environ[KEY] = "rk_test_bench"
    with FakeStripe(objects={"/v1/invoices": objects}) as fake:
        program = work / "stripe-program"
        program.mkdir()
        root = Path(__file__).resolve().parent.parent.parent
        (program / "program.yml").write_text(
            (root / "program" / "program.yml").read_text(encoding="utf-8"), encoding="utf-8"
        )
        (program / "sources.yml").write_text(
            f"sources: {{billing: {{kind: stripe, base_url: '{fake.base_url}', "
            f"api_key_env: {KEY}, streams: [invoices]}}}}\n",
            encoding="utf-8",
        )
        started = time.monotonic()
        report = ingest(
            load_workspace(program), work / "stripe-home", now=datetime(2026, 12, 31, 3, 0)
        )
        pull_seconds = time.monotonic() - started
        failed = [stream.message for stream in report.streams if stream.status == "failed"]
        if failed:
            raise SystemExit(f"the pull failed: {failed[0]}")
        started = time.monotonic()
        rows = _read_all(fake.base_url)
        limit_seconds = time.monotonic() - started
    assert rows == invoices
    return PullTiming(rows, len(json.dumps(objects[0])), pull_seconds, limit_seconds)


def _read_all(base_url: str) -> int:
    rows, last = 0, None
    with requests.Session() as session:
        session.trust_env = False
        while True:
            parameters = {"limit": 100} | ({"starting_after": last} if last else {})
            page = session.get(
                f"{base_url}/v1/invoices", params=parameters, auth=("k", ""), timeout=60
            ).json()
            rows += len(page["data"])
            if not page["has_more"]:
                return rows
            last = page["data"][-1]["id"]


def _invoice(number: int) -> dict[str, Any]:
    created = 1_735_700_000 + number * 60
    lines = [
        {
            "id": f"il_{number}_{line}",
            "object": "line_item",
            "amount": 4_900 + line,
            "currency": "usd",
            "description": "Subscription, one month, billed in advance",
            "discount_amounts": [],
            "metadata": {"team": "growth", "region": "north"},
            "period": {"start": created, "end": created + 2_592_000},
            "pricing": {"price_details": {"product": "prod_main", "price": "price_main"}},
            "taxes": [{"amount": 490, "tax_behavior": "exclusive"}],
        }
        for line in range(3)
    ]
    return {
        "id": f"in_{number:09d}",
        "object": "invoice",
        "created": created,
        "currency": "usd",
        "customer": f"cus_{number % 5000}",
        "customer_address": {"country": "US", "line1": "1 Example Street", "postal_code": "10001"},
        "lines": {"object": "list", "data": lines, "has_more": False},
        "metadata": {},
        "number": f"A-{number:09d}",
        "parent": {"subscription_details": {"subscription": f"sub_{number % 5000}"}},
        "status": "paid",
        "status_transitions": {"finalized_at": created, "paid_at": created + 60},
        "total": 3 * 5_390 + 3,
    }
