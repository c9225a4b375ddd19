"""T2, I11: what a bank says in any order, in any pieces and more than once comes to the same.

First over all orders of every history with pure states, then a few orders through real files, with
states, balances, settled dates and returns compared.
"""

from __future__ import annotations

import random
import shutil
from datetime import date
from itertools import permutations
from pathlib import Path

import pytest

from payouts.outcomes import APPLIES, ItemState, after, all_item_states, judge
from payouts.settlement.applying import confirm_sent, settle
from payouts.store import open_store
from payouts.verify import verify
from tests.unit.payouts.payout_world import APPROVALS, BEN, DAN, World, entry, new_warehouse
from tests.unit.payouts.settlement.bank_files import status_csv
from tests.unit.payouts.settlement.settled_world import READ, ZONE

# What can become of one payout, with the day of each piece of news.
HISTORIES = tuple(
    tuple((outcome, date(2026, 3, 16 + number)) for number, outcome in enumerate(history.split()))
    for history in (
        "sent", "settled", "failed", "returned", "unclaimed", "sent settled", "sent failed",
        "sent unclaimed settled", "sent unclaimed returned", "sent settled returned",
        "sent unclaimed settled returned",
    )
)  # fmt: skip


@pytest.mark.parametrize("history", HISTORIES, ids=lambda each: "-".join(name for name, _ in each))
def test_every_order_with_repetitions_ends_in_the_same_state(history):
    ends = {
        _end((*order, *repeated))
        for order in permutations(history)
        for repeated in permutations(history)
    }
    assert ends == {_end(history)}


def _end(news):
    item = ItemState("x", "b", "p_1", "USD", 100)
    back = 0
    for seq, (outcome, day) in enumerate(news, start=1):
        if judge(item, outcome, day) == APPLIES:
            back += outcome in ("failed", "returned")
            item = after(
                item,
                {"outcome": outcome, "value_date": day.isoformat(), "reason_code": None,
                 "reference": None, "return_entry_id": None, "seq": seq},
            )  # fmt: skip
    return item.state, item.is_debited, item.settled_date, back


@pytest.fixture(scope="module")
def exported_home(tmp_path_factory) -> Path:
    """One exported batch with a payout for each history."""
    world = World.create(tmp_path_factory.mktemp("orders") / "home", "OFF")
    for number in range(len(HISTORIES)):
        world.partner(f"p_{number}", f"Partner {number}")
        world.ready_payee(f"p_{number}")
    world.desire(
        *(entry(f"il_{number}", 6000 + number, partner_id=f"p_{number}")
          for number in range(len(HISTORIES)))
    )  # fmt: skip
    world.post()
    (batch,) = world.propose()
    world.approve_fully(batch)
    world.export(batch)
    confirm_sent(
        world.store, batch.batch_id, reference="UPLOAD 1", actor=DAN, rules=APPROVALS,
        recorded_at=READ,
    )  # fmt: skip
    world.store.close()
    return world.home


def test_files_in_any_order_and_twice_give_the_same_states_and_balances(exported_home, tmp_path):
    chosen = random.Random(7)
    ends = []
    for number in range(5):
        home = shutil.copytree(exported_home, tmp_path / f"home_{number}")
        world = World(Path(home), open_store(Path(home), synchronous="OFF"), new_warehouse())
        news = _news(world)
        if number:
            news += chosen.sample(news, len(news) // 2)
            chosen.shuffle(news)
        # The first home reads one piece of news a file, the others as it comes.
        size = 1 if number == 0 else chosen.choice([1, 3, 9])
        for start in range(0, len(news), size):
            _read(world, status_csv(*news[start : start + size]))
        ends.append(_everything(world))
        assert [each for each in verify(world.home, store=world.store) if not each.ok] == []
        world.store.close()
    assert all(end == ends[0] for end in ends)
    assert {state for state, *_ in ends[0][0].values()} == {
        "sent", "settled", "failed", "returned", "unclaimed",
    }  # fmt: skip


def _news(world):
    """Everything that the bank ever says, each in its order."""
    with world.store.read() as connection:
        items = all_item_states(connection).values()
    return [
        (item.payout_id, outcome, item.amount_minor, "USD", day.isoformat(), "", "")
        for item in items
        for outcome, day in HISTORIES[int(item.partner_id.removeprefix("p_"))]
    ]


def _read(world, content):
    settle(
        world.store, world.home, content, "bank.csv", actor=BEN, rules=APPROVALS, timezone=ZONE,
        read_at=READ,
    )  # fmt: skip


def _everything(world):
    """States with days, the journal's entries of the bank's answers, and the batch's state."""
    with world.store.read() as connection:
        items = all_item_states(connection)
    world.refresh()
    entries = world.warehouse.execute(
        "select partner_id, entry_kind, entry_id, payout_amount_minor, available_date "
        "from raw.journal__entries order by all"
    ).fetchall()
    (state,) = world.warehouse.execute("select state from raw.control__batches").fetchone()
    shown = {
        payout_id: (item.state, item.is_debited, item.settled_date, item.return_entry_id)
        for payout_id, item in items.items()
    }
    return shown, entries, state
