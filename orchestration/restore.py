"""Rebuild the warehouse from what is durable: landing, journal and control database.

The last posted night once more, without fetching: with nothing lost and nothing new it posts
nothing and publishes the same marts. What does not belong here: the steps themselves (`night`).
"""

from __future__ import annotations

import time
from pathlib import Path

from orchestration import phases
from orchestration.clock import utc_now
from orchestration.errors import WarehouseError
from orchestration.night import Clock, Night
from orchestration.result import NightResult, ProgressCallback, no_progress


def restore(
    workspace_path: Path,
    home: Path,
    on_progress: ProgressCallback = no_progress,
    clock: Clock = utc_now,
) -> NightResult:
    """Build, check and publish the last posted night again.

    Raises: WarehouseError when no night was posted in this home; else what a night raises.
    """
    from orchestration.log_files import log_to_files
    from payouts.journal import last_night
    from payouts.store import open_store

    started = time.monotonic()
    store = open_store(home)
    try:
        with store.read() as connection:
            posted = last_night(connection)
    finally:
        store.close()
    if posted is None:
        raise WarehouseError(
            f"No night has been posted in {home}", "Run `partnerledger run` instead."
        )
    log_to_files(home)
    night = Night.open(workspace_path, home, posted.as_of, clock, on_progress)
    try:
        night.prepare()
        night.require_checks(night.check_boundary())
        _build(night, phases.FACTS)
        night.post()
        _build(night, phases.LEDGER)
        night.propose()
        _build(night, phases.PAYOUTS)
        night.require_checks(night.check_marts())
        night.publish()
        in_steps = sum(night.seconds.values())
        night.seconds["start_up"] = max(time.monotonic() - started - in_steps, 0.0)
        return night.result()
    finally:
        night.close()


def _build(night: Night, phase: str) -> None:
    night.require_built(phase, night.build(phase))
