"""The whole life of a payout on every rail: paid, or back, and paid once more to a new account."""

from __future__ import annotations

from datetime import timedelta

import pytest
from life_world import AMOUNTS, FIRST_DAY, KEY, RAILS, SECOND_DAY, SECOND_NIGHT, Life
from payout_world import NIGHT

from payouts.errors import DecisionRefusedError
from payouts.holds import load_holds
from payouts.outcomes import all_item_states
from payouts.records import load_content
from payouts.verify import verify


@pytest.mark.parametrize("rail", RAILS)
def test_one_is_paid_and_the_other_by_the_next_batch_after_new_details(tmp_path, monkeypatch, rail):
    monkeypatch.setenv("PARTNERLEDGER_VAULT_KEY", KEY)
    life = Life.begin(tmp_path / "home", rail)
    assert life.pay(NIGHT, FIRST_DAY) == AMOUNTS
    assert life.balances() == {"p_1": 0, "p_2": 0}

    life.bank_answers()
    assert life.balances() == {"p_1": 0, "p_2": 8000}
    assert life.world.state(life.batches[0]) == "closed"

    life.world.post(SECOND_NIGHT)
    assert life.world.propose(as_of=SECOND_NIGHT, rules=life.rules) == []
    # Held, so that it is not even looked at.
    assert _left_out(life) == {}
    assert _open_holds(life) == ["p_2"]

    life.new_details()
    assert _open_holds(life) == []
    # The night's own proposal found nobody; a named pay date is tried again.
    (batch,) = life.world.propose(
        as_of=SECOND_NIGHT, rules=life.rules, pay_date=SECOND_DAY, proposed_at=_at(SECOND_DAY)
    )
    assert batch.total_amount_minor == 8000
    # Nothing was paid to p_2 yet, and what was tried went to another account: both are shown.
    with life.world.store.read() as connection:
        kinds = [each.kind for each in load_content(connection, batch.batch_id).exceptions]
    told = [] if rail == "csv" else ["new_details"]
    assert kinds == [*told, "first_payment", *(["one_item_file"] if rail == "sepa" else [])]
    life.world.approve_fully(batch)
    life.world.export(
        batch, as_of=SECOND_DAY - timedelta(days=1), rules=life.rules, vault=life.vault,
        execution_date=SECOND_DAY, today=SECOND_DAY,
    )  # fmt: skip
    assert life.balances() == {"p_1": 0, "p_2": 0}
    with life.world.store.read() as connection:
        states = sorted(item.state for item in all_item_states(connection).values())
    assert states == sorted(["settled", "returned" if rail in ("nacha", "paypal") else "failed",
                             "exported"])  # fmt: skip
    found = verify(life.world.home, store=life.world.store, warehouse=life.world.warehouse)
    assert [finding for finding in found if not finding.ok] == []


@pytest.mark.parametrize("rail", ["csv", "sepa"])
def test_a_payout_that_came_back_makes_a_waiting_batch_of_that_partner_stale(tmp_path, rail):
    life = Life.begin(tmp_path / "home", rail)
    life.pay(NIGHT, FIRST_DAY)
    from payout_world import entry

    life.world.desire(
        entry("il_9", 4000, partner_id="p_2", currency_code=life.batches[0].currency_code)
    )
    life.world.post(SECOND_NIGHT)
    (waiting,) = life.world.propose(as_of=SECOND_NIGHT, rules=life.rules)
    life.world.approve_fully(waiting)
    life.bank_answers()
    assert life.world.state(waiting) == "stale"
    with pytest.raises(DecisionRefusedError, match="stale"):
        life.world.export(
            waiting, as_of=SECOND_NIGHT, rules=life.rules, vault=life.vault,
            execution_date=SECOND_DAY, today=SECOND_DAY,
        )  # fmt: skip
    assert life.world.state(waiting) == "stale"


def _open_holds(life: Life) -> list[str]:
    with life.world.store.read() as connection:
        return [hold.subject_id for hold in load_holds(connection) if hold.is_open]


def _left_out(life: Life) -> dict[str, str]:
    from sqlalchemy import select

    from payouts.schema import payout_items

    query = select(payout_items.c.partner_id, payout_items.c.left_out_reason).where(
        payout_items.c.left_out_reason.is_not(None)
    )
    with life.world.store.read() as connection:
        return {row.partner_id: row.left_out_reason for row in connection.execute(query)}


def _at(day):
    from datetime import datetime

    return datetime.combine(day, datetime.min.time())
