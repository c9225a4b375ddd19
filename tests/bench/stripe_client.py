"""What one client process does in the pull benchmark; prints its own cost as JSON.

`python -m tests.bench.stripe_client limit|pull ADDRESS FOLDER`. `limit` is GET plus JSON decoding
and nothing else. `pull` is the product's ingest of one stream into FOLDER.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.bench.nights import ROOT

KEY = "PARTNERLEDGER_BENCH_STRIPE_KEY"


def read_all(base_url: str) -> dict[str, Any]:
    """Every page of the list, decoded."""
    import orjson
    import requests

    rows, last = 0, None
    with requests.Session() as session:
        session.trust_env = False
        while True:
            parameters = {"limit": 100} | ({"starting_after": last} if last else {})
            answer = session.get(f"{base_url}/v1/invoices", params=parameters, timeout=60)
            page = orjson.loads(answer.content)
            rows += len(page["data"])
            if not page["has_more"]:
                return {"rows": rows}
            last = page["data"][-1]["id"]


def pull(base_url: str, folder: Path) -> dict[str, Any]:
    """Ingest the invoices; how much of it was slicing the landed pages into rows."""
    import ingest.pull
    from ingest.run import ingest as land
    from program.load import load_workspace

    os.environ[KEY] = "rk_test_bench"
    program = folder / "program"
    program.mkdir(parents=True, exist_ok=True)
    terms = (ROOT / "program" / "program.yml").read_text(encoding="utf-8")
    (program / "program.yml").write_text(terms, encoding="utf-8")
    (program / "sources.yml").write_text(
        f"sources: {{billing: {{kind: stripe, base_url: '{base_url}', api_key_env: {KEY}, "
        "streams: [invoices], changes: full_list, created_windows: false}}\n",
        encoding="utf-8",
    )
    slicing: dict[str, float] = {}
    write_objects = ingest.pull.write_objects

    def timed(*given: Any, **named: Any) -> Any:
        cpu, wall = time.process_time(), time.monotonic()
        written = write_objects(*given, **named)
        slicing["rows_cpu_seconds"] = time.process_time() - cpu
        slicing["rows_wall_seconds"] = time.monotonic() - wall
        return written

    ingest.pull.write_objects = timed
    report = land(load_workspace(program), folder / "home", now=datetime(2026, 12, 31, 3, 0))
    failed = [stream.message for stream in report.streams if stream.status == "failed"]
    if failed:
        raise SystemExit(f"the pull failed: {failed[0]}")
    return {"rows": report.rows_landed, **slicing}


def main() -> None:
    """Do what the first argument says, and tell its cost without the imports."""
    what, base_url, folder = sys.argv[1:]
    if what == "limit":
        import orjson  # noqa: F401
        import requests  # noqa: F401
    else:
        import duckdb  # noqa: F401
        import requests  # noqa: F401

        import ingest.run

        ingest.run.load_connector("stripe")
    cpu, wall = time.process_time(), time.monotonic()
    told = read_all(base_url) if what == "limit" else pull(base_url, Path(folder))
    told |= {
        "cpu_seconds": time.process_time() - cpu,
        "wall_seconds": time.monotonic() - wall,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
