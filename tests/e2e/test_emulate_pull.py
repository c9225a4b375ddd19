"""The pull against emulate 0.12.2, whose lists are newest first and filtered by `created`.

See `tests/emulate_peer.py` for where it runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
import stripe

from ingest.raw import load_raw
from ingest.run import ingest
from ingest.stripe_lists import MONTHS
from tests.emulate_peer import running_emulate

pytestmark = pytest.mark.e2e

KEY_VARIABLE = "EMULATE_PULL_KEY"
API_KEY = "sk_test_partnerledger"
CUSTOMERS = 230
CHARGES = 12


@pytest.fixture
def base_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A running server of its own, on loopback."""
    monkeypatch.setenv(KEY_VARIABLE, API_KEY)
    with running_emulate("stripe", tmp_path) as address:
        yield address


def test_pull_reads_what_the_sdk_reads_newest_first_and_each_once(
    base_url: str, tmp_path: Path
) -> None:
    api: Any = stripe.StripeClient(
        API_KEY, base_addresses={"api": base_url}, max_network_retries=0
    ).v1
    for number in range(CUSTOMERS):
        api.customers.create({"email": f"c{number}@corp.example"})
    for number in range(CHARGES):
        intent = api.payment_intents.create({"amount": 1000 + number, "currency": "usd"})
        api.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})

    source = SimpleNamespace(
        kind="stripe",
        base_url=base_url,
        api_key_env=KEY_VARIABLE,
        api_version="2025-11-17.clover",
        streams=("customers", "charges"),
        timeout_seconds=20,
        overlap_hours=1,
        changes="full_list",
        created_windows=True,
        full_scan_days=30,
        webhooks=None,
    )
    home = tmp_path / "home"
    workspace = SimpleNamespace(root=tmp_path, sources={"billing": source})
    report = ingest(workspace, home, now=datetime.now(UTC))
    assert not report.failed, [str(each) for each in report.failed]
    connection = duckdb.connect()
    load_raw(connection, workspace, home)
    for name, least in (("customers", CUSTOMERS), ("charges", CHARGES)):
        read = [each.id for each in getattr(api, name).list({"limit": 100}).auto_paging_iter()]
        assert len(read) >= least
        landed = connection.execute(
            f"select object_id from raw.stripe__{name} order by _row"
        ).fetchall()
        # Every window but the newest is empty: had one not been filtered, rows would repeat.
        assert [row[0] for row in landed] == read
    pages = {each.stream: each.pages for each in report.streams}
    assert pages == {"customers": MONTHS + -(-len(range(CUSTOMERS)) // 100), "charges": MONTHS + 1}
