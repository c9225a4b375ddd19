"""What is proposed, previewed and exported is held against the file that the night published."""

from __future__ import annotations

import hashlib
import json
import sys
from datetime import datetime

import pytest
from cli_world import REPOSITORY, RUN_ID, write_home

sys.path[:0] = [str(REPOSITORY / "tests" / "unit" / "payouts")]

from payout_world import payable_world  # noqa: E402

from dashboards.errors import SnapshotDamagedError  # noqa: E402
from orchestration import batch_actions  # noqa: E402
from program.load import load_workspace  # noqa: E402

NOW = datetime(2026, 3, 2, 9)


def _publish(home, sha256=None):
    """The pointer with the true hash of the snapshot, or another."""
    serving = home / "serving"
    snapshot = serving / f"{RUN_ID}.duckdb"
    pointer = json.loads((serving / "current.json").read_text())
    pointer["sha256"] = sha256 or hashlib.sha256(snapshot.read_bytes()).hexdigest()
    (serving / "current.json").write_text(json.dumps(pointer))
    return snapshot


@pytest.fixture
def world(tmp_path):
    """A home with a proposed batch and a snapshot that is what the pointer says."""
    made = payable_world(tmp_path / "var", synchronous="OFF")
    made.propose()
    snapshots = write_home(tmp_path / "other")
    (snapshots / "serving").rename(made.home / "serving")
    _publish(made.home)
    return made


def test_unchanged_snapshot_is_opened(world):
    with batch_actions._proven_snapshot(world.home) as warehouse:
        assert warehouse.execute("select run_id from marts.mart_metadata").fetchone() == (RUN_ID,)


@pytest.mark.parametrize("action", ["propose", "export", "preview"])
def test_changed_snapshot_is_refused_with_what_to_do(world, action):
    snapshot = _publish(world.home)
    content = bytearray(snapshot.read_bytes())
    content[-1] ^= 1
    snapshot.chmod(0o600)
    snapshot.write_bytes(content)
    workspace = load_workspace(REPOSITORY / "program")
    with world.store.read() as connection:
        from payouts.records import list_batches

        batch_id = list_batches(connection)[0].batch_id
    with pytest.raises(SnapshotDamagedError, match="Run a night .*partnerledger restore"):
        if action == "propose":
            batch_actions.propose_batches(
                world.store, workspace, world.home, pay_date=None, actor="ana", proposed_at=NOW
            )
        elif action == "export":
            batch_actions.export_approved(
                world.store, workspace, world.home, batch_id, exported_at=NOW
            )
        else:
            batch_actions.preview_approved(
                world.store, workspace, world.home, batch_id, exported_at=NOW
            )
