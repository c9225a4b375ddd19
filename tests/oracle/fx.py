"""Conversion into a partner's payout currency (J6).

Belongs here: which rate applies and the exact conversion. Does not belong here: when a line earns.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from .facts import Book, fraction
from .money import exponent, round_half_away

MAX_AGE = timedelta(days=7)


@dataclass(frozen=True)
class Conversion:
    """An exact factor from minor units of one currency to minor units of another.

    rate_date: the older of the two legs' days; None when no rate was needed.
    """

    factor: Fraction
    rate_date: date | None

    def convert(self, amount_minor: int) -> int:
        """M2: conversion rounds once, half away from zero."""
        return round_half_away(amount_minor * self.factor)


class Rates:
    """All `fx_rates` of the night: units of a currency per 1 EUR."""

    def __init__(self, book: Book) -> None:
        self._rates: dict[str, list[tuple[date, Fraction]]] = {}
        self._legs: dict[tuple[str, date], tuple[date | None, Fraction] | None] = {}
        for row in book.rows("fx_rates"):
            rate = fraction(row, "rate")
            if rate > 0:
                rate_date = date.fromisoformat(row["rate_date"][:10])
                self._rates.setdefault(row["currency_code"], []).append((rate_date, rate))

    def conversion(self, source: str, target: str, day: date) -> Conversion | None:
        """J6: each leg on its own at its newest rate on or before `day`; None when one lacks."""
        if source == target:
            return Conversion(Fraction(1), None)
        legs = [self._leg(source, day), self._leg(target, day)]
        if legs[0] is None or legs[1] is None:
            return None
        dates = [leg[0] for leg in legs if leg[0] is not None]
        scale = Fraction(10) ** (exponent(target) - exponent(source))
        return Conversion(legs[1][1] / legs[0][1] * scale, min(dates))

    def _leg(self, currency_code: str, day: date) -> tuple[date | None, Fraction] | None:
        if (currency_code, day) not in self._legs:
            self._legs[currency_code, day] = self._find_leg(currency_code, day)
        return self._legs[currency_code, day]

    def _find_leg(self, currency_code: str, day: date) -> tuple[date | None, Fraction] | None:
        if currency_code == "EUR":
            return None, Fraction(1)  # rates are per 1 EUR: the euro itself needs none
        usable = [leg for leg in self._rates.get(currency_code, ()) if leg[0] <= day]
        if not usable:
            return None
        newest = max(usable)
        return newest if day - newest[0] <= MAX_AGE else None
