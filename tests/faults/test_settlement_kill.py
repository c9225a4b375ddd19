"""T13, T17: kill -9 at every point of settling and aborting; two processes at once.

Each killed step is killed twice and then run to its end. Afterwards every balance was restored
exactly once, every check of ``verify`` holds, and no half-written file is left. SQLite runs with
``synchronous=FULL`` here.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from settlement_worker import SettledWorld, act  # noqa: E402

from payouts.journal import segment_paths  # noqa: E402

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "payouts" / "settlement"))

from bank_files import Move, camt, end_to_end  # noqa: E402

pytestmark = pytest.mark.faults
WORKER = Path(__file__).parent / "settlement_worker.py"
BEN, CAT = "ben@acme.example", "cat@acme.example"
SEGMENT_POINTS = [f"segment_{step}" for step in ("written", "synced", "renamed")]


@pytest.fixture(scope="module")
def first_home(tmp_path_factory) -> Path:
    """A home with an exported batch, made once."""
    world = SettledWorld.create(tmp_path_factory.mktemp("first") / "home", synchronous="FULL")
    world.store.close()
    return world.home


@pytest.fixture
def home(first_home: Path, tmp_path: Path) -> Path:
    """A copy of it, with a file in which one payout settles and one comes back."""
    home = Path(shutil.copytree(first_home, tmp_path / "home"))
    world = SettledWorld.reopen(home)
    moves = [
        Move(end_to_end(world.payouts["p_1"]), "150.00"),
        Move(end_to_end(world.payouts["p_2"]), "70.00", True, "AC04", "2026-03-19"),
    ]
    (tmp_path / "bank.xml").write_bytes(camt(moves))
    world.store.close()
    return home


def _command(home: Path, *arguments: str) -> list[str]:
    return [sys.executable, str(WORKER), str(home), *arguments]


def _kill_twice(home: Path, point: str, *arguments: str) -> None:
    for attempt in range(2):
        done = subprocess.run(
            _command(home, *arguments, "--kill", point), capture_output=True, check=False
        )
        # After a committed step the second attempt has nothing left to be killed in.
        is_over = attempt == 1 and point.endswith("after_commit")
        assert is_over or done.returncode == -signal.SIGKILL, done.stderr.decode()


def _whole(world: SettledWorld) -> None:
    assert world.broken() == []
    assert list(world.home.rglob("*.part")) == []
    registered = {path.name for path in segment_paths(world.store, world.home)}
    assert {path.name for path in (world.home / "journal").glob("segment*")} == registered


@pytest.mark.parametrize(
    "point", [*SEGMENT_POINTS, "settlement_before_commit", "settlement_after_commit"]
)
def test_settling_killed_at_every_point_restores_once(home, tmp_path, point):
    file = str(tmp_path / "bank.xml")
    _kill_twice(home, point, "settle", file)
    world = SettledWorld.reopen(home)
    expected = "known 0" if point == "settlement_after_commit" else "new 2"
    assert act(world, "settle", [file]) == expected
    assert world.states() == {"p_1": "settled", "p_2": "returned", "p_3": "sent"}
    assert world.balances() == {"p_1": 0, "p_2": 7000, "p_3": 0}
    assert act(world, "settle", [file]) == "known 0"
    _whole(world)


@pytest.mark.parametrize("point", [*SEGMENT_POINTS, "abort_before_commit", "abort_after_commit"])
def test_abort_killed_at_every_point_restores_once(home, point):
    world = SettledWorld.reopen(home)
    world.request_abort(BEN)
    world.store.close()
    _kill_twice(home, point, "abort", CAT)
    world = SettledWorld.reopen(home)
    expected = "aborted 0" if point == "abort_after_commit" else "aborted 28000"
    assert act(world, "abort", [CAT]) == expected
    assert world.balances() == {"p_1": 15000, "p_2": 7000, "p_3": 6000}
    assert list(home.glob("exports/*/payouts.csv")) == []
    _whole(world)


def test_two_processes_settling_one_file_at_once_restore_once(home, tmp_path):
    start = tmp_path / "go"
    running = [
        subprocess.Popen(
            _command(home, "settle", str(tmp_path / "bank.xml"), "--wait", str(start)),
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    while len(list(tmp_path.glob("go.*"))) < 2:
        assert all(worker.poll() is None for worker in running)
        time.sleep(0.01)
    start.touch()
    printed = sorted(worker.communicate(timeout=60)[0].strip() for worker in running)
    assert printed == ["known 0", "new 2"]
    world = SettledWorld.reopen(home)
    assert world.balances() == {"p_1": 0, "p_2": 7000, "p_3": 0}
    _whole(world)
