"""T13, T17: kill -9 at every point of posting, proposing and exporting; two processes at once.

Each killed step is killed twice and then run to its end. Afterwards there is exactly one result,
every check of ``verify`` holds, and no half-written file is left. SQLite runs with
``synchronous=FULL`` here.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from payouts_worker import act, open_world  # noqa: E402

from payouts.errors import PayoutsError  # noqa: E402
from payouts.journal import segment_paths  # noqa: E402
from payouts.records import list_batches  # noqa: E402
from payouts.verify import verify  # noqa: E402

pytestmark = pytest.mark.faults
WORKER = Path(__file__).parent / "payouts_worker.py"
ANA, BEN, CAT = "ana@acme.example", "ben@acme.example", "cat@acme.example"
FILE_STEPS = ("written", "synced", "renamed")


def _command(home: Path, *arguments: str) -> list[str]:
    return [sys.executable, str(WORKER), str(home), *arguments]


@pytest.fixture(scope="module")
def workers() -> Iterator[subprocess.Popen[str]]:
    """Starts a process for each line that it is told."""
    command = [sys.executable, str(WORKER), "--serve"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as serving:
        yield serving
        serving.stdin.close()


@pytest.fixture
def kill_twice(workers: subprocess.Popen[str]) -> Callable[..., None]:
    """Twice, do something in a process of its own that is killed at a point."""

    def _kill_twice(home: Path, point: str, *arguments: str) -> None:
        for attempt in range(2):
            told = json.dumps([str(home), *arguments, "--kill", point])
            workers.stdin.write(f"{told}\n")
            status = int(workers.stdout.readline())
            # After a committed step the second attempt has nothing left to be killed in.
            is_over = attempt == 1 and point.endswith("after_commit")
            assert is_over or status == -signal.SIGKILL

    return _kill_twice


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with one ready payee and nothing posted."""
    world = open_world(tmp_path / "home")
    world.ready_payee("p_1")
    world.store.close()
    return tmp_path / "home"


def _settled(home: Path) -> None:
    world = open_world(home)
    broken = [finding for finding in verify(home, warehouse=world.warehouse) if not finding.ok]
    assert broken == []
    assert list(home.rglob("*.part")) == []
    registered = {path.name for path in segment_paths(world.store, home)}
    assert {path.name for path in (home / "journal").glob("segment*")} == registered


def _until(home: Path, *steps: tuple[str, ...]) -> None:
    world = open_world(home)
    for action, *arguments in steps:
        act(world, action, arguments)
        world.refresh()
    world.store.close()


@pytest.mark.parametrize(
    "point",
    [f"segment_{step}" for step in FILE_STEPS] + ["posting_before_commit", "posting_after_commit"],
)
def test_posting_killed_at_every_point_posts_once(home, point, kill_twice):
    kill_twice(home, point, "post", "r1")
    world = open_world(home)
    rows = world.post(run_id="r2").rows
    assert rows == (0 if point == "posting_after_commit" else 50)
    total = world.warehouse.execute("select count(*) from raw.journal__entries").fetchone()
    assert total == (50,)
    assert len(segment_paths(world.store, home)) == 1
    _settled(home)


@pytest.mark.parametrize(
    "point",
    [f"claims_{step}" for step in FILE_STEPS]
    + [f"manifest_{step}" for step in FILE_STEPS]
    + ["claims_published", "proposal_before_commit", "proposal_after_commit"],
)
def test_proposal_killed_at_every_point_proposes_once(home, point, kill_twice):
    _until(home, ("post", "r1"))
    kill_twice(home, point, "propose")
    world = open_world(home)
    world.propose()
    with world.store.read() as connection:
        assert [batch.items for batch in list_batches(connection)] == [1]
    if not point.endswith("after_commit"):
        assert list((home / "exports").glob("*")) == []
    _settled(home)


@pytest.mark.parametrize(
    "point",
    [f"export_file_{step}" for step in FILE_STEPS]
    + [f"segment_{step}" for step in FILE_STEPS]
    + [f"export_manifest_{step}" for step in FILE_STEPS]
    + ["export_before_commit", "export_after_commit"],
)
def test_export_killed_at_every_point_exports_once(home, point, kill_twice):
    _until(
        home, ("post", "r1"), ("propose",),
        ("approve", ANA, "partnerships"), ("approve", BEN, "finance"),
    )  # fmt: skip
    kill_twice(home, point, "export")
    world = open_world(home)
    assert act(world, "export", []) == (
        "exported again" if point == "export_after_commit" else "exported new"
    )
    (path,) = home.glob("exports/*/payouts.csv")
    before = path.read_bytes()
    assert act(world, "export", []) == "exported again"
    assert path.read_bytes() == before
    world.refresh()
    payouts = world.warehouse.execute(
        "select count(*), sum(amount_minor) from raw.journal__entries where entry_kind = 'payout'"
    ).fetchone()
    assert payouts == (1, -sum(6000 + number for number in range(50)))
    _settled(home)


def _race(home: Path, tmp_path: Path, *commands: tuple[str, ...]) -> list[str]:
    """Run commands at the same moment; what each printed, sorted."""
    start = tmp_path / "go"
    running = [
        subprocess.Popen(
            _command(home, *command, "--wait", str(start)), stdout=subprocess.PIPE, text=True
        )
        for command in commands
    ]
    while len(list(tmp_path.glob("go.*"))) < len(commands):
        assert all(worker.poll() is None for worker in running)
        time.sleep(0.01)
    start.touch()
    return sorted(worker.communicate(timeout=60)[0].strip() for worker in running)


def test_two_processes_approving_at_once_one_wins(home, tmp_path):
    _until(home, ("post", "r1"), ("propose",))
    printed = _race(
        home, tmp_path, ("approve", ANA, "partnerships"), ("approve", CAT, "partnerships")
    )
    assert printed == ["DecisionRefusedError", "partnerships_approved"]
    _settled(home)


def test_two_processes_exporting_at_once_one_posts(home, tmp_path):
    _until(
        home, ("post", "r1"), ("propose",),
        ("approve", ANA, "partnerships"), ("approve", BEN, "finance"),
    )  # fmt: skip
    assert _race(home, tmp_path, ("export",), ("export",)) == ["exported again", "exported new"]
    _settled(home)


def test_two_processes_proposing_at_once_claim_once(home, tmp_path):
    _until(home, ("post", "r1"))
    printed = _race(home, tmp_path, ("propose",), ("propose",))
    assert "proposed 1" in printed
    world = open_world(home)
    with world.store.read() as connection:
        assert len(list_batches(connection)) == 1
    _settled(home)


def test_two_processes_posting_at_once_post_once(home, tmp_path):
    printed = _race(home, tmp_path, ("post", "r1"), ("post", "r2"))
    assert "posted 50" in printed
    assert printed.count("posted 50") == 1
    world = open_world(home)
    assert len(segment_paths(world.store, home)) == 1
    _settled(home)


def test_read_only_folder_exports_nothing_then_recovers(home, monkeypatch):
    """T18: the disk refuses the payout file."""
    import payouts.durable as durable

    _until(
        home, ("post", "r1"), ("propose",),
        ("approve", ANA, "partnerships"), ("approve", BEN, "finance"),
    )  # fmt: skip
    world = open_world(home)

    def refuse(*_arguments, **_options):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(durable.os, "open", refuse)
        with pytest.raises(PayoutsError, match="No space left on device.*run the same command"):
            act(world, "export", [])
    assert len(segment_paths(world.store, home)) == 1
    assert act(world, "export", []) == "exported new"
    _settled(home)
