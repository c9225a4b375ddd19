"""A home with one exported batch of three payouts, for tests of settlement.

What belongs here: building it and asking for results. What does not: expectations.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).parents[1]))

from payout_world import APPROVALS, BEN, World, entry, kept, new_warehouse  # noqa: E402

from payouts.aborting import abort, request_abort  # noqa: E402
from payouts.matching import match_batch  # noqa: E402
from payouts.outcomes import item_states  # noqa: E402
from payouts.records import BatchSummary, list_batches  # noqa: E402
from payouts.settlement import applying  # noqa: E402
from payouts.settlement.applying import confirm_sent, settle  # noqa: E402
from payouts.store import open_store  # noqa: E402
from payouts.verify import verify  # noqa: E402

READ = datetime(2026, 3, 20, 10, 0, 0)
ZONE = "America/New_York"
AMOUNTS = {"p_1": 15000, "p_2": 7000, "p_3": 6000}


class SettledWorld:
    """The world, its batch, and the three payouts by partner."""

    def __init__(self, world: World, batch: BatchSummary) -> None:
        self.world, self.batch = world, batch
        self.store, self.home = world.store, world.home
        self.rail = batch.rail
        self.payouts = {item.partner_id: item.payout_id for item in self.items().values()}

    @classmethod
    def create(cls, home: Path, synchronous: str = "OFF") -> SettledWorld:
        """A home after its export; a copy, for exporting takes longer than most tests."""
        return cls._of(kept(_make_exported).copy(home, synchronous))

    @classmethod
    def reopen(cls, home: Path, synchronous: str = "OFF") -> SettledWorld:
        """The same from a home that exists, with a warehouse built from the same facts."""
        world = World(home, open_store(home, synchronous=synchronous), new_warehouse(), runs=1)
        _add_facts(world)
        world.refresh()
        return cls._of(world)

    @classmethod
    def _of(cls, world: World) -> SettledWorld:
        with world.store.read() as connection:
            (batch,) = list_batches(connection)
        return cls(world, batch)

    def items(self):
        """Item states by payout id."""
        with self.store.read() as connection:
            return item_states(connection, self.batch.batch_id)

    def states(self) -> dict[str, str]:
        """States by partner."""
        return {item.partner_id: item.state for item in self.items().values()}

    def goes_out_by(self, rail: str) -> SettledWorld:
        """Let files be read as if the batch had gone out by another rail than csv."""
        self.rail = rail
        return self

    def read(self, content: bytes, name: str = "bank.xml", **options):
        """Settle a file as Ben, who has the role finance."""
        arguments = {
            "actor": BEN, "rules": APPROVALS, "timezone": ZONE, "read_at": READ, **options,
        }  # fmt: skip
        with mock.patch.object(applying, "list_batches", self._batches):
            return settle(self.store, self.home, content, name, **arguments)

    def _batches(self, *arguments) -> list[BatchSummary]:
        return [
            replace(each, rail=self.rail) if each.batch_id == self.batch.batch_id else each
            for each in list_batches(*arguments)
        ]

    def sent(self, **options) -> str:
        """Confirm that the bank has the file."""
        arguments = {
            "reference": "UPLOAD 77", "actor": BEN, "rules": APPROVALS, "recorded_at": READ,
            **options,
        }  # fmt: skip
        return confirm_sent(self.store, self.batch.batch_id, **arguments)

    def request_abort(self, actor: str = BEN, **options):
        """Ask for the abort."""
        arguments = {
            "reason": "wrong account", "evidence": "bank portal shows no upload", "actor": actor,
            "rules": APPROVALS, "recorded_at": READ, **options,
        }  # fmt: skip
        return request_abort(self.store, self.batch.batch_id, **arguments)

    def abort(self, actor: str, **options):
        """Agree to it."""
        arguments = {
            "reason": "agreed", "evidence": "called the bank, ticket 12", "actor": actor,
            "rules": APPROVALS, "timezone": ZONE, "recorded_at": READ, **options,
        }  # fmt: skip
        return abort(self.store, self.home, self.batch.batch_id, **arguments)

    def match(self, as_of: date = date(2026, 3, 20)):
        """The three-way match."""
        with self.store.read() as connection:
            return match_batch(connection, self.home, self.batch.batch_id, as_of)

    def state(self) -> str:
        """State of the batch."""
        return self.world.state(self.batch)

    def balances(self) -> dict[str, int]:
        """Sum of all journal entries by partner."""
        self.world.refresh()
        return dict(
            self.world.warehouse.execute(
                "select partner_id, sum(payout_amount_minor)::bigint from raw.journal__entries "
                "group by 1 order by 1"
            ).fetchall()
        )

    def broken(self) -> list:
        """Findings of verify that are not good."""
        return [finding for finding in verify(self.home, store=self.store) if not finding.ok]


def _make_exported(home: Path) -> World:
    world = World.create(home, "OFF")
    _add_facts(world)
    for partner_id in AMOUNTS:
        world.ready_payee(partner_id)
    world.post()
    (batch,) = world.propose()
    world.approve_fully(batch)
    world.export(batch)
    world.refresh()
    return world


def _add_facts(world: World) -> None:
    for number, (partner_id, amount) in enumerate(AMOUNTS.items()):
        world.partner(partner_id, f"Partner {number}")
        world.desire(entry(f"il_{number}", amount, partner_id=partner_id))
