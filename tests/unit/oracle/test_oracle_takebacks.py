"""Hand-worked cases for the oracle: refunds, chargebacks, credit notes, void, churn, age."""

from datetime import date
from decimal import Decimal

import pytest

from tests.oracle.builder import World, amounts, bounty, only, recurring, version


def clawback(**policy: object) -> World:
    """A world whose one plan has this clawback policy."""
    return World(versions=[version(clawback=policy)])


# --- R1, M4: refunds --------------------------------------------------------------------------


def test_refund_in_three_parts_sums_to_the_earning_exactly() -> None:
    # earned 1001 x 20 % = 200.2 -> 200. Cumulative: 200 x 333/1001 = 66.53 -> 67;
    # 200 x 666/1001 = 133.07 -> 133; 200 x 1001/1001 = 200. Entries 67, 66, 67.
    world = World().sale(1001).refund("r1", "i1", "2026-02-01", 333)
    world.refund("r2", "i1", "2026-02-02", 333).refund("r3", "i1", "2026-02-03", 335)
    expected = {"i1-1<r1": -67, "i1-1<r2": -66, "i1-1<r3": -67}
    assert amounts(world.night(), "refund") == expected
    assert sum(row.amount_minor for row in world.night().lines) == 0
    # a fourth refund takes nothing more
    world.refund("r4", "i1", "2026-02-04", 500)
    assert amounts(world.night(), "refund") == expected


def test_refund_is_measured_with_tax() -> None:
    # earned 20 % of 100.00 = 20.00; paid 119.00; refunded 59.50 = half: 10.00
    world = World().click("t1", "2026-01-05").customer()
    world.invoice("i1", "2026-01-10", {"amount_minor": 10000, "tax_minor": 1900})
    world.pay("pay1", "i1", "2026-01-11", 11900).refund("r1", "i1", "2026-02-01", 5950)
    assert amounts(world.night(), "refund") == {"i1-1<r1": -1000}


def test_partial_payments_then_partial_refunds_sum_exactly() -> None:
    # paid 334 + 334 of 1001: earned 20 % of 668 = 133.6 -> 134. Refunds of 222, 222, 224 of 668:
    # 134 x 222/668 = 44.53 -> 45; 134 x 444/668 = 89.07 -> 89; 134.
    world = World().click("t1", "2026-01-05").customer()
    world.invoice("i1", "2026-01-10", {"amount_minor": 1001}, status="open")
    world.pay("p1", "i1", "2026-01-11", 334).pay("p2", "i1", "2026-02-11", 334)
    for number, amount in enumerate((222, 222, 224), start=1):
        world.refund(f"r{number}", "i1", f"2026-03-0{number}", amount)
    assert amounts(world.night()) == {"i1-1": 134}
    assert amounts(world.night(), "refund") == {"i1-1<r1": -45, "i1-1<r2": -44, "i1-1<r3": -45}


def test_negative_lines_are_given_back_by_the_same_fraction() -> None:
    # 20 % of 100.00 and of -25.05: 20.00 and -5.01; paid 74.95, refunded 25.00:
    # 2000 x 2500/7495 = 667.11 -> 667; -501 x 2500/7495 = -167.11 -> -167
    world = World().click("t1", "2026-01-05").customer()
    lines = ({"amount_minor": 10000}, {"amount_minor": -2505, "is_proration": True})
    world.invoice("i1", "2026-01-10", *lines, paid_at="2026-01-10")
    world.refund("r1", "i1", "2026-02-01", 2500)
    assert amounts(world.night(), "refund") == {"i1-1<r1": -667, "i1-2<r1": 167}


def test_line_refund_mixed_with_invoice_refunds() -> None:
    # lines 60.00 and 40.00: earned 12.00 and 8.00; paid 100.00
    # r1: 30.00 of line 1: 30/60 of 12.00 = 6.00
    # r2: 20.00 of the invoice: line 1 at 0.5 + 0.2 = 0.7 -> 8.40, so 2.40; line 2 at 0.2 -> 1.60
    world = World().click("t1", "2026-01-05").customer()
    world.invoice(
        "i1", "2026-01-10", {"amount_minor": 6000}, {"amount_minor": 4000}, paid_at="2026-01-10"
    )
    world.refund("r1", "i1", "2026-02-01", 3000, invoice_line_id="i1-1")
    world.refund("r2", "i1", "2026-02-02", 2000)
    expected = {"i1-1<r1": -600, "i1-1<r2": -240, "i1-2<r2": -160}
    assert amounts(world.night(), "refund") == expected
    # r3: the remaining 50.00: all is refunded, so nothing is left (M4): 3.60 and 6.40
    world.refund("r3", "i1", "2026-02-03", 5000)
    assert amounts(world.night(), "refund") == expected | {"i1-1<r3": -360, "i1-2<r3": -640}


def test_line_refund_of_part_paid_invoice_is_measured_on_the_paid_part() -> None:
    # line 60.00 of 100.00, half paid: earned 6.00 on 30.00 paid; refund 15.00 of the line = 3.00
    world = World().click("t1", "2026-01-05").customer()
    world.invoice("i1", "2026-01-10", {"amount_minor": 6000}, {"amount_minor": 4000})
    world.pay("p1", "i1", "2026-01-11", 5000)
    world.refund("r1", "i1", "2026-02-01", 1500, invoice_line_id="i1-1")
    assert amounts(world.night(), "refund") == {"i1-1<r1": -300}


@pytest.mark.parametrize(
    ("status", "taken"), [("", -500), ("succeeded", -500), ("pending", 0), ("failed", 0)]
)
def test_only_a_refund_that_succeeded_counts(status: str, taken: int) -> None:
    world = World().sale(10000).refund("r1", "i1", "2026-02-01", 2500, status=status)
    assert sum(amounts(world.night(), "refund").values()) == taken


def test_refund_that_fails_later_gives_back_the_same_cents() -> None:
    world = World().sale(1001).refund("r1", "i1", "2026-02-01", 333, status="succeeded")
    assert amounts(world.night(), "refund") == {"i1-1<r1": -67}
    world.refund("r1", "i1", "2026-02-01", 333, status="failed")  # a newer version, by arrival
    assert amounts(world.night()) == {"i1-1": 200}
    assert amounts(world.night(), "refund") == {}


def test_refund_mode_none_takes_nothing_back() -> None:
    world = clawback(refund={"mode": "none"}).sale(1000).refund("r1", "i1", "2026-02-01", 1000)
    assert amounts(world.night(), "refund") == {}


def test_policy_is_of_the_version_that_earned() -> None:
    # R9: pinned on 20 Jan under mode none; the version of 1 Feb would take back
    lenient = version(clawback={"refund": {"mode": "none"}})
    world = World(versions=[lenient, version(since="2026-02-01")]).sale(1000)
    assert amounts(world.refund("r1", "i1", "2026-02-02", 1000).night(), "refund") == {}


@pytest.mark.parametrize(
    ("refunded_at", "taken"), [("2026-02-19T10:00:00Z", -200), ("2026-02-19T10:00:01Z", 0)]
)
def test_nothing_is_taken_back_later_than_max_age(refunded_at: str, taken: int) -> None:
    # earned 2026-01-20T10:00Z + 30 x 24 h = 2026-02-19T10:00Z
    world = clawback(max_age_days=30).sale(1000, "2026-01-20T10:00:00Z")
    world.refund("r1", "i1", refunded_at, 1000)
    assert sum(amounts(world.night(), "refund").values()) == taken


# --- R10: pointers, dates and rates -----------------------------------------------------------


@pytest.mark.parametrize(
    ("refunded_at", "available"),
    [("2026-02-10", date(2026, 2, 19)), ("2026-04-01", date(2026, 4, 1))],
)
def test_reversal_is_available_with_its_original_or_on_its_day(refunded_at, available) -> None:
    world = World().sale(1000).refund("r1", "i1", refunded_at, 500)  # original: 19 Feb
    assert only(world.night(), "refund").available_date == available


def test_reversal_takes_the_oldest_part_first() -> None:
    # parts of 1.00 each: available 3 March (1 Feb + 30) and 1 May (1 April + 30)
    world = World().click("t1", "2026-01-05").customer()
    world.invoice("i1", "2026-01-10", {"amount_minor": 1000})
    world.pay("a", "i1", "2026-02-01", 500).pay("b", "i1", "2026-04-01", 500)
    world.refund("r1", "i1", "2026-04-02", 500)  # exactly the first part
    assert only(world.night(), "refund").available_date == date(2026, 4, 2)
    world.refund("r2", "i1", "2026-04-03", 10)  # 2 cents of the second part
    dates = {row.cause_id: row.available_date for row in world.night().lines}
    # r1 reverses nothing of the second part, r2 nothing but it
    assert (dates["r1"], dates["r2"]) == (date(2026, 4, 2), date(2026, 5, 1))


def test_reversal_after_the_first_part_touches_the_second_only() -> None:
    world = World().click("t1", "2026-01-05").customer()
    world.invoice("i1", "2026-01-10", {"amount_minor": 1000})
    world.pay("a", "i1", "2026-02-20", 500).pay("b", "i1", "2026-02-21", 500)
    # available 22 and 23 March; r1 takes the first part, r2 half of the second, both before them
    world.refund("r1", "i1", "2026-02-22", 500).refund("r2", "i1", "2026-02-23", 250)
    dates = {row.cause_id: row.available_date for row in world.night().lines}
    assert (dates["r1"], dates["r2"]) == (date(2026, 3, 22), date(2026, 3, 23))


def test_reversal_converts_at_the_rate_of_the_original_cumulatively() -> None:
    # earned 200 EUR cents at 1.0857 = 217.14 -> 217. Refunds of 1/3 each: cumulative 67, 133, 200
    # at that rate: 72.74 -> 73; 144.40 -> 144; 217. Entries 73, 71, 73, though the rate moved.
    world = World().sale(999, currency_code="EUR")
    for rate_date, rate in (("2026-01-19", "1.0857"), ("2026-02-01", "3.0")):
        world.add("fx_rates", rate_date=rate_date, currency_code="USD", rate=rate)
    for number in (1, 2, 3):
        world.refund(f"r{number}", "i1", f"2026-02-0{number}", 333)
    refunds = [row for row in world.night().lines if row.kind == "refund"]
    assert [row.amount_minor for row in refunds] == [-67, -66, -67]
    assert [row.payout_amount_minor for row in refunds] == [-73, -71, -73]
    assert {row.fx_rate_date for row in refunds} == {date(2026, 1, 19)}


# --- R2: disputes -----------------------------------------------------------------------------


def _disputed(world: World, status: str, **row: object) -> World:
    opened = {"opened_at": "2026-02-01", "amount_minor": 4000, "status": status}
    return world.sale(10000).add("disputes", dispute_id="d1", invoice_id="i1", **opened, **row)


def test_dispute_takes_nothing_until_it_is_lost() -> None:
    world = _disputed(World(), "lost", closed_at="2026-03-15")
    assert amounts(world.night("2026-03-14"), "chargeback") == {}  # M6: still open then
    line = only(world.night(), "chargeback")
    assert (line.amount_minor, line.cause_type) == (-800, "dispute")  # 2000 x 4000/10000
    assert line.available_date == date(2026, 3, 15)
    won = _disputed(World(), "won", closed_at="2026-03-15").night()
    assert amounts(won, "chargeback") == amounts(won, "reinstatement") == {}


def test_dispute_reversed_on_open_is_reinstated_when_won() -> None:
    policy = {"chargeback": {"on_open": "reverse", "on_lost": "reverse", "on_won": "release"}}
    world = _disputed(clawback(**policy), "won", closed_at="2026-03-15")
    assert amounts(world.night("2026-03-14"), "chargeback") == {"i1-1<d1": -800}
    result = world.refund("r1", "i1", "2026-02-10", 10000).night()
    assert amounts(result, "chargeback") == {"i1-1<d1": -800}
    assert amounts(result, "reinstatement") == {"i1-1<d1": 800}
    assert amounts(result, "refund") == {"i1-1<r1": -2000}  # as if never disputed
    # while the dispute was open, only what it had left could be taken
    assert amounts(world.night("2026-03-14"), "refund") == {"i1-1<r1": -1200}


def test_dispute_age_is_that_of_its_loss() -> None:
    world = _disputed(clawback(max_age_days=30), "lost", closed_at="2026-02-19T00:00:00Z")
    assert amounts(world.night(), "chargeback") == {"i1-1<d1": -800}
    world = _disputed(clawback(max_age_days=30), "lost", closed_at="2026-02-19T00:00:01Z")
    assert amounts(world.night(), "chargeback") == {}


def test_refund_and_lost_chargeback_add_up_and_are_capped() -> None:
    # refund of 80 % on 10 Feb: 16.00; chargeback of 40 % lost on 15 March: only 4.00 is left
    world = _disputed(World(), "lost", closed_at="2026-03-15")
    result = world.refund("r1", "i1", "2026-02-10", 8000).night()
    assert amounts(result, "refund") == {"i1-1<r1": -1600}
    assert amounts(result, "chargeback") == {"i1-1<d1": -400}


# --- R3, R4: credit notes, void, uncollectible ------------------------------------------------


def _credited(issued_at: str, **row: object) -> World:
    note = {"invoice_id": "i1", "amount_minor": 2000, "issued_at": issued_at}
    return World().sale(10000).add("credit_notes", credit_note_id="n1", **note, **row)


@pytest.mark.parametrize(
    ("issued_at", "row", "earned", "taken"),
    [
        ("2026-01-19", {}, 1600, 0),  # before payment: 80.00 paid of 100.00
        ("2026-01-19", {"kind": "post_payment"}, 2000, -400),  # its own kind decides
        ("2026-01-20", {}, 2000, -400),  # at the very instant of the payment: after it
        ("2026-01-21", {}, 2000, -400),  # after payment: a refund of a fifth
        ("2026-01-21", {"kind": "pre_payment"}, 1600, 0),
        ("2026-01-21", {"to_balance": True}, 2000, 0),
        ("2026-01-21", {"voided_at": "2026-02-01"}, 2000, 0),
        ("2026-01-21", {"voided_at": "2027-02-01"}, 2000, -400),  # not voided yet (M6)
    ],
)
def test_credit_note_before_and_after_payment(issued_at, row, earned, taken) -> None:
    result = _credited(issued_at, **row).night()
    assert amounts(result) == {"i1-1": earned}
    assert sum(amounts(result, "credit_note").values()) == taken


def test_credit_note_before_payment_lowers_the_paid_share() -> None:
    world = World().click("t1", "2026-01-05").customer()
    world.invoice("i1", "2026-01-10", {"amount_minor": 10000})
    note = {"invoice_id": "i1", "amount_minor": 2000, "issued_at": "2026-01-11"}
    world.add("credit_notes", credit_note_id="n1", **note).pay("p1", "i1", "2026-01-12", 8000)
    assert amounts(world.night()) == {"i1-1": 1600}
    # a refund of half of what was paid takes half of what was earned
    assert amounts(world.refund("r1", "i1", "2026-02-01", 4000).night(), "refund") == {
        "i1-1<r1": -800
    }


@pytest.mark.parametrize(
    ("issued_at", "taken"),
    # 80.00 of 100.00 is paid on 12 Jan, the rest on 20 Jan, at which instant nothing is due.
    # The note of 20.00 takes back 20.00/100.00 of 20.00 only once nothing is due any more.
    [("2026-01-19", 0), ("2026-01-20", -400), ("2026-01-21", -400)],
)
def test_credit_note_between_payments_counts_as_before(issued_at: str, taken: int) -> None:
    world = World().click("t1", "2026-01-05").customer()
    world.invoice("i1", "2026-01-10", {"amount_minor": 10000})
    world.pay("p1", "i1", "2026-01-12", 8000).pay("p2", "i1", "2026-01-20", 2000)
    note = {"invoice_id": "i1", "amount_minor": 2000, "issued_at": issued_at}
    result = world.add("credit_notes", credit_note_id="n1", **note).night()
    assert amounts(result) == {"i1-1": 2000}
    assert sum(amounts(result, "credit_note").values()) == taken


def test_void_removes_what_was_left_on_the_invoice() -> None:
    world = World().sale(10000, status="void").refund("r1", "i1", "2026-02-01", 2500)
    result = world.night()
    assert amounts(result) == {"i1-1": 2000}
    assert amounts(result, "refund") == {"i1-1<r1": -500}
    line = only(result, "correction")
    assert (line.amount_minor, line.payout_amount_minor) == (-1500, -1500)
    assert (line.cause_type, line.cause_id) == ("invoice", "i1")


def test_uncollectible_keeps_what_was_earned_on_the_paid_part() -> None:
    world = World().click("t1", "2026-01-05").customer()
    world.invoice("i1", "2026-01-10", {"amount_minor": 10000}, status="uncollectible")
    assert amounts(world.pay("p1", "i1", "2026-01-11", 2500).night()) == {"i1-1": 500}


# --- R5: churn --------------------------------------------------------------------------------


def _churned(ended_at: str, **churn: object) -> World:
    """A demo bounty of 50.00; first paid service starts 15 Jan; one subscription ends."""
    policy = {"churn": {"window_days": 90} | churn}
    world = World(versions=[version(bounty(), recurring(), clawback=policy)])
    world.click("t1", "2026-01-05").customer().booked("m1", "2026-01-10", "held")
    line = {"amount_minor": 10000, "period_start": "2026-01-15"}
    world.invoice("i1", "2026-01-15", line, paid_at="2026-01-16")
    spell = {"status": "canceled", "started_at": "2026-01-15", "ended_at": ended_at}
    return world.add("subscriptions", subscription_id="s1", customer_id="cus_1", **spell)


TABLE = [
    {"under_days": 30, "share": Decimal("1.0")},
    {"under_days": 60, "share": Decimal("0.5")},
]


@pytest.mark.parametrize(
    ("ended_at", "churn", "taken"),
    [
        ("2026-02-14", {"mode": "full"}, -5000),  # 30 days after 15 Jan
        ("2026-02-14", {"mode": "prorated"}, -3333),  # 50.00 x 60/90 = 33.333
        ("2026-02-13", {"mode": "table", "table": TABLE}, -5000),  # 29 days
        ("2026-02-14", {"mode": "table", "table": TABLE}, -2500),  # 30 days: the next band
        ("2026-03-16", {"mode": "table", "table": TABLE}, 0),  # 60 days: beyond the table
        ("2026-04-14", {"mode": "prorated"}, -56),  # 89 days: 50.00 x 1/90 = 0.5556
        ("2026-04-15", {"mode": "full"}, 0),  # 90 days: the end is exclusive
    ],
)
def test_churn_takes_back_event_commissions_only(ended_at, churn, taken) -> None:
    result = _churned(ended_at, **churn).night()
    assert sum(amounts(result, "churn").values()) == taken
    assert amounts(result) == {"m1": 5000, "i1-1": 2000}
    if taken:
        line = only(result, "churn")
        assert (line.source_id, line.cause_type, line.cause_id) == ("m1", "subscription", "s1")


def test_churn_needs_that_no_other_subscription_is_running() -> None:
    world = _churned("2026-02-14", mode="full")
    other = {"customer_id": "cus_1", "status": "active", "started_at": "2026-02-14"}
    world.add("subscriptions", subscription_id="s2", **other)  # an upgrade on the same day
    assert amounts(world.night(), "churn") == {}
    world.facts["subscriptions"][1]["ended_at"] = "2026-03-01"  # then that one ends as well
    assert amounts(world.night(), "churn") == {"m1<s2": -5000}


def test_churn_uses_cancellation_when_no_end_is_known() -> None:
    world = _churned("", mode="prorated")
    assert amounts(world.night(), "churn") == {}
    world.facts["subscriptions"][0]["canceled_at"] = "2026-02-14"
    assert amounts(world.night(), "churn") == {"m1<s1": -3333}
    assert amounts(world.night("2026-02-13"), "churn") == {}  # not yet


def test_churn_of_two_subscriptions_ending_together_is_taken_once() -> None:
    world = _churned("2026-02-14", mode="full")
    spell = {"status": "canceled", "started_at": "2026-01-15", "ended_at": "2026-02-14"}
    world.add("subscriptions", subscription_id="s0", customer_id="cus_1", **spell)
    assert amounts(world.night(), "churn") == {"m1<s0": -5000}


def test_event_earned_after_the_access_ended_is_not_taken_back() -> None:
    world = _churned("2026-02-14", mode="full")
    world.facts["meetings"][0] |= {"starts_at": "2026-02-15"}  # held a day after the end
    assert amounts(world.night(), "churn") == {}
