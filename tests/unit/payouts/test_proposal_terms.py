"""Terms that change between the proposal of a batch and its payment (decision 0059)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from payout_world import ANA, APPROVALS, BEN, CLOCK, DAN, NIGHT, RULES, kept, make_payable_world

from payouts import events
from payouts.errors import BatchStaleError, DecisionRefusedError
from payouts.freshness import refresh_batches
from payouts.one_click import approve_all, plan
from payouts.proposal_terms import proposal_terms
from payouts.records import content_hash, load_content
from payouts.terms import Caps
from payouts.verify import verify

SCHEDULE = {"frequency": "monthly", "cutoff": "month_end", "pay_day": 15, "business_day": "next"}
TERMS = replace(
    RULES,
    schedule=SCHEDULE,
    caps=Caps(per_partner_minor={"USD": 1_000_000}, per_batch_minor={"USD": 2_000_000}),
)
CHANGED = [
    (replace(TERMS, offset_share=Decimal("0.50")), "payouts.offset_share", "1 → 0.5"),
    (replace(TERMS, schedule={**SCHEDULE, "pay_day": 20}), "payouts.schedule.pay_day", "15 → 20"),
    (
        replace(TERMS, schedule={"frequency": "weekly", "pay_weekday": "friday"}),
        "payouts.schedule.frequency", "monthly → weekly",
    ),
    (replace(TERMS, minimums_minor={"USD": 4999}), "payouts.minimum.USD", "50.00 → 49.99"),
    (replace(TERMS, minimums_minor={}), "payouts.minimum.USD", "50.00 → not set"),
    (
        replace(TERMS, gates=("status", "screening")),
        "payouts.gates", "tax_form, terms_accepted] → [screening, status]",
    ),
    (replace(TERMS, caps=Caps()), "payouts.caps.per_partner.USD", "10000.00 → not set"),
    (
        replace(TERMS, is_pilot_only=True, pilot_partners=frozenset({"p_1"})),
        "pilot.enabled", "false → true",
    ),
]  # fmt: skip
UNRELATED = [
    replace(TERMS, terms_hash="u" * 64, cooling_off_days=30, dispute_window_days=1),
    replace(TERMS, minimums_minor={**TERMS.minimums_minor, "EUR": 1, "JPY": 1}),
    replace(TERMS, caps=replace(TERMS.caps, per_batch_minor={}, payouts_per_batch=7)),
    replace(TERMS, gates=tuple(reversed(TERMS.gates))),
    replace(TERMS, pilot_partners=frozenset({"p_9"})),
    replace(TERMS, offset_share=Decimal("1.00")),
    replace(TERMS, rails={"EUR": "sepa", "default": "csv"}),
]


@pytest.fixture
def payable(tmp_path, request):
    """With the batch already, for tests that take one."""
    make = _proposed if "batch" in request.fixturenames else make_payable_world
    return kept(make).copy(tmp_path / "home")


@pytest.fixture
def batch(payable):
    """The proposed USD batch of 150.00."""
    return payable.batch_in()


def _proposed(home):
    world = make_payable_world(home)
    world.propose(rules=TERMS)
    return world


def _today(rules):
    return replace(APPROVALS, payouts=rules)


def _head(world):
    with world.store.read() as connection:
        return events.head(connection)


@pytest.mark.parametrize(("rules", "setting", "change"), CHANGED)
def test_changed_terms_make_an_approved_batch_stale_at_its_export(
    payable, batch, rules, setting, change
):
    payable.approve_fully(batch)
    with pytest.raises(BatchStaleError) as caught:
        payable.export(batch, rules=rules)
    assert f"{setting} has changed since the proposal: " in str(caught.value)
    assert change in str(caught.value) and "propose again" in str(caught.value)
    assert payable.state(batch) == "stale"


@pytest.mark.parametrize(("rules", "setting", "change"), CHANGED)
def test_changed_terms_make_a_batch_stale_at_its_approval(payable, batch, rules, setting, change):
    with pytest.raises(BatchStaleError, match=f"was not approved and is stale now: {setting} has"):
        payable.approve(batch, ANA, "partnerships", rules=_today(rules))
    assert payable.state(batch) == "stale"
    assert [
        finding for finding in verify(payable.home, store=payable.store) if not finding.ok
    ] == []


@pytest.mark.parametrize("rules", UNRELATED)
def test_terms_that_decide_nothing_about_a_batch_leave_it_alone(payable, batch, rules):
    payable.approve(batch, ANA, "partnerships", rules=_today(rules))
    payable.approve(batch, BEN, "finance", rules=_today(rules))
    assert payable.export(batch, rules=rules).is_new


def test_changed_partners_of_a_pilot_make_a_batch_stale(payable):
    rules = replace(TERMS, is_pilot_only=True, pilot_partners=frozenset({"p_1"}))
    (batch, *_) = payable.propose(rules=rules)
    more = replace(rules, pilot_partners=frozenset({"p_1", "p_2"}))
    with pytest.raises(BatchStaleError, match=r"pilot.partners has .*: \[p_1\] → \[p_1, p_2\]"):
        payable.approve(batch, ANA, "partnerships", rules=_today(more))


def test_rail_and_legal_entity_are_asked_at_the_approval_too(payable, batch):
    rules = replace(TERMS, rails={"USD": "nacha"}, legal_entity="Acme Ltd")
    with pytest.raises(BatchStaleError, match="now names nacha for USD; program.legal_entity"):
        payable.approve(batch, ANA, "partnerships", rules=_today(rules))


@pytest.mark.parametrize(("actor", "role"), [(DAN, "partnerships"), (BEN, "finance")])
def test_who_may_not_approve_a_batch_does_not_end_it(payable, batch, actor, role):
    before = _head(payable)
    with pytest.raises(DecisionRefusedError):
        payable.approve(batch, actor, role, rules=_today(CHANGED[0][0]))
    assert _head(payable) == before


def test_night_makes_batches_of_other_terms_stale(payable, batch):
    stale = refresh_batches(
        payable.store, payable.home, payable.warehouse, as_of=NIGHT, approval_rules=APPROVALS,
        rules=replace(TERMS, minimums_minor={"USD": 5001, "JPY": 5000}), recorded_at=CLOCK,
    )  # fmt: skip
    assert [found for found, _ in stale] == [batch.batch_id]
    assert "payouts.minimum.USD has changed since the proposal: 50.00 → 50.01" in stale[0][1]


def test_batch_of_an_earlier_release_is_not_judged(payable, monkeypatch):
    """It recorded no terms; what it names itself is compared as before."""
    monkeypatch.setattr("payouts.batch_writing.proposal_terms", lambda rules, code: {})
    batch = payable.propose(rules=TERMS)[-1]
    changed = replace(CHANGED[0][0], offset_share=Decimal("0.1"))
    payable.approve(batch, ANA, "partnerships", rules=_today(changed))
    payable.approve(batch, BEN, "finance", rules=_today(changed))
    assert payable.export(batch, rules=changed).is_new


def test_terms_stand_beside_the_content_and_not_in_its_hash(payable, batch):
    """Batches of earlier releases keep their hash; the chain of events proves the terms."""
    with payable.store.read() as connection:
        content = load_content(connection, batch.batch_id)
        (first, *_) = events.of_subject(connection, f"batch:{batch.batch_id}")
    assert content_hash(content) == batch.content_hash == first.payload["content_hash"]
    assert first.payload["payout_terms"] == proposal_terms(TERMS, "USD")


def test_pay_date_with_a_batch_of_other_terms_is_refused_as_a_whole(payable, batch):
    """The totals were read with it."""
    rules = _today(replace(TERMS, minimums_minor={"USD": 4000, "JPY": 5000}))
    arguments = {"pay_date": batch.pay_date, "actor": ANA, "role": "partnerships", "rules": rules}
    with payable.store.read() as connection:
        found = plan(connection, at=CLOCK, **arguments)
    assert {each.currency_code: each.act for each in found.batches} == {
        "USD": "stale", "JPY": "approve",
    }  # fmt: skip
    assert found.totals_minor == {"JPY": 12_000}
    with pytest.raises(BatchStaleError, match="no batch was approved.*payouts.minimum.USD"):
        approve_all(
            payable.store, payable.home, typed=("150.00 USD", "12,000 JPY"), recorded_at=CLOCK,
            **arguments,
        )  # fmt: skip
    assert payable.state(batch) == "stale"
    done = approve_all(
        payable.store, payable.home, typed=("12,000 JPY",), recorded_at=CLOCK, **arguments
    )
    assert len(done.acting("approve")) == 1


def test_who_may_not_act_sees_a_batch_of_other_terms_wait(payable, batch):
    with payable.store.read() as connection:
        found = plan(
            connection, pay_date=batch.pay_date, actor=DAN, role="finance", at=CLOCK,
            rules=_today(CHANGED[0][0]),
        )  # fmt: skip
    assert {each.act for each in found.batches} == {"wait"}
