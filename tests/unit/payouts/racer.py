"""One of two processes that decide at once; run by the race tests, never imported by them.

python racer.py HOME URL ACT BATCH HASH ACTOR READY GO: opens the control database, touches READY,
waits for GO, acts, and prints what became of it as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from payout_world import APPROVALS, CLOCK, NIGHT, RULES

from payouts.approvals import approve
from payouts.errors import PayoutsError
from payouts.export import export_batch
from payouts.store import open_store

WAREHOUSE = "race.duckdb"


def main() -> None:
    home, url, act, batch_id, content_hash, actor, ready, go = sys.argv[1:]
    store = open_store(Path(home), url=url or None)
    Path(ready).touch()
    while not Path(go).exists():
        time.sleep(0.001)
    try:
        if act == "approve":
            state = approve(
                store, Path(home), batch_id, approved_hash=content_hash, actor=actor,
                role="finance", rules=APPROVALS, recorded_at=CLOCK,
            )  # fmt: skip
            found = {"won": True, "state": state.state}
        else:
            found = {"won": _export(store, Path(home), batch_id, actor), "state": "exported"}
    except PayoutsError as error:
        found = {"won": False, "error": type(error).__name__, "text": str(error)}
    store.close()
    print(json.dumps(found))


def _export(store, home, batch_id, actor):
    import duckdb

    with duckdb.connect(str(home / WAREHOUSE), read_only=True) as warehouse:
        exported = export_batch(
            store, home, batch_id, warehouse=warehouse, as_of=NIGHT, rules=RULES,
            approval_rules=APPROVALS, exported_at=CLOCK, actor=actor,
        )  # fmt: skip
    return exported.is_new


if __name__ == "__main__":
    main()
