"""Hand-worked cases for the oracle: tiers of each metric, mode and period (C5, decision 0037)."""

from decimal import Decimal

import pytest

from tests.oracle.builder import World, amounts, recurring, version

FOR_LIFE = {"months": None}


def bands(*pairs: tuple[object, str]) -> list[dict[str, object]]:
    """Bands from (from, rate)."""
    return [{"from": start, "rate": Decimal(rate)} for start, rate in pairs]


TWO_BANDS = bands((0, "0.20"), (2, "0.25"))
BY_REVENUE = bands((0, "0.20"), (Decimal("150.00"), "0.25"))


def tiered(
    metric: str, mode: str, period: str = "month", steps: list | None = None, **changes: object
) -> dict:
    """A recurring component with tiers, for life."""
    steps = steps or (BY_REVENUE if metric == "revenue" else TWO_BANDS)
    tiers = {"metric": metric, "period": period, "mode": mode, "bands": steps}
    return recurring(tiers=tiers, duration=FOR_LIFE, **changes)


def march(component: dict) -> World:
    """Decision 0037's example: A, B and C on 3, 9 and 20 March, A's upgrade on the 25th."""
    world = World(versions=[version(component)])
    for name, day in (("a", "03"), ("b", "09"), ("c", "20")):
        world.buyer(name, "2026-02-20").bill(name, name, f"2026-03-{day}", 10000)
    return world.bill("up", "a", "2026-03-25", 5000)


@pytest.mark.parametrize(
    ("metric", "mode", "earned"),
    [
        # customers: A and B stand on places 1 and 2, C on 3; the upgrade has A's place
        ("customers", "marginal", (2000, 2000, 2500, 1000)),
        # three reached: 25 % for all
        ("customers", "whole", (2500, 2500, 2500, 1250)),
        # before the lines: 0, 1, 2 and 3 customers
        ("customers", "forward", (2000, 2000, 2500, 1250)),
        # sums before: 0, 100, 200, 300. B fills 50.00 below 150.00 and 50.00 above: 10.00 + 12.50
        ("revenue", "marginal", (2000, 2250, 2500, 1250)),
        ("revenue", "whole", (2500, 2500, 2500, 1250)),  # 350.00 reached
        ("revenue", "forward", (2000, 2000, 2500, 1250)),
        # the leads became valid with their first payments, at the very instants of the lines
        ("conversions", "marginal", (2000, 2000, 2500, 1000)),
        ("conversions", "whole", (2500, 2500, 2500, 1250)),
        ("conversions", "forward", (2000, 2000, 2500, 1250)),
    ],
)
def test_example_of_decision_0037(metric: str, mode: str, earned: tuple[int, ...]) -> None:
    found = amounts(march(tiered(metric, mode)).night())
    assert tuple(found[f"{invoice}-1"] for invoice in ("a", "b", "c", "up")) == earned


def test_a_whole_period_gives_earlier_lines_differences() -> None:
    world = march(tiered("customers", "whole"))
    assert amounts(world.night("2026-03-08")) == {"a-1": 2000}
    # "a total of 10 reaches the band from 10": B is the second, 2 reaches the band from 2
    assert amounts(world.night("2026-03-09")) == {"a-1": 2500, "b-1": 2500}


def test_lines_of_older_customers_take_the_band_reached_before_them() -> None:
    component = tiered("customers", "marginal", steps=bands((0, "0.10"), (1, "0.20"), (2, "0.30")))
    world = World(versions=[version(component)])
    world.buyer("old", "2026-02-20").bill("o1", "old", "2026-02-25", 1000)
    world.bill("o2", "old", "2026-03-01", 1000)  # nobody is new in March yet
    world.buyer("n", "2026-03-01").bill("n1", "n", "2026-03-05", 1000)
    world.bill("o3", "old", "2026-03-06", 1000)  # one is
    world.bill("n2", "n", "2026-03-30", 1000)  # place 1
    world.bill("n3", "n", "2026-04-02", 1000)  # in April an older customer
    assert amounts(world.night()) == {
        "o1-1": 100, "o2-1": 100, "n1-1": 100, "o3-1": 200, "n2-1": 100, "n3-1": 100,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("period", "earned"),
    [
        # C is the third of the year and of life, the first of its quarter; D the second of its own
        ("quarter", (1000, 1000, 1000, 1000)),
        ("year", (1000, 1000, 2000, 1000)),
        ("life", (1000, 1000, 2000, 2000)),
    ],
)
def test_periods_are_local(period: str, earned: tuple[int, ...]) -> None:
    component = tiered("customers", "marginal", period, bands((0, "0.10"), (2, "0.20")))
    world = World(versions=[version(component)], timezone="America/New_York")
    # 1 April 03:59 UTC is still 31 March in New York
    days = ("2025-02-10T12:00:00Z", "2025-04-01T03:59:00Z", "2025-04-01T04:00:00Z")
    for name, paid_at in zip("abcd", (*days, "2026-01-05T12:00:00Z"), strict=True):
        world.buyer(name, f"{paid_at[:4]}-01-01T12:00:00Z").bill(name, name, paid_at, 10000)
    found = amounts(world.night())
    assert tuple(found[f"{name}-1"] for name in "abcd") == earned


def test_marginal_revenue_of_negative_lines_and_below_nothing() -> None:
    # 100.00 to 200.00 in one line, then back by 120.00: 80.00..200.00 holds 70.00 below 150.00 and
    # 50.00 above: -(14.00 + 12.50). Then down to -20.00: 100.00 at the first band's rate.
    world = World(versions=[version(tiered("revenue", "marginal"))]).buyer("a", "2026-02-20")
    world.bill("i1", "a", "2026-03-01", 10000).bill("i2", "a", "2026-03-02", 10000)
    world.bill("i3", "a", "2026-03-03", -12000, 1).bill("i4", "a", "2026-03-04", -10000, 1)
    found = amounts(world.night())
    assert (found["i1-1"], found["i2-1"]) == (2000, 2250)
    assert (found["i3-1"], found["i4-1"]) == (-2650, -2000)


def test_revenue_counts_the_whole_base_at_the_rate_of_its_day() -> None:
    # 40.00 EUR at 2.0 = 80.00 USD, though only a quarter is paid and half of the year lies in the
    # window. The next line starts at 80.00: 70.00 of its 100.00 below 150.00, 30.00 above.
    component = tiered("revenue", "marginal")
    component["duration"] = {"months": 6, "basis": "service_period"}
    world = World(versions=[version(component)]).buyer("a", "2026-02-20")
    world.add("fx_rates", rate_date="2026-03-01", currency_code="USD", rate="2.0")
    year = {"amount_minor": 4000, "period_start": "2026-03-01", "period_end": "2027-03-01"}
    world.invoice("i1", "2026-03-01", year, customer_id="cus_a", currency_code="EUR", status="open")
    world.pay("p1", "i1", "2026-03-01", 1000).bill("i2", "a", "2026-03-02", 10000)
    found = amounts(world.night())
    # 1 March to 1 September are 184 of 365 days: 40.00 x 20 % x 184/365 / 4 = 1.0082 -> 1.01
    assert found == {"i1-1": 101, "i2-1": 2150}  # 14.00 + 7.50


def test_revenue_without_a_rate_waits_and_counts_nothing() -> None:
    world = World(versions=[version(tiered("revenue", "forward"))]).buyer("a", "2026-02-20")
    world.facts["partners"][0]["payout_currency"] = "EUR"  # the line itself needs no rate
    world.add("fx_rates", rate_date="2026-03-02", currency_code="USD", rate="1.0")
    world.bill("i1", "a", "2026-03-01", 20000, currency_code="EUR")
    world.bill("i2", "a", "2026-03-02", 10000, currency_code="EUR")
    result = world.night()
    assert result.unpaid == {"i1-1": "no_fx_rate"}
    assert amounts(result) == {"i2-1": 2000}
    world.add("fx_rates", rate_date="2026-03-01", currency_code="USD", rate="1.0")
    assert amounts(world.night()) == {"i1-1": 4000, "i2-1": 2500}


def test_a_rate_from_elsewhere_pays_without_an_exchange_rate_and_counts_all_the_same() -> None:
    component = tiered("customers", "forward", product_rates={"p_x": Decimal("0.5")})
    world = World(versions=[version(component)])
    for name, day in (("a", "01"), ("b", "02"), ("c", "03")):
        world.buyer(name, "2026-02-20").bill(name, name, f"2026-03-{day}", 10000)
    world.facts["invoice_lines"][0]["product_id"] = "p_x"
    assert amounts(world.night()) == {"a-1": 5000, "b-1": 2000, "c-1": 2500}
    component["tiers"]["metric"], component["tiers"]["bands"] = "revenue", BY_REVENUE
    world.facts["partners"][0]["payout_currency"] = "EUR"
    for row in world.facts["invoices"]:
        row["currency_code"] = "EUR"
    result = World(versions=[version(component)])
    result.facts = world.facts
    assert result.night().unpaid == {"b-1": "no_fx_rate", "c-1": "no_fx_rate"}


def test_free_and_negative_lines_make_no_customer_and_a_rate_of_nothing_does() -> None:
    steps = bands((0, "0.00"), (1, "0.20"))
    world = World(versions=[version(tiered("customers", "marginal", steps=steps))])
    world.buyer("a", "2026-02-20").bill("a", "a", "2026-03-01", 0)
    world.bill("a0", "a", "2026-03-01", -10000)
    world.booked("m1", "2026-02-21", email="a@a.test")
    world.buyer("b", "2026-02-20").bill("b", "b", "2026-03-02", 10000)  # place 1: 0 %
    world.buyer("c", "2026-02-20").bill("c", "c", "2026-03-03", 10000)  # place 2: 20 %
    result = world.night()
    assert amounts(result) == {"c-1": 2000}
    assert result.unpaid == {key: "zero_amount" for key in ("a-1", "a0-1", "b-1")}


def test_conversions_count_leads_that_never_paid_and_other_months_take_the_count_before() -> None:
    component = tiered(
        "conversions", "marginal", steps=bands((0, "0.10"), (1, "0.20"), (2, "0.30"))
    )
    world = World(versions=[version(component)])
    for name, day in (("a", "02"), ("b", "03"), ("c", "04")):
        world.click(f"t_{name}", "2026-02-20", email=f"{name}@{name}.test")
        world.booked(f"m_{name}", f"2026-03-{day}", email=f"{name}@{name}.test")
    for name in "bc":
        world.customer(f"cus_{name}", email=f"{name}@{name}.test")
    world.bill("b1", "b", "2026-03-10", 1000)  # place 2: 20 %
    world.bill("c1", "c", "2026-04-10", 1000)  # nobody became valid in April
    world.buyer("d", "2026-04-01").bill("d1", "d", "2026-04-12", 1000)  # place 1, at that instant
    world.bill("c2", "c", "2026-04-12", 1000)  # d is not before the same instant
    world.bill("c3", "c", "2026-04-13", 1000)  # one is
    assert amounts(world.night()) == {
        "b1-1": 200, "c1-1": 100, "d1-1": 100, "c2-1": 100, "c3-1": 200,
    }  # fmt: skip


def test_counts_go_over_versions_and_a_line_is_judged_by_its_own() -> None:
    old = tiered("customers", "marginal", steps=bands((0, "0.10"), (2, "0.50")))
    new = tiered("customers", "marginal", steps=bands((0, "0.30"), (2, "0.40")))
    world = World(versions=[version(old), version(new, since="2026-03-10")])
    for name, day in (("a", "03"), ("b", "12"), ("c", "13")):
        world.buyer(name, "2026-02-20").bill(name, name, f"2026-03-{day}", 1000)
    world.bill("a2", "a", "2026-03-20", 1000)  # pinned to the version of 3 March, place 1
    assert amounts(world.night()) == {"a-1": 100, "b-1": 300, "c-1": 400, "a2-1": 100}


def test_a_shared_line_counts_whole_for_each_partner() -> None:
    world = World(versions=[version(tiered("revenue", "forward"))]).buyer("a", "2026-02-20")
    world.rule("customers:cus_a", p_a=500_000, p_b=500_000)
    world.bill("i1", "a", "2026-03-01", 20000).bill("i2", "a", "2026-03-02", 10000)
    lines = world.night().lines
    found = {(row.source_id, row.partner_id): row.amount_minor for row in lines}
    assert found == {
        ("i1-1", "p_a"): 2000, ("i1-1", "p_b"): 2000, ("i2-1", "p_a"): 1250, ("i2-1", "p_b"): 1250,
    }  # fmt: skip


def test_take_backs_and_voids_lower_no_tier() -> None:
    world = march(tiered("customers", "whole"))
    world.refund("r1", "b", "2026-03-10", 10000)
    world.facts["invoices"][0]["status"] = "void"
    assert amounts(world.night())["c-1"] == 2500


def test_a_compared_model_counts_nothing_and_takes_the_band_reached_before() -> None:
    # B is credited by first touch only: it has nothing, so 20 %; A's own lines pay by place.
    rules = {"compare_models": ["first_touch"]}
    world = World(versions=[version(tiered("revenue", "whole"))], attribution=rules)
    world.click("t0", "2026-02-01", "p_b", email="a@a.test")
    world.buyer("a", "2026-02-20").bill("i1", "a", "2026-03-01", 20000)
    world.buyer("b", "2026-02-20", "p_b").bill("i2", "b", "2026-03-02", 10000)
    comparison = world.night().comparison
    assert comparison["first_touch", "p_a", "USD"] == (5000, 0)
    # B: 100.00 paid at 20 %; under first touch also 200.00 at 20 % (nothing before it)
    assert comparison["first_touch", "p_b", "USD"] == (2000, 6000)


def test_lines_that_the_component_does_not_pay_on_count_nothing() -> None:
    component = tiered("revenue", "forward", products={"exclude": ["p_no"]})
    component["duration"] = {"months": 1}
    world = World(versions=[version(component)]).buyer("a", "2026-02-20")
    lines = ({"amount_minor": 20000, "product_id": "p_no"}, {"amount_minor": 10000})
    late = {"amount_minor": 20000, "period_start": "2026-04-01"}
    world.invoice("i1", "2026-03-01", *lines, late, customer_id="cus_a", paid_at="2026-03-01")
    world.bill("i2", "a", "2026-03-02", 10000)
    assert amounts(world.night()) == {"i1-2": 2000, "i2-1": 2000}
