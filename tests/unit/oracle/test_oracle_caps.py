"""Hand-worked cases for the oracle: minimum, maximum and caps (C6, C7, decision 0038)."""

from decimal import Decimal

import pytest

from tests.oracle import Result
from tests.oracle.builder import World, amounts, recurring, version

FOR_LIFE = {"months": None}


def capped(since: str = "2020-01-01", version_changes: dict | None = None, **caps: str) -> dict:
    """A version at 20 % for life with caps in USD, by name of the cap."""
    named = {cap: {"USD": Decimal(amount)} for cap, amount in caps.items()}
    component = recurring(caps=named, duration=FOR_LIFE)
    return version(component, since=since, **(version_changes or {}))


def cuts(result: Result) -> dict[tuple[str, str], dict[str, int]]:
    """(line, partner) -> what each cap cut."""
    return {key[:2]: dict(cut.by_cap) for key, cut in result.cuts.items()}


def test_example_of_decision_0038() -> None:
    world = World(versions=[capped(per_customer="50.00")]).buyer("a", "2026-01-01")
    world.bill("i1", "a", "2026-01-05", 15000)
    world.bill("i2", "a", "2026-01-20", -4000)
    world.bill("i3", "a", "2026-02-05", 20000, status="open")
    world.pay("p1", "i3", "2026-02-05", 10000).pay("p2", "i3", "2026-02-20", 10000)
    assert amounts(world.night("2026-02-10")) == {"i1-1": 3000, "i2-1": -800, "i3-1": 1400}
    result = world.night()
    assert amounts(result) == {"i1-1": 3000, "i2-1": -800, "i3-1": 2800}
    assert cuts(result) == {("i3-1", "p_a"): {"per_customer": 1200}}
    cut = result.cuts["i3-1", "p_a", "recurring"]
    assert (cut.cap, cut.whole_minor, cut.left_minor, cut.left_part_minor) == (
        "per_customer", 4000, 2800, None,
    )  # fmt: skip


def test_a_line_cut_to_nothing_is_capped_and_one_of_nothing_is_not() -> None:
    world = World(versions=[capped(per_customer="5.00")]).buyer("a", "2026-01-01")
    world.bill("i1", "a", "2026-01-05", 2500).bill("i2", "a", "2026-01-06", 1000, 2, 0)
    result = world.night()
    assert amounts(result) == {"i1-1": 500}
    # 0.2 of the two cents rounds to 0 before any cap
    assert result.unpaid == {"i2-1": "capped", "i2-2": "zero_amount", "i2-3": "zero_amount"}
    assert cuts(result) == {("i2-1", "p_a"): {"per_customer": 200}}


@pytest.mark.parametrize(
    ("cap", "earned"),
    [
        # 30.00 each: two lines of one invoice on 5 Jan, one of the same customer on 20 Jan, one of
        # another customer on 25 Jan and again on 1 Feb; 40.00 are left of each scope
        ("per_invoice", (3000, 1000, 3000, 3000, 3000)),
        ("per_customer", (3000, 1000, 0, 3000, 1000)),
        ("per_partner_month", (3000, 1000, 0, 0, 3000)),
        ("per_programme_month", (3000, 1000, 0, 0, 3000)),
    ],
)
def test_scope_of_each_cap(cap: str, earned: tuple[int, ...]) -> None:
    world = World(versions=[capped(**{cap: "40.00"})])
    world.buyer("a", "2026-01-01").buyer("b", "2026-01-01")
    world.bill("i1", "a", "2026-01-05", 15000, 15000).bill("i2", "a", "2026-01-20", 15000)
    world.bill("i3", "b", "2026-01-25", 15000).bill("i4", "b", "2026-02-01", 15000)
    found = amounts(world.night())
    names = ("i1-1", "i1-2", "i2-1", "i3-1", "i4-1")
    assert tuple(found.get(name, 0) for name in names) == earned


def test_each_cap_counts_what_the_one_before_left() -> None:
    # 30.00 -> 20.00 by invoice; the customer then has 10.00 of 30.00 left, cut from 20.00
    world = World(versions=[capped(per_invoice="20.00", per_customer="30.00")])
    world.buyer("a", "2026-01-01").bill("i1", "a", "2026-01-05", 15000)
    world.bill("i2", "a", "2026-02-05", 15000)
    result = world.night()
    assert amounts(result) == {"i1-1": 2000, "i2-1": 1000}
    assert cuts(result) == {
        ("i1-1", "p_a"): {"per_invoice": 1000},
        ("i2-1", "p_a"): {"per_invoice": 1000, "per_customer": 1000},
    }
    # of equals the first in their order
    assert result.cuts["i2-1", "p_a", "recurring"].cap == "per_invoice"


def test_partners_months_are_apart_and_the_programmes_month_is_shared() -> None:
    expected = {
        # whole lines count for each partner: 30.00 and 30.00 of 40.00; 15.00 and 5.00 each
        "per_partner_month": {"i1": (1500, 1500), "i2": (500, 500)},
        # parts: 15 + 15 used, then p_a has 10.00 left and p_b nothing
        "per_programme_month": {"i1": (1500, 1500), "i2": (1000, 0)},
    }
    for cap, earned in expected.items():
        world = World(versions=[capped(**{cap: "40.00"})]).buyer("a", "2026-01-01")
        world.rule("customers:cus_a", p_a=500_000, p_b=500_000)
        world.bill("i1", "a", "2026-01-05", 15000).bill("i2", "a", "2026-01-06", 15000)
        rows = world.night().lines
        found = {(row.source_id, row.partner_id): row.amount_minor for row in rows}
        for invoice, pair in earned.items():
            assert tuple(found.get((f"{invoice}-1", p), 0) for p in ("p_a", "p_b")) == pair, cap


def test_a_part_that_was_cut_is_not_split_again_and_follows_the_paid_share() -> None:
    world = World(versions=[capped(per_programme_month="10.01")]).buyer("a", "2026-01-01")
    world.rule("customers:cus_a", p_a=500_000, p_b=500_000)
    world.bill("i1", "a", "2026-01-05", 15000, status="open")
    world.pay("p1", "i1", "2026-01-05", 7500)
    result = world.night()
    # A's part of 15.00 is cut to 10.01, of which half is paid: 5.005 -> 5.01; B's to nothing
    assert amounts(result) == {"i1-1": 501}
    assert cuts(result) == {
        ("i1-1", "p_a"): {"per_programme_month": 499},
        ("i1-1", "p_b"): {"per_programme_month": 1500},
    }


def test_only_a_cut_line_becomes_a_whole_number() -> None:
    # 0.13 x 20 % = 2.6 cents, 3 of the cap; 3/13 of it paid: 0.6 -> 1. Cut to 2: 0.46 -> 0
    for cap, earned in (("0.03", {"i1-1": 1}), ("0.02", {})):
        world = World(versions=[capped(per_invoice=cap)]).buyer("a", "2026-01-01")
        world.bill("i1", "a", "2026-01-05", 13, status="open").pay("p1", "i1", "2026-01-05", 3)
        result = world.night()
        assert amounts(result) == earned
        assert result.unpaid == ({} if earned else {"i1-1": "zero_amount"})
        assert cuts(result) == ({} if earned else {("i1-1", "p_a"): {"per_invoice": 1}})


def test_negative_lines_lower_what_is_used_below_nothing_and_take_backs_do_not() -> None:
    world = World(versions=[capped(per_customer="10.00")]).buyer("a", "2026-01-01")
    world.booked("m1", "2026-01-02", email="a@a.test")
    world.bill("i1", "a", "2026-01-05", -2500)  # -5.00 used
    world.bill("i2", "a", "2026-01-06", 10000)  # 15.00 of 20.00 are left
    world.bill("i3", "a", "2026-01-07", 10000).refund("r1", "i2", "2026-01-08", 10000)
    result = world.night()
    assert amounts(result) == {"i1-1": -500, "i2-1": 1500}
    assert result.unpaid == {"i3-1": "capped"}


def test_other_currencies_are_not_capped() -> None:
    world = World(versions=[capped(per_customer="10.00")]).buyer("a", "2026-01-01")
    world.facts["partners"][0]["payout_currency"] = "EUR"
    world.bill("i1", "a", "2026-01-05", 100000, currency_code="EUR")
    assert amounts(world.night()) == {"i1-1": 20000}


@pytest.mark.parametrize(
    ("first", "second", "earned"),
    [
        # 30.00 used of 40.00, then 20.00 asked: of 50.00 in all
        ("40.00", "50.00", (3000, 2000)),
        # a lower cap takes nothing back, and what was promised still counts
        ("40.00", "20.00", (3000, 1000)),
        ("20.00", "20.00", (2000, 0)),
    ],
)
def test_caps_count_over_versions_by_the_highest_so_far(first, second, earned) -> None:
    follow = {"terms_follow": "current"}
    versions = [
        capped(version_changes=follow, per_customer=first),
        capped("2026-02-01", follow, per_customer=second),
    ]
    world = World(versions=versions).buyer("a", "2026-01-01")
    world.bill("i1", "a", "2026-01-05", 15000).bill("i2", "a", "2026-02-05", 10000)
    found = amounts(world.night())
    assert (found["i1-1"], found.get("i2-1", 0)) == earned


def test_versions_that_name_no_amount_neither_count_nor_are_cut() -> None:
    follow = {"terms_follow": "current"}
    versions = [
        version(recurring(duration=FOR_LIFE), **follow),
        capped("2026-02-01", follow, per_customer="10.00"),
    ]
    world = World(versions=versions).buyer("a", "2026-01-01")
    world.bill("i1", "a", "2026-01-05", 15000).bill("i2", "a", "2026-02-05", 10000)
    assert amounts(world.night()) == {"i1-1": 3000, "i2-1": 1000}


def test_a_later_line_paid_earlier_uses_the_cap_first() -> None:
    world = World(versions=[capped(per_customer="25.00")]).buyer("a", "2026-01-01")
    world.bill("i1", "a", "2026-03-01", 10000).bill("i2", "a", "2026-02-01", 10000)
    assert amounts(world.night()) == {"i2-1": 2000, "i1-1": 500}


def test_minimum_and_maximum_act_on_the_whole_positive_line_before_split_and_share() -> None:
    limits = {"minimum": {"USD": Decimal("3.00")}, "maximum": {"USD": Decimal("8.00")}}
    component = recurring(duration=FOR_LIFE, **limits)
    world = World(versions=[version(component)]).buyer("a", "2026-01-01")
    world.booked("m1", "2026-01-02", email="a@a.test")
    # 2.00 -> 3.00, 10.00 -> 8.00, 5.00 stays; -2.00 and 0 have no limit
    world.bill("i1", "a", "2026-01-05", 1000, 5000, 2500, -1000, 0)
    result = world.night()
    assert amounts(result) == {"i1-1": 300, "i1-2": 800, "i1-3": 500, "i1-4": -200}
    assert result.unpaid == {"i1-5": "zero_amount"}
    world.facts["invoices"][0] |= {"status": "open"}
    world.rule("customers:cus_a", p_a=500_000, p_b=500_000)
    world.pay("p1", "i1", "2026-01-05", 1875)  # a quarter of 75.00
    found = [row.amount_minor for row in world.night().lines if row.source_id == "i1-1"]
    assert found == [38, 37]  # 0.75 in halves


def test_a_rate_of_nothing_is_lifted_to_the_minimum_and_other_currencies_are_not() -> None:
    component = recurring(rate=0, minimum={"USD": Decimal("1.00")})
    world = World(versions=[version(component)]).buyer("a", "2026-01-01")
    world.bill("i1", "a", "2026-01-05", 1000).bill(
        "i2", "a", "2026-01-06", 1000, currency_code="EUR"
    )
    result = world.night()
    assert amounts(result) == {"i1-1": 100}
    assert result.unpaid == {"i2-1": "zero_amount"}


def test_limits_follow_the_service_days_and_come_before_caps() -> None:
    # half of the days lie in the window: 20 % of 100.00 x 1/2 = 10.00, lifted to 12.00, cut to
    # 11.00
    component = recurring(
        duration={"months": 1, "basis": "service_period"},
        minimum={"USD": Decimal("12.00")},
        caps={"per_invoice": {"USD": Decimal("11.00")}},
    )
    world = World(versions=[version(component)]).buyer("a", "2026-01-01")
    line = {"amount_minor": 10000, "period_start": "2026-04-01", "period_end": "2026-05-31"}
    world.invoice("i1", "2026-04-01", line, customer_id="cus_a", paid_at="2026-04-01")
    result = world.night()
    assert amounts(result) == {"i1-1": 1100}
    assert result.cuts["i1-1", "p_a", "recurring"].whole_minor == 1200


def test_a_partner_of_a_compared_model_is_not_cut_and_uses_nothing() -> None:
    rules = {"compare_models": ["first_touch"]}
    world = World(versions=[capped(per_partner_month="10.00")], attribution=rules)
    world.click("t0", "2026-01-01", "p_b", email="a@a.test")
    world.buyer("a", "2026-01-02").bill("i1", "a", "2026-01-05", 10000)
    world.buyer("b", "2026-01-02", "p_b").bill("i2", "b", "2026-01-06", 10000)
    comparison = world.night().comparison
    assert comparison["first_touch", "p_a", "USD"] == (1000, 0)
    assert comparison["first_touch", "p_b", "USD"] == (1000, 3000)


def test_refunds_take_back_from_what_the_cap_left() -> None:
    world = World(versions=[capped(per_customer="10.00")]).buyer("a", "2026-01-01")
    world.bill("i1", "a", "2026-01-05", 10000).refund("r1", "i1", "2026-01-06", 2500)
    assert amounts(world.night(), "refund") == {"i1-1<r1": -250}
