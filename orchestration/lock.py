"""One night at a time per home: an operating-system file lock, released when its holder dies.

What does not belong here: locks of the control database (its own transactions) and the pools of
Dagster, which bind only the runs of one Dagster instance.
"""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from orchestration.errors import NightBusyError

LOCK_NAME = "night.lock"
HOLDER_NAME = "night.lock.json"
# Personal data or payouts: for the user who runs the night alone. `serving` is for readers.
PRIVATE_FOLDERS = ("landing", "journal", "warehouse", "batches", "exports", "dagster", "logs")


class NightLock:
    """Holds HOME/night.lock; who holds it is written beside it for the message of the next one."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._lock = FileLock(str(home / LOCK_NAME), timeout=0, thread_local=False)

    def acquire(self, started_at: datetime) -> None:
        """Take the lock at once or not at all.

        Raises: NightBusyError naming the holder's process and start.
        """
        self.home.mkdir(parents=True, exist_ok=True)
        _make_private_folders(self.home)
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            raise NightBusyError(
                f"Another night is running in {self.home}{self._describe_holder()}",
                "Wait until it is done, or stop that process, then run again.",
            ) from None
        holder = {"pid": os.getpid(), "started_at": started_at.isoformat(timespec="seconds")}
        (self.home / HOLDER_NAME).write_text(json.dumps(holder), encoding="utf-8")

    def release(self) -> None:
        """Give the lock back. Safe to call twice."""
        if self._lock.is_locked:
            (self.home / HOLDER_NAME).unlink(missing_ok=True)
            self._lock.release()

    def _describe_holder(self) -> str:
        # Best effort: the holder may be just about to write or to remove the file.
        try:
            holder = json.loads((self.home / HOLDER_NAME).read_text(encoding="utf-8"))
            return f" (process {holder['pid']}, since {holder['started_at']} UTC)"
        except (OSError, ValueError, KeyError, TypeError):
            return ""


def is_night_running(home: Path) -> bool:
    """Whether the process that a home names as its night's is alive; never touches the lock."""
    try:
        holder = json.loads((home / HOLDER_NAME).read_text(encoding="utf-8"))
        os.kill(int(holder["pid"]), 0)
    except PermissionError:
        return True
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return True


def _make_private_folders(home: Path) -> None:
    """Create the folders of a home that others must not read, 0700."""
    for name in PRIVATE_FOLDERS:
        folder = home / name
        folder.mkdir(exist_ok=True)
        folder.chmod(0o700)
