"""Updates that owners and partners owe on leads, the longest overdue first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dashboards import addresses
from dashboards.paging import SIZE, window
from dashboards.routing import page
from dashboards.tables import Column, Table
from dashboards.users import STAFF

if TYPE_CHECKING:
    from starlette.responses import Response

    from dashboards.visit import Visit

_REASONS = {"asked": "Somebody asked", "stale": "No movement"}


def follow_ups(visit: Visit) -> Response:
    """One list; its file holds all rows."""
    updates = visit.rows("programme/update_requests", **window(visit, "updates"))
    total = updates[0]["requests"] if updates else 0
    return visit.render(
        "programme/follow_ups.html",
        tables=[_updates(updates, total)],
        page_number=visit.page_number(),
        page_size=SIZE,
        total=total,
    )


def _updates(rows: list[dict[str, Any]], total: int) -> Table:
    return Table(
        "updates",
        "Updates that are owed",
        [
            Column("state", "State", "badge"),
            Column("lead_id", "Lead", "id", href=lambda row: addresses.lead(row["lead_id"])),
            Column("company_domain", "Company"),
            Column("reason", "Why", words=_REASONS),
            Column("asked_of", "Owed by"),
            Column("owner", "Owner of the lead"),
            Column("asked_at", "Asked", "instant"),
            Column("due_at", "Due", "instant"),
            Column("reminders_due", "Reminders", "number"),
            Column("request_id", "Request", is_csv_only=True),
        ],
        rows,
        empty="Nobody owes an answer.",
        total=total,
    )


ENTRIES = [page("/follow-ups", follow_ups, STAFF)]
