"""Weights of time decay as whole numbers, so that no credit hangs on floating point (A3).

2 to the power of minus x, for an age of x half-lives, is the product of three looked-up weights,
one per 12 binary digits of the fraction of x; whole half-lives are halvings. Pure; SQL multiplies.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal

DIGITS_PER_LEVEL = 12
"""Binary digits of the age that one lookup covers."""
LEVELS = 3
"""36 binary digits: an age is exact to one part in 69 billion of the half-life."""
WEIGHT_ONE = 10**18
"""The weight of age 0."""


def decay_weights() -> list[tuple[int, int, int]]:
    """(level, step, weight): weight = 2 to the minus step / 4096**level, in parts of 10**18.

    4096 steps for each level from 1 to 3, in order; rounded half to even.
    """
    arithmetic = Context(prec=60, rounding=ROUND_HALF_EVEN)
    steps = 2**DIGITS_PER_LEVEL
    weights = []
    for level in range(1, LEVELS + 1):
        exponent = arithmetic.divide(Decimal(-1), Decimal(steps**level))
        factor = arithmetic.power(Decimal(2), exponent)
        weight = Decimal(WEIGHT_ONE)
        for step in range(steps):
            weights.append((level, step, int(weight.to_integral_value(ROUND_HALF_EVEN))))
            weight = arithmetic.multiply(weight, factor)
    return weights
