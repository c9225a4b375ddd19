"""Splits payments over files at a rail's limits, always in the same way.

What belongs here: cutting and naming. What does not: the limits, each writer has its own.
"""

from __future__ import annotations

from collections.abc import Sequence

from payouts.files.payment import Payment


def split(
    payments: Sequence[Payment], max_items: int, max_total_minor: int | None = None
) -> list[list[Payment]]:
    """Runs of payments in the given order, each as long as both limits allow.

    A single payment above the total is a run of its own; the rail's faults name it.
    """
    runs: list[list[Payment]] = []
    total_minor = 0
    for payment in payments:
        is_over = max_total_minor is not None and (
            total_minor + payment.amount_minor > max_total_minor
        )
        if not runs or len(runs[-1]) == max_items or is_over:
            runs.append([])
            total_minor = 0
        runs[-1].append(payment)
        total_minor += payment.amount_minor
    return runs


def file_name(rail: str, part: int, parts: int, extension: str) -> str:
    """``sepa-1-of-3.xml``: nothing in it comes from a person, so it cannot leave its folder."""
    return f"{rail}-{part}-of-{parts}.{extension}"
