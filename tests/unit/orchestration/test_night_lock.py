"""The lock of a home: one holder, a clear refusal, free again when the holder dies."""

import subprocess
import sys
from datetime import datetime

import pytest

from orchestration.errors import NightBusyError
from orchestration.lock import HOLDER_NAME, NightLock

STARTED = datetime(2026, 3, 1, 2, 0, 0)


def test_lock_held_refuses_second_with_one_line(tmp_path):
    first = NightLock(tmp_path)
    first.acquire(STARTED)
    with pytest.raises(NightBusyError) as refusal:
        NightLock(tmp_path).acquire(STARTED)
    text = str(refusal.value)
    assert "2026-03-01T02:00:00" in text
    assert "process" in text
    assert "\n" not in text
    assert refusal.value.retryable
    first.release()


def test_lock_released_can_be_taken_again(tmp_path):
    first = NightLock(tmp_path)
    first.acquire(STARTED)
    first.release()
    first.release()
    assert not (tmp_path / HOLDER_NAME).exists()
    second = NightLock(tmp_path)
    second.acquire(STARTED)
    second.release()


def test_lock_of_killed_process_is_free(tmp_path):
    script = (
        "import sys, datetime, pathlib, time\n"
        "from orchestration.lock import NightLock\n"
        "lock = NightLock(pathlib.Path(sys.argv[1]))\n"
        "lock.acquire(datetime.datetime(2026, 3, 1))\n"
        "print('held', flush=True)\n"
        "time.sleep(60)\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout.readline().strip() == "held"
        with pytest.raises(NightBusyError, match=f"process {holder.pid}"):
            NightLock(tmp_path).acquire(STARTED)
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
    survivor = NightLock(tmp_path)
    survivor.acquire(STARTED)
    survivor.release()


def test_lock_home_keeps_personal_and_payout_folders_private(tmp_path):
    lock = NightLock(tmp_path / "var")
    lock.acquire(datetime(2026, 1, 1))
    lock.release()
    modes = {folder.name: folder.stat().st_mode & 0o777 for folder in (tmp_path / "var").iterdir()}
    for name in ("landing", "warehouse", "exports", "logs"):
        assert modes[name] == 0o700
