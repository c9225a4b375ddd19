"""Totals of a year by day of payment (I20); thresholds (T32); payer and network apart (T33)."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from payee_world import ANA, CLOCK, RULES, payee_world
from sqlalchemy import insert, select

from payouts import events
from payouts.schema import batch_states, batches, payout_items, payout_outcomes, proposals
from payouts.tax_forms import record_tax_form
from payouts.year_totals import RailTotal, reporting_of, thresholds, year_totals


@pytest.fixture
def world(tmp_path):
    with payee_world(tmp_path / "home") as world:
        yield world


def pay(
    world, amount_minor, value_date="2026-03-16", *, outcome="settled", partner_id="p_1",
    rail="nacha", currency_code="USD", legal_entity="Acme Inc", payout_id=None, read_at=CLOCK,
):  # fmt: skip
    """One payout in a batch of its own with one outcome; ``payout_id`` of an earlier one: its next
    outcome."""
    with world.store.write() as connection:
        number = events.head(connection).seq + 1
        event = events.append(
            connection, kind="settlement_read", subject="settlement:x", actor=ANA,
            recorded_at=read_at,
        )  # fmt: skip
        common = {
            "legal_entity": legal_entity, "currency_code": currency_code, "rail": rail,
            "pay_date": "2026-03-15", "cutoff_date": "2026-02-28", "as_of": "2026-02-28",
            "proposed_at": "x",
        }  # fmt: skip
        if payout_id is None:
            payout_id = f"payout_{number}"
            batch_id = f"batch_{number}"
            connection.execute(insert(batches).values(
                batch_id=batch_id, version=number, items=1, total_amount_minor=amount_minor,
                terms_hash="t", claims_path=batch_id, claims_sha256="c", claims_rows=1,
                content_hash=batch_id, **common,
            ))  # fmt: skip
            connection.execute(
                insert(batch_states).values(batch_id=batch_id, state="sent", last_seq=event.seq)
            )
            connection.execute(insert(proposals).values(
                proposal_id=batch_id, ordinal=number, batch_id=batch_id, left_out_hash="l", **common
            ))  # fmt: skip
            connection.execute(insert(payout_items).values(
                payout_id=payout_id, proposal_id=batch_id, batch_id=batch_id,
                partner_id=partner_id, currency_code=currency_code, amount_minor=amount_minor,
                entries=1, entries_hash="e",
            ))  # fmt: skip
        else:
            batch_id = payout_id.replace("payout", "batch")
        connection.execute(insert(payout_outcomes).values(
            seq=event.seq, number=1, payout_id=payout_id, batch_id=batch_id, outcome=outcome,
            amount_minor=amount_minor, currency_code=currency_code, value_date=value_date,
        ))  # fmt: skip
    return payout_id


def totals(world, year=2026, timezone="UTC"):
    with world.store.read() as connection:
        return year_totals(connection, year, timezone)


@pytest.mark.parametrize(
    ("amount_minor", "value_date", "threshold_minor", "is_reached"),
    [
        (199_999, "2026-01-01", 200_000, False),
        (200_000, "2026-01-01", 200_000, True),
        (200_001, "2026-12-31", 200_000, True),
        (59_999, "2025-12-31", 60_000, False),
        (60_000, "2025-12-31", 60_000, True),
        (199_999, "2027-06-01", 200_000, False),
    ],
)
def test_threshold_of_the_year_of_payment(
    world, amount_minor, value_date, threshold_minor, is_reached
):
    """T32."""
    pay(world, amount_minor, value_date)
    (total,) = totals(world, int(value_date[:4]))
    assert (total.amount_minor, total.form) == (amount_minor, "1099-NEC")
    assert (total.threshold_minor, total.is_reached) == (threshold_minor, is_reached)


def test_payments_count_in_the_year_of_their_day_whenever_they_were_earned(world):
    """I20, T32: the pay date of both batches lies in 2026."""
    pay(world, 150_000, "2025-12-31")
    pay(world, 50_000, "2026-01-01")
    assert [each.amount_minor for each in totals(world, 2025)] == [150_000]
    assert [each.amount_minor for each in totals(world, 2026)] == [50_000]
    assert totals(world, 2024) == []


def test_rails_of_the_payer_are_one_sum_and_the_network_another(world):
    """T33."""
    pay(world, 120_000, rail="nacha")
    pay(world, 80_000, rail="wise")
    pay(world, 500_000, rail="paypal")
    payer, network = totals(world)
    assert (payer.reporting, payer.amount_minor, payer.is_reached) == ("payer", 200_000, True)
    assert payer.rails == (RailTotal("nacha", 120_000, 1), RailTotal("wise", 80_000, 1))
    assert (network.reporting, network.amount_minor) == ("tpso", 500_000)
    assert (network.form, network.threshold_minor, network.is_reached) == (None, None, False)


def test_partners_entities_and_currencies_are_never_added_up(world):
    for values in (
        {}, {"partner_id": "p_2"}, {"legal_entity": "Acme GmbH"},
        {"currency_code": "EUR", "rail": "sepa"},
    ):  # fmt: skip
        pay(world, 150_000, **values)
    found = totals(world)
    assert [(each.partner_id, each.legal_entity, each.currency_code) for each in found] == [
        ("p_1", "Acme GmbH", "USD"), ("p_1", "Acme Inc", "EUR"), ("p_1", "Acme Inc", "USD"),
        ("p_2", "Acme Inc", "USD"),
    ]  # fmt: skip
    assert {each.amount_minor for each in found} == {150_000}
    assert [each.form for each in found] == ["1099-NEC", None, "1099-NEC", "1099-NEC"]


@pytest.mark.parametrize("outcome", ["sent", "failed", "returned", "unclaimed", "aborted"])
def test_what_did_not_arrive_or_came_back_is_no_payment(world, outcome):
    pay(world, 70_000, outcome=outcome)
    settled = pay(world, 10_000)
    assert [each.amount_minor for each in totals(world)] == [10_000]
    pay(world, 10_000, "2026-04-01", outcome="returned", payout_id=settled)
    assert totals(world) == []


def test_notice_and_older_news_change_no_payment(world):
    noticed, returned = pay(world, 10_000), pay(world, 20_000, "2026-04-01", outcome="returned")
    pay(world, 10_000, None, outcome="notice", payout_id=noticed)
    pay(world, 20_000, "2026-03-16", payout_id=returned)
    assert [each.amount_minor for each in totals(world)] == [10_000]


def test_unclaimed_that_is_settled_later_counts_on_its_day(world):
    payout_id = pay(world, 10_000, "2026-12-30", outcome="unclaimed")
    pay(world, 10_000, "2027-01-02", payout_id=payout_id)
    assert (totals(world, 2026), totals(world, 2027)[0].payments) == ([], 1)


def test_without_value_date_the_local_day_of_reading_counts(world):
    pay(world, 10_000, None, read_at=datetime(2027, 1, 1, 2))
    assert totals(world, 2026, "America/New_York")[0].amount_minor == 10_000
    assert totals(world, 2027, "America/New_York") == []
    assert totals(world, 2027, "UTC")[0].amount_minor == 10_000


@pytest.mark.parametrize(("form_type", "form"), [("w9", "1099-NEC"), ("w8ben", None)])
def test_foreign_payees_have_no_domestic_threshold(world, form_type, form):
    pay(world, 300_000)
    record_tax_form(
        world.store, "p_1", form_type=form_type, signed_on=date(2026, 1, 5), services_in_us=False,
        actor=ANA, rules=RULES, recorded_at=CLOCK,
    )  # fmt: skip
    assert [(each.form, each.is_reached) for each in totals(world)] == [(form, form is not None)]


def test_total_in_a_currency_without_a_threshold_is_not_compared_and_says_so(world):
    """M1: 3,000.00 EUR are more than 2,000.00 USD, and nothing here says so."""
    pay(world, 100_000)
    pay(world, 300_000, currency_code="EUR", rail="sepa")
    pay(world, 300_000, currency_code="EUR", rail="paypal")
    payer, network, dollars = totals(world)
    assert (payer.currency_code, payer.form, payer.is_reached) == ("EUR", None, False)
    assert payer.uncompared_form == "1099-NEC"
    # What the network reports has no threshold of the payer's at all.
    assert (network.reporting, network.uncompared_form) == ("tpso", None)
    assert (dollars.form, dollars.uncompared_form) == ("1099-NEC", None)


@pytest.mark.parametrize(("form_type", "uncompared"), [("w9", "1099-NEC"), ("w8ben", None)])
def test_total_of_a_foreign_payee_needs_no_comparison(world, form_type, uncompared):
    pay(world, 300_000, currency_code="EUR", rail="sepa")
    record_tax_form(
        world.store, "p_1", form_type=form_type, signed_on=date(2026, 1, 5), services_in_us=False,
        actor=ANA, rules=RULES, recorded_at=CLOCK,
    )  # fmt: skip
    assert [each.uncompared_form for each in totals(world)] == [uncompared]


def test_rows_of_thresholds_do_not_overlap_and_name_their_source():
    rows = thresholds()
    for year in range(2020, 2040):
        keys = [
            (row.country, row.form, row.currency_code, row.reporting)
            for row in rows
            if row.holds_in(year)
        ]
        assert len(keys) == len(set(keys)) == 1
    assert all(row.source for row in rows)


@pytest.mark.parametrize(
    ("rail", "reporting"),
    [
        ("paypal", "tpso"),
        ("nacha", "payer"),
        ("sepa", "payer"),
        ("wise", "payer"),
        ("new", "payer"),
    ],
)
def test_class_of_each_rail(rail, reporting):
    assert reporting_of(rail) == reporting


def test_outcomes_are_untouched(world):
    pay(world, 10_000)
    before = world.events()
    totals(world)
    with world.store.read() as connection:
        assert len(connection.execute(select(payout_outcomes)).all()) == 1
    assert world.events() == before
