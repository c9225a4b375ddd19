"""Every shape of an explanation recomputed; values worked out by hand, from the decisions."""

from decimal import Decimal
from fractions import Fraction
from hashlib import sha256

import pytest

from orchestration.recompute import (
    DIFFERS,
    MATCHES,
    NO_FORMULA,
    check_entry,
    check_payout,
    key_sums,
    read_explanation,
)
from orchestration.recompute_shapes import (
    SHAPES,
    IncompleteError,
    compute,
    part_of,
    round_half_away,
)

THIRDS = [
    {"partner_id": "a", "credit_ppm": 333_334},
    {"partner_id": "b", "credit_ppm": 333_333},
    {"partner_id": "c", "credit_ppm": 333_333},
]


def line(base_minor, **parts):
    return {
        "shape": "line", "line_base_amount_minor": base_minor, "rate_from": "rate",
        "rate": "0.200000", "days": "1/1", "paid_share": "1/1", "fx": "1/1", **parts,
    }  # fmt: skip


def takeback(earned, cause, **parts):
    return {
        "shape": "takeback", "earned_amount_minor": earned, "paid_amount_minor": 10_000,
        "invoice_before_minor": 0, "invoice_part_minor": cause, "line_before_minor": 0,
        "line_part_minor": 0, "returned_before_minor": 0, "cause_amount_minor": cause,
        "line_total_amount_minor": 10_000, "line_share": "1/1", "fx": "1/1", **parts,
    }  # fmt: skip


def tier(*bands):
    return {
        "rate_from": "tier",
        "rate": None,
        "tier": {"bands": [{"rate": rate, "share": share} for rate, share in bands]},
    }


def amount(explanation, partner="a"):
    return compute(explanation, partner).amount_minor


def entry(explanation, amount_minor, payout_minor=None, **changes):
    return {
        "entry_id": "e1", "commission_id": "k1", "partner_id": "a", "segment": 1,
        "amount_minor": amount_minor, "currency_code": "USD",
        "payout_amount_minor": amount_minor if payout_minor is None else payout_minor,
        "payout_currency_code": "USD", "explanation": explanation, **changes,
    }  # fmt: skip


def checked(explanation, amount_minor, payout_minor=None, others=()):
    row = entry(explanation, amount_minor, payout_minor)
    return check_entry(row, key_sums([row, *others])["e1"])


def desired(explanation, amount_minor, payout_minor=None):
    return {
        **explanation,
        "desired_amount_minor": amount_minor,
        "desired_payout_amount_minor": amount_minor if payout_minor is None else payout_minor,
    }


@pytest.mark.parametrize(
    ("exact", "rounded"),
    [
        (Fraction(5, 2), 3),
        (Fraction(-5, 2), -3),
        (Fraction(49, 20), 2),
        (Fraction(-49, 20), -2),
        (Fraction(1, 2), 1),
        (Fraction(0), 0),
        (Fraction(7), 7),
    ],
)
def test_rounding_is_half_away_from_zero(exact, rounded):
    assert round_half_away(exact) == rounded


@pytest.mark.parametrize(
    ("whole", "parts"),
    [
        # Decision 0034: 666.668 and twice 666.666; a by its remainder, b by its id.
        (2000, {"a": 667, "b": 667, "c": 666}),
        (1, {"a": 1, "b": 0, "c": 0}),
        (-2000, {"a": -667, "b": -667, "c": -666}),
        (0, {"a": 0, "b": 0, "c": 0}),
    ],
)
def test_a_whole_is_split_by_largest_remainder(whole, parts):
    credits = {row["partner_id"]: row["credit_ppm"] for row in THIRDS}
    assert {who: part_of(whole, credits, who) for who in credits} == parts
    assert part_of(whole, credits, "nobody") == 0


def test_a_line_is_rounded_once():
    # 3.33 at 20 %, half of it paid: exactly 0.333 (decision 0020).
    assert amount(line(333, paid_share="1/2")) == 33
    # 333 × 0.2 = 66.6, rounded before the share it would be 67 ÷ 2 = 34.
    assert amount(line(-333, paid_share="1/2")) == -33


def test_a_line_counts_its_service_days_in_the_window():
    # Decision 0016: 1,200.00 × 15 % × 181/365 = 89.26.
    explanation = line(120_000, rate="0.150000", days="181/365")
    computed = compute(explanation, "a")
    assert computed.amount_minor == 8926
    assert computed.exact == Fraction(18_000 * 181, 365)


def test_a_shared_line_is_split_after_its_rounding():
    explanation = line(10_001, credits=THIRDS)
    assert [amount(explanation, who) for who in "abc"] == [667, 667, 666]
    half = line(10_001, credits=THIRDS, paid_share="1/2")
    # The whole after the first half is 10.00: 3.33334, twice 3.33333.
    assert [amount(half, who) for who in "abc"] == [334, 333, 333]


@pytest.mark.parametrize(
    ("bands", "expected"),
    [
        # Decision 0037, by revenue, marginal, bands from 0 at 20 % and from 150.00 at 25 %:
        # A fills 0..100, B 100..200, C and the upgrade lie above.
        ((("0.200000", "1/1"),), 2000),
        ((("0.200000", "1/2"), ("0.250000", "1/2")), 2250),
        ((("0.250000", "1/1"),), 2500),
    ],
)
def test_a_tier_weights_its_bands_by_the_share_of_the_line(bands, expected):
    assert amount(line(10_000, **tier(*bands))) == expected


def test_a_tier_by_customers_gives_one_rate():
    # Decision 0037: A's upgrade of 50.00 at A's place (20 %), or with three reached (25 %).
    assert amount(line(5_000, **tier(("0.200000", "1/1")))) == 1000
    assert amount(line(5_000, **tier(("0.250000", "1/1")))) == 1250


def test_shares_of_bands_that_are_not_the_whole_line_are_a_fault():
    explanation = line(10_000, **tier(("0.200000", "1/2"), ("0.250000", "1/3")))
    assert compute(explanation, "a").faults == ("tier_shares",)


@pytest.mark.parametrize(
    ("limit", "bound", "base", "expected"),
    [
        ("minimum", 100, 300, 100),  # 20 % of 3.00 is 0.60, at least 1.00
        ("maximum", 5_000, 100_000, 5_000),  # 20 % of 1,000.00 is 200.00, at most 50.00
        ("minimum", 100, 0, 100),  # a rate or base of nothing is lifted too (decision 0038)
    ],
)
def test_a_limit_takes_the_place_of_the_computed_whole(limit, bound, base, expected):
    explanation = line(base, limit=limit, limit_amount_minor=bound)
    computed = compute(explanation, "a")
    assert (computed.amount_minor, computed.faults) == (expected, ())
    half = compute({**explanation, "paid_share": "1/2"}, "a")
    assert half.amount_minor == round_half_away(Fraction(bound, 2))


@pytest.mark.parametrize(("limit", "base"), [("minimum", 10_000), ("maximum", 100)])
def test_a_limit_that_did_not_apply_is_a_fault(limit, base):
    explanation = line(base, limit=limit, limit_amount_minor=1000)
    assert compute(explanation, "a").faults == ("limit",)


def test_a_cap_leaves_a_whole_number_that_the_paid_share_follows():
    # Decision 0038: 200.00 at 20 % is 40.00, of which 28.00 are left; paid in halves 14.00, 28.00.
    cap = {"by": "per_customer", "cut_amount_minor": 1200, "left_amount_minor": 2800}
    assert amount(line(20_000, cap=cap, paid_share="1/2")) == 1400
    assert amount(line(20_000, cap=cap)) == 2800
    assert amount(line(-4_000)) == -800
    wrong = line(20_000, cap={**cap, "cut_amount_minor": 1100})
    assert compute(wrong, "a").faults == ("cap",)


def test_a_part_that_the_programme_month_cut_is_not_split_again():
    cap = {
        "by": "per_programme_month", "cut_amount_minor": 167, "left_amount_minor": 500,
        "is_part": True,
    }  # fmt: skip
    explanation = line(10_001, cap=cap, credits=THIRDS, paid_share="1/3")
    # A third of 5.00 is 1.666…
    assert amount(explanation) == 167


@pytest.mark.parametrize(
    ("gross", "discount", "base", "faults"),
    [
        (12_000, 2_000, 10_000, ()),
        (12_000, 2_000, 12_000, ()),  # the plan leaves discounts to the programme
        (12_000, 0, 10_000, ("base",)),
    ],
)
def test_the_base_is_the_amount_with_or_without_its_discount(gross, discount, base, faults):
    explanation = line(base, gross_amount_minor=gross, discount_amount_minor=discount)
    assert compute(explanation, "a").faults == faults


def test_an_event_pays_its_amount_or_a_rate_of_the_deal():
    fixed = {"shape": "event", "whole_amount_minor": 5000, "fx": "1/1"}
    assert amount(fixed) == 5000
    assert [amount({**fixed, "credits": THIRDS}, who) for who in "abc"] == [1667, 1667, 1666]
    deal = {"shape": "event", "deal_amount_minor": 123_450, "rate": "0.050000", "fx": "1/1"}
    # 5 % of 1,234.50 is 61.725.
    assert amount(deal) == 6173
    assert compute({**deal, "whole_amount_minor": 6172}, "a").faults == ("whole",)


def test_a_bonus_needs_its_threshold():
    # Decision 0040: 500.00 for 3 customers.
    bonus = {"shape": "bonus", "whole_amount_minor": 50_000, "threshold": 3, "reached": 3}
    assert compute(bonus, "a").faults == ()
    assert amount(bonus) == 50_000
    assert compute({**bonus, "reached": 2}, "a").faults == ("threshold",)


def test_a_referral_is_a_share_of_what_the_other_earned():
    # Decision 0041: 10 % of 33.35 is 3.335.
    explanation = {"shape": "referral", "referred_amount_minor": 3335, "rate": "0.100000"}
    assert amount(explanation) == 334


def test_a_share_is_taken_back_with_what_it_is_a_share_of():
    # Decision 0041: 11.12 of 33.35 taken, then the rest: 1.11 and 2.23 of 3.34.
    parts = {"shape": "share_of_takeback", "own_amount_minor": 334, "referred_amount_minor": 3335}
    assert amount({**parts, "taken_before_minor": 0, "taken_after_minor": 1112}) == -111
    rest = {**parts, "taken_before_minor": 1112, "taken_after_minor": 3335}
    assert amount(rest) == -223
    assert amount({**rest, "shape": "share_of_reinstatement"}) == 223
    # At 0.5: 1.67 of 3.34 in all, 0.56 (0.555) of 1.11 first.
    first = {**parts, "taken_before_minor": 0, "taken_after_minor": 1112, "fx": "1/2"}
    assert compute(first, "a").payout_amount_minor == -56
    assert compute({**rest, "fx": "1/2"}, "a").payout_amount_minor == -111


def test_a_share_of_a_negative_earning_is_given_back():
    # 4.03 were earned negatively, 0.86 of it here; a refund of all of it gives both back.
    explanation = {
        "shape": "share_of_takeback", "own_amount_minor": -86, "referred_amount_minor": -403,
        "taken_before_minor": 0, "taken_after_minor": 403,
    }  # fmt: skip
    assert amount(explanation) == 86
    assert amount({**explanation, "taken_after_minor": 201}) == 43


def test_refunds_of_lines_and_of_the_invoice_add_up():
    # Decision 0001, both lines: 60.00 and 40.00 of 100.00 paid, 12.00 and 8.00 earned.
    of_first = {"line_total_amount_minor": 6_000, "earned_amount_minor": 1200}
    first = takeback(1200, 3_000, **of_first, invoice_part_minor=0, line_part_minor=3_000)
    assert amount(first) == -600
    second = takeback(1200, 2_000, **of_first, line_before_minor=3_000, returned_before_minor=3_000)
    assert amount(second) == -240
    last = takeback(
        1200, 5_000, **of_first, line_before_minor=3_000, invoice_before_minor=2_000,
        returned_before_minor=5_000,
    )  # fmt: skip
    assert amount(last) == -360
    # On the other line the refund that names the first takes nothing, the last one what is left.
    of_second = {"line_total_amount_minor": 4_000, "earned_amount_minor": 800}
    assert amount(takeback(800, 3_000, **of_second, invoice_part_minor=0)) == 0
    assert amount(takeback(800, 2_000, **of_second, returned_before_minor=3_000)) == -160
    closing = takeback(
        800, 5_000, **of_second, invoice_before_minor=2_000, returned_before_minor=5_000
    )
    assert amount(closing) == -640


def test_thirds_of_a_refund_close_at_the_earning():
    # 10.00 earned on 100.00: a third, a third, the rest: 3.33, 3.34, 3.33.
    parts = [takeback(1000, 3_333), takeback(1000, 3_333), takeback(1000, 3_334)]
    for number, part in enumerate(parts):
        part |= {"invoice_before_minor": 3_333 * number, "returned_before_minor": 3_333 * number}
    assert [amount(part) for part in parts] == [-333, -334, -333]


def test_a_refund_of_a_line_counts_what_was_paid_of_it():
    # Half of the invoice was paid: 20.00 of the line's 40.00; 10.00 back is half of that.
    part = takeback(
        400, 1_000, paid_amount_minor=5_000, invoice_part_minor=0, line_part_minor=1_000,
        line_total_amount_minor=4_000, line_share="5000/10000",
    )  # fmt: skip
    assert amount(part) == -200


def test_a_negative_earning_is_given_back():
    assert amount(takeback(-400, 2_500)) == 100
    assert amount(takeback(-400, 10_000)) == 400


def test_a_takeback_converts_cumulatively():
    # 10.00 at 0.333: 3.33. A third of it back: 3.33 is 1.10889, two thirds 6.67 is 2.22111.
    first = takeback(1000, 3_333, fx="333/1000")
    second = takeback(
        1000, 3_333, fx="333/1000", invoice_before_minor=3_333, returned_before_minor=3_333
    )
    assert compute(first, "a").payout_amount_minor == -111
    assert compute(second, "a").payout_amount_minor == 111 - 222


def test_a_reinstatement_gives_back_the_very_cents():
    # Decision 0006: 20.00 taken on the opening of a dispute of 100.00, and given back.
    whole = takeback(2000, 10_000)
    assert amount({**whole, "shape": "reinstatement"}) == 2000
    with pytest.raises(IncompleteError):
        compute({"shape": "reinstatement"}, "a")


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"churn_mode": "full"}, -5000),
        # 50.00 of which 61 of 90 days are missing: 33.888…
        ({"churn_mode": "prorated", "days_of_access": 29, "window_days": 90}, -3389),
        ({"churn_mode": "table", "share": "0.500000"}, -2500),
        ({"churn_mode": "table", "share": None}, 0),
    ],
)
def test_churn_takes_back_all_a_share_of_days_or_of_the_table(parts, expected):
    explanation = {"shape": "churn", "earned_amount_minor": 5000, "fx": "1/2", **parts}
    computed = compute(explanation, "a")
    assert computed.amount_minor == expected
    assert computed.payout_amount_minor == round_half_away(Fraction(expected, 2))


def test_a_void_takes_what_is_left():
    explanation = {"shape": "void", "earned_amount_minor": 2000, "taken_amount_minor": -500}
    assert amount(explanation) == -1500
    assert amount({**explanation, "taken_amount_minor": 0}) == -2000


@pytest.mark.parametrize(
    ("explanation", "missing"),
    [
        (line(None), "line_base_amount_minor"),
        (line(10_000, rate=None), "rate"),
        (line(10_000, rate=0.2), "rate"),
        (line(10_000, paid_share="1/0"), "paid_share"),
        (line(10_000, paid_share="half"), "paid_share"),
        (line(10_000, limit="minimum"), "limit_amount_minor"),
        (line(10_000, cap={"cut_amount_minor": 1}), "left_amount_minor"),
        (line(10_000, credits="all"), "credits"),
        (takeback(2000, 100, paid_amount_minor=0), "paid_amount_minor"),
        (takeback(2000, 100, line_part_minor=1, line_share="0/1"), "line_share"),
        ({"shape": "churn", "earned_amount_minor": 1, "churn_mode": "half"}, "churn_mode"),
        ({"shape": "referral", "referred_amount_minor": "1.5", "rate": 1},
         "referred_amount_minor"),
    ],
)  # fmt: skip
def test_an_explanation_that_lacks_a_part_says_which(explanation, missing):
    check = checked(desired(explanation, 2000), 2000)
    assert check.result == DIFFERS
    assert check.faults == (f"incomplete: {missing}",)


def test_an_entry_matches_when_parts_desired_amount_and_sum_agree():
    check = checked(desired(line(10_000, fx="9/10"), 2000, 1800), 2000, 1800)
    assert (check.result, check.faults, check.amount_minor) == (MATCHES, (), 2000)
    assert check.payout_amount_minor == 1800


def test_each_disagreement_has_a_name():
    explanation = desired(line(10_000, fx="9/10"), 2100, 1900)
    assert checked(explanation, 2100, 1900).faults == ("amount", "payout_amount")
    assert checked(explanation, 2000, 1800).faults == (
        "amount", "payout_amount", "sum", "payout_sum",
    )  # fmt: skip


def test_the_sum_of_a_key_counts_what_was_posted_with_or_before_the_entry():
    first = entry(desired(line(20_000, paid_share="1/2"), 2000), 2000)
    second = entry(desired(line(20_000), 4000), 2000, entry_id="e2", segment=3)
    twin = entry(desired(line(20_000), 4000), 0, entry_id="e3", segment=3)
    other = entry(None, 9000, entry_id="e4", payout_currency_code="EUR")
    sums = key_sums([first, second, twin, other])
    assert sums == {
        "e1": (2000, 2000), "e2": (4000, 4000), "e3": (4000, 4000), "e4": (9000, 9000),
    }  # fmt: skip
    assert [check_entry(row, sums[row["entry_id"]]).result for row in (first, second, twin)] == [
        MATCHES
    ] * 3


@pytest.mark.parametrize(
    ("explanation", "reason"),
    [
        (None, "older"),
        ({"rate": "0.200000", "desired_amount_minor": 2000}, "older"),
        (desired({"shape": "ruling"}, 2000), "decided"),
        (desired({"shape": "adjustment"}, 2000), "decided"),
        (desired({"shape": "of tomorrow"}, 2000), "unknown_shape"),
    ],
)
def test_without_a_formula_the_sum_is_checked_and_the_reason_said(explanation, reason):
    check = checked(explanation, 2000)
    assert (check.result, check.reason, check.amount_minor) == (NO_FORMULA, reason, None)
    if explanation:
        assert checked(explanation, 1999).faults[0] == "sum"


def test_a_withdrawn_key_adds_up_to_nothing():
    gone = desired({"shape": "withdrawn"}, 0)
    before = entry(desired(line(10_000), 2000), 2000, entry_id="e0", segment=0)
    check = checked(gone, -2000, others=[before])
    assert (check.result, check.reason) == (NO_FORMULA, "withdrawn")
    assert checked(gone, -1900, others=[before]).faults == ("sum", "payout_sum")


def test_what_stands_under_a_ruling_has_no_formula():
    # 20.00 stood before the ruling and 5.00 came later: the facts of now give something else.
    kept = desired({**line(99_999), "stands_under_ruling": "rul_1"}, 2500)
    before = entry(desired(line(10_000), 2000), 2000, entry_id="e0", segment=0)
    check = checked(kept, 500, others=[before])
    assert (check.result, check.reason) == (NO_FORMULA, "stands_under_ruling")
    assert checked({**kept, "stands_under_ruling": None}, 2500).faults == (
        "amount", "payout_amount",
    )  # fmt: skip


def test_a_known_shape_always_says_what_is_desired():
    assert checked(line(10_000), 2000).faults == ("incomplete: desired_amount_minor",)


def test_a_payout_is_the_opposite_of_what_it_claims():
    claimed = [
        {"entry_id": "e2", "payout_amount_minor": -500},
        {"entry_id": "e1", "payout_amount_minor": 2000},
    ]
    explanation = {"entries": 2, "entries_hash": sha256(b"e1\ne2").hexdigest()}
    payout = entry(explanation, -1500, entry_id="e3")
    assert check_payout(payout, claimed).result == MATCHES
    assert check_payout(payout, claimed[:1]).faults == ("sum", "entries_hash")


def test_decimals_of_a_stored_explanation_stay_exact():
    read = read_explanation('{"shape": "referral", "referred_amount_minor": 10, "rate": 0.15}')
    assert read["rate"] == Decimal("0.15")
    assert amount(read) == 2
    assert read_explanation(None) is None


def test_every_shape_is_tested_here():
    assert set(SHAPES) == {
        "line", "event", "bonus", "referral", "takeback", "reinstatement", "churn", "void",
        "share_of_takeback", "share_of_reinstatement", "ruling", "adjustment", "withdrawn",
    }  # fmt: skip
