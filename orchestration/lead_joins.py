"""Which leads people have seen, so that an id which disappears by a join can be remembered.

What does not belong here: deciding which leads join (dbt) and keeping the joins
(`payouts.lead_joins`). Decision 0029.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

    from payouts.store import Store


def load_published_leads(home: Path, connection: duckdb.DuckDBPyConnection) -> None:
    """Create or replace ``raw.published__leads``: the ids in the snapshot that is published now.

    Without a readable snapshot it is empty: recorded joins and the journal still know old ids.
    """
    from dashboards.errors import DashboardError
    from dashboards.snapshot import open_snapshot

    connection.execute("CREATE OR REPLACE TABLE raw.published__leads (lead_id varchar)")
    try:
        with open_snapshot(home) as snapshot:
            leads = snapshot.execute("SELECT lead_id FROM marts.fct_leads").to_arrow_table()
    except DashboardError:
        return
    connection.register("published_leads", leads)
    connection.execute("INSERT INTO raw.published__leads FROM published_leads")
    connection.unregister("published_leads")


def record_joins(
    store: Store, connection: duckdb.DuckDBPyConnection, recorded_at: datetime
) -> None:
    """Remember leads that were published, posted or decided on and are part of another by now.

    connection: the working file with its facts built. Raises: ControlBusyError, StorageError.
    """
    from payouts.lead_joins import record_lead_joins

    joins = connection.execute(
        "SELECT alias_lead_id, lead_id FROM intermediate.int_identity__known_aliases "
        "WHERE joined_at IS NULL"
    ).fetchall()
    if joins:
        record_lead_joins(store, joins, recorded_at)
