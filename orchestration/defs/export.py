"""Exporting an approved batch as an asset. What does not belong here: approving, file formats."""

import os
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import dagster as dg

from orchestration.clock import utc_now
from orchestration.defs.resources import HomeResource
from orchestration.defs.translator import BATCHES_PROPOSED

if TYPE_CHECKING:
    from payouts.states import BatchState


class BatchExportConfig(dg.Config):
    """Which batch to export."""

    batch_id: str


@dg.asset(
    key="payout_batch_export",
    deps=[BATCHES_PROPOSED],
    group_name="payouts",
    owners=["team:finance"],
    kinds={"csv"},
    description="Payout file and manifest of one approved batch; exported again, byte for byte.",
)
def payout_batch_export(config: BatchExportConfig, home: HomeResource) -> dg.MaterializeResult:
    """Export one batch, checked against the snapshot that is published now."""
    from orchestration.batch_actions import export_approved
    from payouts.store import open_store
    from program.load import load_workspace

    workspace = load_workspace(Path(home.workspace_path))
    store = open_store(home.home_path)
    try:
        exported = export_approved(
            store, workspace, home.home_path, config.batch_id, exported_at=utc_now()
        )
    finally:
        store.close()
    return dg.MaterializeResult(
        metadata={
            "batch_id": exported.batch_id,
            "items": exported.items,
            "total_amount_minor": exported.total_amount_minor,
            "currency_code": exported.currency_code,
            "files": len(exported.files),
            "file_sha256": exported.file_sha256,
            "is_new": exported.is_new,
        }
    )


def approved_batches(home: Path, today: date) -> list[tuple[str, str]]:
    """(batch id, run key) of each batch that is fully approved and not exported yet.

    A run key asks for one run. It holds all that a failed export may have waited for: the batch's
    last event, the last time payouts were resumed, and the day; so each day brings one more try.
    A home in which no night has run has none; nothing is created by looking.
    """
    from payouts.pausing import last_resumption
    from payouts.records import list_batches, load_state
    from payouts.states import FINANCE_APPROVED
    from payouts.store import FILE_NAME, URL_VARIABLE, open_store

    if not (home / FILE_NAME).exists() and not os.environ.get(URL_VARIABLE):
        return []
    store = open_store(home)
    try:
        with store.read() as connection:
            resumed = last_resumption(connection)
            states = [
                load_state(connection, batch.batch_id)
                for batch in list_batches(connection, [FINANCE_APPROVED])
            ]
        return [(each.batch_id, _run_key(each, resumed, today)) for each in states]
    finally:
        store.close()


def _run_key(state: "BatchState", resumed: int, today: date) -> str:
    return f"{state.batch_id}:{state.content_hash}:{state.last_seq}:{resumed}:{today}"
