"""Tax forms: how long they are valid (T34), who may sign which, and reminders."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from payee_world import ANA, CLOCK, EVE, RULES, payee_world

from payouts.errors import DecisionRefusedError
from payouts.payee_state import Payee
from payouts.payees import failed_gate, record_payee
from payouts.tax_forms import TaxFormReminder, record_tax_form, reminders, valid_until

SIGNED = date(2026, 2, 10)


@pytest.fixture
def world(tmp_path):
    with payee_world(tmp_path / "home") as world:
        yield world


def record(world, form_type, signed_on=SIGNED, partner_id="p_1", **values):
    return record_tax_form(
        world.store, partner_id, form_type=form_type, signed_on=signed_on,
        **{"actor": ANA, "rules": RULES, "recorded_at": CLOCK, **values},
    )  # fmt: skip


def gate(payee, as_of):
    return failed_gate(("tax_form",), "active", payee, as_of)


@pytest.mark.parametrize("form_type", ["w8ben", "w8bene"])
@pytest.mark.parametrize("signed_on", [date(2026, 1, 1), SIGNED, date(2026, 3, 2)])
def test_w8_is_valid_to_the_end_of_the_third_following_year(world, form_type, signed_on):
    """T34."""
    payee = record(world, form_type, signed_on, services_in_us=False)
    assert payee.tax_form_valid_until == date(2029, 12, 31)
    assert gate(payee, date(2029, 12, 31)) is None
    assert gate(payee, date(2030, 1, 1)) == "tax_form"


def test_last_day_of_a_year_belongs_to_that_year():
    assert valid_until("w8ben", date(2025, 12, 31)) == date(2028, 12, 31)
    assert valid_until("w8ben", date(2026, 1, 1)) == date(2029, 12, 31)


def test_w9_does_not_end(world):
    payee = record(world, "w9", entity="business")
    assert (payee.tax_form_valid_until, payee.tax_form_entity) == (None, "business")
    assert gate(payee, date(2099, 1, 1)) is None


@pytest.mark.parametrize(
    ("form_type", "values", "part"),
    [
        ("w8ben", {"entity": "business", "services_in_us": False}, "not of a business"),
        ("w8bene", {"entity": "individual", "services_in_us": False}, "not of an individual"),
        ("w9", {"entity": "trust"}, "not an entity"),
        ("w8ben", {}, "services"),
        ("w8bene", {}, "services"),
        ("1042", {}, "not a tax form"),
        ("w9", {"signed_on": None}, "day on which it was signed"),
        ("w9", {"signed_on": date(2026, 3, 4)}, "cannot have been signed"),
        ("w9", {"signed_on": date(1026, 3, 4)}, "cannot have been signed"),
        ("none", {"signed_on": None}, "needs a reason"),
        ("none", {"reason": "moved"}, "no day of signature"),
        ("w9", {"actor": EVE}, "may not record"),
    ],
)
def test_what_does_not_fit_is_refused(world, form_type, values, part):
    with pytest.raises(DecisionRefusedError, match=part):
        record(world, form_type, **values)
    assert (world.events(), world.payee()) == (0, Payee("p_1"))


def test_entity_follows_from_the_form(world):
    assert record(world, "w8ben", services_in_us=False).tax_form_entity == "individual"
    assert record(world, "w8bene", services_in_us=False).tax_form_entity == "business"


def test_services_in_the_united_states_wait_for_a_review_by_hand(world):
    payee = record(world, "w8ben", services_in_us=True)
    assert gate(payee, SIGNED) == "tax_form"
    reviewed = record_payee(
        world.store, "p_1", actor=ANA, recorded_at=CLOCK, rules=RULES, tax_form=True,
        reason="treaty, article 7",
    )  # fmt: skip
    assert gate(reviewed, SIGNED) is None
    assert gate(reviewed, date(2030, 1, 1)) == "tax_form"
    assert record(world, "w9", services_in_us=True).tax_form is True


def test_form_is_taken_back_when_circumstances_change(world):
    record(world, "w8ben", services_in_us=False)
    payee = record(world, "none", None, reason="moved to the United States")
    assert gate(payee, SIGNED) == "tax_form"
    assert (payee.tax_form_type, payee.tax_form_valid_until) == ("none", None)


def test_reminders_come_at_60_and_30_days_and_after_the_end():
    last_day = date(2029, 12, 31)
    payee = Payee("p_1", tax_form=True, tax_form_type="w8ben", tax_form_valid_until=last_day)
    stages = {
        days_left: [each.stage_days for each in reminders(
            [payee], last_day - timedelta(days=days_left - 1)
        )]
        for days_left in (61, 60, 31, 30, 1, 0, -5)
    }  # fmt: skip
    assert stages == {61: [], 60: [60], 31: [60], 30: [30], 1: [30], 0: [0], -5: [0]}


def test_reminders_are_ordered_and_leave_out_what_does_not_end():
    day = date(2029, 12, 1)
    payees = [
        Payee("p_3", tax_form_type="w8ben", tax_form_valid_until=date(2029, 12, 31)),
        Payee("p_2", tax_form_type="w8bene", tax_form_valid_until=date(2028, 12, 31)),
        Payee("p_1", tax_form_type="w8ben", tax_form_valid_until=date(2029, 12, 31)),
        Payee("p_4", tax_form_type="w9"),
        Payee("p_5"),
    ]
    found = reminders(payees, day)
    assert [each.partner_id for each in found] == ["p_2", "p_1", "p_3"]
    assert found[1] == TaxFormReminder("p_1", "w8ben", date(2029, 12, 31), 31, 60)
