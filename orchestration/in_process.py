"""Run the nightly job in this process, on a Dagster instance that lies in the home.

What does not belong here: the night's steps (`night`) and the assets (`defs/`). Dagster is
imported inside the functions: it costs seconds.
"""

from __future__ import annotations

import os
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.errors import StepError
from orchestration.log_files import log_to_files
from orchestration.result import NightResult

if TYPE_CHECKING:
    from dagster import DagsterInstance, ExecuteInProcessResult

    from orchestration.night import Night

REPOSITORY = Path(__file__).resolve().parent.parent
DAGSTER_DIR_VARIABLE = "PARTNERLEDGER_DAGSTER_DIR"
# Marks runs of this module: whoever holds the night's lock knows that no other is alive, and only
# the person at the command line starts one again.
_OWN_RUNS = {"partnerledger/launched_by": "command line", "dagster/max_retries": "0"}


def execute_nightly(night: Night, started: float) -> NightResult:
    """Materialise the nightly job's assets with an open night.

    started: monotonic seconds at which the command began, for `seconds["start_up"]`.
    Raises: what the first failing step raised.
    """
    log_to_files(night.home)
    from orchestration.dbt_runner import shared_runner

    with night.step("start_up"):
        parsed = shared_runner().manifest(refresh=True).writable_manifest()
        manifest = parsed.to_dict(omit_none=False)
        from orchestration.defs.build import build_definitions
        from orchestration.defs.jobs import NIGHTLY_JOB
        from orchestration.defs.resources import lend_night, take_back_night

        night.landing.know_manifest(manifest)
        where = {"workspace_path": str(night.workspace.program_path), "home": str(night.home)}
        definitions = build_definitions(night.workspace.program_path, night.home, manifest)
        job = definitions.resolve_job_def(NIGHTLY_JOB)
        instance = home_instance(night.home)
        _close_abandoned_runs(instance)
    job_started = time.monotonic()
    lend_night(night)
    try:
        result = job.execute_in_process(
            instance=instance,
            raise_on_error=False,
            run_config={
                "resources": {"night": {"config": where}},
                "loggers": {"file": {"config": {"folder": str(night.home / "logs")}}},
            },
            tags={"partnerledger/as_of": night.as_of.isoformat(), **_OWN_RUNS},
        )
    finally:
        take_back_night(night)
        instance.dispose()
    _raise_failure(night, result)
    # What Dagster itself costs between the steps counts as start-up, not as anybody's work.
    in_steps = sum(seconds for name, seconds in night.seconds.items() if name != "start_up")
    night.seconds["start_up"] = (job_started - started) + max(
        time.monotonic() - job_started - in_steps, 0.0
    )
    return night.result()


def home_instance(home: Path) -> DagsterInstance:
    """The Dagster instance of a home: settings of the repository's dagster.yaml, state in home."""
    import dagster

    folder = home.resolve() / "dagster"
    folder.mkdir(parents=True, exist_ok=True)
    os.environ[DAGSTER_DIR_VARIABLE] = str(folder)
    warnings.filterwarnings("ignore", category=dagster.BetaWarning)
    warnings.filterwarnings("ignore", category=dagster.PreviewWarning)
    return dagster.DagsterInstance.from_config(str(REPOSITORY))


def _close_abandoned_runs(instance: DagsterInstance) -> None:
    """Mark nights of a killed process as failed, or `dagster dev` would wait for them."""
    import dagster

    alive = [dagster.DagsterRunStatus.STARTING, dagster.DagsterRunStatus.STARTED]
    for run in instance.get_runs(dagster.RunsFilter(tags=_OWN_RUNS, statuses=alive)):
        instance.report_run_failed(run, "The process of this night ended before the night did.")


def _raise_failure(night: Night, result: ExecuteInProcessResult) -> None:
    from orchestration.defs.streams import is_landing_step

    if night.failure is not None:
        raise night.failure
    # Nothing fails in the night itself when a stream does: Dagster has left out what depends on it.
    night.landing.require_streams()
    if result.success:
        return
    is_published = night.pointer is not None
    for event in result.all_events:
        # A stream that no money depends on fails visibly in Dagster; the night goes on without it.
        if event.is_step_failure and not (is_published and is_landing_step(event.step_key)):
            error = event.step_failure_data.error
            while error is not None and error.cause is not None:
                error = error.cause
            text = " ".join(error.message.split())[:500] if error else "no message"
            raise StepError(
                f"Dagster failed in {event.step_key}: {text}",
                f"The log is {night.home / 'logs' / 'dagster.log'}.",
            )
    if not is_published:
        raise StepError("The nightly job failed", f"See {night.home / 'logs' / 'dagster.log'}.")
