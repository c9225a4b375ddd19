"""Hand-worked cases for the oracle: shares of what referred partners earn (C7, decision 0041)."""

from datetime import date, datetime
from decimal import Decimal

from tests.oracle import DesiredLine, Result
from tests.oracle.builder import World, bounty, recurring, version

REFERRED = "recurring/invoice_line/i1-1/p_a"


def referral(rate: str = "0.10", months: int = 6) -> dict:
    """A partner referral component."""
    return {"id": "share", "kind": "partner_referral", "rate": Decimal(rate), "months": months}


def world_of(*components: dict, joined_at: str = "2026-01-31", **changes: object) -> World:
    """B referred A; both are on one plan with a partner referral."""
    plan = version(*(components or (recurring(), referral())), **changes)
    world = World(versions=[plan])
    world.facts["partners"][0] |= {"referred_by": "p_b", "joined_at": joined_at}
    return world


def shares(result: Result) -> dict[tuple[str, str, str], int]:
    """(kind, referred earning, cause) -> the referrer's amount."""
    return {
        (row.kind, row.source_id, row.cause_id): row.amount_minor
        for row in result.lines
        if row.source_type == "commission"
    }


def share(result: Result) -> DesiredLine:
    """The one share."""
    (row,) = [row for row in result.lines if row.source_type == "commission" and not row.cause_id]
    return row


def test_example_of_decision_0041() -> None:
    # 166.75 x 20 % = 33.35; a third of 33.35 is 11.1166 -> 11.12, share 3.34 x 11.12 / 33.35 = 1.11
    world = world_of().buyer("a", "2026-02-01").bill("i1", "a", "2026-02-10", 16675)
    world.refund("r1", "i1", "2026-02-20", 5558).refund("r2", "i1", "2026-06-01", 11117)
    result = world.night()
    taken = [row.amount_minor for row in result.lines if row.kind == "refund"]
    assert sorted(taken) == [-2223, -1112, -223, -111]
    assert shares(result) == {
        ("earning", REFERRED, ""): 334,
        ("refund", REFERRED, "r1"): -111,
        ("refund", REFERRED, "r2"): -223,
    }
    row = share(result)
    assert row.natural_key == ("earning", "share", "commission", REFERRED, "p_b", "", "")
    assert (row.currency_code, row.payout_amount_minor, row.plan_id) == ("USD", 334, "standard")
    assert (row.earned_at, row.available_date) == (datetime(2026, 2, 10), date(2026, 3, 12))
    available = {
        row.cause_id: row.available_date for row in result.lines if row.partner_id == "p_b"
    }
    assert available == {"": date(2026, 3, 12), "r1": date(2026, 3, 12), "r2": date(2026, 6, 1)}


def test_months_run_from_the_local_day_of_joining() -> None:
    # New York: joined on 31 January, 23:00; until 31 July (exclusive)
    world = world_of(joined_at="2026-02-01T04:00:00Z").buyer("a", "2026-01-01")
    world.program["program"]["timezone"] = "America/New_York"
    days = (
        "2026-01-31T04:59:00Z",
        "2026-01-31T05:00:00Z",
        "2026-07-31T03:59:00Z",
        "2026-07-31T04:00:00Z",
    )
    for number, day in enumerate(days):
        world.bill(f"i{number}", "a", day, 1000)
    found = [source for _, source, _ in shares(world.night())]
    assert found == ["recurring/invoice_line/i1-1/p_a", "recurring/invoice_line/i2-1/p_a"]


def test_events_share_too_but_bonuses_and_shares_do_not() -> None:
    bonus = {"id": "bonus", "kind": "bonus", "metric": "customers", "period": "life",
             "threshold": 1, "amount": {"USD": 5}}  # fmt: skip
    churn = {"churn": {"window_days": 90, "mode": "prorated"}}
    world = world_of(bounty(), bonus, referral(), clawback=churn).partner("p_c", "cyd")
    world.facts["partners"][1] |= {"referred_by": "p_c", "joined_at": "2026-01-01"}
    world.buyer("a", "2026-02-01").booked("m1", "2026-02-05", "held", email="x@a.test")
    world.bill("i1", "a", "2026-02-10", 1000)
    spell = {"started_at": "2026-02-10", "ended_at": "2026-03-12"}
    world.add(
        "subscriptions", subscription_id="s1", customer_id="cus_a", status="canceled", **spell
    )
    # 50.00: share 5.00; day 30 of 90: 33.33 taken, of the share 5.00 x 33.33 / 50.00 = 3.33
    reference = "bounty/meeting/m1/p_a"
    assert shares(world.night()) == {
        ("earning", reference, ""): 500, ("churn", reference, "s1"): -333,
    }  # fmt: skip


def test_each_part_gives_its_part_under_the_referrers_own_hold() -> None:
    world = world_of(recurring(), joined_at="2026-01-01")
    own = {"id": "b", "versions": [version(referral(), hold={"days": 5, "after": "month_end"})]}
    world.program["plans"].append(own)
    world.program["groups"]["b"] = "b"
    world.facts["partners"][1]["group"] = "b"
    world.buyer("a", "2026-01-05").bill("i1", "a", "2026-02-10", 10000, status="open")
    # earned 6.67, 13.33 and 20.00: shares 0.67, 1.33 and 2.00
    world.pay("p1", "i1", "2026-02-10", 3333).pay("p2", "i1", "2026-03-10", 3333)
    world.pay("p3", "i1", "2026-04-10", 3334)
    for as_of, amount, available in (
        ("2026-02-28", 67, date(2026, 3, 5)),
        ("2026-03-31", 133, date(2026, 4, 5)),
        ("2026-12-31", 200, date(2026, 5, 5)),
    ):
        row = share(world.night(as_of))
        assert (row.amount_minor, row.available_date, row.plan_id) == (amount, available, "b")


def test_pinned_terms_are_those_of_the_day_of_joining_and_current_ones_follow() -> None:
    for follow, amount in (("pinned", 200), ("current", 400)):
        world = world_of(recurring(), referral("0.10"), terms_follow=follow)
        later = version(recurring(), referral("0.20"), since="2026-02-01", terms_follow=follow)
        world.program["plans"][0]["versions"].append(later)
        world.buyer("a", "2026-01-20").bill("i1", "a", "2026-02-10", 10000)
        assert share(world.night()).amount_minor == amount


def test_nobody_is_referred_without_a_day_an_other_partner_and_terms() -> None:
    def found(**changes: str) -> dict:
        world = world_of().buyer("a", "2026-01-20").bill("i1", "a", "2026-02-10", 10000)
        world.facts["partners"][0] |= changes
        return shares(world.night())

    assert len(found()) == 1
    assert found(joined_at="") == {}
    assert found(referred_by="p_a") == {}
    assert found(referred_by="p_x") == {}
    assert found(joined_at="2019-12-31") == {}  # before any version


def test_won_dispute_and_void_follow_to_the_cent() -> None:
    policy = {"chargeback": {"on_open": "reverse", "on_lost": "reverse"}}
    world = world_of(clawback=policy).buyer("a", "2026-02-01").bill("i1", "a", "2026-02-10", 16675)
    world.refund("r1", "i1", "2026-02-15", 5558)
    won = {"status": "won", "opened_at": "2026-02-20", "closed_at": "2026-03-20"}
    world.add("disputes", dispute_id="d1", invoice_id="i1", amount_minor=8000, **won)
    world.refund("r2", "i1", "2026-04-15", 1000)
    # of 33.35: 11.12, then up to 27.12 and back, then up to 13.12
    # of 3.34: 1.11, then up to 2.72 (-1.61) and back, then up to 1.31 (-0.20)
    expected = {
        ("earning", REFERRED, ""): 334,
        ("refund", REFERRED, "r1"): -111,
        ("chargeback", REFERRED, "d1"): -161,
        ("reinstatement", REFERRED, "d1"): 161,
        ("refund", REFERRED, "r2"): -20,
    }
    assert shares(world.night()) == expected
    world.facts["invoices"][0]["status"] = "void"
    assert shares(world.night()) == expected | {("correction", REFERRED, "i1"): -203}


def test_negative_lines_share_negatively() -> None:
    world = world_of().buyer("a", "2026-02-01").bill("i1", "a", "2026-02-10", 10000, -4000)
    world.refund("r1", "i1", "2026-02-15", 3000)  # half
    second = REFERRED.replace("i1-1", "i1-2")
    assert shares(world.night()) == {
        ("earning", REFERRED, ""): 200, ("refund", REFERRED, "r1"): -100,
        ("earning", second, ""): -80, ("refund", second, "r1"): 40,
    }  # fmt: skip


def test_the_share_is_converted_at_the_rates_of_the_entry() -> None:
    world = world_of().buyer("a", "2026-02-01")
    world.facts["partners"][1]["payout_currency"] = "JPY"
    for code, rate in (("USD", "1.1"), ("JPY", "160.5")):
        world.add("fx_rates", rate_date="2026-02-10", currency_code=code, rate=rate)
    world.bill("i1", "a", "2026-02-10", 16675, currency_code="EUR")
    world.refund("r1", "i1", "2026-02-20", 5558)
    # 3.34 EUR x 160.5 = 536.07 -> 536 yen; of it 1.11 EUR: 178.155 -> 178
    rows = [row for row in world.night().lines if row.partner_id == "p_b"]
    found = {row.cause_id: (row.currency_code, row.payout_amount_minor) for row in rows}
    assert found == {"": ("EUR", 536), "r1": ("EUR", -178)}
    world.facts["fx_rates"][-1]["rate_date"] = "2026-02-02"
    assert shares(world.night()) == {}  # the share waits, the earning does not
    assert [row.partner_id for row in world.night().lines] == ["p_a", "p_a"]


def test_a_ruling_moves_the_share() -> None:
    world = world_of().buyer("a", "2026-02-01").bill("i1", "a", "2026-02-10", 10000)
    world.rule("customers:cus_a", p_a=250_000, p_b=750_000)
    assert shares(world.night()) == {("earning", REFERRED, ""): 50}


def test_a_posted_share_keeps_its_referrer() -> None:
    world = world_of().partner("p_c", "cyd").buyer("a", "2026-02-01")
    world.bill("i1", "a", "2026-02-10", 10000)
    first = world.night("2026-02-28")
    world.facts["partners"][0]["referred_by"] = "p_c"
    world.bill("i2", "a", "2026-03-10", 10000)
    result = world.night("2026-03-31", after=first)
    found = {
        row.source_id: row.partner_id for row in result.lines if row.source_type == "commission"
    }
    assert found == {REFERRED: "p_b", REFERRED.replace("i1-1", "i2-1"): "p_c"}


def test_a_posted_share_keeps_its_day_of_joining() -> None:
    # decision 0041: moved to 2025-02-01 six months are over, moved to 20 February not yet begun
    world = world_of().buyer("a", "2026-02-01").bill("i1", "a", "2026-02-10", 10000)
    first = world.night("2026-02-28")
    world.bill("i2", "a", "2026-02-15", 10000).bill("i3", "a", "2026-03-10", 10000)
    partner = world.facts["partners"][0]
    expected = {"2025-02-01": {"i1"}, "2026-02-20": {"i1", "i3"}, "": {"i1"}}
    for joined_at, shared in expected.items():
        partner["joined_at"] = joined_at
        found = shares(world.night("2026-03-31", after=first))
        assert found == {
            ("earning", REFERRED.replace("i1", invoice_id), ""): 200 for invoice_id in shared
        }
