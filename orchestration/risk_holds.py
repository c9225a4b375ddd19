"""Risk signals of the night become holds, so that somebody looks before money leaves.

What does not belong here: finding signals (dbt) and what a hold does (`payouts.signal_holds`).
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

    from payouts.store import Store

_COLUMNS = ("signal_id", "severity", "subject_type", "subject_id", "evidence")


def open_risk_holds(
    store: Store, home: Path, connection: duckdb.DuckDBPyConnection, recorded_at: datetime
) -> list[tuple[str, str]]:
    """Open a hold for each new signal from `risk.hold_from` on.

    connection: the working file with its facts built. Returns the ids of batches that went stale,
    each with the reason. Raises: DecisionRefusedError, ControlBusyError, StorageError.
    """
    from payouts.signal_holds import SignalRules, open_signal_holds

    (hold_from,) = connection.execute("SELECT hold_from FROM staging.stg_program__risk").fetchone()
    rows = connection.execute(
        f"SELECT {', '.join(_COLUMNS)} FROM intermediate.int_risk__signals ORDER BY signal_id"
    ).fetchall()
    signals = [dict(zip(_COLUMNS, row, strict=True)) for row in rows]
    _, stale = open_signal_holds(store, home, signals, SignalRules(hold_from), recorded_at)
    return [(batch_id, "a risk signal opened a hold") for batch_id in stale]
