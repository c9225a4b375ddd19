"""All five models of attribution beside one hand-written query for the last touch in the window.

Both run in one process of their own, on the same tables, with the same threads and memory limit,
in turn, so that a busy machine slows both. The models are built by dbt as in a night; what stands
before them (leads, touches, verdicts) is written here. Nothing is drawn at random: every value is a
hash of its number, so that each run computes the same credits.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.warehouse import (
    MEMORY_LIMIT_VARIABLE,
    THREADS_VARIABLE,
    open_working_file,
)

if TYPE_CHECKING:
    import duckdb

ROOT = Path(__file__).resolve().parent.parent.parent
LIMITS = {MEMORY_LIMIT_VARIABLE: "3500MB", THREADS_VARIABLE: "2"}
TOUCHES_PER_LEAD = 10
PARTNERS = 500
ROUNDS = 2
AS_OF = date(2026, 3, 31)
PROGRAM = """\
program: {id: bench, name: Bench, legal_entity: Bench Inc, timezone: UTC, reporting_currency: USD}
attribution:
  - effective_from: 2025-01-01
    model: last_touch
    compare_models: [first_touch, linear, position_based, time_decay]
plans:
  - id: standard
    versions:
      - effective_from: 2025-01-01
        components: [{id: recurring, kind: recurring, rate: 0.20}]
groups: {default: standard}
"""
TERMS = (
    "stg_program__run",
    "stg_program__attribution_versions",
    "stg_program__attribution_models",
    "stg_program__attribution_priority",
    "stg_program__decay_weights",
    "int_attribution__versions",
)
MODELS = (
    "int_attribution__candidates",
    "int_attribution__sequences",
    "int_attribution__partner_weights",
    "int_attribution__model_credits",
)

# Valid events spread over 230 days; touches over the 110 days that end 5 days after the lead's own,
# of which the window takes 90. Nine in ten are links; a form has a verdict, as in a night.
_LEADS = """
CREATE OR REPLACE TABLE intermediate.int_leads__valid_events AS
SELECT
    'lead_' || substr(md5(CAST(number AS VARCHAR)), 1, 24) AS lead_id,
    TIMESTAMP '2025-06-01' + to_seconds(CAST(hash(number) % 20000000 AS BIGINT)) AS valid_at,
    CAST(valid_at AS DATE) AS valid_date
FROM range({leads}) AS leads (number)
"""
_TOUCHES = """
CREATE OR REPLACE TABLE intermediate.int_leads__touches AS
WITH numbered AS (
    SELECT
        number,
        'lead_' || substr(md5(CAST(number % {leads} AS VARCHAR)), 1, 24) AS lead_id,
        hash(number * 13) % 100 AS kind
    FROM range({touches}) AS touches (number)
)
SELECT
    'drop:touchpoints:t' || number AS touch_id,
    'touchpoint' AS record_type,
    valid_at + INTERVAL 5 DAY
    - to_seconds(CAST(hash(number * 7 + 1) % (110 * 86400) AS BIGINT)) AS occurred_at,
    CASE
        WHEN kind < 90 THEN 'referral_link'
        WHEN kind < 97 THEN 'form_field'
        ELSE 'promotion_code'
    END AS touch_type,
    'p' || (hash(number * 3) % {partners}) AS partner_id,
    lead_id
FROM numbered
INNER JOIN intermediate.int_leads__valid_events USING (lead_id)
"""
_VERDICTS = """
CREATE OR REPLACE TABLE intermediate.int_leads__verdicts AS
SELECT
    'form:' || touch_id AS submission_key,
    touch_id,
    'form' AS registration_status,
    'valid' AS verdict,
    true AS is_competing
FROM intermediate.int_leads__touches
WHERE touch_type = 'form_field'
"""
_REJECTED = """
CREATE OR REPLACE TABLE intermediate.int_leads__rejected_leads (lead_id VARCHAR, verdict VARCHAR)
"""
_BASELINE = """
CREATE OR REPLACE TABLE intermediate.last_touches AS
SELECT
    touches.lead_id,
    max_by(touches.partner_id, {'at': touches.occurred_at, 'id': touches.touch_id}) AS partner_id,
    max_by(touches.touch_id, {'at': touches.occurred_at, 'id': touches.touch_id}) AS touch_id
FROM intermediate.int_leads__touches AS touches
INNER JOIN intermediate.int_leads__valid_events AS leads USING (lead_id)
WHERE touches.occurred_at BETWEEN leads.valid_at - INTERVAL 90 DAY AND leads.valid_at
GROUP BY touches.lead_id
"""


@dataclass(frozen=True)
class AttributionTiming:
    """The best of `ROUNDS` each. Seconds of the models: their own, and the build's with dbt around
    them. Peak memory is the whole process's, Python and dbt included. load: of the machine, in the
    last minute of measuring."""

    touches: int
    leads: int
    credits: int
    memory_limit: str
    threads: int
    baseline_wall_seconds: float
    baseline_cpu_seconds: float
    baseline_peak_mb: int
    models_wall_seconds: float
    build_wall_seconds: float
    build_cpu_seconds: float
    peak_mb: int
    load: float


def measure_attribution(work: Path, touches: int) -> AttributionTiming:
    """Write the tables and measure, each in a process of its own."""
    folder = work / "attribution"
    _run("write", folder, touches)
    return AttributionTiming(**json.loads(_run("measure", folder, touches)))


def write_facts(folder: Path, touches: int) -> None:
    """Terms and stub tables in the working file under `folder`."""
    from orchestration.night import Night
    from tests.workspaces import NOW, write_workspace

    workspace = write_workspace(folder / "workspace", PROGRAM, {})
    night = Night.open(workspace, folder / "home", AS_OF, clock=lambda: NOW)
    try:
        night.prepare()
    finally:
        night.close()
    sizes = {"touches": touches, "leads": touches // TOUCHES_PER_LEAD, "partners": PARTNERS}
    with open_working_file(folder / "home") as connection:
        connection.execute("SET preserve_insertion_order = false")
        connection.execute("CREATE SCHEMA IF NOT EXISTS intermediate")
        for statement in (_LEADS, _TOUCHES, _VERDICTS, _REJECTED):
            connection.execute(statement.format(**sizes))


def measure(folder: Path, rounds: int = ROUNDS) -> dict[str, Any]:
    """Baseline and models in turn on the written tables; the fields of `AttributionTiming`."""
    from orchestration.dbt_runner import raise_for_failures, shared_runner

    home = folder / "home"
    runner = shared_runner()
    raise_for_failures(runner.build(TERMS, home), "terms")
    baselines, own, builds, baseline_peak = [], [], [], 0
    for _ in range(rounds):
        with open_working_file(home) as connection:
            connection.execute("SET preserve_insertion_order = false")
            baselines.append(_timed(lambda: connection.execute(_BASELINE)))  # noqa: B023
        baseline_peak = baseline_peak or _peak_mb()
        results = []
        builds.append(_timed(lambda: results.extend(runner.build(MODELS, home))))  # noqa: B023
        raise_for_failures(results, "models")
        own.append(sum(result.seconds for result in results))
    with open_working_file(home) as connection:
        counts = _counts(connection)
    return counts | {
        "memory_limit": LIMITS[MEMORY_LIMIT_VARIABLE],
        "threads": int(LIMITS[THREADS_VARIABLE]),
        "baseline_wall_seconds": min(wall for wall, _ in baselines),
        "baseline_cpu_seconds": min(cpu for _, cpu in baselines),
        "baseline_peak_mb": baseline_peak,
        "models_wall_seconds": min(own),
        "build_wall_seconds": min(wall for wall, _ in builds),
        "build_cpu_seconds": min(cpu for _, cpu in builds),
        "peak_mb": _peak_mb(),
        "load": os.getloadavg()[0],
    }


def _counts(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    tables = {
        "touches": "int_leads__touches",
        "leads": "int_leads__valid_events",
        "credits": "int_attribution__model_credits",
    }
    return {
        name: connection.execute(f"SELECT count(*) FROM intermediate.{table}").fetchone()[0]
        for name, table in tables.items()
    }


def _timed(action: Any) -> tuple[float, float]:
    """(wall seconds, CPU seconds of this process, all threads)."""
    wall, cpu = time.monotonic(), time.process_time()
    action()
    return time.monotonic() - wall, time.process_time() - cpu


def _peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _run(what: str, folder: Path, touches: int) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.attribution", what, str(folder), str(touches)],
        cwd=ROOT,
        env=os.environ | LIMITS | {"PYTHONDONTWRITEBYTECODE": ""},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout


def main() -> None:
    """Write the tables, or measure on them and print what was measured."""
    what, folder, touches = sys.argv[1:]
    if what == "write":
        write_facts(Path(folder), int(touches))
    else:
        print(json.dumps(measure(Path(folder))))


if __name__ == "__main__":
    main()
