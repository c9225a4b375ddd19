"""The five models: how a lead's competing touches share a million parts (A3).

Belongs here: collapsing of repeats, the weight of each touch, parts per million by partner.
Does not belong here: which touches compete (attribution.py), what a credit pays (commission.py).
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import cache
from itertools import groupby

from .money import split
from .terms import AttributionRules
from .touches import Touch

WHOLE_PPM = 1_000_000
MODELS = ("last_touch", "first_touch", "linear", "position_based", "time_decay")
_DIGITS = 110
_MICROSECOND = timedelta(microseconds=1)
_AGE_STEPS = 2**36  # decision 0033: steps of a half-life in which an age is counted


def standing_touches(competing: Sequence[Touch], rules: AttributionRules) -> list[Touch]:
    """The touches that share: all, or of each run of one partner the last (`collapse_repeats`)."""
    if not rules.collapse_repeats:
        return list(competing)
    runs = groupby(competing, key=lambda touch: touch.partner_id)
    return [list(run)[-1] for _, run in runs]


def credits_of_model(
    model: str, touches: Sequence[Touch], valid_at: datetime, rules: AttributionRules
) -> dict[str, int]:
    """Parts per million by partner, summing to a million; who has none is left out.

    touches: at least one, collapsed where the rules say so, in order of (time, id).
    """
    weights = _WEIGHTS[model](touches, valid_at, rules)
    by_partner: dict[str, Fraction] = defaultdict(Fraction)
    for touch, weight in zip(touches, weights, strict=True):
        by_partner[touch.partner_id] += weight
    parts = split(WHOLE_PPM, by_partner)
    return {partner_id: ppm for partner_id, ppm in sorted(parts.items()) if ppm}


def _last(touches: Sequence[Touch], *_: object) -> list[Fraction]:
    return [Fraction(touch is touches[-1]) for touch in touches]


def _first(touches: Sequence[Touch], *_: object) -> list[Fraction]:
    return [Fraction(touch is touches[0]) for touch in touches]


def _linear(touches: Sequence[Touch], *_: object) -> list[Fraction]:
    return [Fraction(1) for _ in touches]


def _position_based(
    touches: Sequence[Touch], valid_at: datetime, rules: AttributionRules
) -> list[Fraction]:
    """First, last, the rest shared equally by those between; one touch 100, two 50/50."""
    if len(touches) <= 2:
        return _linear(touches)
    first, last = rules.position_first, rules.position_last
    between = len(touches) - 2
    return [first, *[(1 - first - last) / between] * between, last]


def _time_decay(
    touches: Sequence[Touch], valid_at: datetime, rules: AttributionRules
) -> list[Fraction]:
    """2^(-age / half-life), age from the newest touch, in half-lives to 36 binary digits.

    Whole half-lives are halved exactly. Two sums of such powers are equal only if they are equal
    for each fraction of a half-life by itself, so that a tie stays a tie whatever the digits.
    """
    half_life = timedelta(days=rules.half_life_days) // _MICROSECOND
    weights = []
    for touch in touches:
        age = (touches[-1].occurred_at - touch.occurred_at) // _MICROSECOND
        whole, rest = divmod(age * _AGE_STEPS // half_life, _AGE_STEPS)
        weights.append(_half_to_the(Fraction(rest, _AGE_STEPS)) / 2**whole)
    return weights


@cache
def _half_to_the(exponent: Fraction) -> Fraction:
    """2^(-exponent) for an exponent in [0, 1), exact to more than a hundred digits."""
    with localcontext() as context:
        context.prec = _DIGITS
        power = Decimal(exponent.numerator) / Decimal(exponent.denominator) * Decimal(2).ln()
        return Fraction((-power).exp())


_WEIGHTS = {
    "last_touch": _last,
    "first_touch": _first,
    "linear": _linear,
    "position_based": _position_based,
    "time_decay": _time_decay,
}
