"""Words that the pages on terms share: percent, amounts, counts, lists.

What does not belong here: what any setting means.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction


def percent(share: Decimal) -> str:
    """A fraction as percent, without zeros at the end."""
    return f"{(share * 100).normalize():f} %"


def amount(value: Decimal, currency_code: str) -> str:
    """Major units with the currency's own decimals, and its code."""
    from program.currencies import to_minor

    return minor_amount(to_minor(value, currency_code), currency_code)


def minor_amount(amount_minor: int, currency_code: str) -> str:
    """An amount in minor units, for people."""
    from program.currencies import format_minor

    return f"{format_minor(amount_minor, currency_code)} {currency_code}"


def amounts(by_currency: Mapping[str, Decimal]) -> str:
    """An amount per currency: whichever currency applies."""
    return listed([amount(value, code) for code, value in by_currency.items()], "or")


def listed(texts: Sequence[str], word: str) -> str:
    """One, two {word} three."""
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} {word} {texts[-1]}"


def count(number: int | Decimal, noun: str) -> str:
    """A number with its noun, singular or plural."""
    return f"{Decimal(number):f} {noun}" if number == 1 else f"{Decimal(number):f} {noun}s"


def percent_range(rates: Iterable[Decimal]) -> str:
    """One rate, or the lowest and the highest."""
    lowest, highest = min(rates := set(rates)), max(rates)
    return percent(lowest) if lowest == highest else f"{percent(lowest)} to {percent(highest)}"


def rounded(exact: Fraction) -> int:
    """Half away from zero (M2), of an amount that is not negative."""
    return (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)
