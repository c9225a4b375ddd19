"""A process of its own that posts, proposes, approves or exports, and may be killed at a point.

Usage: payouts_worker.py HOME ACTION [--kill POINT] [--wait FILE] [ARGUMENT…]
Prints one line: what it did, or the class of the error that refused it.

Usage: payouts_worker.py --serve
Starts a process for each line of its input, a JSON list of the arguments above, and answers how it
ended: its exit status, minus the signal that killed it. Nothing is loaded anew for each.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

# A script's path holds its own folder only; the rooms and the test world are elsewhere.
ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "unit" / "payouts")]

from payout_world import World, entry, new_warehouse  # noqa: E402

from payouts import checkpoints  # noqa: E402
from payouts.errors import PayoutsError  # noqa: E402
from payouts.records import list_batches  # noqa: E402
from payouts.store import open_store  # noqa: E402


def open_world(home: Path) -> World:
    """An existing home with a warehouse rebuilt from the same facts each time."""
    world = World(home, open_store(home), new_warehouse())
    world.partner("p_1")
    world.desire(*(entry(f"il_{number}", 6000 + number) for number in range(50)))
    world.refresh()
    return world


def act(world: World, action: str, arguments: list[str]) -> str:
    """Do one thing and say what came of it."""
    if action == "post":
        return f"posted {world.post(run_id=arguments[0]).rows}"
    if action == "propose":
        return f"proposed {len(world.propose())}"
    with world.store.read() as connection:
        batch = list_batches(connection)[0]
    if action == "approve":
        return world.approve(batch, arguments[0], arguments[1]).state
    return f"exported {'new' if world.export(batch).is_new else 'again'}"


def serve() -> None:
    """Answer each line of input; nothing but the loaded modules is shared by the processes."""
    for name in ("pandas", "pyarrow.parquet"):  # DuckDB loads them when it first needs them
        importlib.import_module(name)
    with tempfile.TemporaryDirectory() as folder:  # and the store Alembic
        open_store(Path(folder)).close()
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            # The answers have standard output to themselves.
            os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
            main(json.loads(line))
            sys.stdout.flush()
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def main(arguments: list[str]) -> None:
    """Parse, wait for the start signal, act."""
    parser = argparse.ArgumentParser()
    parser.add_argument("home", type=Path)
    parser.add_argument("action")
    parser.add_argument("arguments", nargs="*")
    parser.add_argument("--kill", default="")
    parser.add_argument("--wait", type=Path)
    options = parser.parse_args(arguments)

    def observe(name: str) -> None:
        if name == options.kill:
            os.kill(os.getpid(), signal.SIGKILL)

    checkpoints.observer = observe
    world = open_world(options.home)
    if options.wait:
        options.wait.with_suffix(f".{os.getpid()}").touch()
        while not options.wait.exists():
            time.sleep(0.002)
    try:
        print(act(world, options.action, options.arguments))
    except PayoutsError as error:
        print(type(error).__name__)


if __name__ == "__main__":
    serve() if sys.argv[1:] == ["--serve"] else main(sys.argv[1:])
