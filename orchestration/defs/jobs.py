"""Jobs, the nightly schedule, the export sensor and the log of a run.

What belongs here: when something runs. What does not: what it does (`assets`, `export`).
"""

import logging
from datetime import UTC, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg

from orchestration.clock import utc_now
from orchestration.defs.export import approved_batches, payout_batch_export

NIGHTLY_JOB = "nightly"
EXPORT_JOB = "payout_export"
NIGHT_CRON = "0 2 * * *"

nightly_job = dg.define_asset_job(
    NIGHTLY_JOB,
    selection=dg.AssetSelection.all() - dg.AssetSelection.assets(payout_batch_export),
    description="One whole night, from fetching to the published snapshot.",
)

export_job = dg.define_asset_job(
    EXPORT_JOB,
    selection=dg.AssetSelection.assets(payout_batch_export),
    description="Write the payout file of one approved batch.",
)


def nightly_schedule(timezone: str, workspace_path: Path, home: Path) -> dg.ScheduleDefinition:
    """02:00 in the programme's zone; the night's date is the day before the tick.

    Stopped until somebody switches it on: a laptop that opens the UI should not start nights.
    """

    @dg.schedule(job=nightly_job, cron_schedule=NIGHT_CRON, execution_timezone=timezone)
    def nightly(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        tick = context.scheduled_execution_time.astimezone(ZoneInfo(timezone))
        as_of = (tick.date() - timedelta(days=1)).isoformat()
        config = {"workspace_path": str(workspace_path), "home": str(home), "as_of": as_of}
        return dg.RunRequest(
            run_key=as_of,
            run_config={"resources": {"night": {"config": config}}},
            tags={"partnerledger/as_of": as_of},
        )

    return nightly


def export_sensor(home: Path, timezone: str) -> dg.SensorDefinition:
    """Launch the export job for each approved batch; approving the batch is what allows it.

    Once, and again after a failure: when something was decided or payouts were resumed, and once
    per local day (``timezone``, an IANA name).
    """

    @dg.sensor(
        job=export_job,
        name="approved_batches",
        minimum_interval_seconds=60,
        description="Exports each batch that finance and partnerships have approved.",
    )
    def approved(context: dg.SensorEvaluationContext):
        today = utc_now().replace(tzinfo=UTC).astimezone(ZoneInfo(timezone)).date()
        batches = approved_batches(home, today)
        if not batches:
            yield dg.SkipReason("No batch is approved and waiting for its export.")
        for batch_id, run_key in batches:
            yield dg.RunRequest(
                run_key=run_key,
                run_config={"ops": {"payout_batch_export": {"config": {"batch_id": batch_id}}}},
                tags={"partnerledger/batch_id": batch_id},
            )

    return approved


@dg.logger(config_schema={"folder": str})
def file_logger(context: dg.InitLoggerContext) -> logging.Logger:
    """Dagster's log lines of a run that the command line started: to a file, not the terminal."""
    folder = Path(context.logger_config["folder"])
    folder.mkdir(parents=True, exist_ok=True)
    log = logging.getLogger("partnerledger.dagster")
    log.propagate = False
    for handler in list(log.handlers):
        log.removeHandler(handler)
        handler.close()
    handler = logging.FileHandler(folder / "dagster.log", encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    return log
