"""kill -9 anywhere in a night of Stripe: the nights after end where they would have ended.

The server holds one request back until the client was killed: in the middle of the backfill, in
the event feed, between the feed and the objects that it names, and among these.
"""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest

from ingest.landing import read_landings
from ingest.raw import load_raw
from tests.fakes.stripe_server import DAY, FakeStripe

ROOT = Path(__file__).resolve().parents[2]
START = int(datetime(2026, 3, 1, 2, tzinfo=UTC).timestamp())
RELATIONS = ("events", "customers", "invoices", "invoice_lines", "invoice_payments")

NIGHT = """
    import sys
    from datetime import datetime, timedelta
    from pathlib import Path
    from types import SimpleNamespace

    from ingest import run

    options = run.PullOptions
    run.PullOptions = lambda *given: options(*given, part_pages=2)
    source = SimpleNamespace(
        kind="stripe", base_url=sys.argv[1], api_key_env="TEST_STRIPE_KEY",
        api_version="2025-11-17.clover", streams=("events", "customers", "invoices",
        "invoice_payments"), timeout_seconds=30, overlap_hours=1, changes="events",
        created_windows=True, full_scan_days=30, webhooks=None,
    )
    home = Path(sys.argv[2])
    now = datetime(2026, 3, 1, 2) + timedelta(days=float(sys.argv[3]))
    workspace = SimpleNamespace(root=home, sources={"billing": source})
    report = run.ingest(workspace, home, now=now)
    assert not report.failed, report.failed
"""


def start_night(fake: FakeStripe, home: Path, day: float) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(NIGHT), fake.base_url, str(home), str(day)],
        cwd=ROOT,
        env={**os.environ, "TEST_STRIPE_KEY": "rk_test", "PYTHONPATH": str(ROOT)},
    )


def kill_at(fake: FakeStripe, home: Path, day: float, is_there: Callable[[], bool]) -> None:
    """Run a night and kill it while it waits for the answer at which `is_there` turns true."""
    reached, released = threading.Event(), threading.Event()

    def hold(number: int) -> None:
        if not released.is_set() and is_there():
            reached.set()
            released.wait(30)

    fake.on_request = hold
    victim = start_night(fake, home, day)
    deadline = time.monotonic() + 60
    while not reached.is_set() and victim.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert reached.is_set(), "the night ended before the place where it is killed"
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    released.set()
    fake.on_request = None


def fill(fake: FakeStripe) -> None:
    """Customers and invoices of 15 months, one of them with more lines than it embeds."""
    for number in range(30):
        fake.clock = START - (30 - number) * 15 * DAY
        fake.put({"id": f"cus_{number:02d}", "object": "customer"})
        lines = [{"id": f"il_{number}_{line:02d}", "amount": line} for line in range(12)]
        embedded = {"data": lines[:10], "has_more": number % 10 == 0}
        fake.put({"id": f"in_{number:02d}", "object": "invoice", "lines": embedded})
        fake.objects[f"/v1/invoices/in_{number:02d}/lines"] = lines
        fake.put({"id": f"ip_{number:02d}", "object": "invoice_payment", "invoice": f"in_{number}"})
    fake.clock = START - DAY
    fake.tell("customer.updated", fake.objects["/v1/customers"][0])


def change(fake: FakeStripe) -> None:
    """What happens between the first night and the second."""
    for number in range(0, 30, 3):
        fake.clock = START + DAY // 2 + number
        name = f"{number:02d}"
        fake.put({"id": f"cus_{name}", "object": "customer", "name": "new"}, "customer.updated")
        found = next(each for each in fake.objects["/v1/invoices"] if each["id"] == f"in_{name}")
        fake.put({**found, "status": "paid"}, "invoice.paid")
        fake.put(
            {"id": f"ip_new_{name}", "object": "invoice_payment", "invoice": f"in_{name}"},
            "invoice_payment.paid",
        )
    fake.clock = START + DAY


def newest(home: Path) -> dict[str, list[tuple]]:
    """The newest version of every object. Rows of a page that was cut can be there twice."""
    connection = duckdb.connect()
    load_raw(connection, SimpleNamespace(sources={"billing": None}), home)
    return {
        relation: connection.execute(
            "select object_id, parent_id, max_by(payload, (_arrival, _row)),"
            f" bool_or(is_tombstone) from raw.stripe__{relation} group by all order by 1, 2"
        ).fetchall()
        for relation in RELATIONS
    }


@pytest.fixture(scope="module")
def expected(tmp_path_factory) -> dict[str, list[tuple]]:
    """What two nights that nobody kills land."""
    home = tmp_path_factory.mktemp("unkilled")
    with FakeStripe(page_cap=4) as fake:
        fill(fake)
        assert start_night(fake, home, 0).wait() == 0
        change(fake)
        assert start_night(fake, home, 1).wait() == 0
    found = newest(home)
    assert [len(found[each]) for each in RELATIONS] == [31, 30, 30, 36, 40]
    return found


@pytest.mark.faults
@pytest.mark.parametrize(
    ("day", "path", "count"),
    [
        (0, "/v1/events", 1),
        (0, "/v1/customers", 14),
        (0, "/v1/invoices", 20),
        (0, "/v1/invoices/in_10/lines", 2),
        (1, "/v1/events", 4),
        (1, "/v1/customers/cus_00", 1),
        (1, "/v1/customers/cus_18", 1),
        (1, "/v1/invoices/in_00/lines", 1),
        (1, "/v1/invoice_payments", 5),
    ],
)
def test_night_killed_anywhere_ends_where_it_would_have_ended(
    tmp_path: Path, expected: dict, day: int, path: str, count: int
) -> None:
    with FakeStripe(page_cap=4) as fake:
        fill(fake)
        if day == 1:
            assert start_night(fake, tmp_path, 0).wait() == 0
            change(fake)
            fake.log.clear()
        kill_at(fake, tmp_path, day, lambda: fake.paths().count(path) == count)
        assert start_night(fake, tmp_path, day + 0.05).wait() == 0
        if day == 0:
            change(fake)
            assert start_night(fake, tmp_path, 1).wait() == 0
    assert newest(tmp_path) == expected
    assert all(each.is_final for each in read_landings(tmp_path))
