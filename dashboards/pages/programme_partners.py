"""All partners: how each does in a period, sorted by what the address asks for."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

from dashboards import addresses
from dashboards.errors import BadInputError
from dashboards.metrics import metric
from dashboards.paging import SIZE, asked_code, asked_text
from dashboards.performance import JOURNEYS_TABLE, REVENUE_TABLE, picked, tables_present
from dashboards.performance_filters import bar, check_group
from dashboards.routing import page
from dashboards.tables import Column, Table
from dashboards.users import STAFF

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.responses import Response

    from dashboards.filters import Filters
    from dashboards.visit import Visit

Row = dict[str, Any]
_STATUSES = ("active", "applied", "paused", "terminated")
# What can be sorted by, largest first where a minus stands before it: label, key of the row.
_SORTS = {
    "-net": ("Net commission", "net"),
    "-revenue": ("Revenue", "revenue"),
    "-balance": ("Balance", "balance_amount_minor"),
    "-valid_leads": ("Valid leads", "valid_leads"),
    "-demos_held": ("Demos held", "demos_held"),
    "-deals_won": ("Deals won", "deals_won"),
    "-new_customers": ("New customers", "new_customers"),
    "-lead_to_deal": ("Lead to deal", "lead_to_deal"),
    "days_to_deal": ("Days to deal", "days_to_deal"),
    "-clawback_rate": ("Clawback rate", "clawback_rate"),
    "-last_activity": ("Last activity", "last_activity_date"),
    "last_activity": ("Longest without activity", "last_activity_date"),
    "name": ("Name", "name"),
}
_DEFAULT_SORT = "-net"
# Amounts compare within their currency alone.
_AMOUNTS = ("net", "revenue", "balance_amount_minor")


def partners(visit: Visit) -> Response:
    """The list; amounts of each partner in the currency that it is paid in."""
    present = tables_present(visit)
    groups = visit.rows("programme/groups")
    filters = visit.filters()
    check_group(filters, groups)
    sort = asked_code(visit, "sort", _SORTS) or _DEFAULT_SORT
    search, status = asked_text(visit, "q"), asked_code(visit, "status", _STATUSES)
    rows = sorted_rows(_rows(visit, filters, present, search, status), sort)
    number = visit.page_number()
    if number > 1 and (number - 1) * SIZE >= len(rows):
        raise BadInputError(f"page={number}: there are {len(rows)} partners, {SIZE} on a page")
    shown = rows if visit.wants_csv else rows[(number - 1) * SIZE : number * SIZE]
    return visit.render(
        "programme/partners.html",
        tables=[_table(shown, len(rows))],
        bar=bar(filters, _currencies(visit), groups, any_currency="Any") | {"compares": None},
        filters=filters,
        sorts=[(key, label) for key, (label, _) in _SORTS.items()],
        sort=sort,
        search=search,
        chosen_status=status,
        statuses=[("", "Any"), *((each, each.capitalize()) for each in _STATUSES)],
        page_number=number,
        page_size=SIZE,
        total=len(rows),
    )


def sorted_rows(rows: list[Row], sort: str) -> list[Row]:
    """rows in the order that is asked for; those without a value come last, ties by id."""
    key = _SORTS[sort][1]
    by_id = sorted(rows, key=lambda row: row["partner_id"])
    known = [row for row in by_id if _sortable(row[key]) is not None]
    unknown = [row for row in by_id if _sortable(row[key]) is None]
    ordered = sorted(known, key=_of(key), reverse=sort.startswith("-"))
    if key in _AMOUNTS:
        ordered.sort(key=lambda row: row["currency_code"])
    return ordered + unknown


def _of(key: str) -> Callable[[Row], Any]:
    return lambda row: _sortable(row[key])


def _sortable(value: Any) -> Any:
    if isinstance(value, tuple):
        return Fraction(*value) if value[1] else None
    return value.casefold() if isinstance(value, str) else value


def _currencies(visit: Visit) -> list[str]:
    return [row["currency_code"] for row in visit.rows("programme/partner_currencies")]


def _rows(visit: Visit, filters: Filters, present: set[str], search: str, status: str) -> list[Row]:
    span = picked(filters, "start", "end")
    rows = visit.rows(
        "programme/partners",
        **picked(filters, "start", "end", "currency", "group_name", "only_pilot"),
        search=search,
        status=status,
    )
    revenue: dict[tuple[str, str], int] = {}
    cohorts: dict[str, Row] = {}
    if REVENUE_TABLE in present:
        revenue = {
            (row["partner_id"], row["currency_code"]): row["revenue"]
            for row in visit.rows("programme/partner_revenue", **span)
        }
    if JOURNEYS_TABLE in present:
        cohorts = {
            row["partner_id"]: row for row in visit.rows("programme/partner_cohorts", **span)
        }
    nobody = {"cohort_deals_won": 0, "cohort_leads": 0, "days_to_deal": None}
    for row in rows:
        key = (row["partner_id"], row["currency_code"])
        cohort = cohorts.get(row["partner_id"], nobody)
        row["name"] = row["name"] or row["partner_id"]
        row["revenue"] = revenue.get(key, 0) if REVENUE_TABLE in present else None
        row["clawback_rate"] = (row["taken_back"], row["earned"])
        row["lead_to_deal"] = (cohort["cohort_deals_won"], cohort["cohort_leads"])
        row["days_to_deal"] = cohort["days_to_deal"]
    return rows


def _table(rows: list[Row], total: int) -> Table:
    return Table(
        "partners",
        "Partners",
        [
            Column("partner_id", "Partner id", "id", is_csv_only=True),
            Column("name", "Partner", href=lambda row: addresses.partner(row["partner_id"])),
            Column("group_name", "Group"),
            Column("status", "Status", "badge"),
            Column("net", "Net", "money"),
            Column("balance_amount_minor", "Balance", "money"),
            Column("revenue", "Revenue", "money", hint=metric("revenue").definition),
            Column("clawback_rate", "Clawback", "percent"),
            Column("valid_leads", "Leads", "number"),
            Column("demos_held", "Demos", "number"),
            Column("deals_won", "Deals", "number"),
            Column("new_customers", "Customers", "number"),
            Column(
                "lead_to_deal", "Lead to deal", "percent", hint=metric("lead_to_deal").definition
            ),
            Column("days_to_deal", "Days", "number", hint=metric("days_to_deal").definition),
            Column("last_activity_date", "Last activity", "date"),
            Column("is_pilot", "Pilot", "yes_no", is_csv_only=True),
            Column("plan_id", "Plan", is_csv_only=True),
            Column("joined_at", "Joined", "instant", is_csv_only=True),
        ],
        rows,
        empty="No partner matches. Take a filter away.",
        total=total,
        note="Amounts are in the currency in which each partner is paid today, and compare within "
        "it; revenue is that of invoices in it. A lead that several partners share counts for "
        "each of them.",
    )


ENTRIES = [page("/partners", partners, STAFF)]
