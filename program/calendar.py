"""Pay dates and cut-off dates (rule P4). Pure: days in, days out, no clock.

Does not belong here: which entries a batch takes (the payouts room).
"""

from __future__ import annotations

import calendar
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from program.errors import CalendarError

if TYPE_CHECKING:
    from program.schema_payouts import PayoutTerms, Schedule

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SATURDAY = 5
SEARCH_MARGIN_DAYS = 31
"""Nominal days looked at on both sides of a span: a business day never moves a date as far."""


@dataclass(frozen=True)
class PayDate:
    """A day on which partners are paid, and the last local day whose available entries it takes."""

    pay_date: date
    cutoff_date: date


def pay_calendar(
    payouts_terms: PayoutTerms,
    first: date,
    last: date,
    holidays: Collection[date] = frozenset(),
) -> list[PayDate]:
    """All pay dates from `first` to `last`, both included, in order, with their cut-offs (P4).

    The span is over actual pay dates, after they moved to a business day. The cut-off comes from
    the nominal day and never moves. When two nominal days fall on one pay date, it appears once,
    with the later cut-off, which takes everything the earlier one would have taken.
    holidays: days besides Saturdays and Sundays on which the rail does not pay; the `csv` rail has
    none.
    Raises: CalendarError if the span is reversed or reaches beyond the calendar's years.
    """
    if last < first:
        raise CalendarError(f"the pay calendar's span ends ({last}) before it begins ({first})")
    margin = timedelta(days=SEARCH_MARGIN_DAYS)
    try:
        search_first, search_last = first - margin, last + margin
    except OverflowError:
        raise CalendarError(f"no pay calendar can reach from {first} to {last}") from None
    schedule = payouts_terms.schedule
    cutoff_by_pay_date: dict[date, date] = {}
    for nominal in _nominal_days(schedule, search_first, search_last):
        pay_date = business_day(nominal, schedule.business_day, holidays)
        if first <= pay_date <= last:
            cutoff = _cutoff(schedule, nominal)
            known = cutoff_by_pay_date.get(pay_date, cutoff)
            cutoff_by_pay_date[pay_date] = max(known, cutoff)
    return [PayDate(day, cutoff) for day, cutoff in sorted(cutoff_by_pay_date.items())]


def rail_calendars(payouts_terms: PayoutTerms, first: date, last: date) -> dict[str, list[PayDate]]:
    """`pay_calendar` of each rail that the terms name, on the rail's own business days (P4)."""
    from program.holidays import rail_holidays

    margin = timedelta(days=SEARCH_MARGIN_DAYS)
    rails = {payouts_terms.rail_for("default"), *payouts_terms.rails.values()}
    return {
        rail: pay_calendar(
            payouts_terms, first, last, rail_holidays(rail, first - margin, last + margin)
        )
        for rail in sorted(rails)
    }


def next_pay_date(
    payouts_terms: PayoutTerms, after: date, holidays: Collection[date] = frozenset()
) -> PayDate:
    """The first pay date later than the day `after`."""
    tomorrow = after + timedelta(days=1)
    return pay_calendar(payouts_terms, tomorrow, after + timedelta(days=75), holidays)[0]


def business_day(day: date, direction: str, holidays: Collection[date] = frozenset()) -> date:
    """Move a day off weekends and holidays.

    direction: `next`, `previous`, or `any` (the day stays where it is).
    """
    if direction == "any":
        return day
    step = timedelta(days=1 if direction == "next" else -1)
    while day.weekday() >= SATURDAY or day in holidays:
        day += step
    return day


def add_years(day: date, years: int) -> date:
    """The same day in another year; 29 February becomes 28 February where it does not exist."""
    year = day.year + years
    return date(year, day.month, min(day.day, calendar.monthrange(year, day.month)[1]))


def _nominal_days(schedule: Schedule, first: date, last: date) -> Iterator[date]:
    if schedule.frequency == "weekly":
        weekday = WEEKDAYS.index(schedule.pay_weekday)
        day = first + timedelta(days=(weekday - first.weekday()) % 7)
        while day <= last:
            yield day
            day += timedelta(days=7)
        return
    days_of_month = (
        (schedule.pay_day,) if schedule.frequency == "monthly" else sorted(schedule.pay_days)
    )
    for month_index in range(first.year * 12 + first.month - 1, last.year * 12 + last.month):
        year, month = divmod(month_index, 12)
        length = calendar.monthrange(year, month + 1)[1]
        for day_of_month in days_of_month:
            nominal = date(year, month + 1, min(day_of_month, length))
            if first <= nominal <= last:
                yield nominal


def _cutoff(schedule: Schedule, nominal: date) -> date:
    """End of the month before for monthly programmes, else the day before the nominal pay day."""
    if schedule.frequency == "monthly":
        return nominal.replace(day=1) - timedelta(days=1)
    return nominal - timedelta(days=1)
