"""The chart behind a tile: the metric step by step, beside the period compared with.

A share is shown by the two sums that it divides. What does not belong here: how steps are cut
(`steps`) and drawing (static/charts.js).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dashboards.charts import COUNT, Chart, Series
from dashboards.filters import COMPARES
from dashboards.metrics import metric
from dashboards.performance import LEADS_TABLE, REVENUE_TABLE, picked
from dashboards.steps import beside, steps_of

if TYPE_CHECKING:
    from dashboards.filters import Filters, Span
    from dashboards.steps import Steps
    from dashboards.visit import Visit

Rows = list[dict[str, Any]]
_AMOUNTS, _REVENUE, _LEADS, _ACTIVE = (
    "chart_amounts", "chart_revenue", "chart_leads", "chart_active",
)  # fmt: skip
_GROUP = ("group_name", "only_pilot")
# What each query asks for.
_ASKED = {
    _AMOUNTS: (*_GROUP, "currency", "partner_id"),
    _REVENUE: (*_GROUP, "currency", "partner_id"),
    _LEADS: _GROUP,
    _ACTIVE: _GROUP,
}
# Query, columns with their names, whether they are counts, kind of chart.
_CHARTS: Mapping[str, tuple[str, Mapping[str, str], bool, str]] = {
    "revenue": (_REVENUE, {"revenue": "Attributed revenue"}, False, "bar"),
    "earned": (_AMOUNTS, {"earned": "Commission earned"}, False, "bar"),
    "taken_back": (_AMOUNTS, {"taken_back": "Taken back"}, False, "bar"),
    "net": (_AMOUNTS, {"net": "Net commission"}, False, "bar"),
    "effective_rate": (
        _REVENUE, {"revenue": "Attributed revenue", "commission": "Net commission"}, False, "line",
    ),
    "active_partners": (_ACTIVE, {"active_partners": "Active partners"}, True, "bar"),
    "new_customers": (_LEADS, {"new_customers": "New customers"}, True, "bar"),
    "clawback_rate": (
        _AMOUNTS, {"earned": "Commission earned", "taken_back": "Taken back"}, False, "line",
    ),
    "lead_to_deal": (
        _LEADS, {"valid_leads": "Became valid", "cohort_deals_won": "Of these, won until now"},
        True, "line",
    ),
}  # fmt: skip
_TABLES = {_REVENUE: REVENUE_TABLE, _LEADS: LEADS_TABLE}
PAYABLE = "payable"
TILES = (*_CHARTS, PAYABLE)
_UNITS = {"day": "per day", "week": "per seven days, named by the first", "month": "per month"}


def chart_of(
    visit: Visit, filters: Filters, tile: str, present: set[str], name: str = "course"
) -> Chart | None:
    """The chart of a tile; None when the snapshot lacks its table. tile: one of TILES."""
    if tile == PAYABLE:
        return _payable(visit, filters, name)
    query, columns, is_count, kind = _CHARTS[tile]
    if query in _TABLES and _TABLES[query] not in present:
        return None
    steps = steps_of(filters.span)
    rows = _rows(visit, query, filters, steps)
    series = [Series(label, _column(rows, key)) for key, label in columns.items()]
    compared = filters.compared
    if compared and len(series) == 1:
        before = _rows(visit, query, filters, steps_of(compared, steps.unit))
        values = beside(_column(before, next(iter(columns))), len(steps.starts))
        series.append(Series(COMPARES[filters.compare], values, is_compared=True))
    each = metric(tile)
    return Chart(
        name,
        f"{each.label}, {_span_words(filters.span)}",
        _UNITS[steps.unit],
        kind,
        steps.labels,
        series,
        COUNT if is_count else filters.currency,
        steps.partial,
    )


def _rows(visit: Visit, query: str, filters: Filters, steps: Steps) -> Rows:
    asked = picked(filters, *_ASKED[query])
    return visit.rows(
        f"programme/{query}", **asked, starts=list(steps.starts), ends=list(steps.ends)
    )


def _column(rows: Rows, key: str) -> list[int]:
    if key == "net":
        return [row["earned"] - row["taken_back"] for row in rows]
    return [row[key] for row in rows]


def _payable(visit: Visit, filters: Filters, name: str) -> Chart:
    rows = visit.rows("programme/chart_payable", currency=filters.currency)
    return Chart(
        name,
        "Expected payouts by pay date",
        "all partners, before minimums and gates",
        "bar",
        [row["pay_date"].isoformat() for row in rows],
        [Series("Expected", [row["amount_minor"] for row in rows])],
        filters.currency,
    )


def _span_words(span: Span) -> str:
    return f"{span.start} to {span.end}"
