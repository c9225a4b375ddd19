"""Pay dates and cut-offs (P4)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from program.calendar import PayDate, add_years, business_day, next_pay_date, pay_calendar
from program.errors import CalendarError
from program.schema_payouts import PayoutTerms


def _payouts(**schedule: object) -> PayoutTerms:
    return PayoutTerms.model_validate({"schedule": schedule})


def _dates(payouts: PayoutTerms, first: date, last: date) -> list[tuple[date, date]]:
    return [(day.pay_date, day.cutoff_date) for day in pay_calendar(payouts, first, last)]


def test_monthly_pays_on_pay_day_what_was_available_at_end_of_month_before() -> None:
    assert _dates(_payouts(), date(2026, 1, 1), date(2026, 4, 30)) == [
        (date(2026, 1, 15), date(2025, 12, 31)),
        (date(2026, 2, 16), date(2026, 1, 31)),  # 15 February is a Sunday
        (date(2026, 3, 16), date(2026, 2, 28)),
        (date(2026, 4, 15), date(2026, 3, 31)),
    ]


def test_monthly_pay_day_that_month_lacks_becomes_its_last_day() -> None:
    payouts = _payouts(pay_day=31, business_day="any")
    assert [day for day, _ in _dates(payouts, date(2024, 1, 1), date(2024, 4, 30))] == [
        date(2024, 1, 31),
        date(2024, 2, 29),
        date(2024, 3, 31),
        date(2024, 4, 30),
    ]


def test_next_business_day_that_leaves_the_month_keeps_the_cutoff_of_the_nominal_day() -> None:
    # 31 January 2026 is a Saturday: paid on 2 February, still for December.
    payouts = _payouts(pay_day=31)
    assert _dates(payouts, date(2026, 2, 1), date(2026, 2, 28)) == [
        (date(2026, 2, 2), date(2025, 12, 31)),
    ]
    # 28 February 2026 is a Saturday too, and moves out of the month.
    assert _dates(payouts, date(2026, 3, 1), date(2026, 3, 30)) == [
        (date(2026, 3, 2), date(2026, 1, 31)),
    ]


def test_previous_business_day_that_leaves_the_year_keeps_the_cutoff() -> None:
    # 1 January 2028 is a Saturday: paid on Friday, 31 December 2027.
    payouts = _payouts(pay_day=1, business_day="previous")
    assert _dates(payouts, date(2027, 12, 15), date(2028, 1, 31)) == [
        (date(2027, 12, 31), date(2027, 12, 31)),
    ]


def test_twice_monthly_cuts_off_on_the_day_before_the_nominal_day() -> None:
    payouts = _payouts(frequency="twice_monthly", pay_days=[15, 1])
    assert _dates(payouts, date(2026, 2, 1), date(2026, 3, 16)) == [
        (date(2026, 2, 2), date(2026, 1, 31)),
        (date(2026, 2, 16), date(2026, 2, 14)),
        (date(2026, 3, 2), date(2026, 2, 28)),
        (date(2026, 3, 16), date(2026, 3, 14)),
    ]


def test_two_nominal_days_on_one_pay_date_appear_once_with_the_later_cutoff() -> None:
    payouts = _payouts(frequency="twice_monthly", pay_days=[14, 15])
    assert _dates(payouts, date(2026, 2, 1), date(2026, 2, 28)) == [
        (date(2026, 2, 16), date(2026, 2, 14)),
    ]
    clipped = _payouts(frequency="twice_monthly", pay_days=[30, 31], business_day="any")
    assert _dates(clipped, date(2026, 2, 1), date(2026, 2, 28)) == [
        (date(2026, 2, 28), date(2026, 2, 27)),
    ]


def test_weekly_pays_on_weekday_across_year_end() -> None:
    payouts = _payouts(frequency="weekly", pay_weekday="friday")
    assert _dates(payouts, date(2025, 12, 26), date(2026, 1, 2)) == [
        (date(2025, 12, 26), date(2025, 12, 25)),
        (date(2026, 1, 2), date(2026, 1, 1)),
    ]


def test_weekly_on_weekend_moves_and_keeps_the_cutoff() -> None:
    payouts = _payouts(frequency="weekly", pay_weekday="sunday")
    assert _dates(payouts, date(2026, 3, 2), date(2026, 3, 2)) == [
        (date(2026, 3, 2), date(2026, 2, 28)),
    ]


def test_holiday_of_the_rail_moves_the_pay_date_and_not_the_cutoff() -> None:
    payouts = _payouts()
    holidays = {date(2026, 2, 16)}
    assert pay_calendar(payouts, date(2026, 2, 1), date(2026, 2, 28), holidays) == [
        PayDate(date(2026, 2, 17), date(2026, 1, 31))
    ]


def test_next_pay_date_is_later_than_the_day_itself() -> None:
    payouts = _payouts()
    assert next_pay_date(payouts, date(2026, 1, 14)).pay_date == date(2026, 1, 15)
    assert next_pay_date(payouts, date(2026, 1, 15)).pay_date == date(2026, 2, 16)


def test_span_that_is_reversed_is_refused() -> None:
    with pytest.raises(CalendarError, match="before it begins"):
        pay_calendar(_payouts(), date(2026, 2, 2), date(2026, 2, 1))


def test_business_day_any_stays_on_weekend() -> None:
    assert business_day(date(2026, 2, 14), "any") == date(2026, 2, 14)
    assert business_day(date(2026, 2, 14), "previous") == date(2026, 2, 13)


def test_add_years_on_leap_day_is_clipped() -> None:
    assert add_years(date(2024, 2, 29), -10) == date(2014, 2, 28)
    assert add_years(date(2024, 2, 29), 4) == date(2028, 2, 29)


SCHEDULES = st.one_of(
    st.builds(lambda day: {"pay_day": day}, st.integers(1, 31)),
    st.builds(
        lambda days: {"frequency": "twice_monthly", "pay_days": days},
        st.lists(st.integers(1, 31), min_size=2, max_size=2, unique=True),
    ),
    st.builds(
        lambda day: {"frequency": "weekly", "pay_weekday": day},
        st.sampled_from(["monday", "friday", "saturday", "sunday"]),
    ),
)


@given(
    SCHEDULES,
    st.sampled_from(["next", "previous", "any"]),
    st.dates(date(2000, 1, 1), date(2060, 1, 1)),
)
def test_calendar_cut_anywhere_is_the_same_calendar(
    schedule: dict[str, object], direction: str, cut: date
) -> None:
    payouts = _payouts(**schedule, business_day=direction)
    first, last = date(cut.year - 1, 1, 1), date(cut.year + 1, 12, 31)
    whole = pay_calendar(payouts, first, last)
    before = [day for day in whole if day.pay_date <= cut]
    assert pay_calendar(payouts, first, cut) == before
    assert whole == sorted(whole, key=lambda day: (day.pay_date, day.cutoff_date))
    cutoffs = [day.cutoff_date for day in whole]
    assert cutoffs == sorted(set(cutoffs))
    # A pay day that moved back over a weekend may come before its cut-off, which never moves.
    latest = timedelta(days=-1 if direction != "previous" else 1)
    assert all(day.cutoff_date - day.pay_date <= latest for day in whole)
