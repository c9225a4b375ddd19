"""The first page: how the programme does, in one currency, and what waits for somebody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dashboards import addresses
from dashboards.deltas import shown
from dashboards.metrics import metric
from dashboards.paging import asked_code
from dashboards.payable import read_payable
from dashboards.performance import (
    LATER,
    REVENUE_TABLE,
    picked,
    read_performance,
    tables_present,
    tile,
)
from dashboards.performance_charts import PAYABLE, TILES, chart_of
from dashboards.performance_filters import bar, check_group, currencies_of, in_one_currency
from dashboards.routing import page
from dashboards.tables import Column, Table
from dashboards.tasks import tasks_of
from dashboards.templating import plural
from dashboards.users import STAFF

if TYPE_CHECKING:
    from starlette.responses import Response

    from dashboards.filters import Filters
    from dashboards.payable import Payable
    from dashboards.performance import Performance
    from dashboards.visit import Visit

_ORDER = (
    "revenue", "earned", "taken_back", "net", "effective_rate", "active_partners",
    "new_customers", PAYABLE, "clawback_rate", "lead_to_deal",
)  # fmt: skip
_DEFAULT_TILE = "net"
_TOP = 25
# Stage of the funnel, its column in performance_leads.sql.
_FUNNEL = (
    ("Became valid", "valid_leads"),
    ("Signed up", "signups"),
    ("Demo booked", "demos_booked"),
    ("Demo held", "demos_held"),
    ("Deal won", "deals_won"),
    ("First payment", "new_customers"),
)


def overview(visit: Visit) -> Response:
    """Tiles, the chart of one of them, tasks, the best partners, new against recurring, funnel."""
    chosen = asked_code(visit, "tile", TILES) or _DEFAULT_TILE
    present = tables_present(visit)
    groups = visit.rows("programme/groups")
    currencies = currencies_of(visit, present)
    filters = in_one_currency(
        visit.filters(), currencies, visit.metadata["reporting_currency_code"]
    )
    check_group(filters, groups)
    performance = read_performance(visit, filters, present)
    payable = read_payable(visit, filters)
    chart = chart_of(visit, filters, chosen, present)
    return visit.render(
        "programme/overview.html",
        tables=[
            _top_partners(visit, filters, present),
            _new_and_recurring(performance),
            _funnel(performance),
            _exceptions(visit),
        ],
        charts=[chart] if chart else [],
        drawn=chart if chart and chart.x else None,
        chart_note=LATER if chart is None else "Nothing is expected to be paid.",
        bar=bar(filters, currencies, groups),
        tile_chosen=chosen,
        tiles=[
            _tile(performance, payable, name) | {
                "href": f"/?{filters.query(tile=name)}", "is_chosen": name == chosen,
            }
            for name in _ORDER
        ],
        maturity=_maturity(performance),
        tasks=tasks_of(visit, payable),
        is_empty=not currencies,
        filters=filters,
    )  # fmt: skip


def _tile(performance: Performance, payable: Payable, name: str) -> dict[str, Any]:
    if name != PAYABLE:
        return tile(performance, name)
    each, code = metric(PAYABLE), performance.currency
    partners = payable.partners.get(code, 0)
    return {
        "label": each.label,
        "value": shown(each, payable.amounts_minor.get(code, 0), code),
        "hint": each.definition,
        "delta": f"to {plural(partners, 'partner')}",
        "delta_tone": "neutral",
    }


def _maturity(performance: Performance) -> str:
    """How ripe the cohort of the period is."""
    leads = performance.leads
    if not leads or not leads["valid_leads"] or leads["usual_days"] is None:
        return ""
    usual = plural(leads["usual_days"], "day")
    if not leads["young_leads"]:
        return f"Lead to deal: every lead of the period is older than the usual {usual} to a deal."
    return (
        f"Lead to deal: {leads['young_leads']} of {plural(leads['valid_leads'], 'lead')} of the "
        f"period have had less than the usual {usual} to a deal, so the rate will still grow."
    )


def _top_partners(visit: Visit, filters: Filters, present: set[str]) -> Table:
    span = picked(filters, "start", "end")
    rows = visit.rows(
        "programme/top_partners",
        **picked(filters, "start", "end", "currency", "group_name", "only_pilot"),
        limit=_TOP,
    )
    revenue: dict[str, int] = {}
    if REVENUE_TABLE in present:
        for row in visit.rows("programme/partner_revenue", **span):
            if row["currency_code"] == filters.currency:
                revenue[row["partner_id"]] = row["revenue"]
    for row in rows:
        row["currency_code"] = filters.currency
        row["revenue"] = revenue.get(row["partner_id"], 0) if REVENUE_TABLE in present else None
        row["clawback_rate"] = (row["taken_back"], row["earned"])
    return Table(
        "top-partners",
        f"Top {_TOP} partners by net commission",
        [
            Column("partner_id", "Partner", "id", is_csv_only=True),
            Column("name", "Partner", href=lambda row: addresses.partner(row["partner_id"])),
            Column("group_name", "Group"),
            Column("revenue", "Revenue", "money", hint=metric("revenue").definition),
            Column("earned", "Earned", "money"),
            Column("taken_back", "Taken back", "money"),
            Column("net", "Net", "money"),
            Column("clawback_rate", "Clawback", "percent", hint=metric("clawback_rate").definition),
            Column("valid_leads", "Valid leads", "number"),
            Column("deals_won", "Deals won", "number"),
            Column("new_customers", "New customers", "number"),
        ],
        [row | {"name": row["name"] or row["partner_id"]} for row in rows],
        empty=f"No partner earned anything in {filters.currency} in this period.",
        note="A lead that several partners share counts for each of them here, and once above.",
    )


def _new_and_recurring(performance: Performance) -> Table:
    rows = []
    for name in ("first_invoices", "later_invoices", "returned", "revenue"):
        if performance.now.get(name) is None:
            continue
        is_returned = name == "returned"
        values = [performance.now.get(name), performance.before.get(name)]
        now, before = (
            -value if is_returned and isinstance(value, int) else value for value in values
        )
        rows.append(
            {
                "metric": metric(name).label,
                "now": now,
                "before": before,
                "currency_code": performance.currency,
            }
        )
    return Table(
        "new-and-recurring",
        "New against recurring revenue",
        [
            Column("metric", "Revenue"),
            Column("now", "In the period", "money"),
            Column("before", "Compared with", "money"),
        ],
        rows,
        empty=f"{LATER}.",
    )


def _funnel(performance: Performance) -> Table:
    leads = performance.leads
    rows = []
    for label, name in _FUNNEL if leads else ():
        reached = leads["valid_leads" if name == "valid_leads" else f"cohort_{name}"]
        rows.append(
            {
                "stage": label,
                "now": leads[name],
                "before": leads[f"{name}_before"] if performance.before else None,
                "reached": reached,
                "share": (reached, leads["valid_leads"]),
            }
        )
    return Table(
        "funnel",
        "Funnel",
        [
            Column("stage", "Stage"),
            Column("now", "In the period", "number"),
            Column("before", "Compared with", "number"),
            Column("reached", "Of the period's valid leads, by now", "number"),
            Column("share", "Share", "percent"),
        ],
        rows,
        empty=f"{LATER}.",
        note="Credited leads, each once. In the period: whenever they began.",
    )


def _exceptions(visit: Visit) -> Table:
    rows = visit.rows("programme/exception_owners")
    return Table(
        "exceptions",
        "Exceptions by owner",
        [
            Column("severity", "Severity", "badge", href=lambda _row: "/health"),
            Column("owner", "Owner"),
            Column("exceptions", "How many", "number"),
            Column("oldest_date", "Oldest", "date"),
        ],
        rows,
        empty="Nothing needs a person.",
    )


ENTRIES = [page("/", overview, STAFF)]
