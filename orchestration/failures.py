"""Turn what goes wrong in a step into one clear error; the rooms' own errors pass unchanged.

What does not belong here: catching. Only `Night.step` calls this.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.errors import (
    DiskFullError,
    OrchestrationError,
    StepError,
    StreamsFailedError,
)

if TYPE_CHECKING:
    from ingest.report import StreamReport

_ROOM_PACKAGES = ("orchestration.", "ingest.", "payouts.", "program.", "dashboards.")


def clear_error(error: Exception, step: str, home: Path) -> Exception:
    """The error to show: the same one when a room raised it knowingly, else a wrapped one."""
    if isinstance(error, OrchestrationError):
        error.step = error.step or step
        return error
    if type(error).__module__.startswith(_ROOM_PACKAGES):
        return error
    text = " ".join(str(error).split())
    if _is_disk_full(error, text):
        return DiskFullError(
            f"The disk of {home} is full (step {step})",
            "Free some space and run again; nothing is half-posted.",
            step,
        )
    if type(error).__name__ == "OutOfMemoryException":
        return StepError(
            f"DuckDB ran out of memory in step {step}",
            "Give it more with PARTNERLEDGER_MEMORY_LIMIT, or more spill space with "
            "PARTNERLEDGER_MAX_TEMP_SIZE, then run again.",
            step,
        )
    return StepError(
        f"Step {step} failed: {type(error).__name__}: {text[:500]}",
        f"The traceback is in {home / 'logs' / 'night.log'}; nothing is half-posted.",
        step,
    )


def streams_error(failed: Sequence[StreamReport]) -> StreamsFailedError:
    """One line about all streams that failed: the first in full, the others by name.

    failed: those that stop the night first.
    """
    first = failed[0]
    others = ", ".join(f"{stream.source}/{stream.stream}" for stream in failed[1:])
    also = f" Also failed: {others}." if others else ""
    return StreamsFailedError(
        f"Source {first.source}, stream {first.stream}: {first.message.rstrip('.')}; nothing was "
        f"posted, the last snapshot stays published.{also}",
        first.what_to_do,
        step="ingest",
    )


def _is_disk_full(error: Exception, text: str) -> bool:
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return True
    # As the file system, SQLite and DuckDB say it.
    said = text.lower()
    return any(
        words in said
        for words in ("no space left on device", "database or disk is full", "disk i/o error")
    )
