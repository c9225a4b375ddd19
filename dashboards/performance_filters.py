"""The filter bar of the programme's pages: which currencies, groups and pilot can be chosen.

What does not belong here: reading the address (`filters`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dashboards.errors import BadInputError
from dashboards.filters import COMPARES, PERIODS
from dashboards.performance import REVENUE_TABLE

if TYPE_CHECKING:
    from dashboards.filters import Filters
    from dashboards.visit import Visit


def currencies_of(visit: Visit, present: set[str], partner_id: str = "") -> list[str]:
    """Currencies with anything to show: those with the most days of earnings first."""
    found = [
        row["currency_code"] for row in visit.rows("programme/currencies", partner_id=partner_id)
    ]
    if REVENUE_TABLE in present:
        rows = visit.rows("programme/revenue_currencies", partner_id=partner_id)
        found += [row["currency_code"] for row in rows if row["currency_code"] not in found]
    return found


def in_one_currency(filters: Filters, known: list[str], otherwise: str) -> Filters:
    """The same filters in a currency: the asked one, else the one with most earnings.

    otherwise: where nothing was earned yet.
    """
    return replace(filters, currency=filters.currency or (known[0] if known else otherwise))


def check_group(filters: Filters, groups: list[dict[str, Any]]) -> None:
    """Raises: BadInputError for a group that no partner belongs to."""
    names = [row["group_name"] for row in groups]
    if filters.group and filters.group not in names:
        raise BadInputError(
            f"group={filters.group[:40]}: no partner belongs to it; known are {', '.join(names)}"
        )


def bar(
    filters: Filters, currencies: list[str], groups: list[dict[str, Any]], any_currency: str = ""
) -> Mapping[str, Any]:
    """Parameters of the macro `filter_bar`. any_currency: the label for no currency, if allowed."""
    codes = currencies
    if filters.currency and filters.currency not in codes:
        codes = [*codes, filters.currency]
    options = [(code, code) for code in codes]
    return {
        "filters": filters,
        "periods": list(PERIODS.items()),
        "compares": list(COMPARES.items()),
        "currencies": [("", any_currency), *options] if any_currency else options,
        "groups": [("", "All groups"), *((row["group_name"],) * 2 for row in groups)]
        if groups
        else [],
        "with_pilot": any(row["has_pilot"] for row in groups),
    }
