"""Put the definitions together for one programme and one home."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from orchestration import phases
from orchestration.dbt_runner import (
    PARSE_TARGET_DIR,
    PROJECT_DIR,
    newest_project_change,
    shared_runner,
)
from orchestration.defs.assets import (
    journal_posted,
    notices,
    payout_batches_proposed,
    published_keys,
    raw_assets,
    serving_asset,
)
from orchestration.defs.checks import boundary_checks, mart_checks
from orchestration.defs.dbt_phases import dbt_phase_assets
from orchestration.defs.export import payout_batch_export
from orchestration.defs.jobs import (
    export_job,
    export_sensor,
    file_logger,
    nightly_job,
    nightly_schedule,
)
from orchestration.defs.resources import HomeResource, NightResource
from orchestration.defs.streams import landing_assets
from orchestration.defs.translator import NightTranslator
from orchestration.streams import blocking_streams


def build_definitions(
    workspace_path: Path, home: Path, manifest: Mapping[str, Any]
) -> dg.Definitions:
    """All assets, checks, jobs, the schedule and the sensor.

    manifest: dbt's manifest.json. Reads sources.yml for the streams, program.yml for the
    schedule's time zone. Raises: TermsError.
    """
    from ingest.run import declared_streams
    from program.load import load_workspace

    workspace = load_workspace(workspace_path)
    timezone = workspace.program.program.timezone
    declared = declared_streams(workspace)
    blocking = blocking_streams(manifest, declared)
    translator = NightTranslator(manifest)
    where = {"workspace_path": str(workspace_path), "home": str(home)}
    return dg.Definitions(
        assets=[
            *landing_assets(declared, blocking),
            raw_assets(manifest, declared, blocking),
            *(dbt_phase_assets(manifest, phase, translator) for phase in phases.PHASES),
            journal_posted,
            payout_batches_proposed,
            serving_asset(published_keys(manifest)),
            notices,
            payout_batch_export,
        ],
        asset_checks=[boundary_checks, mart_checks],
        jobs=[nightly_job, export_job],
        schedules=[nightly_schedule(timezone, workspace_path, home)],
        sensors=[export_sensor(home, timezone)],
        resources={"night": NightResource(**where), "home": HomeResource(**where)},
        # One process per run: the night holds a lock, one dbt and one DuckDB.
        executor=dg.in_process_executor,
        loggers={"console": dg.colored_console_logger, "file": file_logger},
    )


def current_manifest() -> dict[str, Any]:
    """dbt's manifest.json, parsed again when it is missing or older than a file of the project."""
    path = PARSE_TARGET_DIR / "manifest.json"
    if not path.exists() or path.stat().st_mtime < newest_project_change(PROJECT_DIR):
        shared_runner().manifest(refresh=True)
    return json.loads(path.read_text(encoding="utf-8"))
