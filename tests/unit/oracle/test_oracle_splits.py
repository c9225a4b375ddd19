"""Hand-worked cases for the oracle: what several credited partners earn and give back (C2, M3)."""

from datetime import date
from decimal import Decimal

import pytest

from tests.oracle import Result
from tests.oracle.builder import World, bounty, recurring, version

THREE = {"model": "linear", "compare_models": ["first_touch", "last_touch"]}


def shared(*components: dict, partners: int = 3, **version_changes: object) -> World:
    """Links of A, B (and C) clicked before a demo held on 10 Jan 2026; customer cus_1."""
    world = World(versions=[version(*components, **version_changes)], attribution=THREE)
    world.partner("p_c", "cyd").customer()
    for number, letter in enumerate("abc"[:partners], start=1):
        world.click(f"t{number}", f"2026-01-0{number}", f"p_{letter}")
    return world.booked("m1", "2026-01-10", "held")


def sold(*line_amounts: int, partners: int = 3, **line: object) -> World:
    """One invoice `i1` paid on 20 Jan, shared by A, B (and C)."""
    lines = [{"amount_minor": amount, "is_proration": amount < 0} | line for amount in line_amounts]
    world = shared(recurring(), partners=partners)
    return world.invoice("i1", "2026-01-20", *lines, paid_at="2026-01-20")


def by_partner(result: Result, kind: str = "earning") -> dict[str, int]:
    """`letter source<cause` -> amount of the lines of a kind."""
    return {
        f"{row.partner_id[2:]} {row.source_id}"
        + (f"<{row.cause_id}" if row.cause_id else ""): row.amount_minor
        for row in result.lines
        if row.kind == kind
    }


# --- C2: the whole under each plan, then split ------------------------------------------------


def test_line_is_split_over_three_partners() -> None:
    # 20 % of 100.00 = 20.00; credits 333,334 333,333 333,333: 666.668, 666.666, 666.666; two
    # cents are left: to A by remainder, to B by id
    result = sold(10000).night()
    assert by_partner(result) == {"a i1-1": 667, "b i1-1": 667, "c i1-1": 666}
    assert result.unpaid == {}


def test_negative_line_is_split_by_its_absolute_value() -> None:
    # 20 % of -10.03 = -2.006 -> -2.01: 67.00, 67.00, 67.00 less a millionth: floors 67, 66, 66;
    # two are left; remainders .000134, .999933, .999933 -> B and C
    result = sold(10000, -1003).night()
    assert by_partner(result) == {
        "a i1-1": 667,
        "b i1-1": 667,
        "c i1-1": 666,
        "a i1-2": -67,
        "b i1-2": -67,
        "c i1-2": -67,
    }


def test_each_partner_takes_its_part_of_the_whole_under_its_own_plan() -> None:
    # A 20 % of 10.03 = 2.006 -> 2.01; half 1.005: the cent to A -> 1.01
    # B 30 % of 10.03 = 3.009 -> 3.01; half 1.505: the cent to A, so B's part is 1.50
    world = sold(1003, partners=2)
    dear = {"id": "vip", "versions": [version(recurring(rate=Decimal("0.30")))]}
    world.program["plans"].append(dear)
    world.program["overrides"] = [
        {"partner_id": "p_b", "plan": "vip", "effective_from": "2020-01-01"}
    ]
    result = world.night()
    assert by_partner(result) == {"a i1-1": 101, "b i1-1": 150}
    assert {row.partner_id: row.plan_id for row in result.lines} == {
        "p_a": "standard",
        "p_b": "vip",
    }


def test_partner_whose_plan_pays_nothing_leaves_the_others_parts_as_they_are() -> None:
    world = sold(10000)
    none = {"id": "none", "versions": [version(recurring(products={"include": ["other"]}))]}
    world.program["plans"].append(none)
    override = {"partner_id": "p_b", "plan": "none", "effective_from": "2020-01-01"}
    world.program["overrides"] = [override]
    result = world.night()
    assert by_partner(result) == {"a i1-1": 667, "c i1-1": 666}
    assert result.unpaid == {}  # the line is earned, though not by everybody


def test_part_that_rounds_to_nothing_is_no_line() -> None:
    # 20 % of 0.05 = 0.01: the cent to A
    result = sold(5).night()
    assert by_partner(result) == {"a i1-1": 1}
    assert result.unpaid == {}
    # 20 % of 0.02 = 0.004 -> 0: nobody earns
    assert sold(2).night().unpaid == {"i1-1": "zero_amount"}


def test_line_waits_for_the_partner_whose_currency_has_no_rate() -> None:
    world = sold(10000)
    world.facts["partners"][0]["payout_currency"] = "EUR"
    result = world.night()
    assert by_partner(result) == {"b i1-1": 667, "c i1-1": 666}
    assert result.unpaid == {}
    for row in world.facts["partners"]:
        row["payout_currency"] = "EUR"
    assert world.night().unpaid == {"i1-1": "no_fx_rate"}


def test_conversion_is_of_the_partners_own_part() -> None:
    # A: 6.67 USD / 1.0857 = 6.1435 -> 6.14 EUR; B's stays 6.67 USD
    world = sold(10000)
    world.facts["partners"][0]["payout_currency"] = "EUR"
    world.add("fx_rates", rate_date="2026-01-20", currency_code="USD", rate="1.0857")
    payouts = {row.partner_id: row.payout_amount_minor for row in world.night().lines}
    assert payouts == {"p_a": 614, "p_b": 667, "p_c": 666}


# --- C2: paid in parts ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("as_of", "parts"),
    [
        # whole 67 (of 334 of 1001): 22.33 each, a cent left to A
        ("2026-02-28", {"a i1-1": 23, "b i1-1": 22, "c i1-1": 22}),
        # whole 134: 44.67 each, two left: A, B
        ("2026-03-31", {"a i1-1": 45, "b i1-1": 45, "c i1-1": 44}),
        # whole 200: 66.67 each, two left: A, B
        ("2026-12-31", {"a i1-1": 67, "b i1-1": 67, "c i1-1": 66}),
    ],
)
def test_cumulative_paid_shares_are_split_cumulatively(as_of: str, parts: dict) -> None:
    world = shared(recurring()).invoice("i1", "2026-01-20", {"amount_minor": 1001})
    world.pay("pay1", "i1", "2026-02-01", 334).pay("pay2", "i1", "2026-03-01", 334)
    world.pay("pay3", "i1", "2026-04-01", 333)
    assert by_partner(world.night(as_of)) == parts


def test_part_can_shrink_by_a_cent_when_the_whole_grows() -> None:
    # credits 428,571 142,858 428,571 (first, between, last): of 0.10 they take 4, 2, 4
    # (4.29, 1.43, 4.29), of 0.11 5, 1, 5 (4.71, 1.57, 4.71)
    world = shared(recurring(rate=Decimal("0.1")))
    shares = {"first": Decimal("0.428571"), "last": Decimal("0.428571")}
    world.program["attribution"][0] |= {"model": "position_based", "position_based": shares}
    world.invoice("i1", "2026-01-20", {"amount_minor": 110})
    world.pay("pay1", "i1", "2026-02-01", 100).pay("pay2", "i1", "2026-03-01", 10)
    first = {"a i1-1": 4, "b i1-1": 2, "c i1-1": 4}
    assert by_partner(world.night("2026-02-28")) == first
    assert by_partner(world.night()) == {"a i1-1": 5, "b i1-1": 1, "c i1-1": 5}


def test_available_date_is_of_the_last_payment_that_moved_the_own_part() -> None:
    # 20 % of 0.05 is 0.01 when 3 of 5 are paid (0.006 -> 0.01) and stays so: A's cent of 1 Feb
    world = shared(recurring()).invoice("i1", "2026-01-20", {"amount_minor": 5})
    world.pay("pay1", "i1", "2026-02-01", 3).pay("pay2", "i1", "2026-03-01", 2)
    (line,) = world.night().lines
    assert (line.partner_id, line.amount_minor) == ("p_a", 1)
    assert line.available_date == date(2026, 3, 3)  # 1 Feb + 30 days


# --- M4: take-backs on the own part -----------------------------------------------------------


def test_refund_takes_back_of_each_partners_own_part() -> None:
    # half of 667 = 333.5 -> 334; of 667 -> 334; of 666 = 333
    world = sold(10000).refund("r1", "i1", "2026-02-01", 5000)
    taken = {"a i1-1<r1": -334, "b i1-1<r1": -334, "c i1-1<r1": -333}
    assert by_partner(world.night(), "refund") == taken
    # the other half leaves exactly nothing
    world.refund("r2", "i1", "2026-02-02", 5000)
    rest = {"a i1-1<r2": -333, "b i1-1<r2": -333, "c i1-1<r2": -333}
    assert by_partner(world.night(), "refund") == taken | rest
    assert sum(row.amount_minor for row in world.night().lines) == 0


def test_lost_chargeback_and_void_take_back_the_own_part() -> None:
    world = sold(10000)
    dispute = {"invoice_id": "i1", "opened_at": "2026-02-01", "status": "lost"}
    world.add("disputes", dispute_id="d1", amount_minor=10000, closed_at="2026-03-01", **dispute)
    taken = {"a i1-1<d1": -667, "b i1-1<d1": -667, "c i1-1<d1": -666}
    assert by_partner(world.night(), "chargeback") == taken
    world = sold(10000)
    world.facts["invoices"][0]["status"] = "void"
    taken = {"a i1-1<i1": -667, "b i1-1<i1": -667, "c i1-1<i1": -666}
    assert by_partner(world.night(), "correction") == taken


# --- C1: event commissions --------------------------------------------------------------------


def test_event_commission_is_split() -> None:
    # 50.00: 1666.67, 1666.665, 1666.665: two cents are left, A by remainder, B by id.
    world = shared(bounty())
    assert by_partner(world.night()) == {"a m1": 1667, "b m1": 1667, "c m1": 1666}
    # B in EUR: 45.00: 1500.003, 1499.9985, 1499.9985: the two left go to B and C, so B has 15.00
    world.facts["partners"][1]["payout_currency"] = "EUR"
    assert by_partner(world.night()) == {"a m1": 1667, "b m1": 1500, "c m1": 1666}


def test_partner_without_an_amount_in_its_currency_leaves_the_others_alone() -> None:
    world = shared(bounty())
    world.facts["partners"][0]["payout_currency"] = "GBP"
    assert by_partner(world.night()) == {"b m1": 1667, "c m1": 1666}


def test_percentage_of_a_deal_is_rounded_and_then_split() -> None:
    # 5 % of 123.50 = 6.175 -> 6.18: 2.06 each: 206.000412, 205.99979, 205.99979: floors 206, 205,
    # 205 -> the two left go to B and C
    world = shared(bounty("deal_won", amount=None, rate=Decimal("0.05")))
    won = {"stage": "won", "is_won": True, "amount_minor": 12350, "currency_code": "USD"}
    world.add("contacts", contact_id="c1", email="ann@acme.test", created_at="2026-01-09")
    dates = {"created_at": "2026-01-11", "closed_at": "2026-03-01", "contact_id": "c1"}
    world.add("deals", deal_id="d1", **won, **dates)
    assert by_partner(world.night()) == {"a d1": 206, "b d1": 206, "c d1": 206}


def test_churn_takes_back_of_the_own_part() -> None:
    # ended on day 30 of 90: 60/90 of 1667 = 1111.33 -> 1111, of 1666 = 1110.67 -> 1111
    policy = {"churn": {"window_days": 90, "mode": "prorated"}}
    world = shared(bounty(), recurring(), clawback=policy)
    line = {"amount_minor": 10000, "period_start": "2026-01-15"}
    world.invoice("i1", "2026-01-15", line, paid_at="2026-01-16")
    spell = {"status": "canceled", "started_at": "2026-01-15", "ended_at": "2026-02-14"}
    world.add("subscriptions", subscription_id="s1", customer_id="cus_1", **spell)
    taken = {"a m1<s1": -1111, "b m1<s1": -1111, "c m1<s1": -1111}
    assert by_partner(world.night(), "churn") == taken


# --- A7: what another model would have paid ---------------------------------------------------


def test_comparison_is_of_earnings_before_take_backs() -> None:
    # paying: 667, 667, 666. Under first touch 20.00 for A, under last touch for C.
    world = sold(10000).refund("r1", "i1", "2026-02-01", 5000)
    comparison = world.night().comparison
    assert comparison == {
        ("first_touch", "p_a", "USD"): (667, 2000),
        ("first_touch", "p_b", "USD"): (667, 0),
        ("first_touch", "p_c", "USD"): (666, 0),
        ("last_touch", "p_a", "USD"): (667, 0),
        ("last_touch", "p_b", "USD"): (667, 0),
        ("last_touch", "p_c", "USD"): (666, 2000),
        ("recomputed", "p_a", "USD"): (667, 667),
        ("recomputed", "p_b", "USD"): (667, 667),
        ("recomputed", "p_c", "USD"): (666, 666),
    }


def test_comparison_counts_events_and_each_currency_by_itself() -> None:
    world = shared(bounty(), recurring(), partners=2)
    world.facts["partners"][1]["payout_currency"] = "EUR"
    world.add("fx_rates", rate_date="2026-01-20", currency_code="USD", rate="1.1")
    world.invoice("i1", "2026-01-20", {"amount_minor": 1000}, paid_at="2026-01-20")
    # line: 2.00 USD, bounty: 50.00 USD for A, 45.00 EUR for B
    comparison = world.night().comparison
    found = {key[1:]: pair for key, pair in comparison.items() if key[0] == "last_touch"}
    assert found == {
        ("p_a", "USD"): (100 + 2500, 0),
        ("p_b", "USD"): (100, 200),
        ("p_b", "EUR"): (2250, 4500),
    }


def test_comparison_uses_each_partners_own_plan() -> None:
    # B at 30 %: under last touch B takes all of 3.01, of which it has 1.50
    world = sold(1003, partners=2)
    world.program["plans"].append(
        {"id": "vip", "versions": [version(recurring(rate=Decimal("0.30")))]}
    )
    override = {"partner_id": "p_b", "plan": "vip", "effective_from": "2020-01-01"}
    world.program["overrides"] = [override]
    comparison = world.night().comparison
    assert comparison["last_touch", "p_b", "USD"] == (150, 301)
    assert comparison["last_touch", "p_a", "USD"] == (101, 0)


def test_comparison_leaves_out_leads_of_versions_that_do_not_compare() -> None:
    world = sold(10000, partners=2)
    later = {"effective_from": "2026-02-01", "model": "linear"}
    world.program["attribution"].append(later)
    # a second lead, valid in February: nothing is compared there but the paying model itself
    world.click("t8", "2026-02-02", "p_a", email="bea@gmail.com")
    world.customer("cus_2", email="bea@gmail.com")
    line = {"amount_minor": 500}
    world.invoice("i2", "2026-02-10", line, paid_at="2026-02-10", customer_id="cus_2")
    comparison = world.night().comparison
    assert comparison["first_touch", "p_a", "USD"] == (1000, 2000)
    assert comparison["recomputed", "p_a", "USD"] == (1100, 1100)
