"""How fresh each stream is: the report of the last ingest, and what landed before it.

For readers, cheaply: of each stream the newest manifests only, never what landed. What does not
belong here: whether a stream stops the night (`streams`), proofs of the landing
(`ingest.landing_admin`).
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median_low
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ingest.manifest import Landing
    from program.load import Workspace

Record = dict[str, Any]
COMPARED_DAYS = 7
# A stream that is pulled more often than that is compared with fewer days.
_MANIFESTS_READ = 24


def stream_freshness(home: Path, workspace: Workspace) -> list[Record]:
    """One record per stream that was ever read or is asked for, by source and stream.

    pulled_at: of the last try, naive UTC, None if never; status, message, what_to_do: how it went.
    changed_at, rows: the newest landing that brought rows; usual_rows: the middle one of those in
    the seven days before it, None without any. freshness_hours: how old the last try may be.
    """
    from ingest.run import declared_streams

    told = {(row["source"], row["stream"]): row for row in _report(home)}
    declared = {(each.source, each.stream): each for each in declared_streams(workspace)}
    records = []
    for key in sorted(told.keys() | declared.keys()):
        source, stream = key
        row = told.get(key, {})
        landings = _newest(home, source, stream)
        if not row and not landings:
            # Asked for, and never delivered: of the files source that is most entities.
            continue
        hours = declared[key].freshness_hours if key in declared else None
        records.append(
            {
                "source": source,
                "stream": stream,
                "status": row.get("status", "never"),
                "pulled_at": _instant(row.get("pulled_at")),
                "rows_rejected": row.get("rows_rejected"),
                "message": row.get("message", ""),
                "what_to_do": row.get("what_to_do", ""),
                "freshness_hours": hours,
                **_changes(landings),
            }
        )
    return records


def _report(home: Path) -> list[Record]:
    from ingest.landing import landing_root
    from ingest.run import REPORT_NAME

    try:
        rows = json.loads((landing_root(home) / REPORT_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [row for row in rows if isinstance(row, dict) and "source" in row and "stream" in row]


def _newest(home: Path, source: str, stream: str) -> list[Landing]:
    """The newest landings of a stream that brought rows, newest first."""
    from ingest.errors import LandingDamagedError
    from ingest.landing import landing_root
    from ingest.manifest import read_manifest

    folder = landing_root(home) / source / stream
    names = sorted((each for each in folder.glob("*") if each.name.isdigit()), reverse=True)
    found = []
    for directory in names[:_MANIFESTS_READ]:
        try:
            landing = read_manifest(directory)
        except LandingDamagedError:
            # `partnerledger landing verify` names it; the others still tell how fresh we are.
            continue
        if landing is not None and landing.is_final and landing.rows:
            found.append(landing)
    return found


def _changes(landings: list[Landing]) -> Record:
    if not landings:
        return {"changed_at": None, "rows": None, "usual_rows": None}
    newest = landings[0]
    since = newest.started_at - timedelta(days=COMPARED_DAYS)
    before = [each.rows for each in landings[1:] if each.started_at >= since]
    return {
        "changed_at": newest.started_at,
        "rows": newest.rows,
        "usual_rows": median_low(before) if before else None,
    }


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
