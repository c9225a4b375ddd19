"""What must hold of the oracle's own tiers, caps and shares whatever the facts are."""

from collections import Counter
from decimal import Decimal
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracle import Result
from tests.oracle.builder import World, amounts, recurring, version

FOR_LIFE = {"months": None}
DAY = st.integers(1, 28).map(lambda day: f"2026-03-{day:02}")
# (customer, day of payment, amounts of its lines)
INVOICES = st.lists(
    st.tuples(
        st.sampled_from("abc"), DAY, st.lists(st.integers(-20000, 30000), min_size=1, max_size=3)
    ),
    min_size=1,
    max_size=8,
)
METRICS = st.sampled_from(("customers", "conversions", "revenue"))
MODES = st.sampled_from(("marginal", "whole", "forward"))
CAPS = st.sampled_from(("per_invoice", "per_customer", "per_partner_month", "per_programme_month"))
CREDITS = st.sampled_from(({}, {"p_a": 500_000, "p_b": 500_000}, {"p_a": 999_999, "p_b": 1}))


def _world(invoices: list, *components: dict, credits: dict | None = None) -> World:
    world = World(versions=[version(*components)])
    for name in "abc":
        world.buyer(name, "2026-02-20").booked(f"m_{name}", "2026-02-21", email=f"x@{name}.test")
        if credits:
            world.rule(f"customers:cus_{name}", **credits)
    for number, (name, day, lines) in enumerate(invoices):
        world.bill(f"i{number}", name, day, *lines)
    return world


def _paid(result: Result) -> Counter:
    return Counter({row.natural_key[1:5]: row.amount_minor for row in result.lines})


@settings(max_examples=60, deadline=None)
@given(INVOICES, METRICS, MODES, CREDITS)
def test_bands_of_one_rate_are_a_rate(invoices, metric, mode, credits) -> None:
    steps = [{"from": start, "rate": Decimal("0.2")} for start in (0, 1, 2, 150)]
    tiers = {"metric": metric, "period": "month", "mode": mode, "bands": steps}
    flat = _world(invoices, recurring(duration=FOR_LIFE), credits=credits)
    tiered = _world(invoices, recurring(duration=FOR_LIFE, tiers=tiers), credits=credits)
    assert _paid(flat.night()) == _paid(tiered.night())


@settings(max_examples=60, deadline=None)
@given(INVOICES, METRICS, MODES)
def test_a_tier_lies_between_its_lowest_and_highest_rate(invoices, metric, mode) -> None:
    steps = [(0, "0.1"), (1, "0.3"), (2, "0.2"), (100, "0.4")]
    tiers = {
        "metric": metric,
        "period": "month",
        "mode": mode,
        "bands": [{"from": start, "rate": Decimal(rate)} for start, rate in steps],
    }
    found = amounts(_world(invoices, recurring(duration=FOR_LIFE, tiers=tiers)).night())
    for number, (_, _, lines) in enumerate(invoices):
        for place, amount in enumerate(lines, start=1):
            earned = found.get(f"i{number}-{place}", 0)
            low, high = sorted((amount * Decimal("0.1"), amount * Decimal("0.4")))
            assert low - Decimal("0.5") <= earned <= high + Decimal("0.5")


@settings(max_examples=60, deadline=None)
@given(INVOICES, CAPS, st.integers(0, 8000), CREDITS)
def test_caps_only_cut_and_what_is_cut_is_recorded(invoices, cap, limit, credits) -> None:
    amount = {"USD": Decimal(limit) / 100}
    free = _world(invoices, recurring(duration=FOR_LIFE), credits=credits).night()
    cut = _world(
        invoices, recurring(duration=FOR_LIFE, caps={cap: amount}), credits=credits
    ).night()
    before, after = _paid(free), _paid(cut)
    assert all(
        after[key] <= paid if paid > 0 else after[key] == paid for key, paid in before.items()
    )
    changed = {(key[2], key[3]) for key, paid in before.items() if after[key] != paid}
    assert changed <= {key[:2] for key in cut.cuts}
    if not credits:
        assert max(_used(cut, cap, invoices).values()) <= limit


def _used(result: Result, cap: str, invoices: list) -> Counter:
    """What is earned in each scope of a cap, within one month and with one partner."""
    used: Counter = Counter({"nothing earned": 0})
    for row in result.lines:
        invoice_id = row.source_id.partition("-")[0]
        customer = invoices[int(invoice_id.removeprefix("i"))][0]
        used[{"per_invoice": invoice_id, "per_customer": customer}.get(cap, "March")] += (
            row.amount_minor
        )
    return used


@settings(max_examples=40, deadline=None)
@given(INVOICES, METRICS, MODES, CAPS, st.integers(0, 5000), st.randoms(use_true_random=False))
def test_order_of_rows_never_matters(invoices, metric, mode, cap, limit, chance: Random) -> None:
    steps = [{"from": start, "rate": Decimal(rate)} for start, rate in ((0, "0.1"), (2, "0.3"))]
    component = recurring(
        duration=FOR_LIFE,
        tiers={"metric": metric, "period": "month", "mode": mode, "bands": steps},
        caps={cap: {"USD": Decimal(limit) / 100}},
    )
    world = _world(invoices, component)
    told = world.night()
    for rows in world.facts.values():
        chance.shuffle(rows)
    assert _paid(world.night()) == _paid(told)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 4000), min_size=1, max_size=6), st.integers(0, 2000), CREDITS)
def test_parts_come_to_the_whole_and_refunds_to_nothing(payments, limit, credits) -> None:
    total = sum(payments)
    share = {"id": "share", "kind": "partner_referral", "rate": Decimal("0.17"), "months": 12}
    component = recurring(caps={"per_customer": {"USD": Decimal(limit) / 100}})
    at_once = _world([("a", "2026-03-01", [total])], component, share, credits=credits)
    in_parts = _world([], component, share, credits=credits)
    in_parts.bill("i0", "a", "2026-03-01", total, status="open")
    for number, amount in enumerate(payments):
        in_parts.pay(f"p{number}", "i0", f"2026-03-0{number + 1}", amount)
    for world in (at_once, in_parts):
        world.facts["partners"][0] |= {"referred_by": "p_b", "joined_at": "2026-01-01"}
    assert _paid(in_parts.night()) == _paid(at_once.night())
    for number, amount in enumerate(payments):
        in_parts.refund(f"r{number}", "i0", f"2026-04-0{number + 1}", amount)
    sums: Counter = Counter()
    for row in in_parts.night().lines:
        sums[row.natural_key[1:5]] += row.amount_minor
    assert set(sums.values()) <= {0}
