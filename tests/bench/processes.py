"""A command in a process of its own: wall time, CPU time and peak memory of its whole tree."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
_SAMPLE_SECONDS = 0.1
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_MB = 1024 * 1024


@dataclass(frozen=True)
class Usage:
    """What one command took. peak_mb: resident memory of the process and its children together, by
    samples, and at the least what the system says of the largest of them."""

    wall_seconds: float
    cpu_seconds: float
    peak_mb: int


def run_measured(
    command: Sequence[str], output: Path, variables: Mapping[str, str] | None = None
) -> Usage:
    """Run a command from the project's root, its standard output into a file.

    Raises: SystemExit when it fails; what it says stands above.
    """
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": ""} | dict(variables or {})
    started = time.monotonic()
    with output.open("wb") as file:
        process = subprocess.Popen(command, cwd=ROOT, stdout=file, env=environment)
        watch = _Watch(process.pid)
        watch.start()
        _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    watch.stop()
    if status:
        raise SystemExit(f"{' '.join(command)} failed; its line stands above")
    return Usage(
        wall,
        usage.ru_utime + usage.ru_stime,
        max(watch.peak_bytes // _MB, usage.ru_maxrss // 1024),
    )


class _Watch(threading.Thread):
    """Samples the resident memory of a process and everything it started."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.peak_bytes = 0
        self._pid = pid
        self._done = threading.Event()

    def run(self) -> None:
        while not self._done.wait(_SAMPLE_SECONDS):
            self.peak_bytes = max(self.peak_bytes, _tree_bytes(self._pid))

    def stop(self) -> None:
        """End sampling."""
        self._done.set()
        self.join()


def _tree_bytes(pid: int) -> int:
    """Resident bytes of a process and its descendants; 0 for what is gone meanwhile."""
    folder = Path("/proc") / str(pid)
    try:
        resident = int((folder / "statm").read_text(encoding="ascii").split()[1])
        children = [
            int(child)
            for task in (folder / "task").iterdir()
            for child in (task / "children").read_text(encoding="ascii").split()
        ]
    except OSError:
        return 0
    return resident * _PAGE_BYTES + sum(_tree_bytes(child) for child in children)
