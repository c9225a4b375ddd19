"""Hand-worked cases for the oracle: money, time, newest versions, identity, leads, verdicts."""

from datetime import date, datetime
from fractions import Fraction

import pytest

from tests.oracle.builder import PARTNER_A, PARTNER_B, World, amounts, verdict
from tests.oracle.facts import Zone
from tests.oracle.mail import business_domain, normalise_email
from tests.oracle.money import add_months, available_date, minor_units, round_half_away

# --- money and time ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "rounded"),
    [("3/2", 2), ("-3/2", -2), ("1/2", 1), ("-1/2", -1), ("2/5", 0), ("-2/5", 0), ("5", 5)],
)
def test_rounding_of_halves_goes_away_from_zero(value: str, rounded: int) -> None:
    assert round_half_away(Fraction(value)) == rounded  # M2


@pytest.mark.parametrize(
    ("anchor", "months", "expected"),
    [
        ("2025-01-31", 1, "2025-02-28"),  # M5's own example
        ("2025-01-31", 2, "2025-03-31"),  # from the anchor, not from 28 Feb
        ("2024-01-31", 1, "2024-02-29"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2025-11-30", 3, "2026-02-28"),
    ],
)
def test_months_after_anchor_clamp_to_month_end(anchor: str, months: int, expected: str) -> None:
    assert add_months(date.fromisoformat(anchor), months) == date.fromisoformat(expected)


def test_hold_counts_from_payment_or_from_month_end() -> None:
    # P1: 10 Feb + 30 days: 18 days are left in February 2025, so 12 March.
    assert available_date(date(2025, 2, 10), 30, "paid") == date(2025, 3, 12)
    # month_end: 28 Feb + 30 days = 30 March.
    assert available_date(date(2025, 2, 10), 30, "month_end") == date(2025, 3, 30)


def test_minor_units_follow_the_currency() -> None:
    assert minor_units("50.00", "USD") == 5000  # M1: exponents 2, 0 and 3
    assert minor_units("50", "JPY") == 50
    assert minor_units("1.234", "BHD") == 1234
    with pytest.raises(ValueError, match="JPY"):
        minor_units("0.5", "JPY")


def test_local_time_across_daylight_saving() -> None:
    zone = Zone("America/New_York")  # summer time began on 9 March, ended on 2 November 2025
    assert zone.instant("2025-03-09") == datetime(2025, 3, 9, 5)  # still EST at midnight
    assert zone.instant("2025-03-09 12:00") == datetime(2025, 3, 9, 16)  # EDT at noon
    assert zone.instant("2025-03-09T12:00:00+01:00") == datetime(2025, 3, 9, 11)
    assert zone.day_end(date(2025, 3, 9)) == datetime(2025, 3, 10, 4)  # a day of 23 hours
    assert zone.day_end(date(2025, 11, 2)) == datetime(2025, 11, 3, 5)  # a day of 25 hours
    assert zone.local_date(datetime(2025, 3, 9, 4, 59)) == date(2025, 3, 8)


def test_payment_in_last_second_of_local_day_exists_and_later_does_not() -> None:
    # M6: as_of 20 Jan in New York ends at 05:00 UTC on 21 Jan.
    world = World(timezone="America/New_York").sale(10000, "2026-01-21T04:59:59Z")
    assert amounts(world.night("2026-01-20")) == {"i1-1": 2000}
    late = World(timezone="America/New_York").sale(10000, "2026-01-21T05:00:00Z")
    assert amounts(late.night("2026-01-20")) == {}


# --- F1: newest version -----------------------------------------------------------------------


def _deal_world(*updates: tuple[str, bool]) -> World:
    world = World().click("t1", "2026-01-05", contact_id="c1")
    for updated_at, is_won in updates:
        row = {"stage": "x", "created_at": "2026-01-06", "contact_id": "c1", "is_won": is_won}
        world.add("deals", deal_id="d1", closed_at="2026-01-07", updated_at=updated_at, **row)
    return world


@pytest.mark.parametrize(
    ("updates", "is_valid"),
    [
        ((("2026-02-02", True), ("2026-02-01", False)), True),  # the older arrived later: stays
        ((("2026-02-02", True), ("2026-02-02", False)), False),  # equal: the later arrival
        ((("2026-02-02", True), ("", False)), False),  # one has none: by arrival
        ((("2026-02-02", True), ("2027-01-01", False)), True),  # after as_of: not written yet
    ],
)
def test_newest_version_counts(updates: tuple, is_valid: bool) -> None:
    result = _deal_world(*updates).night("2026-12-31")
    assert (result.lead_of("deals:d1").valid_at is not None) == is_valid


# --- F3, F4: identity -------------------------------------------------------------------------


def test_email_normalisation() -> None:
    assert normalise_email(" Ann.B+x@GoogleMail.com ") == "annb@gmail.com"
    assert normalise_email("Ann.B+x@www.Acme.test") == "ann.b@acme.test"  # dots for Gmail only
    assert normalise_email("nobody") is None
    assert business_domain("www.Acme.test") == "acme.test"
    assert business_domain("GMX.de") is None and business_domain("mailinator.com") is None


def test_chain_of_identifiers_is_one_lead() -> None:
    # anon x - form - ann@gmail - contact c1 - customer - event - anon y: one component
    world = World().form("f1", "2026-01-01", email="a.nn+1@gmail.com", anonymous_id="x")
    world.add("contacts", contact_id="c1", email="ann@googlemail.com", created_at="2026-01-01")
    world.customer(email="", contact_id="c1")
    event = {"name": "activated", "occurred_at": "2026-01-02"}
    world.add("product_events", event_id="e1", customer_id="cus_1", anonymous_id="y", **event)
    world.click("t1", "2026-01-03", email="", anonymous_id="y")
    world.click("t2", "2026-01-03", email="other@gmail.com")  # free mail joins nobody
    members = World.night(world).lead_of("touchpoints:t1").members
    expected = {"form_submissions:f1", "contacts:c1", "customers:cus_1"}
    assert members == expected | {"product_events:e1", "touchpoints:t1"}


@pytest.mark.parametrize(("scope", "leads"), [("account", 1), ("person", 3)])
def test_scope_decides_whether_companies_join(scope: str, leads: int) -> None:
    world = World(lead={"scope": scope})
    world.add("companies", company_id="k1", domain="www.acme.test")
    world.click("t1", "2026-01-01", email="ann@acme.test")
    world.click("t2", "2026-01-01", email="bea@acme.test")
    contact = {"email": "c@gmail.com", "created_at": "2026-01-01", "company_id": "k1"}
    world.add("contacts", contact_id="c1", **contact)
    assert len(world.night().attributions) == leads


def test_merged_and_deleted_contacts_keep_their_edges() -> None:
    world = World().click("t1", "2026-01-01", email="old@gmail.com")
    contact = {"contact_id": "c1", "created_at": "2026-01-01"}
    world.add("contacts", email="old@gmail.com", **contact)
    world.add("contacts", email="", is_deleted=True, merged_into_id="c2", **contact)
    world.add("contacts", contact_id="c2", email="new@gmail.com", created_at="2026-01-01")
    assert "contacts:c2" in world.night().lead_of("touchpoints:t1").members


# --- L2: the valid event ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("valid_when", "outcome", "expected"),
    [
        ("demo_booked", "scheduled", "2026-01-10"),
        ("demo_booked", "canceled", "2026-03-01"),  # then the won deal makes it valid
        ("demo_held", "held", "2026-01-12"),  # its start
        ("demo_held", "no_show", "2026-03-01"),
        ("signup", "scheduled", "2026-01-08"),
        ("deal_won", "held", "2026-03-01"),
    ],
)
def test_lead_is_valid_at_first_event_of_stage(valid_when, outcome, expected) -> None:
    world = World(lead={"valid_when": valid_when})
    world.add(
        "product_events",
        event_id="e1",
        name="signup",
        occurred_at="2026-01-08",
        email="ann@acme.test",
    )
    world.booked("m1", "2026-01-10", outcome, starts_at="2026-01-12", contact_id="c1")
    won = {"stage": "won", "is_won": True, "contact_id": "c1"}
    world.add("deals", deal_id="d1", created_at="2026-02-01", closed_at="2026-03-01", **won)
    valid_at = world.night().lead_of("meetings:m1").valid_at
    assert valid_at == datetime.fromisoformat(expected)


def test_valid_when_is_of_the_version_on_the_local_day() -> None:
    # New York: 2026-02-01T04:00Z is still 31 Jan, under demo_held; the same hour later is 1 Feb.
    world = World(timezone="America/New_York")
    first = {"effective_from": "2020-01-01", "valid_when": "demo_held"}
    world.program["lead"] = [first, {"effective_from": "2026-02-01", "valid_when": "demo_booked"}]
    world.booked("m1", "2026-02-01T04:00:00Z").booked("m2", "2026-02-01T06:00:00Z")
    assert world.night().lead_of("meetings:m1").valid_at == datetime(2026, 2, 1, 6)


def test_demo_held_in_the_future_has_not_been_held() -> None:
    world = World(lead={"valid_when": "demo_held"})
    world.booked("m1", "2026-01-10", "held", starts_at="2026-01-12")
    assert world.night("2026-01-11").lead_of("meetings:m1").valid_at is None


# --- L1, L3, L4: verdicts ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"status": "declined"}, "declined"),
        ({"status": "withdrawn"}, "withdrawn"),
        ({"company_domain": ""}, "incomplete"),
        ({"company_domain": "gmail.com"}, "incomplete"),
        ({"company_domain": "www.own.test"}, "own_domain"),
        ({"company_domain": "", "email": "x@bad.test"}, "blocked"),
        ({"company_domain": "", "email": "A.NA+1@partner.test"}, "pending"),  # dots count here
        ({"company_domain": "", "email": "ANA+1@partner.test"}, "self_referral"),
        ({"status": "pending"}, "pending"),
        ({}, "pending"),
        ({"expires_at": "2026-01-10"}, "expired"),
    ],
)
def test_registration_verdicts_in_order(row: dict, expected: str) -> None:
    world = World(lead={"own_domains": ["own.test"], "blocked_domains": ["bad.test"]})
    world.registration("r1", "2026-01-02", PARTNER_A, **row)
    assert verdict(world.night(), "deal_registrations:r1") == expected


def test_self_referral_can_be_allowed_for_agencies() -> None:
    world = World(lead={"self_referral_allowed": [PARTNER_A]})
    world.form("f1", "2026-01-02", email="ana@partner.test")
    world.form("f2", "2026-01-02", code="bob-link", email="bob@partner.test")
    world.facts["partners"][1]["company_domain"] = "www.Bob.test"
    world.form("f3", "2026-01-02", code="bob-link", email="staff@bob.test")
    result = world.night()
    assert verdict(result, "form_submissions:f1") == "pending"
    assert verdict(result, "form_submissions:f2") == "self_referral"
    assert verdict(result, "form_submissions:f3") == "self_referral"


def test_unknown_or_expired_code_is_no_submission() -> None:
    world = World().add(
        "partner_codes",
        code="SPRING",
        code_type="promotion_code",
        partner_id=PARTNER_A,
        valid_from="2026-01-01",
        valid_to="2026-02-01",
    )
    world.form("f1", "2026-01-31T23:59:59Z", code=" spring ")
    world.form("f2", "2026-02-01T00:00:00Z", code="spring", email="z@gmail.com")
    world.form("f3", "2026-01-10", code="nobody", email="y@gmail.com")
    assert set(world.night().submissions) == {"drop:form_submissions:f1"}


@pytest.mark.parametrize(
    ("submitted_at", "expected"),
    [("2026-01-20T00:00:00Z", "valid"), ("2026-01-20T00:00:01Z", "existing_customer")],
)
def test_existing_customer_has_paid_before_the_touch(submitted_at: str, expected: str) -> None:
    world = World().sale(10000, "2026-01-20T00:00:00Z").form("f1", submitted_at)
    result = world.night()
    rival = "drop:invoices:i1" if expected == "existing_customer" else None
    assert result.submissions["drop:form_submissions:f1"] == (PARTNER_A, expected, rival)


def test_open_opportunity_unless_the_partner_touched_before_the_deal() -> None:
    world = World().add(
        "deals", deal_id="d1", stage="open", created_at="2026-01-10", contact_id="c1"
    )
    world.add("contacts", contact_id="c1", email="ann@acme.test", created_at="2026-01-10")
    world.click("t1", "2026-01-09T23:59:59Z", PARTNER_A).click("t2", "2026-01-10", PARTNER_B)
    world.form("f1", "2026-01-11", code="ana-link")  # A's click came before the deal
    world.form("f2", "2026-01-11", code="bob-link")  # B's at its very creation: not before
    result = world.night()
    assert verdict(result, "form_submissions:f1") == "pending"
    expected = (PARTNER_B, "open_opportunity", "drop:deals:d1")
    assert result.submissions["drop:form_submissions:f2"] == expected


def test_deal_closed_at_the_touch_is_not_open() -> None:
    world = World().add(
        "deals",
        deal_id="d1",
        stage="lost",
        is_lost=True,
        created_at="2026-01-10",
        closed_at="2026-01-12",
        contact_id="c1",
    )
    world.add("contacts", contact_id="c1", email="ann@acme.test", created_at="2026-01-10")
    world.form("f1", "2026-01-12").form("f2", "2026-01-11", code="bob-link")
    result = world.night()
    assert verdict(result, "form_submissions:f1") == "pending"
    assert verdict(result, "form_submissions:f2") == "open_opportunity"
    # as of 11 Jan the deal is still open, whatever the row says of the 12th (M6)
    assert verdict(world.night("2026-01-11"), "form_submissions:f2") == "open_opportunity"


@pytest.mark.parametrize(
    ("submitted_at", "expected"),
    # 90 x 24 h after 2026-01-01T10:00Z is 2026-04-01T10:00Z: 30 + 28 + 31 + 1 days
    [
        ("2026-04-01T09:59:59Z", "duplicate_other_partner"),
        ("2026-04-01T10:00:00Z", "pending"),
    ],
)
def test_protection_is_half_open(submitted_at: str, expected: str) -> None:
    world = World().form("f1", "2026-01-01T10:00:00Z").form("f2", submitted_at, code="bob-link")
    result = world.night()
    rival = "drop:form_submissions:f1" if expected != "pending" else None
    assert result.submissions["drop:form_submissions:f2"] == (PARTNER_B, expected, rival)


def test_second_acceptance_protects_against_a_third_partner() -> None:
    world = World().form("f1", "2026-01-01").form("f2", "2026-04-10", code="bob-link")
    world.form("f3", "2026-04-11")  # A again, while B holds the lead
    assert verdict(world.night(), "form_submissions:f3") == "duplicate_other_partner"


def test_rejected_or_undecided_submission_protects_nothing() -> None:
    world = World().registration("r1", "2026-01-01", PARTNER_A, status="pending")
    world.registration("r2", "2026-01-02", PARTNER_A, status="declined")
    world.form("f1", "2026-01-03", code="bob-link")
    assert verdict(world.night(), "form_submissions:f1") == "pending"


def test_decision_after_as_of_is_not_known_yet() -> None:
    world = World().registration("r1", "2026-01-01", PARTNER_A, decided_at="2026-01-05")
    world.form("f1", "2026-01-03", code="bob-link")
    assert verdict(world.night("2026-01-04"), "form_submissions:f1") == "pending"
    assert verdict(world.night("2026-01-05"), "form_submissions:f1") == "duplicate_other_partner"


def test_expires_at_replaces_the_end_of_protection() -> None:
    world = World().registration("r1", "2026-01-01", PARTNER_A, expires_at="2026-08-01")
    world.form("f1", "2026-07-31T23:00:00Z", code="bob-link")
    world.form("f2", "2026-08-01T00:00:00Z", code="bob-link")
    result = world.night()
    assert verdict(result, "form_submissions:f1") == "duplicate_other_partner"
    assert verdict(result, "form_submissions:f2") == "pending"
    assert verdict(result, "deal_registrations:r1") == "expired"  # by 31 Dec, never valid


@pytest.mark.parametrize(
    ("extended_to", "rival"), [("2026-08-01", "r1"), ("2026-07-01", "r1"), ("2026-09-01", "r2")]
)
def test_of_two_protections_at_once_the_one_that_lasts_longer_is_the_rival(
    extended_to: str, rival: str
) -> None:
    world = World().registration("r1", "2026-01-01", PARTNER_A, expires_at="2026-08-01")
    world.registration("r2", "2026-01-05", PARTNER_A, expires_at=extended_to)
    submissions = world.form("f1", "2026-01-06", code="bob-link").night().submissions
    key = f"drop:deal_registrations:{rival}"
    assert submissions["drop:form_submissions:f1"] == (PARTNER_B, "duplicate_other_partner", key)


def test_submissions_out_of_the_window_on_both_sides() -> None:
    # valid on 1 May; window opens 90 days before: 31 January (28 Feb + 31 + 30 + 1 = 90)
    world = World().booked("m1", "2026-05-01")
    world.form("f1", "2026-01-30T23:59:59Z").form("f2", "2026-01-31T00:00:00Z", code="bob-link")
    world.form("f3", "2026-05-01T00:00:01Z", code="bob-link", email="x@acme.test")
    result = world.night()
    assert verdict(result, "form_submissions:f1") == "out_of_window"
    # f1 was never accepted, so it does not stand in f2's way
    assert verdict(result, "form_submissions:f2") == "valid"
    # 90 days and a second after f2: protection is over, and the valid event has passed
    assert verdict(result, "form_submissions:f3") == "out_of_window"


@pytest.mark.parametrize(
    ("expires_at", "expected"),
    [("2026-01-10T00:00:00Z", "expired"), ("2026-01-10T00:00:01Z", "valid")],
)
def test_registration_must_outlive_the_valid_event(expires_at: str, expected: str) -> None:
    world = World().registration("r1", "2026-01-02", PARTNER_A, expires_at=expires_at)
    world.booked("m1", "2026-01-10T00:00:00Z")
    result = world.night()
    assert verdict(result, "deal_registrations:r1") == expected
    credited = PARTNER_A if expected == "valid" else None  # an expired one does not compete
    assert result.lead_of("meetings:m1").partner_id == credited
