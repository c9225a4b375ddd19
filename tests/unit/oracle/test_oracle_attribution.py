"""Hand-worked cases for the oracle: windows, priority, grace, models, conversion window."""

import pytest

from tests.oracle.builder import PARTNER_A, PARTNER_B, World, amounts, bounty, recurring, version


def winner(world: World, record: str = "meetings:m1") -> tuple[str | None, str | None]:
    """(partner, touch id without the source) of the lead that holds a record."""
    found = world.night().lead_of(record)
    return found.partner_id, found.touch_id and found.touch_id.removeprefix("drop:")


@pytest.mark.parametrize(
    ("touched_at", "partner"),
    [
        # 90 x 24 h before 2026-05-01T12:00Z is 2026-01-31T12:00Z; both ends count (A1)
        ("2026-01-31T11:59:59Z", None),
        ("2026-01-31T12:00:00Z", PARTNER_A),
        ("2026-05-01T12:00:00Z", PARTNER_A),
        ("2026-05-01T12:00:01Z", None),
    ],
)
def test_touch_window_includes_both_ends(touched_at: str, partner: str | None) -> None:
    world = World().booked("m1", "2026-05-01T12:00:00Z").click("t1", touched_at)
    assert winner(world)[0] == partner


def test_touch_window_is_of_hours_not_of_local_days() -> None:
    # New York changes to summer time on 8 March 2026: 90 x 24 h before 1 May 00:00 EDT (04:00Z)
    # is 31 Jan 04:00Z = 30 Jan 23:00 EST. The local midnight of 31 Jan (05:00Z) lies inside.
    world = World(timezone="America/New_York").booked("m1", "2026-05-01 00:00")
    world.click("t1", "2026-01-30 23:00")
    assert winner(world)[0] == PARTNER_A


def test_priority_of_types_beats_time() -> None:
    world = World().booked("m1", "2026-02-01").click("t1", "2026-01-30", PARTNER_A)
    assert winner(world) == (PARTNER_A, "touchpoints:t1")
    world.form("f1", "2026-01-20", code="bob-link")  # form_field beats referral_link
    assert winner(world) == (PARTNER_B, "form_submissions:f1")
    contact = {"email": "ann@acme.test", "created_at": "2026-01-10"}
    world.add("contacts", contact_id="c1", code="ANA10", **contact)  # crm_field beats form_field
    assert winner(world) == (PARTNER_A, "contacts:c1")
    event = {"name": "activated", "occurred_at": "2026-01-09", "email": "ann@acme.test"}
    world.add("product_events", event_id="e1", code="bob10", **event)  # its own type: promotion
    assert winner(world) == (PARTNER_B, "product_events:e1")
    world.registration("r1", "2026-01-05", PARTNER_A)  # an approved registration beats a code
    assert winner(world) == (PARTNER_A, "deal_registrations:r1")
    world.click("t9", "2026-01-04", PARTNER_B, touch_type="manual_ruling")
    assert winner(world) == (PARTNER_B, "touchpoints:t9")


def test_customer_and_event_carry_the_codes_own_type_and_invoices_a_promotion() -> None:
    world = World(lead={"valid_when": "deal_won"}).customer(
        code="ana-link", created_at="2026-01-01"
    )
    line = {"amount_minor": 100}
    world.invoice("i1", "2026-01-02", line, code="bob-link", paid_at="2026-01-03")
    # the customer's link is a referral link; the same kind of code on an invoice is a promotion
    assert winner(world, "customers:cus_1") == (PARTNER_B, "invoices:i1")


def _code_and_link(link_at: str, grace_hours: int, link_partner: str = PARTNER_B) -> World:
    world = World(attribution={"code_grace_hours": grace_hours}).booked("m1", "2026-02-01")
    world.click("code", "2026-01-20T12:00:00Z", PARTNER_A, touch_type="promotion_code")
    return world.click("link", link_at, link_partner)


@pytest.mark.parametrize(
    ("link_at", "grace_hours", "partner"),
    [
        ("2026-01-18T12:00:00Z", 48, PARTNER_B),  # exactly 48 h before: ends included
        ("2026-01-18T11:59:59Z", 48, PARTNER_A),
        ("2026-01-20T12:00:00Z", 48, PARTNER_B),  # the very instant of the code
        ("2026-01-20T12:00:01Z", 48, PARTNER_A),  # after the code
        ("2026-01-20T12:00:00Z", 0, PARTNER_A),  # 0 = codes never lose
    ],
)
def test_code_loses_to_link_within_grace(link_at: str, grace_hours: int, partner: str) -> None:
    assert winner(_code_and_link(link_at, grace_hours))[0] == partner


def test_code_does_not_lose_to_its_own_partners_link() -> None:
    world = _code_and_link("2026-01-20T11:00:00Z", 48, PARTNER_A)
    assert winner(world) == (PARTNER_A, "touchpoints:code")


def test_after_a_lost_code_the_next_type_competes() -> None:
    world = _code_and_link("2026-01-20T11:00:00Z", 48)
    contact = {"email": "ann@acme.test", "created_at": "2026-01-01"}
    world.add("contacts", contact_id="c1", code="ana-link", **contact)
    assert winner(world) == (PARTNER_A, "contacts:c1")  # crm_field comes before referral_link


def test_link_outside_the_touch_window_does_not_beat_a_code() -> None:
    # window opens 2025-11-03T00:00Z; code 1 h inside, link 1 h outside, grace 48 h
    world = World(attribution={"code_grace_hours": 48}).booked("m1", "2026-02-01")
    world.click("code", "2025-11-03T01:00:00Z", PARTNER_A, touch_type="promotion_code")
    world.click("link", "2025-11-02T23:00:00Z", PARTNER_B)
    assert winner(world)[0] == PARTNER_A


@pytest.mark.parametrize(
    ("model", "collapse", "expected"),
    [
        ("last_touch", True, (PARTNER_B, "touchpoints:t3")),
        ("first_touch", True, (PARTNER_A, "touchpoints:t2")),  # of a run the last stays
        ("first_touch", False, (PARTNER_A, "touchpoints:t1")),
    ],
)
def test_first_and_last_touch_with_collapse(model, collapse, expected) -> None:
    world = World(attribution={"model": model, "collapse_repeats": collapse})
    world.booked("m1", "2026-02-01").click("t1", "2026-01-01").click("t2", "2026-01-02")
    world.click("t3", "2026-01-03", PARTNER_B)
    assert winner(world) == expected
    ppm_by_model = world.night().lead_of("meetings:m1").credits_ppm
    assert ppm_by_model["last_touch"] == {PARTNER_B: 1_000_000}
    assert ppm_by_model["first_touch"] == {PARTNER_A: 1_000_000}


def test_touches_at_one_instant_are_ordered_by_id() -> None:
    world = World().booked("m1", "2026-02-01").click("t2", "2026-01-01", PARTNER_A)
    world.click("t10", "2026-01-01", PARTNER_B)
    assert winner(world) == (PARTNER_A, "touchpoints:t2")  # text order: t10 < t2


def test_touch_of_rejected_submission_does_not_compete() -> None:
    world = World().booked("m1", "2026-02-01").form("f1", "2026-01-01", code="ana-link")
    world.form("f2", "2026-01-02", code="bob-link")  # duplicate of A's protected lead
    assert winner(world) == (PARTNER_A, "form_submissions:f1")
    world.form("f3", "2026-01-03", code="ana-link")  # duplicate_same_partner competes
    assert winner(world) == (PARTNER_A, "form_submissions:f3")
    world.click("t1", "2026-01-04", PARTNER_B, touch_type="promotion_code")
    assert winner(world) == (PARTNER_B, "touchpoints:t1")  # protection bars no codes


def test_attribution_rules_are_of_the_valid_day() -> None:
    world = World().booked("m1", "2026-02-01").click("t1", "2026-01-01")
    narrow = {"effective_from": "2026-02-01", "touch_window_days": 30}
    world.program["attribution"].append(narrow)
    assert winner(world)[0] is None  # 31 days before
    narrow["effective_from"] = "2026-02-02"
    assert winner(world)[0] == PARTNER_A


@pytest.mark.parametrize(
    ("paid_at", "is_earned"),
    # valid 2026-01-10T08:00Z + 30 x 24 h = 2026-02-09T08:00Z, that second included (A5)
    [("2026-02-09T08:00:00Z", True), ("2026-02-09T08:00:01Z", False)],
)
def test_conversion_window_boundary_to_the_second(paid_at: str, is_earned: bool) -> None:
    components = [recurring(), bounty("first_payment"), bounty("demo_booked", id="booked")]
    world = World(versions=[version(*components)], attribution={"conversion_window_days": 30})
    world.sale(10000, paid_at).booked("m1", "2026-01-10T08:00:00Z")
    # line 100.00 x 20 % = 20.00; both bounties 50.00; only the demo's survives a late payment
    earned = {"i1-1": 2000, "i1": 5000, "m1": 5000}
    result = world.night()
    assert amounts(result) == (earned if is_earned else {"m1": 5000})
    assert result.unpaid == ({} if is_earned else {"i1-1": "conversion_window"})
