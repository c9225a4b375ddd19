"""The whole suite in two processes side by side, one a core: `make test`.

One runs what needs neither dbt nor Dagster, the other the nights and everything that shares their
one dbt project on disk. Each file belongs to exactly one of them. Arguments go to both pytests.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

TESTS = Path(__file__).resolve().parent
PURE = (
    "tests/faults",
    *sorted(
        f"tests/unit/{each.name}"
        for each in (TESTS / "unit").iterdir()
        if each.is_dir() and each.name not in ("orchestration", "__pycache__")
    ),
)
"""Folders without dbt and Dagster; all other tests are the other half."""


def commands(arguments: list[str]) -> tuple[list[str], list[str]]:
    """The two command lines."""
    pytest = [sys.executable, "-m", "pytest", *arguments]
    others = [f"--ignore={each}" for each in PURE]
    return [*pytest, *PURE], [*pytest, *others]


def main() -> int:
    """Run both; the status of the first that failed, else 0."""
    pure, nights = commands(sys.argv[1:])
    with tempfile.TemporaryFile("w+") as kept:
        beside = subprocess.Popen(
            [*pure, "-p", "no:cacheprovider"],
            cwd=TESTS.parent,
            stdout=kept,
            stderr=subprocess.STDOUT,
        )
        try:
            status = subprocess.run(nights, cwd=TESTS.parent, check=False).returncode
            beside.wait()
        finally:
            beside.kill()
            beside.wait()
        kept.seek(0)
        sys.stdout.write(kept.read())
    return status or beside.returncode


if __name__ == "__main__":
    sys.exit(main())
