"""Orders of events around a batch that are easy to get wrong: holds, aborts, netting, crashes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from payouts.aborting import abort, request_abort
from payouts.approvals import reject
from payouts.errors import BatchStaleError, DecisionRefusedError, ExportRefusedError
from payouts.export_files import EXPORT_FOLDER
from payouts.holds import open_hold
from payouts.records import load_content
from payouts.schema import payout_items
from payouts.verify import verify
from tests.unit.payouts.payout_world import ANA, APPROVALS, BEN, CLOCK, RULES, World, entry, kept

FREE = replace(RULES, minimums_minor={})
HALF = replace(FREE, offset_share=Decimal("0.5"))
MARCH = date(2026, 3, 31)
TOLD = {"reason": "the file was never uploaded", "evidence": "the portal shows no file",
        "rules": APPROVALS, "recorded_at": CLOCK}  # fmt: skip


@pytest.fixture
def world(tmp_path):
    """One ready partner, nothing posted."""
    return kept(_one_ready_partner).copy(tmp_path / "home")


def _one_ready_partner(home):
    world = World.create(home, "OFF")
    world.partner("p_1")
    world.ready_payee("p_1")
    return world


def _content(world: World, batch):
    with world.store.read() as connection:
        return load_content(connection, batch.batch_id)


def _exported(world: World, batch, rules=FREE, **options) -> None:
    world.approve_fully(batch)
    world.export(batch, rules=rules, **options)
    world.refresh()


def _hold(world: World, subject_type: str, subject_id: str, reason: str = "check it"):
    return open_hold(
        world.store, world.home, subject_type=subject_type, subject_id=subject_id, reason=reason,
        actor=ANA, rules=APPROVALS, recorded_at=CLOCK,
    )  # fmt: skip


def _proposed(world: World, *entries, rules=FREE):
    world.desire(*entries)
    world.post()
    (batch,) = world.propose(rules=rules)
    return batch


def _refund(amount_minor: int, of: dict, available_date: date = date(2026, 2, 1)) -> dict:
    return entry(
        of["source_id"], amount_minor, entry_kind="refund", cause_id="re_1",
        reverses_entry_id=of["entry_id"], available_date=available_date,
    )  # fmt: skip


def test_export_against_an_older_night_than_the_batch_is_refused_and_nothing_goes_stale(world):
    batch = _proposed(world, entry("il_1", 10000))
    world.approve_fully(batch)
    with pytest.raises(ExportRefusedError, match="Publish the night of 2026-02-28 first"):
        world.export(batch, rules=FREE, as_of=date(2026, 1, 31))
    assert world.state(batch) == "finance_approved"


def test_aborted_batch_is_paid_on_its_own_pay_date_after_all_and_still_as_a_first_payment(world):
    batch = _proposed(world, entry("il_1", 10000))
    _exported(world, batch)
    request_abort(world.store, batch.batch_id, actor=BEN, **TOLD)
    abort(world.store, world.home, batch.batch_id, actor=ANA, timezone="UTC", **TOLD)
    world.refresh()
    (again,) = world.propose(rules=FREE, pay_date=date(2026, 3, 15))
    assert (again.total_amount_minor, again.pay_date) == (10000, batch.pay_date)
    assert [each.kind for each in _content(world, again).exceptions] == ["first_payment"]
    _exported(world, again)
    assert [each for each in verify(world.home, store=world.store) if not each.ok] == []


def test_while_a_batch_nets_a_part_the_partner_waits_and_is_netted_afterwards(world):
    """100.00 earned, 1,000.00 owed, half is netted: 50.00. The next 100.00 waits, then 50.00."""
    first = _proposed(world, entry("il_0", -100000), entry("il_1", 10000), rules=HALF)
    assert _content(world, first).total_amount_minor == 5000
    world.desire(entry("il_2", 10000, available_date=date(2026, 3, 5)))
    world.post(MARCH)
    assert world.propose(as_of=MARCH, rules=HALF) == []
    with world.store.read() as connection:
        reasons = connection.execute(select(payout_items.c.left_out_reason)).scalars().all()
    assert [reason for reason in reasons if reason] == ["offset_waits"]
    _exported(world, first, HALF, as_of=MARCH)
    (second,) = world.propose(as_of=MARCH, rules=HALF, pay_date=date(2026, 4, 15))
    (item,) = _content(world, second).items
    assert (item.amount_minor, item.carried_amount_minor) == (5000, -90000)


def test_rejected_batch_gives_its_parts_back(world):
    first = _proposed(world, entry("il_0", -100000), entry("il_1", 10000), rules=HALF)
    reject(
        world.store, world.home, first.batch_id, reason="look again", actor=BEN, rules=APPROVALS,
        recorded_at=CLOCK,
    )  # fmt: skip
    world.refresh()
    (again,) = world.propose(rules=HALF, pay_date=date(2026, 3, 15))
    (item,) = _content(world, again).items
    assert (item.amount_minor, item.carried_amount_minor) == (5000, -95000)


def test_hold_on_a_line_holds_what_takes_back_from_it_at_once(world):
    sale = entry("il_1", 10000)
    world.desire(sale, _refund(-9000, sale), entry("il_2", 20000))
    world.post()
    _hold(world, "line", sale["commission_id"])
    (batch,) = world.propose(rules=FREE)
    assert batch.total_amount_minor == 20000


def test_hold_on_a_line_makes_a_batch_stale_that_claims_what_takes_back_from_it(world):
    sale = entry("il_1", 10000)
    _exported(world, _proposed(world, sale, entry("il_2", 20000)))
    world.desire(
        _refund(-9000, sale, date(2026, 3, 5)),
        entry("il_3", 30000, available_date=date(2026, 3, 6)),
    )
    world.post(MARCH)
    (second,) = world.propose(as_of=MARCH, rules=FREE)
    _, stale = _hold(world, "line", sale["commission_id"])
    assert stale == [second.batch_id]


@pytest.mark.parametrize(
    "reason",
    [
        "mail from max@gmail.example",
        "pay DE89370400440532013000 instead",
        "pay DE89 3704 0044 0532 0130 00 instead",
        "account 123456789012",
    ],
)
def test_reason_with_an_address_or_account_is_refused(world, reason):
    with pytest.raises(DecisionRefusedError, match="kept for ever") as refused:
        _hold(world, "partner", "p_1", reason)
    assert reason not in str(refused.value)


@pytest.mark.parametrize("reason", ["invoice in_1PqRsT0123456789 is odd", "see dsp_3f2a9c01b7d4"])
def test_reason_may_name_records(world, reason):
    assert _hold(world, "partner", "p_1", reason)[0].reason == reason


def test_payout_file_of_no_export_is_found_and_removed_by_the_next_proposal(world):
    world.desire(entry("il_1", 10000))
    world.post()
    left = world.home / EXPORT_FOLDER / "b-20260228-USD-csv-1-00000000"
    left.mkdir(parents=True)
    (left / "payouts.csv").write_text("payable by mistake", encoding="utf-8")
    broken = [each for each in verify(world.home, store=world.store) if not each.ok]
    assert ["belongs to no export" in each.detail for each in broken] == [True]
    world.propose(rules=FREE)
    assert not left.exists()


def test_fingerprint_recorded_by_hand_is_part_of_a_csv_batch(world):
    before, after = "ab" * 16, "cd" * 16
    world.ready_payee("p_1", payee_fingerprint=before)
    batch = _proposed(world, entry("il_1", 10000))
    assert _content(world, batch).items[0].payee_fingerprint == before
    world.approve_fully(batch)
    world.ready_payee("p_1", payee_fingerprint=after)
    with pytest.raises(BatchStaleError, match="payout details of partner p_1 have changed"):
        world.export(batch, rules=FREE)
