"""Hand-worked cases for the oracle: base, paid share, duration, plans, events, FX, reasons."""

from datetime import date, datetime
from decimal import Decimal

import pytest

from tests.oracle.builder import World, amounts, bounty, only, recurring, version


def world_with(*components: dict, **version_changes: object) -> World:
    """A world whose one plan version has these components."""
    return World(versions=[version(*components, **version_changes)])


# --- C2: base and paid share ------------------------------------------------------------------


def test_first_sale_earns_on_amount_less_discount_without_tax() -> None:
    # (100.00 - 10.00) x 20 % = 18.00; tax of 18.00 is no base. Paid 20 Jan + 30 days = 19 Feb.
    world = World().click("t1", "2026-01-05").customer()
    line = {"amount_minor": 10000, "discount_minor": 1000, "tax_minor": 1800}
    world.invoice("i1", "2026-01-19", line, total_minor=10800)
    world.pay("pay1", "i1", "2026-01-20T10:00:00Z", 10800)
    line = only(world.night())
    assert (line.source_type, line.source_id, line.partner_id) == ("invoice_line", "i1-1", "p_a")
    assert (line.amount_minor, line.currency_code) == (1800, "USD")
    assert (line.payout_amount_minor, line.payout_currency_code) == (1800, "USD")
    assert line.earned_at == datetime(2026, 1, 20, 10)
    assert line.available_date == date(2026, 2, 19)
    assert (line.plan_id, line.plan_version) == ("standard", "2020-01-01")
    assert line.fx_rate_date is None


def _three_payments() -> World:
    world = World().click("t1", "2026-01-05").customer()
    world.invoice("i1", "2026-01-10", {"amount_minor": 1001})
    world.pay("pay1", "i1", "2026-02-01", 334).pay("pay2", "i1", "2026-03-01", 334)
    return world.pay("pay3", "i1", "2026-04-01", 333)


@pytest.mark.parametrize(
    ("as_of", "earned", "available"),
    [
        # 1001 x 20 % x 334/1001 = 66.8 -> 67; 1 Feb + 30 days = 3 March
        ("2026-02-28", 67, date(2026, 3, 3)),
        # 668 x 20 % = 133.6 -> 134; 1 March + 30 = 31 March
        ("2026-03-31", 134, date(2026, 3, 31)),
        # 1001 x 20 % = 200.2 -> 200; 1 April + 30 = 1 May
        ("2026-12-31", 200, date(2026, 5, 1)),
    ],
)
def test_partial_payments_earn_cumulatively(as_of: str, earned: int, available: date) -> None:
    line = only(_three_payments().night(as_of))
    assert (line.amount_minor, line.available_date) == (earned, available)
    assert line.earned_at == datetime(2026, 2, 1)


def test_overpayment_counts_as_the_whole_and_moves_no_date() -> None:
    world = _three_payments().pay("pay4", "i1", "2026-06-01", 500)
    line = only(world.night())
    assert (line.amount_minor, line.available_date) == (200, date(2026, 5, 1))


def test_total_is_the_lines_when_absent() -> None:
    # total = (1000 + 200 tax) + (500 - 100) = 1600; paid 800 = half: 100 and 40
    world = World().click("t1", "2026-01-05").customer()
    first = {"amount_minor": 1000, "tax_minor": 200}
    world.invoice("i1", "2026-01-10", first, {"amount_minor": 500, "discount_minor": 100})
    assert amounts(world.pay("pay1", "i1", "2026-01-11", 800).night()) == {
        "i1-1": 100,
        "i1-2": 40,
    }


@pytest.mark.parametrize(
    ("currency", "amount", "earned"),
    [
        ("JPY", 1013, 203),  # 202.6 yen; no minor unit
        ("BHD", 12345, 2469),  # 12.345 dinar: 2.469
    ],
)
def test_currencies_without_and_with_three_decimals(currency, amount, earned) -> None:
    world = World().sale(amount, currency_code=currency)
    world.facts["partners"][0]["payout_currency"] = currency
    line = only(world.night())
    assert (line.amount_minor, line.payout_amount_minor) == (earned, earned)


def test_negative_proration_counts_and_other_credits_follow_the_flag() -> None:
    lines = (
        {"amount_minor": 10000},
        {"amount_minor": -2505, "is_proration": True},  # -501.0
        {"amount_minor": -1003},  # a credit: -200.6 -> -201
    )
    expected = {"i1-1": 2000, "i1-2": -501, "i1-3": -201}
    for flag in ("include", "exclude"):
        world = world_with(recurring(base={"credits": flag})).click("t1", "2026-01-05").customer()
        world.invoice("i1", "2026-01-10", *lines, paid_at="2026-01-10")
        result = world.night()
        if flag == "exclude":
            del expected["i1-3"]
            assert result.unpaid == {"i1-3": "credit_excluded"}
        assert amounts(result) == expected


def test_total_of_zero_or_less_counts_as_paid_in_full() -> None:
    world = World().sale(10000)
    lines = ({"amount_minor": 3000}, {"amount_minor": -5000, "is_proration": True})
    world.invoice("i2", "2026-02-01", *lines, total_minor=-2000, paid_at="2026-02-02")
    world.invoice("i3", "2026-02-01", {"amount_minor": -5000, "is_proration": True})  # not paid
    assert amounts(world.night()) == {"i1-1": 2000, "i2-1": 600, "i2-2": -1000}


def test_total_of_nothing_is_earned_at_its_first_payment_if_it_has_one() -> None:
    world = World().sale(10000)
    lines = ({"amount_minor": -5000, "is_proration": True},)
    world.invoice("i2", "2026-02-01", *lines, paid_at="2026-02-02")
    world.pay("p2", "i2", "2026-02-05", 100)
    rows = {row.source_id: row.earned_at for row in world.night().lines}
    assert rows["i2-1"] == datetime(2026, 2, 5)


def test_flags_and_products_decide_what_counts() -> None:
    component = recurring(
        base={"discounts": "ignore", "one_off": "exclude"}, products={"exclude": ["p_no"]}
    )
    world = world_with(component).click("t1", "2026-01-05").customer()
    kinds = {"p_one": "one_off", "p_ship": "shipping", "p_use": "usage", "p_no": "recurring"}
    for product_id, kind in kinds.items():
        world.add("products", product_id=product_id, name="x", kind=kind)
    products = ["", "p_one", "p_ship", "p_use", "p_no", "p_unknown"]
    lines = [
        {"amount_minor": 1000, "discount_minor": 500, "product_id": product} for product in products
    ]
    world.invoice("i1", "2026-01-10", *lines, paid_at="2026-01-10")
    result = world.night()
    # discounts ignored: 1000 x 20 %; a line without product, or of unknown kind, is recurring
    assert amounts(result) == {"i1-1": 200, "i1-4": 200, "i1-6": 200}
    assert result.unpaid == {
        "i1-2": "kind_excluded",
        "i1-3": "kind_excluded",  # shipping is excluded by default
        "i1-5": "product_excluded",
    }


def test_included_products_exclude_all_others() -> None:
    world = world_with(recurring(products={"include": ["p_yes"]})).sale(1000)
    assert world.night().unpaid == {"i1-1": "product_excluded"}


# --- C3: duration -----------------------------------------------------------------------------


def _months(months: int | None, *starts: str, basis: str = "charge_start") -> dict[str, int]:
    """Lines of 10.00 with these service starts, each on its own paid invoice -> earned."""
    world = world_with(recurring(duration={"months": months, "basis": basis}))
    world.click("t1", "2025-01-05").customer()
    for number, start in enumerate(starts, start=1):
        line = {"amount_minor": 1000, "period_start": start}
        paid_at = f"2025-01-{10 + number}"
        world.invoice(f"i{number}", "2025-01-10", line, paid_at=paid_at)
    return amounts(world.night("2027-12-31"))


def test_duration_window_is_half_open_and_clamped() -> None:
    # anchor 31 Jan 2025 (first paid), one month: [31 Jan, 28 Feb)
    earned = _months(1, "2025-01-31", "2025-02-27", "2025-02-28", "2025-01-30")
    assert earned == {"i1-1": 200, "i2-1": 200}
    # twelve months: [31 Jan 2025, 31 Jan 2026)
    earned = _months(12, "2025-01-31", "2026-01-30", "2026-01-31")
    assert earned == {"i1-1": 200, "i2-1": 200}


def test_duration_for_life_and_of_the_first_payment_only() -> None:
    starts = ("2025-01-31", "2025-02-27", "2035-02-28")
    assert _months(None, *starts) == {"i1-1": 200, "i2-1": 200, "i3-1": 200}
    assert _months(0, *starts) == {"i1-1": 200}


def test_anchor_is_the_earliest_paid_positive_line_of_any_product() -> None:
    # first payment 11 Jan holds a negative line, a free line and p_no from 1 Jan: anchor 1 Jan.
    component = recurring(duration={"months": 1}, products={"exclude": ["p_no"]})
    world = world_with(component).click("t1", "2025-01-05").customer()
    lines = (
        {"amount_minor": -100, "period_start": "2024-06-01", "is_proration": True},
        {"amount_minor": 0, "period_start": "2024-07-01"},
        {"amount_minor": 500, "period_start": "2025-01-01", "product_id": "p_no"},
        {"amount_minor": 1000, "period_start": "2025-01-31"},
        {"amount_minor": 1000, "period_start": "2025-02-01"},
    )
    world.invoice("i1", "2025-01-10", *lines, paid_at="2025-01-11")
    assert amounts(world.night()) == {"i1-4": 200}


def test_local_day_of_service_start_decides() -> None:
    # New York: anchor 31 Jan; 2025-02-28T04:00Z is still 27 Feb there
    world = World(
        timezone="America/New_York", versions=[version(recurring(duration={"months": 1}))]
    )
    world.click("t1", "2025-01-05").customer()
    first = {"amount_minor": 1000, "period_start": "2025-01-31"}
    second = {"amount_minor": 1000, "period_start": "2025-02-28T04:00:00Z"}
    third = {"amount_minor": 1000, "period_start": "2025-02-28T05:00:00Z"}
    world.invoice("i1", "2025-01-31", first, second, third, paid_at="2025-01-31")
    assert amounts(world.night()) == {"i1-1": 200, "i1-2": 200}


def test_annual_prepay_pays_the_share_of_days_in_the_window() -> None:
    # anchor 1 Jan 2025, window to 1 Jan 2026. Prepaid 1 March 2025 - 1 March 2026 = 365 days, of
    # which 31+30+31+30+31+31+30+31+30+31 = 306 lie inside: 240.00 x 306/365 = 201.2054... -> 201.21
    component = recurring(duration={"months": 12, "basis": "service_period"})
    world = world_with(component).click("t1", "2025-01-01").customer()
    month = {"amount_minor": 1000, "period_start": "2025-01-01", "period_end": "2025-03-01"}
    world.invoice("i1", "2025-01-02", month, paid_at="2025-01-02")
    year = {"amount_minor": 120000, "period_start": "2025-03-01", "period_end": "2026-03-01"}
    world.invoice("i2", "2025-03-01", year).pay("pay1", "i2", "2025-03-02", 60000)
    # half of it paid: 24000 x 1/2 x 306/365 = 10060.27 -> 10060, rounded once
    assert amounts(world.night("2025-03-02")) == {"i1-1": 200, "i2-1": 10060}
    world.pay("pay2", "i2", "2025-04-02", 60000)
    assert amounts(world.night()) == {"i1-1": 200, "i2-1": 20121}


# --- T2: plans --------------------------------------------------------------------------------


def test_override_beats_group_beats_default() -> None:
    rates = {"standard": "0.10", "agency": "0.20", "vip": "0.30"}
    plans = [
        {"id": name, "versions": [version(recurring(rate=Decimal(rate)))]}
        for name, rate in rates.items()
    ]
    world = World(plans=plans, groups={"default": "standard", "agency": "agency"}).sale(1000)
    assert only(world.night()).amount_minor == 100
    world.facts["partners"][0]["group"] = "agency"
    assert only(world.night()).amount_minor == 200
    override = {"partner_id": "p_a", "plan": "vip", "effective_from": "2026-01-20"}
    world.program["overrides"] = [override]  # the lead is valid (first paid) on that very day
    assert only(world.night()).amount_minor == 300
    override["effective_from"] = "2026-01-21"  # pinned at the valid event: too late
    assert only(world.night()).amount_minor == 200


@pytest.mark.parametrize(
    ("terms_follow", "second", "named"),
    [("pinned", 200, "2020-01-01"), ("current", 300, "2026-02-01")],
)
def test_pinned_terms_stay_and_current_terms_follow(terms_follow, second, named) -> None:
    new = version(recurring(rate=Decimal("0.30")), since="2026-02-01")
    world = World(versions=[version(terms_follow=terms_follow), new]).sale(1000)
    world.invoice("i2", "2026-02-01", {"amount_minor": 1000}, paid_at="2026-02-01")
    result = world.night()
    assert amounts(result) == {"i1-1": 200, "i2-1": second}
    assert {row.plan_version for row in result.lines if row.source_id == "i2-1"} == {named}


@pytest.mark.parametrize(
    ("held", "expected"), [("m1", {"m1": 5000}), ("m2", {"m1": 5000, "m2": 8000})]
)
def test_a_component_that_changes_its_trigger_counts_one_meeting_once(held, expected) -> None:
    # decision 0017: booked on 10 January for 50.00, held on 10 February for 80.00
    later = bounty("demo_held", amount={"USD": Decimal("80.00")})
    versions = [
        version(bounty("demo_booked"), terms_follow="current"),
        version(later, since="2026-02-01", terms_follow="current"),
    ]
    world = World(versions=versions).click("t1", "2026-01-05")
    world.booked("m1", "2026-01-10", "held" if held == "m1" else "no_show", starts_at="2026-02-10")
    if held == "m2":
        world.booked("m2", "2026-01-20", "held", starts_at="2026-02-10")
    assert amounts(world.night()) == expected


def test_current_terms_pay_an_event_once_when_a_rate_follows_an_amount() -> None:
    # v1 pays 50.00 at the demo (10 Jan, v1 in force); v2 pays 5 % of the deal, won under v2 on
    # 1 March: once per lead and trigger, so the earlier stands.
    by_rate = bounty("demo_held", amount=None, rate=Decimal("0.05"))
    versions = [
        version(bounty("demo_held"), terms_follow="current"),
        version(by_rate, since="2026-02-01", terms_follow="current"),
    ]
    world = World(versions=versions).click("t1", "2026-01-05")
    world.booked("m1", "2026-01-10", "held", contact_id="c1")
    won = {"stage": "won", "is_won": True, "amount_minor": 99900, "currency_code": "USD"}
    dates = {"created_at": "2026-01-11", "closed_at": "2026-03-01"}
    world.add("deals", deal_id="d1", contact_id="c1", **won, **dates)
    assert (only(world.night()).amount_minor, only(world.night()).plan_version) == (
        5000,
        "2020-01-01",
    )


# --- C1: event commissions --------------------------------------------------------------------


def test_event_pays_once_in_the_partners_payout_currency() -> None:
    world = world_with(bounty()).click("t1", "2026-01-05")
    world.booked("m1", "2026-01-10", "held", starts_at="2026-01-12T09:00:00Z")
    world.booked("m2", "2026-01-10", "held", starts_at="2026-01-13")
    line = only(world.night())
    assert (line.source_type, line.source_id) == ("meeting", "m1")
    assert (line.amount_minor, line.currency_code) == (5000, "USD")
    assert line.earned_at == datetime(2026, 1, 12, 9)
    assert line.available_date == date(2026, 2, 11)  # 12 Jan + 30 days
    world.facts["partners"][0]["payout_currency"] = "EUR"
    assert only(world.night()).amount_minor == 4500
    world.facts["partners"][0]["payout_currency"] = "GBP"  # no amount for it
    assert world.night().lines == []


def test_event_is_not_earned_before_the_lead_is_valid() -> None:
    world = world_with(bounty("signup"), hold={"days": 10, "after": "month_end"})
    event = {"name": "signup", "occurred_at": "2026-01-06", "email": "ann@acme.test"}
    world.click("t1", "2026-01-05").add("product_events", event_id="e1", **event)
    assert world.night().lines == []
    line = only(world.booked("m1", "2026-02-10").night())
    assert (line.source_type, line.source_id) == ("product_event", "e1")
    assert line.earned_at == datetime(2026, 2, 10)
    assert line.available_date == date(2026, 3, 10)  # 28 Feb + 10 days


def test_percent_of_first_won_deal_waits_until_it_is_won() -> None:
    component = bounty("demo_held", amount=None, rate=Decimal("0.05"))
    world = world_with(component).click("t1", "2026-01-05")
    world.booked("m1", "2026-01-10", "held", contact_id="c1")
    deal = {"stage": "won", "is_won": True, "contact_id": "c1", "currency_code": "USD"}
    created = {"created_at": "2026-01-11"}
    world.add("deals", deal_id="d2", amount_minor=99900, closed_at="2026-04-01", **deal, **created)
    world.add("deals", deal_id="d1", amount_minor=12350, closed_at="2026-03-01", **deal, **created)
    assert world.night("2026-02-28").lines == []
    line = only(world.night())
    # 123.50 x 5 % = 6.175 -> 6.18, away from zero
    assert (line.source_id, line.amount_minor) == ("m1", 618)
    assert line.earned_at == datetime(2026, 3, 1)


@pytest.mark.parametrize("has_payment_row", [True, False])
def test_first_payment_event_names_its_payment(has_payment_row: bool) -> None:
    world = world_with(bounty("first_payment")).sale(1000)
    if has_payment_row:
        world.pay("pay1", "i1", "2026-01-20", 1000)
    line = only(world.night())
    expected = ("payment", "pay1") if has_payment_row else ("invoice", "i1")
    assert (line.source_type, line.source_id) == expected


# --- J6: FX -----------------------------------------------------------------------------------


def _fx_world(currency: str, amount: int, payout: str, paid_at: str = "2025-03-08") -> World:
    world = World().click("t1", "2025-03-01").customer()
    line = {"amount_minor": amount}
    world.invoice("i1", paid_at, line, currency_code=currency, paid_at=paid_at)
    world.facts["partners"][0]["payout_currency"] = payout
    rates = [("2025-03-06", "JPY", "160.50"), ("2025-03-07", "USD", "1.0857")]
    rates += [("2025-03-07", "GBP", "0.85"), ("2025-03-07", "BHD", "0.41")]
    for rate_date, code, rate in [*rates, ("2025-03-10", "USD", "2.0")]:
        world.add("fx_rates", rate_date=rate_date, currency_code=code, rate=rate)
    return world


def test_weekend_takes_fridays_rate() -> None:
    # Saturday 8 March: 20 % of 10.00 EUR = 2.00 EUR x 1.0857 = 2.1714 -> 2.17 USD
    line = only(_fx_world("EUR", 1000, "USD").night())
    assert (line.amount_minor, line.payout_amount_minor) == (200, 217)
    assert line.fx_rate_date == date(2025, 3, 7)


@pytest.mark.parametrize(
    ("paid_at", "reason"), [("2025-03-13", None), ("2025-03-14", "no_fx_rate")]
)
def test_rate_older_than_seven_days_is_refused(paid_at: str, reason: str | None) -> None:
    # the yen's newest rate is of 6 March: 13 March is 7 days later, 14 March 8
    result = _fx_world("EUR", 1000, "JPY", paid_at).night()
    assert result.unpaid == ({"i1-1": reason} if reason else {})
    assert len(result.lines) == (0 if reason else 1)


def test_cross_rate_takes_each_leg_on_its_own() -> None:
    # 20 % of 100.00 GBP = 20.00 GBP; / 0.85 x 160.50 = 3776.47 yen -> 3776; older leg 6 March
    line = only(_fx_world("GBP", 10000, "JPY").night())
    assert (line.amount_minor, line.payout_amount_minor) == (2000, 3776)
    assert line.fx_rate_date == date(2025, 3, 6)
    # 2.469 BHD / 0.41 x 1.0857 = 6.53803... -> 6.54 USD
    line = only(_fx_world("BHD", 12345, "USD").night())
    assert (line.amount_minor, line.payout_amount_minor) == (2469, 654)
    # 203 yen (20 % of 1013, rounded) / 160.50 = 1.26479... -> 1.26 EUR: the euro needs no rate
    line = only(_fx_world("JPY", 1013, "EUR").night())
    assert (line.amount_minor, line.payout_amount_minor) == (203, 126)


def test_parts_are_converted_at_the_rate_of_the_first_payment() -> None:
    world = World().click("t1", "2025-03-01").customer()
    world.invoice("i1", "2025-03-07", {"amount_minor": 1000}, currency_code="EUR")
    world.pay("a", "i1", "2025-03-07", 500).pay("b", "i1", "2025-03-10", 500)
    for rate_date, rate in (("2025-03-07", "1.0857"), ("2025-03-10", "2.0")):
        world.add("fx_rates", rate_date=rate_date, currency_code="USD", rate=rate)
    assert only(world.night()).payout_amount_minor == 217


# --- B6: reasons ------------------------------------------------------------------------------


def test_every_paid_line_without_earning_has_a_reason() -> None:
    world = World().customer("cus_1", email="nobody@gmail.com")
    paid = {"paid_at": "2026-01-10"}
    world.invoice("i1", "2026-01-10", {"amount_minor": 1000}, **paid)
    world.invoice("i2", "2026-01-10", {"amount_minor": 1000}, customer_id="cus_x", **paid)
    world.invoice("i3", "2026-01-10", {"amount_minor": 1000})  # not paid: no reason needed
    world.invoice("i4", "2026-01-10", {"amount_minor": 1000}, status="draft", **paid)
    reasons = {"i1-1": "no_attribution", "i2-1": "no_lead"}
    assert world.night().unpaid == reasons
    world = World().customer().click("t1", "2026-01-05")
    lines = ({"amount_minor": 5}, {"amount_minor": -5})
    world.invoice("i1", "2026-01-10", *lines, paid_at="2026-01-10")  # total 0: nothing was paid
    assert set(world.night().unpaid.values()) == {"lead_not_valid"}


def test_reasons_of_terms_and_rounding() -> None:
    world = World().sale(2)  # 2 x 20 % = 0.4 -> 0
    assert world.night().unpaid == {"i1-1": "zero_amount"}
    world = World(versions=[version(since="2026-01-21")]).sale(1000)  # valid on 20 Jan
    assert world.night().unpaid == {"i1-1": "no_plan"}
    world = World().sale(1000)
    line = {"amount_minor": 1000, "period_start": "2027-01-20"}
    world.invoice("i2", "2026-02-01", line, paid_at="2026-02-01")
    assert world.night().unpaid == {"i2-1": "outside_duration"}
