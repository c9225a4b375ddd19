"""Hand-worked cases for the oracle: credits of the five models (A3, M3)."""

from decimal import Decimal
from fractions import Fraction

import pytest

from tests.oracle.builder import World
from tests.oracle.money import split

VALID_AT = "2026-02-01T12:00:00Z"
NAMES = ("ana", "bob", "cyd", "dan", "eva")


def touched(model: str, *touches: tuple[str, str], **rules: object) -> World:
    """A demo booked at VALID_AT; touches are (instant, name of the partner) by link."""
    world = World(attribution={"model": model, **rules}).booked("m1", VALID_AT)
    for name in NAMES[2:]:
        world.partner(f"p_{name[0]}", name)
    for number, (at, name) in enumerate(touches, start=1):
        world.click(f"t{number}", at, f"p_{name[0]}")
    return world


def credits(world: World) -> dict[str, int]:
    """Parts per million of the paying model by the partner's letter."""
    found = world.night().lead_of("meetings:m1")
    assert found.paying_ppm == found.credits_ppm[found.model]
    assert sum(found.paying_ppm.values()) == 1_000_000
    return {partner_id.removeprefix("p_"): ppm for partner_id, ppm in found.paying_ppm.items()}


def daily(names: str, first_day: int = 1) -> list[tuple[str, str]]:
    """One touch a day in January for each letter."""
    by_letter = {name[0]: name for name in NAMES}
    return [
        (f"2026-01-{day:02}T12:00:00Z", by_letter[letter])
        for day, letter in enumerate(names, start=first_day)
    ]


# --- M3 ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("whole", "weights", "parts"),
    [
        # 3.33 each, the cent that is left to the smallest key
        (1000, {"a": 1, "b": 1, "c": 1}, {"a": 334, "b": 333, "c": 333}),
        (-1000, {"a": 1, "b": 1, "c": 1}, {"a": -334, "b": -333, "c": -333}),  # by absolute value
        (10, {"a": 6, "b": 6, "c": 2}, {"a": 4, "b": 4, "c": 2}),  # 4.29, 4.29, 1.43
        (11, {"a": 6, "b": 6, "c": 2}, {"a": 5, "b": 5, "c": 1}),  # 4.71, 4.71, 1.57
        (1, {"b": 1, "a": 1}, {"b": 0, "a": 1}),
        (1, {"a": 1, "b": 2}, {"a": 0, "b": 1}),
        (0, {"a": 1, "b": 2}, {"a": 0, "b": 0}),
        (7, {"a": 0, "b": 3}, {"a": 0, "b": 7}),
    ],
)
def test_split_is_by_largest_remainder(whole: int, weights: dict, parts: dict) -> None:
    assert split(whole, {key: Fraction(weight) for key, weight in weights.items()}) == parts


# --- linear -----------------------------------------------------------------------------------


def test_linear_three_partners() -> None:
    # 333,333.33 each: one part is left, the tie goes to the smallest partner id
    expected = {"a": 333_334, "b": 333_333, "c": 333_333}
    assert credits(touched("linear", *daily("cba"))) == expected


@pytest.mark.parametrize(
    ("collapse", "expected"),
    [
        (True, {"a": 500_000, "b": 500_000}),  # A's two in a row count once
        (False, {"a": 666_667, "b": 333_333}),  # 2/3 = 666,666.67; 1/3 = 333,333.33
    ],
)
def test_linear_counts_a_run_once_when_collapsed(collapse: bool, expected: dict) -> None:
    assert credits(touched("linear", *daily("aab"), collapse_repeats=collapse)) == expected


def test_linear_counts_a_partner_that_comes_again_twice() -> None:
    # A, B, A: no run; A 2/3
    assert credits(touched("linear", *daily("aba"))) == {"a": 666_667, "b": 333_333}


def test_linear_five_partners_with_seven_touches() -> None:
    # touches a b c d e a b: A and B 2/7 = 285,714.29, the others 1/7 = 142,857.14;
    # floors sum to 999,999: the largest remainder is .29 twice, the tie goes to A
    expected = {"a": 285_715, "b": 285_714, "c": 142_857, "d": 142_857, "e": 142_857}
    assert credits(touched("linear", *daily("abcdeab"))) == expected


def test_only_the_highest_type_and_the_window_compete_in_every_model() -> None:
    world = touched("linear", *daily("ab"), ("2025-10-01T12:00:00Z", "cyd"))  # 123 days before
    assert credits(world) == {"a": 500_000, "b": 500_000}
    world.click("t9", "2026-01-20", "p_d", touch_type="promotion_code")
    assert credits(world) == {"d": 1_000_000}


# --- position_based ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("a", {"a": 1_000_000}),
        ("ab", {"a": 500_000, "b": 500_000}),
        ("abc", {"a": 400_000, "b": 200_000, "c": 400_000}),
        ("aba", {"a": 800_000, "b": 200_000}),
        # the three between share 200,000: 66,666.67 each, two parts left: to B and C
        ("edcba", {"a": 400_000, "b": 66_667, "c": 66_667, "d": 66_666, "e": 400_000}),
        # two touches of A in a row are one, so two are left
        ("aab", {"a": 500_000, "b": 500_000}),
    ],
)
def test_position_based_40_40(names: str, expected: dict) -> None:
    assert credits(touched("position_based", *daily(names))) == expected


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        # A first, A between, B last: 400,000 + 200,000
        ("aab", {"a": 600_000, "b": 400_000}),
        ("aa", {"a": 1_000_000}),
        # five touches: first A 400,000; A, B, B between 66,666.67 each; last A 400,000:
        # A 866,666.67, B 133,333.33
        ("aabba", {"a": 866_667, "b": 133_333}),
    ],
)
def test_position_based_without_collapse(names: str, expected: dict) -> None:
    world = touched("position_based", *daily(names), collapse_repeats=False)
    assert credits(world) == expected


def test_position_based_with_other_shares() -> None:
    # 0.5 first, 0.3 last, the two between 0.1 each; two touches are 50/50 whatever the shares
    shares = {"first": Decimal("0.5"), "last": Decimal("0.3")}
    world = touched("position_based", *daily("abcd"), position_based=shares)
    assert credits(world) == {"a": 500_000, "b": 100_000, "c": 100_000, "d": 300_000}
    world = touched("position_based", *daily("ab"), position_based=shares)
    assert credits(world) == {"a": 500_000, "b": 500_000}


def test_position_based_that_leaves_nothing_between() -> None:
    shares = {"first": Decimal("0.5"), "last": Decimal("0.5")}
    world = touched("position_based", *daily("abc"), position_based=shares)
    assert credits(world) == {"a": 500_000, "c": 500_000}  # B has no part, so it is not credited


# --- time_decay -------------------------------------------------------------------------------


def test_time_decay_by_whole_half_lives() -> None:
    # ages 0, 7 and 14 days: 1, 1/2, 1/4 -> 4/7, 2/7, 1/7 = 571,428.57; 285,714.29; 142,857.14;
    # one part is left: the largest remainder is the first
    ages = (VALID_AT, "ana"), ("2026-01-25T12:00:00Z", "bob"), ("2026-01-18T12:00:00Z", "cyd")
    assert credits(touched("time_decay", *ages)) == {"a": 571_429, "b": 285_714, "c": 142_857}


def test_time_decay_depends_on_the_difference_of_ages_only() -> None:
    # half life 1 day, ages 12 h and 36 h: 2^-0.5 to 2^-1.5 is 2 to 1
    ages = ("2026-02-01T00:00:00Z", "ana"), ("2026-01-31T00:00:00Z", "bob")
    world = touched("time_decay", *ages, time_decay={"half_life_days": 1})
    assert credits(world) == {"a": 666_667, "b": 333_333}


def test_time_decay_by_a_part_of_a_half_life() -> None:
    # ages 0 and 1 day: 2^(-1/7) = 0.90572366426390..., so A has 1/1.90572366426390...
    # = 0.52473504...: 524,735.04 and 475,264.96 -> the part left goes to B
    ages = (VALID_AT, "ana"), ("2026-01-31T12:00:00Z", "bob")
    assert credits(touched("time_decay", *ages)) == {"a": 524_735, "b": 475_265}


def test_time_decay_sums_the_touches_of_a_partner() -> None:
    # B at age 0: 1; A at 7 and 14 days: 1/2 + 1/4 -> 4/7 and 3/7 = 571,428.57; 428,571.43
    ages = (
        ("2026-01-18T12:00:00Z", "ana"),
        ("2026-01-25T12:00:00Z", "ana"),
        (VALID_AT, "bob"),
    )
    world = touched("time_decay", *ages, collapse_repeats=False)
    assert credits(world) == {"a": 428_571, "b": 571_429}
    # collapsed, the last of the run stays: A at 7 days: 1/3 and 2/3
    assert credits(touched("time_decay", *ages)) == {"a": 333_333, "b": 666_667}


def test_time_decay_ties_are_exact() -> None:
    # A twice at 7.5 days, B once at 0.5 days: 2 x 2^(-7.5/7) = 2^(-0.5/7), exactly as much
    ages = (
        ("2026-01-25T00:00:00Z", "ana"),
        ("2026-01-25T00:00:00Z", "ana"),
        ("2026-02-01T00:00:00Z", "bob"),
    )
    world = touched("time_decay", *ages, collapse_repeats=False)
    assert credits(world) == {"a": 500_000, "b": 500_000}


def test_time_decay_measures_ages_to_36_binary_digits_of_a_half_life() -> None:
    # 7 days / 2^36 = 8.8 us; three of one age: the part left goes to A; C younger: to C
    at = "2026-01-25T12:00:00.000000Z"
    world = touched("time_decay", (at, "ana"), (at, "bob"), (at, "cyd"))
    for younger, ppm in (
        ("000", {"a": 333_334, "b": 333_333, "c": 333_333}),
        ("008", {"a": 333_334, "b": 333_333, "c": 333_333}),
        ("009", {"a": 333_333, "b": 333_333, "c": 333_334}),
    ):
        world.facts["touchpoints"][2]["occurred_at"] = f"2026-01-25T12:00:00.000{younger}Z"
        assert credits(world) == ppm


def test_time_decay_leaves_out_who_has_no_part_in_a_million() -> None:
    # half life 1 day, 31 days: 2^-31 of a million is less than a thousandth of a part
    ages = (VALID_AT, "ana"), ("2026-01-01T12:00:00Z", "bob")
    world = touched("time_decay", *ages, time_decay={"half_life_days": 1})
    assert credits(world) == {"a": 1_000_000}


# --- all models at once -----------------------------------------------------------------------


def test_every_model_is_computed_beside_the_paying_one() -> None:
    # A at 14, B at 7, C at 0 days
    ages = ("2026-01-18T12:00:00Z", "ana"), ("2026-01-25T12:00:00Z", "bob"), (VALID_AT, "cyd")
    world = touched("linear", *ages, compare_models=["last_touch", "time_decay"])
    found = world.night().lead_of("meetings:m1")
    assert (found.model, found.compare_models) == ("linear", ("last_touch", "time_decay"))
    assert found.credits_ppm == {
        "last_touch": {"p_c": 1_000_000},
        "first_touch": {"p_a": 1_000_000},
        "linear": {"p_a": 333_334, "p_b": 333_333, "p_c": 333_333},
        "position_based": {"p_a": 400_000, "p_b": 200_000, "p_c": 400_000},
        "time_decay": {"p_a": 142_857, "p_b": 285_714, "p_c": 571_429},
    }
