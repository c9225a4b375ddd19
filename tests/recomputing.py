"""Every entry of a home's journal recomputed from its stored explanation, without a snapshot.

What does not belong here: what the results should be.
"""

from __future__ import annotations

from pathlib import Path

from orchestration.known import known_at
from orchestration.known_ledger import known_entries
from orchestration.recompute import Check, check_entry, key_sums, read_explanation
from payouts.store import open_store

PAYOUTS = ("payout", "payout_return")


def recomputed(home: Path) -> list[Check]:
    """One check per entry but the payouts, which rest on other entries."""
    store = open_store(home)
    try:
        with store.read() as connection:
            entries = known_entries(connection, home, known_at(connection, None, "UTC"))
    finally:
        store.close()
    sums = key_sums(entries)
    for entry in entries:
        entry["explanation"] = read_explanation(entry["explanation"])
    return [
        check_entry(entry, sums[entry["entry_id"]])
        for entry in entries
        if entry["entry_kind"] not in PAYOUTS
    ]
