"""A process of its own that settles a file or aborts a batch, and may be killed at a point.

Usage: settlement_worker.py HOME ACTION [--kill POINT] [--wait FILE] [ARGUMENT…]
Actions: settle FILE, abort PERSON. Prints what it did, or the class of the error that refused it.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [
    str(ROOT),
    str(ROOT / "tests" / "unit" / "payouts"),
    str(ROOT / "tests" / "unit" / "payouts" / "settlement"),
]

from settled_world import SettledWorld  # noqa: E402

from payouts import checkpoints  # noqa: E402
from payouts.errors import PayoutsError  # noqa: E402


def act(world: SettledWorld, action: str, arguments: list[str]) -> str:
    """Do one thing and say what came of it."""
    if action == "settle":
        path = Path(arguments[0])
        result = world.read(path.read_bytes(), path.name)
        return f"{'new' if result.is_new else 'known'} {sum(result.outcomes.values())}"
    result = world.abort(arguments[0])
    return f"{result.state} {result.returned_amount_minor}"


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
    world = SettledWorld.reopen(options.home, synchronous="FULL")
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
