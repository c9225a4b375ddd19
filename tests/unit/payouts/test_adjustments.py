"""Manual adjustments: what may be proposed, four eyes, turns, and that a night posts each once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import pytest
from adjustment_world import (
    EVE,
    adjustment_entry,
    approve,
    approved,
    decline,
    propose,
    race,
    revoke,
)
from lead_world import raw, recorded
from payout_world import ANA, APPROVALS, BEN, CAT, CLOCK, DAN, World, entry

from payouts.adjustments import adjustment_events, load_adjustments
from payouts.errors import ChainBrokenError, DecisionRefusedError, PostingRefusedError
from payouts.journal import segment_paths
from payouts.verify import verify


def _loaded(world):
    with world.store.read() as connection:
        return load_adjustments(connection)


def _broken(world, **options):
    return {f.check: f.detail for f in verify(world.home, store=world.store, **options) if not f.ok}


def test_adjustment_is_read_back_through_its_life(world):
    proposed = propose(world)
    assert proposed.adjustment_id.startswith("adj_") and len(proposed.adjustment_id) == 16
    assert (proposed.state, proposed.decided_by) == ("proposed", None)
    assert (proposed.effective_date, proposed.available_date) == (None, None)
    turned = approve(world, proposed)
    assert (turned.state, turned.decided_by, turned.reason) == ("approved", "ben", "checked")
    assert (turned.effective_date, turned.available_date) == ("2026-03-02", "2026-03-02")
    revoked = revoke(world, proposed)
    assert (revoked.state, revoked.effective_date, revoked.reason) == (
        "revoked", None, "not agreed",
    )  # fmt: skip
    assert revoked.proposal_reason == "a bonus was promised"
    assert _loaded(world) == [revoked]
    with world.store.read() as connection:
        told = [event.kind for event in adjustment_events(connection, revoked)]
    assert told == ["adjustment_proposed", "adjustment_approved", "adjustment_revoked"]


def test_raw_table_holds_approved_adjustments_only(world):
    propose(world, 100)
    decline(world, propose(world, 200))
    revoke(world, approved(world, 300))
    one = approved(world, -400, lead_id="lead_1", available_date=date(2026, 4, 1))
    assert raw(world, "control__adjustments") == [
        (one.adjustment_id, "p_1", -400, "USD", date(2026, 3, 2), date(2026, 4, 1), "lead_1", None,
         CLOCK, "ben", "approved"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"amount_minor": 0}, "zero changes nothing; name an amount, with a minus to take"),
        ({"amount_minor": 25.0}, "not a whole number"),
        ({"amount_minor": True}, "not a whole number"),
        ({"amount_minor": 10**15 + 1}, "larger than 10,000,000,000,000.00 USD, the most"),
        ({"amount_minor": -(10**15) - 1}, "larger than"),
        ({"partner_id": " "}, "partner is missing"),
        ({"payout_currency_code": None}, "no partner 'p_1'"),
        ({"currency_code": "EUR"}, "paid in USD, so that an adjustment in EUR"),
        ({"payout_currency_code": "JPY"}, "paid in JPY, so that an adjustment in USD"),
        ({"currency_code": ""}, "currency is missing"),
        ({"reason": " "}, "reason is missing"),
        ({"evidence": ""}, "evidence is missing"),
        ({"evidence": "x" * 1_001}, "more than 1000"),
        ({"actor": EVE}, "may not propose an adjustment"),
        ({"actor": ""}, "person who proposes is missing"),
        ({"corrects_entry_id": "e_9"}, "no entry 'e_9' to correct"),
        ({"lead_id": "a\x1fb"}, "control character"),
    ],
)
def test_proposal_that_breaks_a_rule_is_refused(world, options, message):
    with pytest.raises(DecisionRefusedError, match=message):
        propose(world, **options)
    assert (recorded(world), _loaded(world)) == (0, [])


@pytest.mark.parametrize("amount_minor", [1, -1, 10**15, -(10**15)])
def test_smallest_and_largest_amounts_are_exact(world, amount_minor):
    adjustment = approved(world, amount_minor)
    assert adjustment.amount_minor == amount_minor
    world.desire(adjustment_entry(world, adjustment))
    world.post()
    assert raw(world, "journal__entries", "payout_amount_minor") == [(amount_minor,)]


@pytest.mark.parametrize("actor", [ANA, BEN])
def test_partnerships_and_finance_may_propose(world, actor):
    assert propose(world, actor=actor).state == "proposed"


def test_correction_belongs_to_the_lead_and_waits_for_what_it_takes_away(payable):
    """R10 in spirit: taking away may not come before the entry that it corrects is available."""
    held = entry("il_9", 900, available_date=date(2026, 5, 1))
    payable.desire(held, entry("il_8", 900, partner_id="p_2"))
    payable.post()
    less = approved(payable, -900, corrects_entry_id=held["entry_id"])
    assert (less.lead_id, less.available_date) == ("lead_1", "2026-05-01")
    more = approved(payable, 900, corrects_entry_id=held["entry_id"], lead_id="lead_7")
    assert (more.lead_id, more.available_date) == ("lead_7", "2026-03-02")
    later = approved(
        payable, -10, corrects_entry_id=held["entry_id"], available_date=date(2026, 6, 1)
    )
    assert later.available_date == "2026-06-01"
    other = entry("il_8", 900, partner_id="p_2")["entry_id"]
    with pytest.raises(DecisionRefusedError, match="one of partner p_2, not of p_1"):
        propose(payable, corrects_entry_id=other)
    payable.desire(adjustment_entry(payable, less))
    assert payable.post().rows == 1


def test_first_day_for_paying_is_never_before_the_approval(world):
    early = approved(world, available_date=date(2026, 2, 1))
    assert (early.asked_available_date, early.available_date) == ("2026-02-01", "2026-03-02")


@pytest.mark.parametrize(
    ("recorded_at", "day"),
    [
        (datetime(2026, 3, 2, 4, 59, 59, 999999), "2026-03-01"),
        (datetime(2026, 3, 2, 5, 0), "2026-03-02"),
        (datetime(2026, 7, 1, 3, 59, 59), "2026-06-30"),
        (datetime(2026, 7, 1, 4, 0), "2026-07-01"),
    ],
)
def test_effective_date_is_the_local_day_of_the_approval(world, recorded_at, day):
    assert approve(world, propose(world), recorded_at=recorded_at).effective_date == day


def test_who_proposed_it_may_not_approve_it(world):
    adjustment = propose(world, actor=CAT)
    with pytest.raises(DecisionRefusedError, match="four eyes"):
        approve(world, adjustment, actor=" CAT@acme.example")
    assert approve(world, adjustment, actor=BEN).state == "approved"


@pytest.mark.parametrize(
    ("turn", "options", "message"),
    [
        (approve, {"actor": ANA}, "roles.finance"),
        (approve, {"actor": EVE}, "roles.finance"),
        (approve, {"reason": " "}, "reason is missing"),
        (approve, {"rules": replace(APPROVALS, min_identity="ssh_signed")}, "min_identity asks"),
        (approve, {"identity_level": "passport"}, "not an identity level"),
        (decline, {"actor": EVE}, "may not decline an adjustment"),
        (decline, {"reason": ""}, "reason is missing"),
        (revoke, {"actor": EVE}, "may not revoke an adjustment"),
    ],
)
def test_decision_that_breaks_a_rule_is_refused(world, turn, options, message):
    adjustment = propose(world, actor=CAT)
    before = recorded(world)
    with pytest.raises(DecisionRefusedError, match=message):
        turn(world, adjustment, **options)
    assert recorded(world) == before


def test_who_proposed_it_may_take_it_back(world):
    assert decline(world, propose(world), actor=ANA).state == "declined"


def _posted(world, adjustment):
    (now,) = [each for each in _loaded(world) if each.adjustment_id == adjustment.adjustment_id]
    world.desire(adjustment_entry(world, now))
    world.post()


_TURNS = {"approved": approve, "declined": decline, "revoked": revoke, "posted": _posted}


@pytest.mark.parametrize(
    ("before", "turn", "message"),
    [
        ((), "revoked", "proposed and cannot become revoked: approve or decline"),
        (("approved",), "approved", "approved and cannot become approved: revoke it"),
        (("approved",), "declined", "revoke it to stop it"),
        (("declined",), "declined", "propose a new one"),
        (("declined",), "approved", "propose a new one"),
        (("declined",), "revoked", "propose a new one"),
        (("approved", "revoked"), "approved", "propose a new one"),
        (("approved", "revoked"), "revoked", "propose a new one"),
        (("approved", "posted"), "revoked", "posted in segment 1 .* a second one that takes it"),
        (("approved", "posted"), "approved", "a second one that takes it back"),
        (("approved", "posted"), "declined", "a second one that takes it back"),
    ],
)
def test_turn_in_the_wrong_order_is_refused(world, before, turn, message):
    adjustment = propose(world)
    for earlier in before:
        _TURNS[earlier](world, adjustment)
    events = recorded(world)
    with pytest.raises(DecisionRefusedError, match=message):
        _TURNS[turn](world, adjustment)
    assert recorded(world) == events
    assert _broken(world) == {}


def test_unknown_adjustment_is_refused(world):
    unknown = replace(propose(world), adjustment_id="adj_000000000000")
    for turn in (approve, decline, revoke):
        with pytest.raises(DecisionRefusedError, match="no adjustment 'adj_000000000000'"):
            turn(world, unknown)


def test_repetition_is_refused_while_it_waits(world):
    first = propose(world)
    with pytest.raises(DecisionRefusedError, match=first.adjustment_id):
        propose(world, actor=BEN, reason="another word for it")
    propose(world, evidence="mail of May 3")
    propose(world, 2501)
    propose(world, lead_id="lead_1")
    decline(world, first)
    assert propose(world).adjustment_id != first.adjustment_id


def test_night_posts_it_once_and_knows_where(payable):
    adjustment = approved(payable, -2500)
    row = adjustment_entry(payable, adjustment)
    payable.desire(row)
    assert payable.post().rows == 1
    (posted,) = _loaded(payable)
    assert (posted.state, posted.segment, posted.entry_id) == ("posted", 2, row["entry_id"])
    assert (posted.decided_by, posted.effective_date) == ("ben", "2026-03-02")
    assert payable.post().rows == 0
    assert raw(payable, "control__adjustments", "adjustment_id, state") == [
        (adjustment.adjustment_id, "approved")
    ]
    assert _broken(payable, warehouse=payable.warehouse) == {}
    proved = {f.check: f.detail for f in verify(payable.home, store=payable.store)}
    assert proved["posted_adjustments"] == "1 adjustments posted as approved"


def test_adjustment_is_paid_with_the_rest(payable):
    """It lowers the payout that its partner gets."""
    adjustment = approved(payable, -2500, available_date=None)
    payable.desire(adjustment_entry(payable, adjustment, available_date=date(2026, 2, 1)))
    payable.post()
    totals = {batch.currency_code: batch.total_amount_minor for batch in payable.propose()}
    assert totals == {"JPY": 12000, "USD": 12500}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"amount_minor": 2501, "payout_amount_minor": 2501}, "not what was approved"),
        ({"payout_amount_minor": 2499}, "not what was approved"),
        ({"payout_currency_code": "EUR"}, "not what was approved"),
    ],
)
def test_entry_that_differs_from_the_approval_is_refused(world, changes, message):
    adjustment = approved(world)
    world.desire(adjustment_entry(world, adjustment, **changes), entry("il_1", 10))
    with pytest.raises(PostingRefusedError, match=message):
        world.post()
    assert (segment_paths(world.store, world.home), _loaded(world)) == ([], [adjustment])


def test_adjustment_revoked_while_the_night_runs_is_not_posted(world):
    adjustment = approved(world)
    world.desire(adjustment_entry(world, adjustment), entry("il_1", 10))
    world.refresh()
    revoked = revoke(world, adjustment)
    with pytest.raises(PostingRefusedError, match="which is revoked.*nothing was posted"):
        world.post()
    assert (segment_paths(world.store, world.home), _loaded(world)) == ([], [revoked])
    world.warehouse.execute("delete from intermediate.desired where entry_kind = 'adjustment'")
    assert world.post().segment == 1
    assert _broken(world) == {}


def test_entry_without_an_approval_is_refused(world):
    adjustment = approved(world)
    stranger = replace(adjustment, adjustment_id="adj_000000000000")
    world.desire(adjustment_entry(world, stranger))
    with pytest.raises(PostingRefusedError, match="adj_000000000000, which is unknown"):
        world.post()


@pytest.mark.parametrize("attempt", range(3))
def test_two_processes_approve_and_one_wins(tmp_path, attempt):
    world = World.create(tmp_path / "home")
    adjustment = propose(world)
    outcomes = race(
        world.home,
        tmp_path,
        f"approve(world, adjustment, actor={BEN!r}).state",
        f"approve(world, adjustment, actor={DAN!r}).state",
    )
    assert sorted(outcomes) == ["DecisionRefusedError", "approved"]
    (now,) = _loaded(world)
    assert (now.adjustment_id, now.state) == (adjustment.adjustment_id, "approved")
    assert recorded(world) == 2
    assert _broken(world) == {}


@pytest.mark.parametrize("attempt", range(2))
def test_approving_and_declining_at_once_leaves_one_decision(tmp_path, attempt):
    world = World.create(tmp_path / "home")
    propose(world)
    outcomes = race(
        world.home,
        tmp_path,
        "approve(world, adjustment).state",
        "decline(world, adjustment).state",
    )
    assert "DecisionRefusedError" in outcomes and len(set(outcomes)) == 2
    assert recorded(world) == 2


def _sql(world, *statements):
    with world.store.write() as connection:
        for (name,) in connection.exec_driver_sql(
            "select name from sqlite_master where type = 'trigger'"
        ).all():  # fmt: skip
            connection.exec_driver_sql(f"drop trigger {name}")
        connection.exec_driver_sql("pragma defer_foreign_keys = on")
        for statement in statements:
            connection.exec_driver_sql(statement)


@pytest.fixture
def adjusted(world):
    """A posted, an approved, a declined and a waiting adjustment."""
    posted = approved(world)
    world.desire(adjustment_entry(world, posted))
    world.post()
    approved(world, -700)
    decline(world, propose(world, 800))
    propose(world, 900)
    return world


@pytest.mark.parametrize(
    ("statement", "checks"),
    [
        ("update adjustments set amount_minor = 2400 where seq = 1",
         {"adjustments", "posted_adjustments"}),
        ("update adjustments set partner_id = 'p_9' where seq = 1",
         {"adjustments", "posted_adjustments"}),
        ("update adjustments set currency_code = 'EUR' where amount_minor = 900",
         {"adjustments", "posted_adjustments"}),
        ("update adjustments set evidence = 'none' where amount_minor = 900",
         {"adjustments", "posted_adjustments"}),
        ("update adjustments set corrects_entry_id = 'e' where amount_minor = -700",
         {"adjustments", "posted_adjustments"}),
        ("delete from adjustments where amount_minor = 900", {"adjustments"}),
        ("delete from adjustments where seq = 1", {"adjustments", "posted_adjustments"}),
    ],
)  # fmt: skip
def test_changed_adjustment_is_found(adjusted, statement, checks):
    assert _broken(adjusted) == {}
    _sql(adjusted, statement)
    assert set(_broken(adjusted)) == checks


def test_missing_row_stops_a_night_with_what_to_do(adjusted):
    _sql(adjusted, "delete from adjustments where seq = 1")
    with pytest.raises(ChainBrokenError, match="missing.*backup"):
        adjusted.refresh()


def test_changed_row_is_never_decided_on_nor_posted(adjusted):
    waiting = next(each for each in _loaded(adjusted) if each.amount_minor == 900)
    _sql(adjusted, "update adjustments set amount_minor = 90000 where amount_minor = 900")
    with pytest.raises(ChainBrokenError, match="changed by hand.*backup"):
        approve(adjusted, waiting)
    with pytest.raises(ChainBrokenError, match="changed by hand.*backup"):
        adjusted.refresh()


def test_decisions_written_past_the_product_are_found(world):
    """The chain is whole, but nobody could have decided so."""
    from payouts import events

    adjustment = propose(world)
    with world.store.write() as connection:
        for kind, payload in (
            ("adjustment_approved", {"effective_date": "2026-03-02"}),
            ("adjustment_posted", {"entry_id": "e_1", "segment": 1}),
            ("adjustment_revoked", {}),
        ):
            events.append(
                connection, kind=kind, subject=f"adjustment:{adjustment.adjustment_id}", actor=ANA,
                recorded_at=CLOCK, payload=payload,
            )  # fmt: skip
    broken = _broken(world)
    assert set(broken) == {"adjustment_decisions"}
    assert "approved by its maker (event 2)" in broken["adjustment_decisions"]
    assert "could not become revoked (event 4)" in broken["adjustment_decisions"]


def test_posted_event_without_its_entry_is_found(world):
    from payouts import events

    adjustment = approved(world)
    with world.store.write() as connection:
        events.append(
            connection, kind="adjustment_posted", subject=f"adjustment:{adjustment.adjustment_id}",
            actor="system:night", recorded_at=CLOCK, payload={"entry_id": "e_1", "segment": 1},
        )  # fmt: skip
    assert set(_broken(world)) == {"posted_adjustments"}


def test_raw_table_of_a_fresh_home_is_typed_and_empty(world):
    assert raw(world, "control__adjustments") == []
    types = dict(
        row[:2] for row in world.warehouse.execute("describe raw.control__adjustments").fetchall()
    )
    assert (types["amount_minor"], types["effective_date"], types["decided_at"]) == (
        "BIGINT", "DATE", "TIMESTAMP",
    )  # fmt: skip
