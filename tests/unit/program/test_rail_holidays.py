"""P4: days on which banks do not settle, against the tables that the ECB and the Federal Reserve
publish for 2025 to 2030."""

from __future__ import annotations

from datetime import date

import pytest

from program.holidays import rail_holidays

# New Year's Day, Good Friday, Easter Monday, 1 May, 25 and 26 December.
TARGET_EASTER = {
    2025: ("04-18", "04-21"),
    2026: ("04-03", "04-06"),
    2027: ("03-26", "03-29"),
    2028: ("04-14", "04-17"),
    2029: ("03-30", "04-02"),
    2030: ("04-19", "04-22"),
}
# As published: a day that falls on a Saturday leaves the Friday before it open.
FEDERAL_RESERVE = {
    2025: "01-01 01-20 02-17 05-26 06-19 07-04 09-01 10-13 11-11 11-27 12-25",
    2026: "01-01 01-19 02-16 05-25 06-19 07-04 09-07 10-12 11-11 11-26 12-25",
    2027: "01-01 01-18 02-15 05-31 06-19 07-05 09-06 10-11 11-11 11-25 12-25",
    2028: "01-01 01-17 02-21 05-29 06-19 07-04 09-04 10-09 11-11 11-23 12-25",
    2029: "01-01 01-15 02-19 05-28 06-19 07-04 09-03 10-08 11-12 11-22 12-25",
    2030: "01-01 01-21 02-18 05-27 06-19 07-04 09-02 10-14 11-11 11-28 12-25",
}


def _year(rail: str, year: int) -> list[str]:
    days = rail_holidays(rail, date(year, 1, 1), date(year, 12, 31))
    return [f"{day:%m-%d}" for day in sorted(days)]


@pytest.mark.parametrize("year", TARGET_EASTER)
def test_target_closing_days(year: int) -> None:
    assert _year("sepa", year) == ["01-01", *TARGET_EASTER[year], "05-01", "12-25", "12-26"]


@pytest.mark.parametrize("year", FEDERAL_RESERVE)
def test_federal_reserve_holidays(year: int) -> None:
    assert _year("nacha", year) == FEDERAL_RESERVE[year].split()


def test_a_saturday_leaves_the_friday_open() -> None:
    assert date(2026, 7, 3) not in rail_holidays("nacha", date(2026, 7, 1), date(2026, 7, 31))
    assert date(2027, 12, 31) not in rail_holidays("nacha", date(2027, 12, 1), date(2028, 1, 2))


@pytest.mark.parametrize("rail", ["csv", "paypal", "wise"])
def test_other_rails_have_none(rail: str) -> None:
    assert rail_holidays(rail, date(2025, 1, 1), date(2030, 12, 31)) == frozenset()


def test_both_ends_are_included_and_years_are_crossed() -> None:
    assert rail_holidays("sepa", date(2026, 12, 26), date(2027, 1, 1)) == {
        date(2026, 12, 26),
        date(2027, 1, 1),
    }
    assert rail_holidays("sepa", date(2026, 12, 27), date(2026, 12, 31)) == frozenset()
