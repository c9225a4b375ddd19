"""Whole nights in fresh processes, and the baseline they are compared with."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.bench.processes import ROOT, Usage, run_measured

SAMPLE_AS_OF = "2026-02-28"
MONTHS = 24
# The generator begins on 2025-01-01; the night looks back on all of it.
GENERATED_AS_OF = "2026-12-31"


@dataclass(frozen=True)
class NightTiming:
    """One night. seconds: by step. scan_seconds: one DuckDB pass over the same files."""

    name: str
    invoice_lines: int
    posted_entries: int
    wall_seconds: float
    cpu_seconds: float
    peak_mb: int
    seconds: dict[str, float]
    scan_seconds: float

    @property
    def start_up_seconds(self) -> float:
        """Imports, parsing and Dagster: the wall time that no step of the night accounts for."""
        return self.wall_seconds - sum(
            seconds for step, seconds in self.seconds.items() if step != "start_up"
        )


def measure_night(work: Path, name: str, invoice_lines: int | None) -> NightTiming:
    """Run one night; None is the bundled sample, whose home is kept for the second run."""
    if invoice_lines is None:
        program, home, as_of = ROOT / "program", work / "sample-home", SAMPLE_AS_OF
    else:
        program, home, as_of = work / "generated", work / "generated-home", GENERATED_AS_OF
        for leftover in (program, home):
            shutil.rmtree(leftover, ignore_errors=True)
        _generate(program, invoice_lines)
    record, usage = _run_night(program, home, as_of)
    lines, scan = _scan(program / "drop")
    return NightTiming(
        name=name,
        invoice_lines=lines,
        posted_entries=record["posted_entries"],
        wall_seconds=usage.wall_seconds,
        cpu_seconds=usage.cpu_seconds,
        peak_mb=usage.peak_mb,
        seconds=record["seconds"],
        scan_seconds=scan,
    )


def _generate(program: Path, invoice_lines: int) -> None:
    program.mkdir(parents=True)
    for name in ("program.yml", "sources.yml"):
        shutil.copy(ROOT / "program" / name, program / name)
    subprocess.run(
        [
            *(sys.executable, "-m", "ingest.sample", "--out", str(program / "drop")),
            *("--format", "parquet", "--partners", "500", "--months", str(MONTHS)),
            *("--leads", str(invoice_lines // 5), "--invoice-lines", str(invoice_lines)),
        ],
        check=True,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    )


def _run_night(program: Path, home: Path, as_of: str) -> tuple[dict, Usage]:
    """The record of the night, and what it took."""
    output = home.with_suffix(".json")
    command = [
        *(str(Path(sys.executable).parent / "partnerledger"), "run", "--json"),
        *("--home", str(home), "--program", str(program), "--as-of", as_of),
    ]
    usage = run_measured(command, output)
    return json.loads(output.read_text(encoding="utf-8")), usage


def _scan(drop: Path) -> tuple[int, float]:
    """(invoice lines, seconds) of one DuckDB pass that reads every column of every file."""
    import duckdb

    started = time.monotonic()
    lines = 0
    with duckdb.connect() as connection:
        connection.execute("SET threads = 2")
        for path in sorted(drop.iterdir()):
            reader = {
                ".csv": f"read_csv('{path}', all_varchar = true)",
                ".parquet": f"read_parquet('{path}')",
            }.get(path.suffix)
            if reader is None:
                continue
            rows = connection.execute(
                f"SELECT count(*), max(hash(COLUMNS(*))) FROM {reader}"
            ).fetchone()[0]
            lines += rows if path.name.startswith("invoice_lines") else 0
    return lines, time.monotonic() - started
