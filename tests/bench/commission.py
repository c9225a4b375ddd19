"""The commission engine on a large programme, beside a script written by hand in the same run.

A night is measured as a user runs it: the drop files are landed (on its own), then a full rebuild
of everything from what is landed, then a following night with a hundredth of new and changed
facts. The script (`commission_by_hand.sql`) reads the same drop files, with the threads and the
memory that the night has. Does not belong here: what the facts are (`commission_facts.sql`).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from tests.bench.processes import Usage, run_measured

FOLDER = Path(__file__).resolve().parent
FACTS_SQL = FOLDER / "commission_facts.sql"
BY_HAND_SQL = FOLDER / "commission_by_hand.sql"
PROGRAM = FOLDER / "commission_program.yml"
PLAIN_PROGRAM = FOLDER / "commission_plain.yml"
SOURCES = "sources: {drop: {kind: files, path: drop}}\n"

LEADS, TOUCHES, PARTNERS = 1_000_000, 2_000_000, 500
FEWEST_PARTNERS = 20
TIMEZONE = "America/New_York"
FIRST_AS_OF, SECOND_AS_OF = date(2026, 3, 31), date(2026, 4, 10)
# The ends of these days in TIMEZONE, as naive UTC.
FIRST_END, SECOND_END = datetime(2026, 4, 1, 4), datetime(2026, 4, 11, 4)
SLOWEST = 12
_GENERATOR_MEMORY = "3GB"
_TIMED_MODEL = re.compile(r"OK created sql (?:table|view) model (\S+) .*? in ([0-9.]+)s")


@dataclass(frozen=True)
class NightCost:
    """One night without landing. seconds: wall time by step; models: (name, wall seconds), slowest
    first, two of them at a time."""

    usage: Usage
    posted_entries: int
    seconds: Mapping[str, float]
    models: Sequence[tuple[str, float]]


@dataclass(frozen=True)
class CommissionTiming:
    """first_rows, second_rows: rows of the drop files by entity. by_hand: the least of its runs,
    one before each night and one at the end. sizes_mb: on disk after the last night, the drop
    files before the first. load: of the machine in the last minute."""

    scale: float
    threads: int
    memory_limit: str
    first_rows: Mapping[str, int]
    second_rows: Mapping[str, int]
    landing: Usage
    next_landing: Usage
    by_hand: Usage
    full: NightCost
    following: NightCost
    sizes_mb: Mapping[str, int]
    load: float


def measure_commission(work: Path, scale: float, program: Path = PROGRAM) -> CommissionTiming:
    """Write the facts, land them, run both nights and the script in turn."""
    from orchestration.warehouse import engine_limits

    folder = work / "commission"
    first_rows, second_rows = write_facts(folder, scale)
    workspace, home = write_workspace(folder, program), folder / "home"
    limits = engine_limits(folder)
    sizes = {"drop files": _size_mb(workspace / "drop")}

    landing = _land(workspace, home)
    by_hand = [_by_hand(folder, limits)]
    full = _night(workspace, home, FIRST_AS_OF)
    by_hand.append(_by_hand(folder, limits))
    for path in sorted((folder / "second").iterdir()):
        shutil.copy(path, workspace / "drop" / path.name)
    next_landing = _land(workspace, home)
    following = _night(workspace, home, SECOND_AS_OF)
    by_hand.append(_by_hand(folder, limits))

    for name, place in (
        ("landing", "landing"),
        ("working file", "warehouse/partnerledger.duckdb"),
        ("journal", "journal"),
        ("snapshots", "serving"),
    ):
        sizes[name] = _size_mb(home / place)
    return CommissionTiming(
        scale=scale,
        threads=limits.threads,
        memory_limit=limits.memory_limit,
        first_rows=first_rows,
        second_rows=second_rows,
        landing=landing,
        next_landing=next_landing,
        by_hand=Usage(
            min(each.wall_seconds for each in by_hand),
            min(each.cpu_seconds for each in by_hand),
            max(each.peak_mb for each in by_hand),
        ),
        full=full,
        following=following,
        sizes_mb=sizes,
        load=os.getloadavg()[0],
    )


def write_facts(folder: Path, scale: float) -> tuple[dict[str, int], dict[str, int]]:
    """Drop files under `first` and `second`; the rows of each by entity."""
    import duckdb

    deliveries = [folder / "first", folder / "second"]
    for each in deliveries:
        each.mkdir(parents=True)
    with duckdb.connect(config={"threads": 2, "memory_limit": _GENERATOR_MEMORY}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET preserve_insertion_order = false")
        connection.execute(f"SET temp_directory = '{folder / 'spill'}'")
        set_variables(
            connection,
            {
                "folder": str(folder),
                "leads": round(LEADS * scale),
                "touches": round(TOUCHES * scale),
                "partners": max(round(PARTNERS * scale), FEWEST_PARTNERS),
                "first_end": FIRST_END,
                "second_end": SECOND_END,
            },
        )
        connection.execute(FACTS_SQL.read_text(encoding="utf-8"))
        first, second = (
            {
                path.stem.removesuffix("-2"): connection.execute(
                    f"SELECT count(*) FROM read_parquet('{path}')"
                ).fetchone()[0]
                for path in sorted(each.iterdir())
            }
            for each in deliveries
        )
    return first, second


def write_workspace(folder: Path, program: Path) -> Path:
    """A workspace whose drop folder holds the first delivery."""
    workspace = folder / "workspace"
    workspace.mkdir()
    shutil.copy(program, workspace / "program.yml")
    (workspace / "sources.yml").write_text(SOURCES, encoding="utf-8")
    # Not linked: the night reads and hashes files as it finds them.
    shutil.copytree(folder / "first", workspace / "drop")
    return workspace


def compute_by_hand(folder: Path, database: Path, threads: int, memory_limit: str) -> None:
    """Run the script on the first delivery; `ledger` and `partner_totals` are in the database."""
    import duckdb

    database.unlink(missing_ok=True)
    with duckdb.connect(str(database)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET preserve_insertion_order = false")
        connection.execute(f"SET threads = {threads}")
        connection.execute(f"SET memory_limit = '{memory_limit}'")
        set_variables(
            connection,
            {"folder": str(folder / "first"), "as_of_end": FIRST_END, "timezone": TIMEZONE},
        )
        connection.execute(BY_HAND_SQL.read_text(encoding="utf-8"))


def set_variables(connection: object, values: Mapping[str, str | int | datetime]) -> None:
    """SQL variables for the scripts; instants are UTC."""
    for name, value in values.items():
        # A plain literal would be 32 bits wide, too narrow for products of full-scale counts.
        literal = f"{value}::BIGINT" if isinstance(value, int) else f"'{value}'"
        kind = "TIMESTAMP " if isinstance(value, datetime) else ""
        connection.execute(f"SET VARIABLE {name} = {kind}{literal}")


def model_seconds(log: str) -> list[tuple[str, float]]:
    """(model, wall seconds) as dbt's log of a night tells them, slowest first."""
    found = [(name, float(seconds)) for name, seconds in _TIMED_MODEL.findall(log)]
    return sorted(found, key=lambda each: -each[1])


def _land(workspace: Path, home: Path) -> Usage:
    return _measured(home, "ingest", "--program", str(workspace))


def _night(workspace: Path, home: Path, as_of: date) -> NightCost:
    log = home / "logs" / "dbt.log"
    skipped = log.stat().st_size if log.exists() else 0
    usage = _measured(home, "run", "--program", str(workspace), "--as-of", as_of.isoformat())
    record = json.loads(_output(home).read_text(encoding="utf-8"))
    with log.open(encoding="utf-8") as file:
        file.seek(skipped)
        models = model_seconds(file.read())
    return NightCost(usage, record["posted_entries"], record["seconds"], models)


def _measured(home: Path, command: str, *arguments: str) -> Usage:
    program = str(Path(sys.executable).parent / "partnerledger")
    return run_measured(
        [program, command, "--json", "--home", str(home), *arguments], _output(home)
    )


def _output(home: Path) -> Path:
    return home.with_suffix(".json")


def _by_hand(folder: Path, limits: object) -> Usage:
    return run_measured(
        [
            *(sys.executable, "-m", "tests.bench.commission", str(folder)),
            *(str(limits.threads), limits.memory_limit),
        ],
        folder / "by_hand.txt",
    )


def _size_mb(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(each.stat().st_size for each in files if each.is_file()) // 2**20


def main() -> None:
    """Run the script once on the facts under a folder: `FOLDER THREADS MEMORY_LIMIT`."""
    folder, threads, memory_limit = sys.argv[1:]
    compute_by_hand(Path(folder), Path(folder) / "by_hand.duckdb", int(threads), memory_limit)


if __name__ == "__main__":
    main()
