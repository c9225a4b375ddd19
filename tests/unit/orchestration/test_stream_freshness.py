"""How fresh streams are, from the report of the last ingest and the newest manifests."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest

from ingest.run import REPORT_NAME
from orchestration.cli_common import REPOSITORY
from orchestration.stream_freshness import stream_freshness
from program.load import load_workspace

T0 = datetime(2026, 3, 1, 5)


@pytest.fixture(scope="module")
def workspace():
    return load_workspace(REPOSITORY / "program")


def land(home, stream, arrival, started_at, rows, is_final=True):
    """A manifest as the landing writes it; the parts themselves are not looked at."""
    folder = home / "landing" / "drop" / stream / f"{arrival:010d}"
    folder.mkdir(parents=True)
    records = [
        {"record": "start", "format": 1, "source": "drop", "stream": stream, "kind": "files",
         "arrival": arrival, "started_at": started_at.isoformat(), "settings": {}},
        {"record": "part", "name": "rows.parquet", "role": "rows", "sha256": "0", "size_bytes": 1,
         "rows": rows, "cursor": None, "facts": {}},
    ]  # fmt: skip
    if is_final:
        records.append({"record": "end", "final": True, "totals": {"rows": rows}})
    text = "".join(json.dumps(each) + "\n" for each in records)
    (folder / "manifest.jsonl").write_text(text, encoding="utf-8")
    return folder


def report(home, **row):
    full = {"source": "drop", "stream": "invoices", "status": "ok", "rows_rejected": 0,
            "message": "", "what_to_do": "", "pulled_at": T0.isoformat(), **row}  # fmt: skip
    (home / "landing").mkdir(exist_ok=True)
    (home / "landing" / REPORT_NAME).write_text(json.dumps([full]), encoding="utf-8")


def test_home_without_landing_has_no_stream(tmp_path, workspace):
    assert stream_freshness(tmp_path, workspace) == []


def test_newest_rows_are_compared_with_the_seven_days_before(tmp_path, workspace):
    for arrival, (days, rows) in enumerate([(20, 9000), (7, 100), (3, 300), (1, 200), (0, 50)], 1):
        land(tmp_path, "invoices", arrival, T0 - timedelta(days=days), rows)
    report(tmp_path)
    (row,) = stream_freshness(tmp_path, workspace)
    assert (row["source"], row["stream"], row["status"]) == ("drop", "invoices", "ok")
    assert (row["pulled_at"], row["changed_at"]) == (T0, T0)
    # 100, 200 and 300: the middle one; what is older than seven days is left out.
    assert (row["rows"], row["usual_rows"]) == (50, 200)


def test_what_brought_nothing_or_never_ended_is_no_news(tmp_path, workspace):
    land(tmp_path, "invoices", 1, T0 - timedelta(days=2), 70)
    land(tmp_path, "invoices", 2, T0 - timedelta(days=1), 0)
    land(tmp_path, "invoices", 3, T0, 10, is_final=False)
    report(tmp_path, status="failed", message="it is away", what_to_do="wait")
    (row,) = stream_freshness(tmp_path, workspace)
    assert (row["rows"], row["usual_rows"]) == (70, None)
    assert row["changed_at"] == T0 - timedelta(days=2)
    assert (row["status"], row["message"], row["what_to_do"]) == ("failed", "it is away", "wait")


def test_damaged_manifest_and_report_hide_the_others_not(tmp_path, workspace):
    land(tmp_path, "invoices", 1, T0 - timedelta(days=1), 70)
    folder = land(tmp_path, "invoices", 2, T0, 80)
    (folder / "manifest.jsonl").write_text("no json\n", encoding="utf-8")
    (tmp_path / "landing" / REPORT_NAME).write_text("[{", encoding="utf-8")
    (row,) = stream_freshness(tmp_path, workspace)
    assert (row["status"], row["rows"], row["pulled_at"]) == ("never", 70, None)
