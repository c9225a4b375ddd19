"""A process of its own that posts, proposes, approves or exports, and may be killed at a point.

Usage: payouts_worker.py HOME ACTION [--kill POINT] [--wait FILE] [ARGUMENT…]
Prints one line: what it did, or the class of the error that refused it.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
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


def main() -> None:
    """Parse, wait for the start signal, act."""
    parser = argparse.ArgumentParser()
    parser.add_argument("home", type=Path)
    parser.add_argument("action")
    parser.add_argument("arguments", nargs="*")
    parser.add_argument("--kill", default="")
    parser.add_argument("--wait", type=Path)
    options = parser.parse_args()

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
    main()
