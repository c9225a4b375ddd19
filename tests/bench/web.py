"""The web app's pages, cold and warm: on the bundled sample, and on a large snapshot.

The large snapshot has the sample's tables many times over, with ids of their own: more partners,
and as many commission lines as are asked for. Pages are asked for over HTTP from the app as
`partnerledger serve` runs it. Does not belong here: what a night costs (`nights`, `commission`).
"""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import duckdb
import requests

ROOT = Path(__file__).resolve().parent.parent.parent
STAFF, PARTNER = "ben@acme.example", "partner:p_4"
PAGES = (
    (STAFF, "/"), (STAFF, "/partners"), (STAFF, "/partners/p_4"), (STAFF, "/leads"),
    (STAFF, "/commissions"), (STAFF, "/attribution"), (STAFF, "/liability"), (STAFF, "/health"),
    (STAFF, "/approvals"), (PARTNER, "/portal"), (PARTNER, "/portal/leads"),
    (PARTNER, "/portal/earnings"),
)  # fmt: skip
WARM_TIMES = 7
_SAMPLE_PARTNERS = 24
# Tables with one row per partner, or per partner and day: they grow with the partners alone.
_PER_PARTNER = re.compile(r"dim_partners|fct_partner_|fct_payout_items|fct_attribution_comparison")
_PER_DAY = re.compile(r"fct_partner_.*daily")
_ONCE = re.compile(
    r"mart_|dim_terms|fct_payout_batches|fct_payout_forecast|fct_commission_liability|"
    r"fct_batch_exceptions|fct_exceptions|fct_journal_lines|fct_program|fct_entry_claims"
)
_PARTNER_COLUMNS = ("partner_id", "other_partner_id", "payout_id")
_SHARED_COLUMNS = ("plan_id", "component_id", "batch_id", "programme_id", "run_id", "exception_id")
_DAYS = 730


@dataclass(frozen=True)
class PageCost:
    """One page: seconds of the first time and median of the later ones; bytes plain and packed."""

    path: str
    cold_seconds: float
    warm_seconds: float
    page_bytes: int
    packed_bytes: int


@dataclass(frozen=True)
class WebTiming:
    """All pages over one snapshot. start_seconds: until the app answers. peak_mb: its process."""

    name: str
    partners: int
    lines: int
    snapshot_mb: int
    start_seconds: float
    pages: tuple[PageCost, ...]
    peak_mb: int
    load: float


def measure_web(work: Path, partners: int, lines: int) -> list[WebTiming]:
    """The sample as it is, then grown to so many partners and commission lines."""
    from tests.web_app import build_sample_home

    home = build_sample_home(work / "web" / "home")
    small = _measure("sample", home)
    large = work / "web" / "large"
    shutil.copytree(home, large, ignore=shutil.ignore_patterns("serving", "warehouse", "dagster"))
    shutil.copytree(home / "serving", large / "serving")
    _grow(large / "serving", partners, lines)
    return [small, _measure("grown", large)]


def _grow(serving: Path, partners: int, lines: int) -> None:
    """Replace the published snapshot by a larger one of the same tables."""
    pointer_file = serving / "current.json"
    pointer = json.loads(pointer_file.read_text())
    copies = -(-partners // _SAMPLE_PARTNERS)
    with duckdb.connect(str(serving / "large.duckdb")) as connection:
        connection.execute(f"attach '{serving / pointer['path']}' as small (read_only)")
        tables = connection.execute(
            "select table_schema, table_name from information_schema.tables "
            "where table_catalog = 'small' order by all"
        ).fetchall()
        (sample_lines,) = connection.execute(
            "select count(*) from small.marts.fct_commission_lines"
        ).fetchone()
        times = -(-lines // sample_lines)
        for schema, table in tables:
            connection.execute(f"create schema if not exists {schema}")
            connection.execute(_grown(connection, schema, table, copies, times))
        connection.execute("checkpoint")
    pointer_file.write_text(json.dumps({**pointer, "path": "large.duckdb", "run_id": "large"}))


def _grown(
    connection: duckdb.DuckDBPyConnection, schema: str, table: str, copies: int, times: int
) -> str:
    """The statement that creates one table of the large snapshot."""
    source = f"small.{schema}.{table}"
    columns = [
        name for name, *_ in connection.execute(f"describe {source}").fetchall()
    ]  # fmt: skip
    if _ONCE.match(table):
        return f"create table {schema}.{table} as from {source}"
    if _PER_DAY.match(table):
        listed = ", ".join(_suffixed(name, "k") for name in columns if name != "activity_date")
        return (
            f"create table {schema}.{table} as select {listed}, day::date as activity_date from "
            f"(select distinct on (partner_id) * from {source}), range({copies}) as copy(k), "
            f"range(date '2026-02-28' - {_DAYS}, date '2026-03-01', interval 1 day) as days(day)"
        )
    number = copies if _PER_PARTNER.match(table) else times
    partner = f"(k % {copies})"
    listed = ", ".join(
        _suffixed(name, partner if name in _PARTNER_COLUMNS else "k") for name in columns
    )
    rows = f"{source}, range({number}) as copy(k)"
    return f"create table {schema}.{table} as select {listed} from {rows}"


def _suffixed(name: str, number: str) -> str:
    quoted = f'"{name}"'
    is_id = name.endswith(("_id", "_key")) or name == "lost_to"
    if not is_id or name in _SHARED_COLUMNS:
        return quoted
    # The first copy keeps its ids, so that the demo's people find theirs.
    return f"case when {number} = 0 then {quoted} else {quoted} || '_' || {number} end as {quoted}"


def _measure(name: str, home: Path) -> WebTiming:
    pointer = json.loads((home / "serving" / "current.json").read_text())
    snapshot = home / "serving" / pointer["path"]
    with duckdb.connect(str(snapshot), read_only=True) as connection:
        partners, lines = (
            connection.execute(f"select count(*) from marts.{table}").fetchone()[0]
            for table in ("dim_partners", "fct_commission_lines")
        )
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "orchestration.cli", "serve", "--demo", "--port", "0",
         "--home", str(home), "--program", str(ROOT / "program")],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    try:
        url = re.search(r"http://\S+", process.stdout.readline()).group()
        people = {who: _signed_in(url, who) for who in (STAFF, PARTNER)}
        start_seconds = time.monotonic() - started
        pages = tuple(_cost(people[who], url, path) for who, path in PAGES)
        peak_mb = _peak_mb(process.pid)
    finally:
        process.terminate()
        process.wait()
    return WebTiming(
        name, partners, lines, snapshot.stat().st_size // 1024**2, start_seconds, pages, peak_mb,
        os.getloadavg()[0],
    )  # fmt: skip


def _signed_in(url: str, who: str) -> requests.Session:
    session = requests.Session()
    for _ in range(100):
        try:
            session.get(f"{url}/alive", timeout=5)
            break
        except requests.ConnectionError:
            time.sleep(0.1)
    answer = session.post(
        f"{url}/sign-in/demo", {"subject": who}, allow_redirects=False, timeout=60
    )
    if answer.status_code != 303:  # noqa: PLR2004  (see other)
        raise SystemExit(f"nobody could sign in as {who}: {answer.status_code}")
    return session


def _cost(session: requests.Session, url: str, path: str) -> PageCost:
    seconds = []
    for _ in range(1 + WARM_TIMES):
        started = time.perf_counter()
        answer = session.get(url + path, timeout=300)
        seconds.append(time.perf_counter() - started)
        if answer.status_code != 200:  # noqa: PLR2004  (fine)
            raise SystemExit(f"{path} answered {answer.status_code}")
    return PageCost(
        path, seconds[0], statistics.median(seconds[1:]), len(answer.content),
        len(gzip.compress(answer.content)),
    )  # fmt: skip


def _peak_mb(pid: int) -> int:
    text = (Path("/proc") / str(pid) / "status").read_text(encoding="ascii")
    return int(re.search(r"VmHWM:\s+(\d+)", text).group(1)) // 1024
