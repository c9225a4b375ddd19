"""Hand-worked cases for the oracle: bonuses (C1, decision 0040)."""

from datetime import date, datetime
from decimal import Decimal

import pytest

from tests.oracle import Result
from tests.oracle.builder import World, recurring, version


def bonus(metric: str, threshold: object, period: str = "month", **changes: object) -> dict:
    """A bonus component: 500.00 USD or 450.00 EUR."""
    amount = {"USD": Decimal("500.00"), "EUR": Decimal("450.00")}
    shape = {"metric": metric, "period": period, "threshold": threshold, "amount": amount}
    return {"id": "bonus", "kind": "bonus"} | shape | changes


def paid(result: Result) -> dict[tuple[str, str], int]:
    """(partner, period) -> amount."""
    return {(row.partner_id, row.source_id): row.amount_minor for row in result.bonuses}


def _three_customers(third_paid_at: str = "2026-04-01T03:30:00Z", **changes: object) -> World:
    plan = version(bonus("customers", 3), **changes)
    world = World(versions=[plan], timezone="America/New_York")
    for name, paid_at in (("a", "2026-03-05"), ("b", "2026-03-06"), ("c", third_paid_at)):
        world.buyer(name, "2026-02-20").bill(name, name, paid_at, 1000)
    return world


def test_example_of_decision_0040() -> None:
    # 31 March at 23:30 in New York
    world = _three_customers().refund("r1", "c", "2026-04-05", 1000)
    (row,) = world.night().lines
    assert row.natural_key == ("bonus", "bonus", "period", "2026-03", "p_a", "", "")
    assert (row.amount_minor, row.currency_code) == (50000, "USD")
    assert (row.payout_amount_minor, row.payout_currency_code) == (50000, "USD")
    assert row.earned_at == datetime(2026, 4, 1, 3, 30)
    assert row.available_date == date(2026, 4, 30)  # 31 March + 30 days
    assert (row.plan_id, row.plan_version, row.fx_rate_date) == ("standard", "2020-01-01", None)
    assert paid(_three_customers("2026-04-01T04:00:00Z").night()) == {}


def test_a_posted_bonus_stays_whatever_the_facts_say_later() -> None:
    world = _three_customers(hold={"days": 5, "after": "month_end"})
    first = world.night("2026-04-02")
    assert first.bonuses[0].available_date == date(2026, 4, 5)
    # an earlier customer moves the day; another partner's, and the third would never have paid
    world.buyer("d", "2026-02-20").bill("d", "d", "2026-03-04", 1000)
    (row,) = world.night("2026-04-03").bonuses
    assert row.earned_at == datetime(2026, 3, 6, 5)
    assert world.night("2026-04-03", after=first).bonuses == first.bonuses
    for invoice in world.facts["invoices"]:
        invoice["status"] = "draft"
    assert world.night("2026-04-03").bonuses == ()
    assert world.night("2026-04-03", after=first).bonuses == first.bonuses


@pytest.mark.parametrize(
    ("period", "labels"),
    [
        ("month", ["2026-03", "2026-05"]),
        ("quarter", ["2026-Q1", "2026-Q2"]),
        ("year", ["2026"]),
        ("life", ["life"]),
    ],
)
def test_once_per_local_period(period: str, labels: list[str]) -> None:
    world = World(versions=[version(bonus("customers", 2, period))])
    days = ("03-05", "03-06", "03-07", "04-10", "05-01", "05-31", "05-31")
    for number, day in enumerate(days):
        world.buyer(f"n{number}", "2026-03-03").bill(f"i{number}", f"n{number}", f"2026-{day}", 100)
    assert [row.source_id for row in world.night().bonuses] == labels


def test_customers_count_by_their_first_paid_line_of_a_positive_amount_of_any_product() -> None:
    # recurring pays on p_yes only; a has a free invoice and a credit in February
    plan = version(bonus("customers", 1), recurring(products={"include": ["p_yes"]}))
    world = World(versions=[plan]).buyer("a", "2026-01-20")
    world.booked("m1", "2026-01-21", email="x@a.test").bill("i0", "a", "2026-02-01", 0, -100)
    assert paid(world.night()) == {}
    world.bill("i1", "a", "2026-03-05", 1000)
    (row,) = world.night().bonuses
    assert (row.source_id, row.earned_at) == ("2026-03", datetime(2026, 3, 5))


def test_conversions_count_credited_leads_by_their_valid_instant() -> None:
    world = World(versions=[version(bonus("conversions", 2))])
    for name, day in (("a", "03-05"), ("b", "03-06"), ("c", "03-06")):
        world.click(
            f"t_{name}", "2026-02-20", "p_b" if name == "c" else "p_a", email=f"{name}@{name}.test"
        )
        world.booked(f"m_{name}", f"2026-{day}", email=f"{name}@{name}.test")
    (row,) = world.night().bonuses
    assert (row.partner_id, row.earned_at) == ("p_a", datetime(2026, 3, 6))


def test_revenue_counts_all_paid_lines_whole_at_the_rate_of_their_day() -> None:
    plan = version(bonus("revenue", Decimal("100.00")))
    world = World(versions=[plan]).buyer("a", "2026-02-20")
    world.add("fx_rates", rate_date="2026-03-01", currency_code="USD", rate="2.0")
    # 60.00 less 10.00 of discount, with tax, a tenth paid
    line = {"amount_minor": 6000, "discount_minor": 1000, "tax_minor": 900}
    world.invoice("i1", "2026-03-01", line, customer_id="cus_a", status="open")
    world.pay("p1", "i1", "2026-03-01", 590)
    world.bill("i2", "a", "2026-03-02", 2499, currency_code="EUR")  # 49.98 USD
    world.bill("i3", "a", "2026-03-20", 9900, currency_code="EUR")  # no rate: nothing
    assert paid(world.night()) == {}
    world.bill("i4", "a", "2026-03-21", -1, 3)  # 99.97, then 100.00
    (row,) = world.night().bonuses
    assert row.earned_at == datetime(2026, 3, 21)


def test_a_shared_lead_counts_whole_for_each_partner() -> None:
    world = _three_customers()
    for name in "abc":
        world.rule(f"customers:cus_{name}", p_a=500_000, p_b=500_000)
    assert paid(world.night()) == {("p_a", "2026-03"): 50000, ("p_b", "2026-03"): 50000}


def test_a_rejected_lead_counts_nothing() -> None:
    world = _three_customers()
    world.program["lead"][0]["blocked_domains"] = ["c.test"]
    assert paid(world.night()) == {}


def test_the_version_of_the_day_on_which_the_threshold_is_reached_pays() -> None:
    # never pinned: all three leads were valid under the first version
    second = {"threshold": 3, "amount": {"USD": Decimal("7.00")}}
    versions = [
        version(bonus("customers", 4)),
        version(bonus("customers", 3) | second, since="2026-03-07"),
    ]
    world = World(versions=versions)
    for name, day in (("a", "05"), ("b", "06"), ("c", "06")):
        world.buyer(name, "2026-02-20").bill(name, name, f"2026-03-{day}", 1000)
    assert paid(world.night()) == {}  # three of four; the second version sees no event
    world.buyer("d", "2026-02-20").bill("d", "d", "2026-03-08", 1000)
    (row,) = world.night().bonuses
    assert (row.amount_minor, row.plan_version) == (700, "2026-03-07")


def test_override_and_group_decide_on_the_plan_of_the_day() -> None:
    plans = [
        {"id": name, "versions": [version(bonus("customers", 3, amount={"USD": amount}))]}
        for name, amount in (("standard", 1), ("gold", 2), ("own", 3))
    ]
    world = _three_customers()
    world.program |= {"plans": plans, "groups": {"default": "standard", "gold": "gold"}}
    assert paid(world.night()) == {("p_a", "2026-03"): 100}
    world.facts["partners"][0]["group"] = "gold"
    assert paid(world.night()) == {("p_a", "2026-03"): 200}
    override = {"partner_id": "p_a", "plan": "own", "effective_from": "2026-04-01"}
    world.program["overrides"] = [override]
    assert paid(world.night()) == {("p_a", "2026-03"): 200}  # reached on 31 March, local day
    override["effective_from"] = "2026-03-31"
    assert paid(world.night()) == {("p_a", "2026-03"): 300}


def test_in_the_payout_currency_or_not_at_all() -> None:
    world = _three_customers()
    world.facts["partners"][0]["payout_currency"] = "EUR"
    (row,) = world.night().bonuses
    assert (row.amount_minor, row.payout_currency_code) == (45000, "EUR")
    world.facts["partners"][0]["payout_currency"] = "JPY"
    assert world.night().bonuses == ()
