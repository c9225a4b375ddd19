"""Hand-worked cases for the oracle: the shape that gives the rate, and gaps in service (C4, C7)."""

from decimal import Decimal

import pytest

from tests.oracle.builder import World, amounts, recurring, version

FOR_LIFE = {"months": None}


def test_the_first_shape_that_applies_gives_the_rate() -> None:
    component = recurring(
        duration=FOR_LIFE,
        first_payment_rate=Decimal("0.50"),
        conditions=[
            {"country": ["DE", "at"], "rate": Decimal("0.40")},
            {"country": ["FR", "DE"], "rate": Decimal("0.35")},
        ],
        product_rates={"p_x": Decimal("0.30")},
        tiers={
            "metric": "customers", "period": "life",
            "bands": [{"from": 0, "rate": Decimal("0.10")}],
        },
    )  # fmt: skip
    world = World(versions=[version(component)])
    for name, country in (("a", " de"), ("b", "FR"), ("c", ""), ("d", "AT")):
        world.buyer(name, "2026-01-01", country=country)
        first = ({"amount_minor": 1000}, {"amount_minor": 1000, "product_id": "p_x"})
        named = {"customer_id": f"cus_{name}"}
        world.invoice(f"{name}1", "2026-01-05", *first, paid_at="2026-01-05", **named)
        world.invoice(f"{name}2", "2026-02-05", *first, paid_at="2026-02-05", **named)
    found = amounts(world.night())
    assert {found[f"{name}1-{line}"] for name in "abcd" for line in (1, 2)} == {500}
    later = {name: (found[f"{name}2-1"], found[f"{name}2-2"]) for name in "abcd"}
    assert later == {"a": (400, 400), "b": (350, 350), "c": (100, 300), "d": (400, 400)}


def test_first_payment_rate_is_for_the_earliest_paid_invoice_with_a_positive_amount() -> None:
    component = recurring(duration=FOR_LIFE, first_payment_rate=Decimal("0.50"))
    world = World(versions=[version(component)]).buyer("a", "2026-01-01")
    world.booked("m1", "2026-01-01", email="a@a.test")
    world.bill("i0", "a", "2026-01-04", -1000)  # a credit is no payment
    world.bill("i2", "a", "2026-01-06", 1000).bill("i1", "a", "2026-01-05", 1000, -100)
    assert amounts(world.night()) == {"i0-1": -200, "i1-1": 500, "i1-2": -50, "i2-1": 200}


# --- C4: gaps ---------------------------------------------------------------------------------


def _after_gap(
    mode: str, *starts: str, months: int | None = 12, gap_days: int = 60, **rates: object
):
    """Service for two months from 1 Jan 2026, then lines of 10.00 from these days, 30 days each."""
    component = recurring(
        duration={"months": months}, reactivation={"mode": mode, "gap_days": gap_days}, **rates
    )
    world = World(versions=[version(component)]).buyer("a", "2025-12-01")
    for number, start in enumerate(("2026-01-01", *starts)):
        end = {"2026-01-01": "2026-03-01"}.get(start, "")
        line = {"amount_minor": 1000, "period_start": start, "period_end": end}
        world.invoice(f"i{number}", start, line, customer_id="cus_a", paid_at=start)
    return world


def _without_further_gaps(world: World) -> World:
    """Each line after the gap lasts until the next begins."""
    after = world.facts["invoice_lines"][1:]
    for line, following in zip(after, after[1:], strict=False):
        line["period_end"] = following["period_start"]
    return world


def test_example_of_decision_0039() -> None:
    # 59 days after 1 March is 29 April: no gap, the twelve months are those of 2026
    starts = ("2026-04-29", "2026-12-31", "2027-01-01", "2027-04-28")
    result = _without_further_gaps(_after_gap("restart", *starts)).night("2028-12-31")
    assert result.unpaid == {"i3-1": "outside_duration", "i4-1": "outside_duration"}
    # 60 days: they run from 30 April 2026 to 30 April 2027
    starts = ("2026-04-30", "2027-01-01", "2027-04-29", "2027-04-30")
    result = _without_further_gaps(_after_gap("restart", *starts)).night("2028-12-31")
    assert result.unpaid == {"i4-1": "outside_duration"}


@pytest.mark.parametrize(("start", "is_stopped"), [("2026-04-29", False), ("2026-04-30", True)])
def test_a_gap_stops_for_good(start: str, is_stopped: bool) -> None:
    for months in (12, None):
        world = _after_gap("stop", start, "2026-05-20", months=months)
        result = world.night()
        reasons = {"i1-1": "stopped_after_gap", "i2-1": "stopped_after_gap"}
        assert result.unpaid == (reasons if is_stopped else {})


def test_continue_knows_no_gap() -> None:
    assert _after_gap("continue", "2026-12-31").night("2028-12-31").unpaid == {}


def test_an_invoice_paid_late_closes_the_gap() -> None:
    world = _after_gap("stop", "2026-05-15")
    assert world.night().unpaid == {"i1-1": "stopped_after_gap"}
    between = {"amount_minor": 1000, "period_start": "2026-03-20", "period_end": "2026-04-20"}
    world.invoice("i9", "2026-03-20", between, customer_id="cus_a", paid_at="2026-06-01")
    assert world.night("2026-05-31").unpaid == {"i1-1": "stopped_after_gap"}
    assert world.night().unpaid == {}


@pytest.mark.parametrize(("months", "november"), [(12, {}), (None, {"i2-1": 200})])
def test_an_older_invoice_paid_late_takes_nothing_back(months: int | None, november: dict) -> None:
    # decision 0039: March is paid first; November, 90 days before it, on 20 March; July follows 91
    # days after March, until May and June are paid on 15 August.
    reactivation = {"mode": "stop", "gap_days": 60}
    component = recurring(duration={"months": months}, reactivation=reactivation)
    world = World(versions=[version(component)]).buyer("a", "2026-03-01")
    for number, (start, end, paid_at) in enumerate(
        (
            ("2026-03-01", "2026-04-01", "2026-03-02"),
            ("2025-11-01", "2025-12-01", "2026-03-20"),
            ("2026-07-01", "2026-08-01", "2026-07-01"),
            ("2026-05-01", "2026-07-01", "2026-08-15"),
        ),
        start=1,
    ):
        line = {"amount_minor": 1000, "period_start": start, "period_end": end}
        world.invoice(f"i{number}", start, line, customer_id="cus_a", paid_at=paid_at)
    assert amounts(world.night("2026-03-31")) == {"i1-1": 200} | november
    july = world.night("2026-07-31")
    assert amounts(july) == {"i1-1": 200} | november
    assert july.unpaid["i3-1"] == "stopped_after_gap"
    assert amounts(world.night()) == {"i1-1": 200, "i3-1": 200, "i4-1": 200} | november


def test_service_is_of_any_product_and_positive_lines_only() -> None:
    world = _after_gap("stop", "2026-05-15")
    others = (
        {"amount_minor": -5, "period_start": "2026-03-01", "period_end": "2026-05-15"},
        {"amount_minor": 0, "period_start": "2026-03-01", "period_end": "2026-05-15"},
    )
    world.invoice("i8", "2026-03-01", *others, {"amount_minor": 100}, customer_id="cus_a",
                  paid_at="2026-03-01")  # fmt: skip
    assert world.night().unpaid == {"i8-2": "zero_amount", "i1-1": "stopped_after_gap"}
    world.add("products", product_id="p_s", name="s", kind="shipping")
    setup = {"amount_minor": 5, "period_start": "2026-04-01", "product_id": "p_s"}
    world.invoice("i9", "2026-04-01", setup, customer_id="cus_a", paid_at="2026-04-01")
    # shipping does not earn, and is a service of no length on 1 April: 31 and 44 days
    assert world.night().unpaid == {"i8-2": "zero_amount", "i9-1": "kind_excluded"}


def test_restart_moves_the_first_payment_of_months_0_and_not_that_of_its_rate() -> None:
    half = {"first_payment_rate": Decimal("0.50")}
    world = _after_gap("restart", "2026-02-01", "2026-05-15", "2026-05-20", months=0, **half)
    result = world.night()
    assert amounts(result) == {"i0-1": 500, "i2-1": 200}
    assert result.unpaid == {"i1-1": "outside_duration", "i3-1": "outside_duration"}


def test_lines_before_the_second_clock_stay_with_the_first_and_the_latest_clock_counts() -> None:
    # clocks: 1 Jan (one month), 1 June, 1 Oct. A late bill for May belongs to the first.
    starts = ("2026-06-01", "2026-06-30", "2026-10-01", "2026-10-31", "2026-11-01")
    world = _after_gap("restart", *starts, months=1)
    late = {"amount_minor": -10, "period_start": "2026-05-31", "is_proration": True}
    world.invoice("i9", "2026-06-15", late, {"amount_minor": 50, "period_start": "2026-06-15"},
                  customer_id="cus_a", paid_at="2026-06-15")  # fmt: skip
    result = world.night()
    assert result.unpaid == {"i5-1": "outside_duration", "i9-1": "outside_duration"}


def test_service_days_are_those_of_the_lines_own_clock() -> None:
    # clocks: 1 Jan and 1 June, each of two months. The second's line of 1 June to 30 August: 61 of
    # 90 days lie before 1 August: 20.00 x 61/90 = 13.555...
    component = recurring(
        duration={"months": 2, "basis": "service_period"},
        reactivation={"mode": "restart", "gap_days": 60},
    )
    world = World(versions=[version(component)]).buyer("a", "2025-12-01")
    for number, (start, end) in enumerate(
        (("2026-01-01", "2026-03-01"), ("2026-06-01", "2026-08-30"))
    ):
        line = {"amount_minor": 10000, "period_start": start, "period_end": end}
        world.invoice(f"i{number}", start, line, customer_id="cus_a", paid_at=start)
    assert amounts(world.night()) == {"i0-1": 2000, "i1-1": 1356}


def test_a_posted_line_keeps_its_customers_country() -> None:
    component = recurring(conditions=[{"country": ["DE"], "rate": Decimal("0.40")}])
    world = World(versions=[version(component)]).buyer("a", "2026-01-01", country="DE")
    world.bill("i1", "a", "2026-01-05", 1000)
    first = world.night("2026-01-31")
    world.customer("cus_a", email="a@a.test", country="FR").bill("i2", "a", "2026-02-05", 1000)
    assert amounts(world.night("2026-02-28", after=first)) == {"i1-1": 400, "i2-1": 200}
    assert amounts(world.night("2026-02-28")) == {"i1-1": 200, "i2-1": 200}


def test_a_country_that_was_not_known_counts_once_it_is_and_stays() -> None:
    component = recurring(conditions=[{"country": ["DE"], "rate": Decimal("0.15")}])
    world = World(versions=[version(component)]).buyer("a", "2025-05-01")
    world.bill("i1", "a", "2025-06-01", 10000)
    first = world.night("2025-06-30")
    assert amounts(first) == {"i1-1": 2000}
    world.facts["customers"][0]["country"] = "DE"
    second = world.night("2025-08-05", after=first)
    assert amounts(second) == {"i1-1": 1500}
    world.facts["customers"][0]["country"] = "FR"
    assert amounts(world.night("2025-09-05", after=second)) == {"i1-1": 1500}
