"""The pull against a server and a client that others wrote: localstripe and the official SDK.

What the SDK reads is what must land: whole lists, then what the event feed names, and the bodies
that the server itself delivered and signed.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
import requests
import stripe
from localstripe_peer import API_KEY, Billing, running_localstripe

from ingest.raw import load_raw
from ingest.run import ingest

pytestmark = pytest.mark.e2e

KEY_VARIABLE = "LOCALSTRIPE_PULL_KEY"
SECRET_VARIABLE = "LOCALSTRIPE_WEBHOOK_SECRET"
SECRET = "whsec_localstripe"
LISTS = (
    "customers",
    "subscriptions",
    "products",
    "coupons",
    "invoices",
    "charges",
    "refunds",
    "balance_transactions",
)


@pytest.fixture
def base_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A running server of its own."""
    monkeypatch.setenv(KEY_VARIABLE, API_KEY)
    monkeypatch.setenv(SECRET_VARIABLE, SECRET)
    with running_localstripe(tmp_path) as running:
        yield running


def settings(base_url: str, **changes: Any) -> SimpleNamespace:
    return SimpleNamespace(
        **{
            "kind": "stripe",
            "base_url": base_url,
            "api_key_env": KEY_VARIABLE,
            "api_version": "2025-02-24.acacia",
            "streams": LISTS,
            "timeout_seconds": 20,
            "overlap_hours": 1,
            "changes": "full_list",
            "created_windows": False,
            "full_scan_days": 30,
            "webhooks": None,
            **changes,
        }
    )


def pull(home: Path, source: SimpleNamespace, **later: float) -> dict[str, Any]:
    """One night at the present instant; reports by stream, none of them failed."""
    workspace = SimpleNamespace(root=home, sources={"billing": source})
    report = ingest(workspace, home, now=datetime.now(UTC) + timedelta(**later))
    assert not report.failed, [str(each) for each in report.failed]
    return {each.stream: each for each in report.streams}


def rows(home: Path, query: str) -> list[tuple]:
    connection = duckdb.connect()
    load_raw(connection, SimpleNamespace(sources={"billing": None}), home)
    return connection.execute(query).fetchall()


def sdk(base_url: str) -> Any:
    return stripe.StripeClient(API_KEY, base_addresses={"api": base_url}, max_network_retries=0).v1


def test_what_lands_is_what_the_sdk_reads(base_url: str, tmp_path: Path) -> None:
    billing, api = Billing(base_url), sdk(base_url)
    plan = billing.plan("Team", 10000, "usd", "month")
    for number in range(3):
        invoice = billing.subscribe(billing.customer(f"c{number}@corp.example"), plan)
        billing.refund(invoice, 1000 + number)
    for number in range(210):
        api.customers.create({"email": f"more{number}@corp.example"})
    api.coupons.create({"id": "SPRING", "percent_off": 10, "duration": "once"})

    home = tmp_path / "home"
    reports = pull(home, settings(base_url))
    assert reports["customers"].pages == 3
    for name in LISTS:
        read = {each.id for each in getattr(api, name).list({"limit": 100}).auto_paging_iter()}
        assert read
        landed = {row[0] for row in rows(home, f"select object_id from raw.stripe__{name}")}
        assert landed == read, name
    assert {each.status for each in pull(home, settings(base_url)).values()} == {"unchanged"}


def test_objects_that_the_feed_names_land_as_the_sdk_reads_them(
    base_url: str, tmp_path: Path
) -> None:
    billing, api = Billing(base_url), sdk(base_url)
    plan = billing.plan("Team", 10000, "usd", "month")
    still, moved = billing.customer("still@corp.example"), billing.customer("old@corp.example")
    gone = billing.customer("gone@corp.example")
    home = tmp_path / "home"
    source = settings(
        base_url, changes="events", streams=("events", "customers", "subscriptions", "invoices")
    )
    first = pull(home, source)
    assert {first[name].mode for name in ("customers", "invoices")} == {"full"}

    api.customers.update(moved, {"email": "new@corp.example"})
    invoice = billing.subscribe(moved, plan)
    api.customers.delete(gone)
    second = pull(home, source, seconds=2)
    assert {second[name].mode for name in ("customers", "invoices")} == {"changes"}
    landed = rows(
        home,
        "select object_id, max_by(payload ->> '$.email', _arrival),"
        " max_by(is_tombstone, _arrival) from raw.stripe__customers group by 1",
    )
    # Stripe would answer a stub of the deleted customer; this server says that it is gone.
    assert set(landed) == {
        (still, "still@corp.example", False),
        (moved, api.customers.retrieve(moved).email, False),
        (gone, "gone@corp.example", True),
    }
    assert rows(home, "select object_id, payload ->> '$.status' from raw.stripe__invoices") == [
        (invoice, "paid")
    ]


class Receiver:
    """What a user's own receiver does: keep body, headers and time of arrival."""

    def __enter__(self) -> Receiver:
        lines = self.lines = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                line = {
                    "body": body.decode(),
                    "headers": dict(self.headers),
                    "received_at": datetime.now(UTC).isoformat(),
                }
                lines.append(line)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Keep test output clean."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait_for(self, count: int) -> list[dict[str, Any]]:
        """The lines, once there are so many."""
        deadline = time.monotonic() + 30
        while len(self.lines) < count and time.monotonic() < deadline:
            time.sleep(0.05)
        assert len(self.lines) >= count
        return list(self.lines)


def test_bodies_that_the_server_signed_are_accepted_and_altered_ones_are_not(
    base_url: str, tmp_path: Path
) -> None:
    api = sdk(base_url)
    with Receiver() as receiver:
        registered = requests.post(
            f"{base_url}/_config/webhooks/ledger",
            json={"url": receiver.url, "secret": SECRET},
            timeout=20,
        )
        assert registered.status_code == 200
        for number in range(4):
            api.customers.create({"email": f"c{number}@corp.example"})
        lines = receiver.wait_for(4)
    # The SDK agrees before the product is asked.
    for each in lines:
        header = each["headers"]["Stripe-Signature"]
        stripe.Webhook.construct_event(each["body"], header, SECRET)
    home = tmp_path / "home"
    hooks = home / "hooks"
    hooks.mkdir(parents=True)
    altered = {**lines[0], "body": lines[0]["body"].replace("corp.example", "evil.example")}
    dropped = "".join(json.dumps(each) + "\n" for each in [*lines, altered])
    (hooks / "bodies.ndjson").write_text(dropped, encoding="utf-8")

    webhooks = SimpleNamespace(path="hooks", secret_env=SECRET_VARIABLE)
    source = settings(base_url, streams=("customers",), webhooks=webhooks)
    report = pull(home, source)["webhooks"]
    assert (report.rows_landed, report.rows_rejected) == (4, 1)
    assert (report.rejects[0].line, report.rejects[0].column_name) == (5, "headers")
    assert rows(home, "select object_id from raw.stripe__events order by 1") == sorted(
        (json.loads(each["body"])["id"],) for each in lines
    )
