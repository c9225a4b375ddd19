"""Hand-worked cases for the oracle: rulings and pins (A6), and leads that partners enter (L1)."""

import pytest

from tests.oracle.builder import (
    PARTNER_A,
    PARTNER_B,
    World,
    amounts,
    bounty,
    recurring,
    verdict,
    version,
)
from tests.oracle.rulings import Ruling

# --- rulings ----------------------------------------------------------------------------------


def _paid(world: World) -> dict[tuple[str, str], int]:
    return {(row.partner_id, row.source_id): row.amount_minor for row in world.night().lines}


def test_ruling_overrides_the_computation() -> None:
    # 20 % of 100.00 = 20.00; computed: all to A
    world = World().sale(10000)
    assert _paid(world) == {("p_a", "i1-1"): 2000}
    world.rule("customers:cus_1", p_a=250_000, p_b=750_000)
    assert _paid(world) == {("p_a", "i1-1"): 500, ("p_b", "i1-1"): 1500}
    found = world.night().lead_of("touchpoints:t1")
    assert found.is_ruled
    assert found.paying_ppm == {"p_a": 250_000, "p_b": 750_000}
    assert found.credits_ppm["last_touch"] == {"p_a": 1_000_000}  # what was computed stays known


def test_newest_ruling_on_any_record_of_the_lead_counts() -> None:
    world = World().sale(10000).rule("customers:cus_1", p_b=1_000_000)
    world.rule("touchpoints:t1", p_a=1_000_000)
    assert _paid(world) == {("p_a", "i1-1"): 2000}


def test_ruling_for_nobody_leaves_the_line_without_attribution() -> None:
    world = World().sale(10000).rule("customers:cus_1")
    result = world.night()
    assert result.lines == []
    assert result.unpaid == {"i1-1": "no_attribution"}


def test_ruling_credits_a_lead_that_nobody_touched_but_not_one_that_is_not_valid() -> None:
    world = World().customer().rule("customers:cus_1", p_b=1_000_000)
    paid = {"paid_at": "2026-01-20"}
    world.invoice("i1", "2026-01-20", {"amount_minor": 10000}, **paid)
    assert _paid(world) == {("p_b", "i1-1"): 2000}
    world = World(versions=[version(bounty("signup"))]).rule("product_events:e1", p_b=1_000_000)
    event = {"name": "signup", "occurred_at": "2026-01-08", "email": "ann@acme.test"}
    world.add("product_events", event_id="e1", **event)
    assert _paid(world) == {}  # demo_booked makes a lead valid here


def test_ruling_changes_no_verdict_and_no_conversion_window() -> None:
    world = World(attribution={"conversion_window_days": 5}).sale(10000)
    world.booked("m1", "2026-01-10").rule("customers:cus_1", p_b=1_000_000)
    assert world.night().unpaid == {"i1-1": "conversion_window"}


def test_ruling_reaches_event_commissions_too() -> None:
    # 50.00 in thirds: 1666.67 -> 16.67, 16.67 and 16.66
    world = World(versions=[version(bounty())]).partner("p_c", "cyd").click("t1", "2026-01-05")
    world.booked("m1", "2026-01-10", "held")
    world.rule("meetings:m1", p_a=333_334, p_b=333_333, p_c=333_333)
    assert _paid(world) == {("p_a", "m1"): 1667, ("p_b", "m1"): 1667, ("p_c", "m1"): 1666}


def test_ruling_moves_what_is_compared() -> None:
    rules = {"compare_models": ["first_touch"]}
    world = World(attribution=rules).sale(10000).rule("customers:cus_1", p_b=1_000_000)
    assert world.night().comparison == {
        ("first_touch", "p_a", "USD"): (0, 2000),
        ("first_touch", "p_b", "USD"): (2000, 0),
        ("recomputed", "p_a", "USD"): (0, 2000),
        ("recomputed", "p_b", "USD"): (2000, 0),
    }


def test_ruling_does_not_lift_a_blocked_domain() -> None:
    world = World(lead={"blocked_domains": ["acme.test"]}).sale(10000)
    world.rule("customers:cus_1", p_a=1_000_000)
    assert world.night().unpaid == {"i1-1": "lead_rejected"}
    world = World(lead={"blocked_domains": ["acme.test"]}, versions=[version(bounty())])
    world.booked("m1", "2026-01-10", "held").rule("meetings:m1", p_a=1_000_000)
    assert _paid(world) == {}


# --- A6: pins over several nights -------------------------------------------------------------


@pytest.mark.parametrize(("after_earning", "second"), [("pin", PARTNER_A), ("recompute", "p_b")])
def test_late_touch_changes_a_lead_that_earned_only_when_recomputed(after_earning, second) -> None:
    world = World(attribution={"after_earning": after_earning}).sale(10000)
    first = world.night("2026-01-31")
    # told a month later: B's click of 6 Jan, after A's
    world.click("t2", "2026-01-06", PARTNER_B)
    world.invoice("i2", "2026-02-20", {"amount_minor": 5000}, paid_at="2026-02-20")
    result = world.night("2026-02-28", first)
    assert {row.partner_id for row in result.lines} == {second}
    assert amounts(result) == {"i1-1": 2000, "i2-1": 1000}
    found = result.lead_of("customers:cus_1")
    assert found.credits_ppm["last_touch"] == {PARTNER_B: 1_000_000}
    assert found.is_pinned == (after_earning == "pin")
    # a fresh home knows B's click from the start
    assert {row.partner_id for row in world.night("2026-02-28").lines} == {PARTNER_B}


def test_lead_that_has_not_earned_is_not_pinned() -> None:
    world = World().click("t1", "2026-01-05").booked("m1", "2026-01-10").customer()
    first = world.night("2026-01-31")
    world.click("t2", "2026-01-06", PARTNER_B)
    world.invoice("i1", "2026-02-20", {"amount_minor": 5000}, paid_at="2026-02-20")
    result = world.night("2026-02-28", first)
    assert {row.partner_id for row in result.lines} == {PARTNER_B}
    # that night pins B
    world.click("t3", "2026-01-07", PARTNER_A)
    assert {row.partner_id for row in world.night("2026-03-31", result).lines} == {PARTNER_B}


def test_shared_credits_are_pinned_as_they_were() -> None:
    world = World(attribution={"model": "linear"}).sale(10000).click("t2", "2026-01-06", PARTNER_B)
    first = world.night("2026-01-31")
    world.click("t3", "2026-01-07", PARTNER_A)  # 2/3 for A, had it been known
    paid = {row.partner_id: row.amount_minor for row in world.night("2026-02-28", first).lines}
    assert paid == {PARTNER_A: 1000, PARTNER_B: 1000}


def test_ruling_overrides_a_pin_and_the_pin_returns_when_it_is_revoked() -> None:
    world = World().sale(10000)
    first = world.night("2026-01-31")
    world.click("t2", "2026-01-06", PARTNER_B)
    ruled = world.rule("customers:cus_1", p_b=1_000_000).night("2026-02-28", first)
    assert {row.partner_id for row in ruled.lines} == {PARTNER_B}
    world.rulings.clear()
    revoked = world.night("2026-03-31", ruled)
    assert {row.partner_id for row in revoked.lines} == {PARTNER_A}


def _two_leads() -> World:
    """ann@gmail.com (A, cus_1) and bea@gmail.com (B, cus_2), each with an invoice of 100.00."""
    world = World(versions=[version(recurring(), bounty())])
    for number, name in ((1, "ann"), (2, "bea")):
        email = f"{name}@gmail.com"
        world.click(
            f"t{number}", "2026-01-05", PARTNER_A if number == 1 else PARTNER_B, email=email
        )
        world.customer(f"cus_{number}", email=email)
        _invoice(world, number, f"2026-0{number}-20")
    return world


def _invoice(world: World, number: int, day: str) -> None:
    line, customer_id = {"amount_minor": 10000}, f"cus_{number}"
    world.invoice(f"i{number}", day, line, paid_at=day, customer_id=customer_id)


def test_leads_that_earned_and_join_keep_their_own_customers() -> None:
    world = _two_leads()
    first = world.night("2026-01-31")  # A's lead has earned
    second = world.night("2026-02-28", first)  # B's too
    # one device joins them, and a third customer of the same people pays in March
    for name in ("ann", "bea"):
        event = {"name": "activated", "occurred_at": "2026-03-01", "anonymous_id": "x"}
        world.add("product_events", event_id=f"e_{name}", email=f"{name}@gmail.com", **event)
    world.customer("cus_3", email="bea@gmail.com")
    _invoice(world, 3, "2026-03-20")
    result = world.night("2026-03-31", second)
    paid = {row.source_id: row.partner_id for row in result.lines}
    assert paid == {"i1-1": PARTNER_A, "i2-1": PARTNER_B, "i3-1": PARTNER_A}  # the oldest: A's


def test_leads_that_earned_and_join_keep_each_bounty_and_earn_no_third() -> None:
    world = World(versions=[version(bounty())])
    for number, name, partner_id in ((1, "ann", PARTNER_A), (2, "bea", PARTNER_B)):
        email = f"{name}@gmail.com"
        world.click(f"t{number}", f"2026-01-0{number}", partner_id, email=email)
        world.booked(f"m{number}", f"2026-01-1{number}", "held", email=email)
    first = world.night("2026-01-31")
    for name in ("ann", "bea"):
        event = {"name": "activated", "occurred_at": "2026-02-01", "anonymous_id": "x"}
        world.add("product_events", event_id=f"e_{name}", email=f"{name}@gmail.com", **event)
    world.booked("m3", "2026-02-02", "held", email="bea@gmail.com")
    paid = {row.source_id: row.partner_id for row in world.night("2026-02-28", first).lines}
    assert paid == {"m1": PARTNER_A, "m2": PARTNER_B}
    # had they been one lead from the start, only the first demo would have paid: to B, last touch
    assert {row.source_id: row.partner_id for row in world.night().lines} == {"m1": PARTNER_B}


@pytest.mark.parametrize(
    ("ruled", "before_the_join", "paid"),
    [
        (1, True, {"i1-1": "p_c", "i2-1": PARTNER_B, "i3-1": "p_c"}),
        (2, True, {"i1-1": PARTNER_A, "i2-1": "p_c", "i3-1": "p_c"}),
        (1, False, {"i1-1": "p_c", "i2-1": "p_c", "i3-1": "p_c"}),
        (2, False, {"i1-1": "p_c", "i2-1": "p_c", "i3-1": "p_c"}),
    ],
)
def test_ruling_reaches_what_its_lead_had_earned_when_people_ruled(
    ruled: int, before_the_join: bool, paid: dict[str, str]
) -> None:
    world = _two_leads().partner("p_c", "cyd")
    first = world.night("2026-02-28")  # both leads have earned
    record = f"customers:cus_{ruled}"
    members = first.lead_of(record).members if before_the_join else None
    for name in ("ann", "bea"):
        event = {"name": "activated", "occurred_at": "2026-03-01", "anonymous_id": "x"}
        world.add("product_events", event_id=f"e_{name}", email=f"{name}@gmail.com", **event)
    world.customer("cus_3", email="bea@gmail.com")
    _invoice(world, 3, "2026-03-20")
    world.rulings.append(Ruling(record, {"p_c": 1_000_000}, members))
    result = world.night("2026-03-31", first)
    assert {row.source_id: row.partner_id for row in result.lines} == paid


def test_ruling_on_joined_leads_moves_each_event_that_had_earned() -> None:
    world = World(versions=[version(bounty())]).partner("p_c", "cyd")
    for number, name, partner_id in ((1, "ann", PARTNER_A), (2, "bea", PARTNER_B)):
        email = f"{name}@gmail.com"
        world.click(f"t{number}", f"2026-01-0{number}", partner_id, email=email)
        world.booked(f"m{number}", f"2026-01-1{number}", "held", email=email)
    first = world.night("2026-01-31")
    for name in ("ann", "bea"):
        event = {"name": "activated", "occurred_at": "2026-02-01", "anonymous_id": "x"}
        world.add("product_events", event_id=f"e_{name}", email=f"{name}@gmail.com", **event)
    result = world.rule("meetings:m1", p_c=1_000_000).night("2026-02-28", first)
    assert {row.source_id: row.partner_id for row in result.lines} == {"m1": "p_c", "m2": "p_c"}


# --- lead entries -----------------------------------------------------------------------------


def test_entered_lead_is_a_submission_of_type_form_field() -> None:
    world = World().entry("e1", "2026-01-05", PARTNER_A).click("t1", "2026-01-06", PARTNER_B)
    result = world.booked("m1", "2026-01-10").night()
    assert result.submissions == {"control:lead_entries:e1": (PARTNER_A, "valid", None)}
    found = result.lead_of("meetings:m1")  # a form field comes before a link
    assert (found.partner_id, found.touch_id) == (PARTNER_A, "control:lead_entries:e1")
    world.add(
        "contacts", contact_id="c1", email="x@acme.test", created_at="2026-01-01", code="bob-link"
    )
    assert world.night().lead_of("meetings:m1").partner_id == PARTNER_B  # a CRM field before that


def test_entered_lead_protects_and_is_barred_like_a_form() -> None:
    world = World().entry("e1", "2026-01-05", PARTNER_A).form("f1", "2026-01-06", code="bob-link")
    world.entry("e2", "2026-01-07", PARTNER_B).entry("e3", "2026-01-08", PARTNER_A)
    rival = "control:lead_entries:e1"
    assert world.night().submissions == {
        "control:lead_entries:e1": (PARTNER_A, "pending", None),
        "drop:form_submissions:f1": (PARTNER_B, "duplicate_other_partner", rival),
        "control:lead_entries:e2": (PARTNER_B, "duplicate_other_partner", rival),
        "control:lead_entries:e3": (PARTNER_A, "duplicate_same_partner", rival),
    }


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"email": "", "company_domain": ""}, "incomplete"),
        ({"email": "", "company_domain": "acme.test"}, "pending"),
        ({"email": "", "company_domain": "", "deal_id": "d1"}, "pending"),
        ({"email": "ana@partner.test"}, "self_referral"),
        ({"email": "eve@own.test"}, "own_domain"),
    ],
)
def test_entered_lead_is_judged_by_what_it_names(row: dict, expected: str) -> None:
    world = World(lead={"own_domains": ["own.test"]}).entry("e1", "2026-01-05", PARTNER_A, **row)
    assert verdict(world.night(), "lead_entries:e1", "control") == expected


def test_entered_lead_after_as_of_does_not_exist_yet() -> None:
    world = World().entry("e1", "2026-01-05", PARTNER_A)
    assert world.night("2026-01-04").submissions == {}


# --- L4: one payee ----------------------------------------------------------------------------


def test_partners_with_one_payee_are_one_for_self_referral() -> None:
    world = World().form("f1", "2026-01-05", email="bob@partner.test")  # A's code, B's address
    assert verdict(world.night(), "form_submissions:f1") == "pending"
    world.payees |= {PARTNER_A: "same", PARTNER_B: "same"}
    assert verdict(world.night(), "form_submissions:f1") == "self_referral"
    world.payees[PARTNER_B] = "other"
    assert verdict(world.night(), "form_submissions:f1") == "pending"
