"""What movements and states are called on a statement, wherever it is shown."""

from __future__ import annotations

MOVEMENTS = {
    "earned": "Earned",
    "bonuses": "Bonuses",
    "adjustments": "Adjustments",
    "rulings": "Decided by rulings",
    "taken_back": "Taken back",
    "withheld": "Withheld",
    "written_off": "Written off",
    "paid": "Paid out",
    "returned": "Payouts that came back",
    "other": "Other",
}
"""In the order of a statement; every movement of a record is one of them."""
ALWAYS_SHOWN = ("earned", "taken_back", "paid")
"""Also when they are 0: that nothing was taken back is news as well."""
ENTRY_STATES = {
    "paid": "paid", "in_batch": "in a batch", "held": "held", "available": "available",
    "on_hold": "waiting",
}  # fmt: skip
