"""Exporting an approved batch as an asset. What does not belong here: approving, file formats."""

import os
from pathlib import Path

import dagster as dg

from orchestration.clock import utc_now
from orchestration.defs.resources import HomeResource
from orchestration.defs.translator import BATCHES_PROPOSED


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


def approved_batches(home: Path) -> list[tuple[str, str]]:
    """(batch id, content hash) of each batch that is fully approved and not exported yet.

    A home in which no night has run has none; nothing is created by looking.
    """
    from payouts.records import list_batches
    from payouts.states import FINANCE_APPROVED
    from payouts.store import FILE_NAME, URL_VARIABLE, open_store

    if not (home / FILE_NAME).exists() and not os.environ.get(URL_VARIABLE):
        return []
    store = open_store(home)
    try:
        with store.read() as connection:
            batches = list_batches(connection, [FINANCE_APPROVED])
        return [(batch.batch_id, batch.content_hash) for batch in batches]
    finally:
        store.close()
