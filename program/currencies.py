"""Currency codes, their minor units, and exact conversion between major and minor units (M1).

Exponents come from the ISO 4217 table in the `iso4217` package. Does not belong here: exchange
rates, rounding, or anything that would lose a minor unit.
"""

from __future__ import annotations

from decimal import Decimal, localcontext
from functools import cache

from program.errors import CurrencyError

SUPPORTED_EXPONENTS = (0, 2, 3)
"""Rule M1. The two funds codes with four decimals (CLF, UYW) are units of account, never paid."""

WITHDRAWN_EXPONENTS = {"ANG": 2, "BGN": 2, "HRK": 2, "SLL": 2, "ZWL": 2}
"""Codes that left the current table after 2022 but stand on older invoices (ISO 4217 list 3)."""

MAXIMUM_AMOUNT_MINOR = 2**63 - 1


@cache
def currency_exponents() -> dict[str, int]:
    """All known codes with their exponent, 0, 2 or 3, sorted by code."""
    from iso4217 import Currency

    exponents = dict(WITHDRAWN_EXPONENTS)
    for currency in Currency:
        if currency.exponent in SUPPORTED_EXPONENTS:
            exponents[currency.code] = currency.exponent
    return dict(sorted(exponents.items()))


def is_currency(code: str) -> bool:
    """Whether the code is a known ISO 4217 currency written in capitals."""
    return code in currency_exponents()


def exponent(code: str) -> int:
    """Number of decimals of the currency's minor unit: 0, 2 or 3.

    Raises: CurrencyError if the code is unknown, not in capitals, or has no usable minor unit.
    Rule: M1, ISO 4217 list one.
    """
    try:
        return currency_exponents()[code]
    except (KeyError, TypeError):
        raise CurrencyError(
            f"{code!r} is not a known ISO 4217 currency code; write three capitals such as USD"
        ) from None


def to_minor(amount: Decimal, code: str) -> int:
    """Convert major units into whole minor units, exactly.

    amount: major units, any sign; trailing zeros are of no importance (JPY 50.00 is JPY 50).
    Raises: CurrencyError if the currency is unknown, the amount has more decimals than the
    currency, is not finite, or does not fit a BIGINT. Nothing is ever rounded here (M1).
    """
    if not isinstance(amount, Decimal):
        raise CurrencyError(f"an amount of {code} must be a Decimal, not {type(amount).__name__}")
    digits = exponent(code)
    if not amount.is_finite():
        raise CurrencyError(f"{amount} is not an amount of {code}")
    if amount.adjusted() + digits >= 19:
        raise _too_large(amount, code)
    with localcontext() as context:
        # scaleb rounds to the context's precision: all digits of the input must fit.
        context.prec = max(28, len(amount.as_tuple().digits))
        scaled = amount.scaleb(digits)
    if scaled != scaled.to_integral_value():
        allowed = "no decimals" if digits == 0 else f"at most {digits} decimals"
        raise CurrencyError(f"{amount} {code} has too many decimals: {code} has {allowed}")
    minor = int(scaled)
    if abs(minor) > MAXIMUM_AMOUNT_MINOR:
        raise _too_large(amount, code)
    return minor


def _too_large(amount: Decimal, code: str) -> CurrencyError:
    limit = to_major(MAXIMUM_AMOUNT_MINOR, code)
    return CurrencyError(
        f"{amount:.3E} {code} is larger than the ledger can hold; at most {limit:,} {code}"
    )


def to_major(amount_minor: int, code: str) -> Decimal:
    """Convert whole minor units into major units with the currency's own number of decimals."""
    digits = exponent(code)
    sign = 1 if amount_minor < 0 else 0
    figures = tuple(int(figure) for figure in str(abs(amount_minor)))
    return Decimal((sign, figures, -digits))


def format_minor(amount_minor: int, code: str) -> str:
    """Write an amount for people and for files: plain digits, a point, no grouping, no code.

    >>> format_minor(-1234567, "USD"), format_minor(50, "JPY"), format_minor(5, "BHD")
    ('-12345.67', '50', '0.005')
    """
    digits = exponent(code)
    sign = "-" if amount_minor < 0 else ""
    figures = str(abs(amount_minor)).rjust(digits + 1, "0")
    if digits == 0:
        return sign + figures
    return f"{sign}{figures[:-digits]}.{figures[-digits:]}"
