"""Exact money arithmetic and calendar steps of the oracle. No currency table lookups elsewhere.

Belongs here: rounding (M2), splitting (M3), months and hold dates (M5, P1), exponents (M1).
Does not belong here: which amount is owed.
"""

from calendar import monthrange
from collections.abc import Mapping
from datetime import date, timedelta
from fractions import Fraction

# ISO 4217 minor units other than 2 (M1), written out so that the oracle leans on no library.
_EXPONENT_0 = {
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND",
    "VUV", "XAF", "XOF", "XPF",
}  # fmt: skip
_EXPONENT_3 = {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"}


def exponent(currency_code: str) -> int:
    """Number of minor-unit digits of a currency (M1)."""
    if currency_code in _EXPONENT_0:
        return 0
    return 3 if currency_code in _EXPONENT_3 else 2


def is_currency(currency_code: str) -> bool:
    """Whether the text has the form of an ISO 4217 code."""
    return len(currency_code) == 3 and currency_code.isascii() and currency_code.isupper()


def round_half_away(value: Fraction) -> int:
    """The nearest whole number, halves away from zero (M2)."""
    magnitude = abs(value)
    rounded = (2 * magnitude.numerator + magnitude.denominator) // (2 * magnitude.denominator)
    return rounded if value >= 0 else -rounded


def split(whole: int, weights: Mapping[str, Fraction | int]) -> dict[str, int]:
    """M3: a whole in proportion to weights by largest remainder, ties by key; sums exactly.

    A negative whole is split by its absolute value. Weights are not negative, their sum is not 0.
    """
    total = sum(weights.values(), Fraction(0))
    quotas = {key: abs(whole) * weight / total for key, weight in weights.items()}
    parts = {key: quota.numerator // quota.denominator for key, quota in quotas.items()}
    left = abs(whole) - sum(parts.values())
    for key in sorted(quotas, key=lambda key: (parts[key] - quotas[key], key))[:left]:
        parts[key] += 1
    return {key: part if whole >= 0 else -part for key, part in parts.items()}


def minor_units(major: object, currency_code: str) -> int:
    """A decimal amount in major units, from program.yml, to whole minor units; exact or error."""
    minor = Fraction(str(major)) * 10 ** exponent(currency_code)
    if minor.denominator != 1:
        raise ValueError(f"{major} {currency_code} is no whole number of minor units")
    return minor.numerator


def add_months(anchor: date, months: int) -> date:
    """The day N months after an anchor, clamped to the month's end (M5: 31 Jan + 1 = 28 Feb)."""
    index = anchor.year * 12 + anchor.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(anchor.day, monthrange(year, month + 1)[1]))


def available_date(event_date: date, hold_days: int, hold_after: str) -> date:
    """P1: the day on which an entry of that local day leaves its hold."""
    if hold_after == "month_end":
        event_date = event_date.replace(day=monthrange(event_date.year, event_date.month)[1])
    return event_date + timedelta(days=hold_days)
