"""Reference rates per 1 EUR on business days: a bounded integer random walk, rates as text.

The calendar is that of the euro reference rates (no weekends, no TARGET closing days), so every
weekend payment needs the rate of the Friday before. Conversion does not belong here.
"""

from datetime import date, timedelta
from random import Random

from ingest.sample.sizes import Sizes

# currency, decimals as published, first rate in units of the last decimal
_CURRENCIES = (("USD", 4, 10389), ("JPY", 2, 16306), ("GBP", 5, 82918))
_DAYS_BEFORE_START = 14
_STEP_MILLIONTHS = 7000
_BAND_PERCENT = 12


def rate_rows(sizes: Sizes) -> list[tuple[str, str, str]]:
    """Rows (rate_date, currency_code, rate) of all business days from before the start."""
    random = Random(f"{sizes.seed}:fx")
    levels = {code: first for code, _, first in _CURRENCIES}
    rows = []
    day = sizes.start - timedelta(days=_DAYS_BEFORE_START)
    while day < sizes.end:
        if is_business_day(day):
            for code, decimals, first in _CURRENCIES:
                levels[code] = _next_level(levels[code], first, random)
                rows.append((day.isoformat(), code, _text(levels[code], decimals)))
        day += timedelta(days=1)
    return rows


def is_business_day(day: date) -> bool:
    """Whether euro reference rates are published: Monday to Friday, no TARGET closing day."""
    if day.weekday() >= 5 or (day.month, day.day) in {
        (1, 1),
        (5, 1),
        (12, 25),
        (12, 26),
    }:
        return False
    easter = _easter(day.year)
    return day not in {easter - timedelta(days=2), easter + timedelta(days=1)}


def _next_level(level: int, first: int, random: Random) -> int:
    """One day's step, at most 0.7 %, turned around at the edges of the band."""
    step = level * random.randrange(-_STEP_MILLIONTHS, _STEP_MILLIONTHS + 1) // 1_000_000
    moved = level + step
    if abs(moved - first) * 100 > first * _BAND_PERCENT:
        moved = level - step
    return moved


def _text(level: int, decimals: int) -> str:
    """Level in units of the last decimal as decimal text: 10389, 4 is 1.0389."""
    digits = str(level).rjust(decimals + 1, "0")
    return f"{digits[:-decimals]}.{digits[-decimals:]}"


def _easter(year: int) -> date:
    """Easter Sunday (Gauss, as restated by Meeus, Jones and Butcher)."""
    a, b, c = year % 19, year // 100, year % 100
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    shift = h + weekday - 7 * ((a + 11 * h + 22 * weekday) // 451) + 114
    return date(year, shift // 31, shift % 31 + 1)
