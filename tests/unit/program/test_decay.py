"""The looked-up weights of time decay, against powers of two worked out in fractions."""

from fractions import Fraction

from program.decay import WEIGHT_ONE, decay_weights


def test_age_zero_weighs_one_and_half_a_half_life_the_root_of_one_half() -> None:
    weights = {(level, step): weight for level, step, weight in decay_weights()}
    assert len(weights) == 3 * 4096
    assert {weights[level, 0] for level in (1, 2, 3)} == {WEIGHT_ONE}
    # The square of the root, within the rounding of the last of 18 digits.
    square = Fraction(weights[1, 2048] ** 2, WEIGHT_ONE**2)
    assert abs(square - Fraction(1, 2)) < Fraction(2, 10**18)


def test_a_level_refines_the_one_above_it() -> None:
    weights = {(level, step): weight for level, step, weight in decay_weights()}
    for level in (1, 2):
        # 4096 steps of the finer level make one step of the coarser one.
        finer = weights[level + 1, 4095] * weights[level + 1, 1]
        assert abs(Fraction(finer, WEIGHT_ONE) - weights[level, 1]) < 2
