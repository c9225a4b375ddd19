"""How the last night ended, as one small file that readers may look at while a night runs.

Dagster's run history says more, and is slow to open; readers only need to know whether the numbers
that they see are those of a failed night's eve. What does not belong here: run history.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

NAME = "last_night.json"
STARTED, SUCCEEDED, FAILED = "started", "succeeded", "failed"
_MESSAGE_CHARACTERS = 500
_CHECKS_KEPT = 200


def write_last_night(
    home: Path, state: str, run_id: str, as_of: date, at: datetime, message: str = "",
    failed_checks: Sequence[str] = (),
) -> None:  # fmt: skip
    """Replace the file. at: naive UTC. A home that cannot be written to loses no night by it.

    failed_checks: one line each, of checks that failed, blocking or not.
    """
    record = {
        "state": state,
        "run_id": run_id,
        "as_of": as_of.isoformat(),
        "at": at.isoformat(timespec="seconds"),
        "message": " ".join(message.split())[:_MESSAGE_CHARACTERS],
        "failed_checks": [" ".join(each.split()) for each in failed_checks[:_CHECKS_KEPT]],
    }
    part = home / f".{NAME}.part"
    try:
        part.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        os.replace(part, home / NAME)
    except OSError:
        part.unlink(missing_ok=True)


def read_last_night(home: Path) -> dict[str, Any] | None:
    """The record as it was written; None before the first night or for an unreadable file.

    A night that was killed has left ``started`` and holds no lock: it counts as failed.
    """
    from orchestration.lock import is_night_running

    try:
        record = json.loads((home / NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(record, dict) or "state" not in record:
        return None
    if record["state"] == STARTED and not is_night_running(home):
        return {**record, "state": FAILED, "message": "the night was stopped before its end"}
    return record
