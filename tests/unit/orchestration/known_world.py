"""A ledger whose nights and decisions happen at told instants, without dbt.

Built on the home of the payouts tests. What does not belong here: expectations.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

from orchestration.known import Known, known_at
from payouts.journal import post_differences
from tests.unit.payouts import payout_world
from tests.unit.payouts.payout_world import ANA, BEN, CALENDAR, World, kept

PARTNER, OTHER = "p_1", "p_2"


class Ledger(World):
    """Partners p_1 and p_2, both payable, in UTC; each step takes its instant."""

    @classmethod
    def begun(cls, home: Path) -> Ledger:
        """An empty ledger with two partners that pass every gate."""
        return kept(_make_begun).copy(home, kind=cls)

    def night(self, as_of: date, at: datetime, *entries: dict) -> None:
        """Post these entries, and propose what is due, at this instant."""
        self.runs += 1
        if entries:
            self.desire(*entries)
        self.refresh()
        post_differences(
            self.store, self.home, self.warehouse, as_of=as_of,
            recorded_at=datetime.combine(as_of + timedelta(days=1), datetime.min.time()),
            run_id=f"run_{self.runs}", registered_at=at,
        )  # fmt: skip
        self.refresh()
        self.propose(as_of=as_of, proposed_at=at, calendar=CALENDAR)

    def known(self, asked: str | None, timezone: str = "UTC") -> Known:
        """Where to cut for what was asked."""
        with self.store.read() as connection:
            return known_at(connection, asked, timezone)

    def batch(self):
        """The one batch."""
        with self.store.read() as connection:
            (batch,) = payout_world.list_batches(connection)
        return batch

    def approve_at(self, partnerships: datetime, finance: datetime) -> None:
        """Two people approve the batch."""
        self.approve(self.batch(), ANA, "partnerships", recorded_at=partnerships)
        self.approve(self.batch(), BEN, "finance", recorded_at=finance)

    def export_at(self, at: datetime, as_of: date) -> None:
        """The approved batch is exported."""
        self.export(self.batch(), exported_at=at, as_of=as_of)


def entry(source_id: str, amount_minor: int, day: date, **changes) -> dict:
    """An earning, or what takes it back, effective on a day and available 30 days later."""
    own = {
        name: changes.pop(name)
        for name in ("effective_date", "posting_period", "explanation")
        if name in changes
    }
    changes.setdefault("available_date", day + timedelta(days=30))
    made = payout_world.entry(source_id, amount_minor, **changes)
    return {
        **made, "effective_date": day, "posting_period": f"{day:%Y-%m}",
        "explanation": None, **own,
    }  # fmt: skip


def _make_begun(home: Path) -> World:
    world = World.create(home, synchronous="OFF")
    for partner_id in (PARTNER, OTHER):
        world.partner(partner_id)
        world.ready_payee(partner_id)
    return world
