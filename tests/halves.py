"""The whole suite in two processes side by side, one a core: `make test`.

Each file belongs to exactly one of them, so that both take about as long: one runs the stories, the
comparisons with the oracle and the unit tests, the other whole nights, SQL and the web app. Each
has a dbt runner of its own; they share the parsed project on disk. Arguments go to both pytests.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from orchestration.warehouse import THREADS_VARIABLE

TESTS = Path(__file__).resolve().parent
FIRST = ("tests/faults", "tests/golden", "tests/properties", "tests/unit")
"""Folders of the first half; all other tests are the other one."""


def commands(arguments: list[str]) -> tuple[list[str], list[str]]:
    """The two command lines."""
    pytest = [sys.executable, "-m", "pytest", *arguments]
    others = [f"--ignore={each}" for each in FIRST]
    return [*pytest, *FIRST], [*pytest, *others]


def main() -> int:
    """Run both; the status of the first that failed, else 0."""
    first, second = commands(sys.argv[1:])
    # Each half has one core: more threads would only take turns.
    environment = {THREADS_VARIABLE: "1", **os.environ}
    with tempfile.TemporaryFile("w+") as kept:
        beside = subprocess.Popen(
            [*first, "-p", "no:cacheprovider"],
            cwd=TESTS.parent,
            env=environment,
            stdout=kept,
            stderr=subprocess.STDOUT,
        )
        try:
            status = subprocess.run(
                second, cwd=TESTS.parent, env=environment, check=False
            ).returncode
            beside.wait()
        finally:
            beside.kill()
            beside.wait()
        kept.seek(0)
        sys.stdout.write(kept.read())
    return status or beside.returncode


if __name__ == "__main__":
    sys.exit(main())
