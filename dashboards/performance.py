"""The numbers of a period and of the one it is compared with, for a whole programme or one partner.

Small tables by day and lead alone are read (queries/programme/performance_*.sql). A snapshot of a
night before a table existed gives None for its metrics. What does not belong here: how numbers are
shown (`deltas`, templates) and what is over a whole list (`pages`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dashboards.deltas import Value, delta, shown
from dashboards.metrics import metric

if TYPE_CHECKING:
    from dashboards.filters import Filters
    from dashboards.visit import Visit

REVENUE_TABLE, LEADS_TABLE = "fct_partner_revenue_daily", "fct_lead_daily"
JOURNEYS_TABLE = "fct_lead_journeys"
LATER = "Comes with the next night"
_GROUP = ("group_name", "only_pilot")
_SPANS = ("start", "end", "compare_start", "compare_end")


@dataclass(frozen=True)
class Performance:
    """Values by metric id, of the period and of the compared one (empty when none is).

    now, before: see `deltas.Value`; a metric is missing where the snapshot lacks its table. leads:
    the row of performance_leads.sql; None likewise.
    """

    currency: str
    now: Mapping[str, Value]
    before: Mapping[str, Value]
    leads: Mapping[str, Any] | None


def read_performance(visit: Visit, filters: Filters, present: set[str]) -> Performance:
    """All metrics of the filters' scope, in the filters' currency. present: `tables_present`."""
    asked = picked(filters, *_SPANS, *_GROUP, "currency", "partner_id")
    amounts = visit.row("programme/performance_amounts", **asked)
    revenue = leads = None
    if REVENUE_TABLE in present:
        revenue = visit.row("programme/performance_revenue", **asked)
    if filters.partner_id:
        if JOURNEYS_TABLE in present:
            asked = picked(filters, *_SPANS, "partner_id")
            leads = visit.row("programme/partner_performance_leads", **asked)
    elif LEADS_TABLE in present:
        asked = picked(filters, *_SPANS, *_GROUP)
        leads = visit.row("programme/performance_leads", **asked, as_of=visit.as_of)
    return Performance(
        filters.currency,
        _values(amounts, revenue, leads, ""),
        _values(amounts, revenue, leads, "_before") if filters.compared else {},
        leads,
    )


def tables_present(visit: Visit) -> set[str]:
    """Which marts the snapshot holds."""
    return {row["table_name"] for row in visit.rows("programme/tables_present")}


def picked(filters: Filters, *names: str) -> dict[str, Any]:
    """Some of the filters, for a query that asks for them by name."""
    values = filters.values()
    return {name: values[name] for name in names}


def tile(performance: Performance, metric_id: str, **more: Any) -> dict[str, Any]:
    """What the macro `tile` shows of a metric. more: its other parameters."""
    each = metric(metric_id)
    value = performance.now.get(metric_id)
    change = delta(each, value, performance.before.get(metric_id), performance.currency)
    return {
        "label": each.label,
        "value": shown(each, value, performance.currency),
        "hint": each.definition,
        "delta": LATER if value is None else change.text,
        "delta_tone": change.tone,
        **more,
    }


def _values(
    amounts: Mapping[str, Any] | None,
    revenue: Mapping[str, Any] | None,
    leads: Mapping[str, Any] | None,
    ending: str,
) -> dict[str, Value]:
    values: dict[str, Value] = {}
    if amounts:
        earned, taken_back = amounts[f"earned{ending}"], amounts[f"taken_back{ending}"]
        values |= {
            "earned": earned,
            "taken_back": taken_back,
            "net": earned - taken_back,
            "clawback_rate": (taken_back, earned),
            "active_partners": amounts[f"active_partners{ending}"],
        }
    if revenue:
        names = ("revenue", "first_invoices", "later_invoices", "returned")
        values |= {name: revenue[f"{name}{ending}"] for name in names}
        values["effective_rate"] = (revenue[f"commission{ending}"], revenue[f"revenue{ending}"])
    if leads:
        names = ("valid_leads", "demos_held", "deals_won", "new_customers")
        values |= {name: leads[f"{name}{ending}"] for name in names}
        values["days_to_deal"] = leads.get(f"days_to_deal{ending}")
        values["lead_to_deal"] = (
            leads[f"cohort_deals_won{ending}"], leads[f"valid_leads{ending}"],
        )  # fmt: skip
    return values
