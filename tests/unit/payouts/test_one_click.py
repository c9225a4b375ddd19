"""A whole pay date at once: the plan, the typed totals, all or nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from payout_world import ANA, APPROVALS, BEN, CAT, CLOCK, DAN, entry
from signing import make_key, needs_ssh_keygen, signer_line

from payouts import events
from payouts.errors import DecisionRefusedError
from payouts.one_click import approve_all, parse_totals, plan
from payouts.signatures import sign

TOTALS = ("150.00 USD", "12,000 JPY")


@pytest.fixture
def pay_date(payable):
    return payable.propose()[0].pay_date


def _plan(world, pay_date, actor=ANA, role="partnerships", **options):
    arguments = {"rules": APPROVALS, "at": CLOCK, **options}
    with world.store.read() as connection:
        return plan(connection, pay_date=pay_date, actor=actor, role=role, **arguments)


def _approve(world, pay_date, actor=ANA, role="partnerships", typed=TOTALS, **options):
    arguments = {"rules": APPROVALS, "recorded_at": CLOCK, **options}
    return approve_all(
        world.store, world.home, pay_date=pay_date, actor=actor, role=role, typed=typed, **arguments
    )


def _head(world):
    with world.store.read() as connection:
        return events.head(connection)


def test_plan_says_what_each_batch_needs_and_writes_nothing(payable, pay_date):
    before = _head(payable)
    found = _plan(payable, pay_date)
    assert found.totals_minor == {"JPY": 12_000, "USD": 15_000}
    assert {batch.act for batch in found.batches} == {"approve"}
    assert found.batches[0].missing == {"partnerships": 1, "finance": 1}
    assert not any(batch.is_complete for batch in found.batches)
    assert {exception.kind for batch in found.batches for exception in batch.exceptions} == {
        "first_payment"
    }
    waiting = _plan(payable, pay_date, BEN, "finance")
    assert waiting.totals_minor == {}
    assert all("it waits for partnerships" in batch.reason for batch in waiting.batches)
    assert _head(payable) == before


def test_two_people_approve_a_whole_pay_date(payable, pay_date):
    assert len(_approve(payable, pay_date).acting("approve")) == 2
    done = _approve(payable, pay_date, BEN, "finance")
    assert all(batch.is_complete for batch in done.batches)
    ready = _plan(payable, pay_date, DAN, "finance", with_export=True)
    assert {batch.act for batch in ready.batches} == {"export"}
    assert ready.totals_minor == {"JPY": 12_000, "USD": 15_000}
    without = _plan(payable, pay_date, DAN, "finance")
    assert (without.totals_minor, {batch.act for batch in without.batches}) == ({}, {"wait"})


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (("150.01 USD", "12,000 JPY"), "typed in USD is not that of pay date"),
        (("150.00 USD",), "typed in JPY"),
        (("150.00 USD", "12,000 JPY", "1.00 EUR"), "typed in EUR"),
        ((), "typed in JPY, USD"),
        (("150.00 USD", "150.00 USD", "12,000 JPY"), "USD is given twice"),
        (("15,0.00 USD", "12,000 JPY"), "is no total; write it like"),
        (("150,00 USD", "12,000 JPY"), "is no total"),
        (("150.001 USD", "12,000 JPY"), "too many decimals"),
        (("12,000.5 JPY", "150.00 USD"), "too many decimals"),
        (("150.00", "12,000 JPY"), "is no total"),
        (("-150.00 USD", "12,000 JPY"), "is no total"),
        (("150.00 XXY", "12,000 JPY"), "not a known ISO 4217"),
    ],
)
def test_wrong_total_records_nothing_for_any_batch(payable, pay_date, typed, message):
    before = _head(payable)
    with pytest.raises(DecisionRefusedError, match=message):
        _approve(payable, pay_date, typed=typed)
    assert _head(payable) == before


def test_typed_totals_are_read_exactly():
    assert parse_totals([" 1,234,567.89 USD", "9000JPY", "0.001 KWD", "5 EUR"]) == {
        "USD": 123_456_789, "JPY": 9_000, "KWD": 1, "EUR": 500,
    }  # fmt: skip


def test_one_refused_approval_refuses_all(payable, pay_date):
    """The claims of one batch were changed: the other is not approved either."""
    jpy, usd = sorted(_plan(payable, pay_date).batches, key=lambda each: each.currency_code)
    path = payable.home / "batches" / usd.batch_id / "claims.parquet"
    path.write_bytes(path.read_bytes() + b"x")
    before = _head(payable)
    with pytest.raises(Exception, match="was changed after batch"):
        _approve(payable, pay_date)
    assert _head(payable) == before


def test_batches_of_another_date_or_maker_are_left_alone(tmp_path, payable):
    batches = payable.propose(actor=ANA)
    day = batches[0].pay_date
    mine = _plan(payable, day)
    assert mine.totals_minor == {}
    assert all("four eyes" in batch.reason for batch in mine.batches)
    with pytest.raises(DecisionRefusedError, match="nothing of pay date .* waits for ana@"):
        _approve(payable, day)
    assert _plan(payable, day, CAT).totals_minor == {"JPY": 12_000, "USD": 15_000}
    other = day.replace(day=14)
    with pytest.raises(DecisionRefusedError, match="nothing of pay date 2026-0.-14"):
        _approve(payable, other, CAT)


def test_batch_that_came_after_looking_changes_the_total(payable, pay_date):
    payable.partner("p_2", "Agency Two")
    payable.ready_payee("p_2")
    payable.desire(entry("il_9", 7_000, partner_id="p_2"))
    payable.post()
    assert payable.propose(pay_date=pay_date)
    with pytest.raises(DecisionRefusedError, match="typed in USD"):
        _approve(payable, pay_date)


@needs_ssh_keygen
def test_every_batch_is_signed_or_none(payable, pay_date, tmp_path):
    key = make_key(tmp_path, "ana")
    signers = tmp_path / "allowed_signers"
    signers.write_text(signer_line(ANA, key))
    rules = replace(APPROVALS, min_identity="ssh_signed", allowed_signers=signers)
    with pytest.raises(DecisionRefusedError, match="min_identity asks"):
        _approve(payable, pay_date, rules=rules)
    batches = _plan(payable, pay_date, rules=rules).batches
    signed = {batch.batch_id: sign(batch.message, key) for batch in batches}
    before = _head(payable)
    with pytest.raises(DecisionRefusedError, match="was not signed; look at the batches again"):
        _approve(payable, pay_date, rules=rules, signatures=dict(list(signed.items())[:1]))
    swapped = dict(zip(signed, reversed(signed.values()), strict=True))
    with pytest.raises(DecisionRefusedError, match="not one of this batch"):
        _approve(payable, pay_date, rules=rules, signatures=swapped)
    assert _head(payable) == before
    _approve(payable, pay_date, rules=rules, signatures=signed)
    assert {batch.state for batch in _plan(payable, pay_date).batches} == {"partnerships_approved"}
