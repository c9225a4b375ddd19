"""kill -9 between parts of a pull: the next run goes on, loses nothing, repeats no part."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import duckdb

from ingest.landing import hash_file, read_landings
from ingest.raw import load_raw
from tests.fakes.stripe_server import FakeStripe

ROOT = Path(__file__).resolve().parents[2]

PULL = """
    import sys
    from datetime import datetime
    from pathlib import Path
    from types import SimpleNamespace

    from ingest import run

    options = run.PullOptions
    run.PullOptions = lambda *given: options(*given, part_pages=2)
    source = SimpleNamespace(
        kind="stripe", base_url=sys.argv[1], api_key_env="TEST_STRIPE_KEY", api_version="1",
        streams=("customers",), timeout_seconds=30, overlap_hours=1, changes="full_list",
        created_windows=False, full_scan_days=30, webhooks=None,
    )
    workspace = SimpleNamespace(root=Path(sys.argv[2]), sources={"billing": source})
    report = run.ingest(workspace, Path(sys.argv[2]), now=datetime(2026, 3, 1))
    assert not report.failed, report.failed
"""


def start_pull(base_url: str, home: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PULL), base_url, str(home)],
        cwd=ROOT,
        env={**os.environ, "TEST_STRIPE_KEY": "rk_test", "PYTHONPATH": str(ROOT)},
    )


def test_pull_killed_between_parts_resumes_without_loss_or_repetition(tmp_path: Path) -> None:
    listed = [{"id": f"cus_{number:03d}"} for number in range(50)]
    with FakeStripe(objects={"/v1/customers": listed}, page_cap=5) as fake:
        # The sixth page is held back until the client was killed: two parts are recorded.
        killed_now = threading.Event()
        fake.on_request = lambda number: killed_now.wait(30) if number == 6 else None
        victim = start_pull(fake.base_url, tmp_path)
        deadline = time.monotonic() + 30
        while len(fake.requests) < 6 and victim.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        killed_now.set()
        fake.on_request = None
        (killed,) = read_landings(tmp_path)
        assert not killed.is_final
        assert [part.rows for part in killed.parts] == [2, 2]
        hashes = {part.name: part.sha256 for part in killed.parts}
        (killed.directory / "pages-00003.ndjson.zst.tmp").write_bytes(b"torn")

        fake.log.clear()
        assert start_pull(fake.base_url, tmp_path).wait() == 0
        assert fake.requests[0][1]["starting_after"] == "cus_019"
        assert len(fake.requests) == 6

    (landing,) = read_landings(tmp_path)
    assert landing.is_final
    pages = [part for part in landing.parts if part.role == "pages"]
    assert [part.rows for part in pages] == [2, 2, 2, 2, 2]
    assert len({part.sha256 for part in pages}) == 5
    for part in landing.parts:
        assert hash_file(landing.directory / part.name) == part.sha256
        assert hashes.get(part.name, part.sha256) == part.sha256
    assert not list(landing.directory.glob("*.tmp"))
    connection = duckdb.connect()
    load_raw(connection, SimpleNamespace(sources={"billing": None}), tmp_path)
    assert connection.execute(
        "select count(*), count(distinct object_id), count(distinct _row)"
        " from raw.stripe__customers"
    ).fetchall() == [(50, 50, 50)]
