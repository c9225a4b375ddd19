"""Days besides Saturdays and Sundays on which a payout rail moves no money (rule P4).

What belongs here: which published calendar a rail follows. What does not: moving a pay date off
them (``program.calendar``). The dates come from the package `holidays`; only the observed day of a
Federal Reserve holiday is worked out here.
Sources: the ECB's TARGET calendar; Federal Reserve Financial Services' holiday schedule.
"""

from __future__ import annotations

from datetime import date, timedelta

SUNDAY = 6


def rail_holidays(rail: str, first: date, last: date) -> frozenset[date]:
    """The rail's holidays from ``first`` to ``last``, both included.

    sepa: TARGET closing days. nacha: days on which the Federal Reserve Banks are closed. Every
    other rail has none: a file of PayPal or Wise may be uploaded on any day.
    """
    years = range(first.year, last.year + 1)
    if rail == "sepa":
        days = _target_closing_days(years)
    elif rail == "nacha":
        days = _federal_reserve_holidays(years)
    else:
        return frozenset()
    return frozenset(day for day in days if first <= day <= last)


def _target_closing_days(years: range) -> set[date]:
    from holidays import financial_holidays

    return set(financial_holidays("XECB", years=years))


def _federal_reserve_holidays(years: range) -> set[date]:
    """A holiday on a Sunday is kept on Monday; one on a Saturday leaves the Friday open."""
    from holidays import country_holidays

    days = country_holidays("US", years=years, observed=False)
    return {day + timedelta(days=1) if day.weekday() == SUNDAY else day for day in days}
