"""A process of its own that lands, re-reads or prunes, and dies by SIGKILL at a point.

Usage: landing_worker.py ROOT ADDRESS ACTION [POINT NUMBER]
ROOT: folder with `home` and `drop`. ADDRESS: of a fake Stripe. ACTION: pull, files, reread, prune.
POINT: see `POINTS`; the process dies there the NUMBER-th time that it comes by.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

# A script's path holds its own folder only; the rooms are elsewhere.
sys.path.insert(0, str(Path(__file__).parents[2]))

import ingest.landing  # noqa: E402
import ingest.objects  # noqa: E402
import ingest.reread  # noqa: E402
import ingest.run  # noqa: E402
from ingest.generation import Generation  # noqa: E402
from ingest.landing import LandingStore, LandingWriter  # noqa: E402
from ingest.retention import find_prunable, prune  # noqa: E402

ingest.objects.GROUP_BYTES = 1
NOW = datetime(2026, 3, 1)
DAYS = 30


def die() -> None:
    """End at once, as `kill -9` does: no handler, no buffer, no lock is given back."""
    os.kill(os.getpid(), signal.SIGKILL)


def tear_line(path: Path, line: bytes) -> None:
    """Append half a record, then die."""
    with path.open("ab") as opened:
        opened.write(line[: len(line) // 2])
        opened.flush()
    die()


def tear_part(path: Path, content: bytes) -> None:
    """Write half a part, then die."""
    with path.open("wb") as opened:
        opened.write(content[: len(content) // 2])
        opened.flush()
    die()


def tear_rows(slicer: Any, relation: str, *_: Any, **__: Any) -> None:
    """Leave a half-written file of rows, then die."""
    slicer._writer.temporary_path(f"{relation}-00009.parquet").write_bytes(b"PAR1")
    die()


def die_before(*_: Any, **__: Any) -> None:
    """Die instead of what should happen."""
    die()


# Point → what is patched, and what happens there instead.
POINTS: dict[str, tuple[Any, str, Callable[..., None]]] = {
    "half a part": (Path, "write_bytes", tear_part),
    "a part is written": (LandingWriter, "commit_part", die_before),
    "a part has its name": (LandingWriter, "append", die_before),
    "half a record": (ingest.landing, "append_durably", tear_line),
    "half a file of rows": (ingest.objects._Slicer, "_write", tear_rows),
    "the final record": (LandingWriter, "finalise", die_before),
    "a part is read again": (Generation, "commit_part", die_before),
    "all is read again": (Generation, "put_in_force", die_before),
    "a file goes": (Path, "unlink", die_before),
    "a folder goes": (shutil, "rmtree", die_before),
}


def arm(point: str, number: int) -> None:
    """Die when the point is reached for the NUMBER-th time."""
    owner, name, instead = POINTS[point]
    real, calls = getattr(owner, name), []

    def patched(*given: Any, **named: Any) -> Any:
        calls.append(name)
        return (instead if len(calls) == number else real)(*given, **named)

    setattr(owner, name, patched)


def workspace(root: Path, address: str) -> Any:
    """One Stripe source and one drop folder."""
    stripe = SimpleNamespace(
        kind="stripe", base_url=address, api_key_env="TEST_STRIPE_KEY", api_version="1",
        streams=("customers",), timeout_seconds=30, overlap_hours=1, changes="full_list",
        created_windows=False, full_scan_days=30, webhooks=None,
    )  # fmt: skip
    files = SimpleNamespace(kind="files", path="drop", formats={})
    return SimpleNamespace(root=root, sources={"billing": stripe, "drop": files})


def act(root: Path, address: str, action: str, now: datetime = NOW) -> None:
    """Do one thing with small parts, so that there are many points to die at."""
    terms, home = workspace(root, address), root / "home"
    if action in ("pull", "files"):
        options = ingest.run.PullOptions
        ingest.run.PullOptions = lambda *given: replace(options(*given), part_pages=2)
        try:
            name = "billing" if action == "pull" else "drop"
            report = ingest.run.ingest(terms, home, [name], now=now)
        finally:
            ingest.run.PullOptions = options
        assert not report.failed, report.failed
        return
    with LandingStore(home) as store:
        if action == "prune":
            found = find_prunable(store, DAYS, now=now)
            prune(store, found, now=now)
        else:
            found = ingest.reread.reread(terms, store, now=now)
            assert not any(each.errors for each in found), found


def slice_by_name() -> None:
    """As a fix would: customers get a parent, so that every row is made anew."""
    real = ingest.objects.write_objects

    def changed(writer: Any, records: Any, earlier: Any, is_full: bool) -> Any:
        return real(writer, [replace(each, parent="name") for each in records], earlier, is_full)

    ingest.reread.write_objects = changed


if __name__ == "__main__":
    folder, server, task, *death = sys.argv[1:]
    slice_by_name()
    if death:
        arm(death[0], int(death[1]))
    act(Path(folder), server, task)
