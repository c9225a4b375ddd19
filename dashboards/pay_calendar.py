"""Pay dates of the rails, as the terms give them, seen from the published night (P4).

What does not belong here: the rule (`program.calendar`) and what is due (`payouts`).
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from program.calendar import PayDate, rail_calendars

if TYPE_CHECKING:
    from dashboards.visit import Visit

# An entry's pay date is never further away than the longest hold and a month.
_SEEN = timedelta(days=800)
_EVER = date(1900, 1, 1)
_NEVER = (date(1, 1, 2), date(1, 1, 1))


def pay_dates(visit: Visit, first: date, last: date) -> dict[str, list[PayDate]]:
    """Pay dates of each rail from first to last, both included, with their cut-offs."""
    return rail_calendars(visit.workspace.program.payouts, first, last)


def available_between(visit: Visit, pay_date: date, currency_code: str) -> tuple[date, date]:
    """First and last available date of what that date pays if nothing stands in the way.

    Both included; a span that ends before it begins where nothing new is paid on that date: its
    cut-off lies behind the night, and what it pays is in batches.
    """
    as_of = visit.as_of
    terms = visit.workspace.program.payouts
    rail = terms.rail_for(currency_code)
    dates = pay_dates(visit, as_of - timedelta(days=62), as_of + _SEEN)[rail]
    before = _EVER
    for each in dates:
        if each.cutoff_date <= as_of:
            continue
        if each.pay_date == pay_date:
            return before, each.cutoff_date
        before = each.cutoff_date + timedelta(days=1)
    return _NEVER
