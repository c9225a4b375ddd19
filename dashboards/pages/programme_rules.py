"""The rules in force, in words: of the programme, and those that apply to one partner.

What does not belong here: choosing the words (`Services`), which come from the terms themselves.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from dashboards.errors import NotFoundError
from dashboards.markdown import to_html
from dashboards.paging import asked_text
from dashboards.routing import page
from dashboards.tables import Column, Table
from dashboards.users import STAFF

if TYPE_CHECKING:
    from starlette.responses import Response

    from dashboards.visit import Visit

# program.schema_base.OPEN_END: the end of a version that has none.
_OPEN_END = date(2200, 1, 1)
NOW, LATER, PAST = "in_force", "later", "past"
VERSION_STATES = {NOW: "In force", LATER: "Later", PAST: "Past"}


def rules(visit: Visit) -> Response:
    """The programme's rules; a chosen partner leads to theirs."""
    partner_id = asked_text(visit, "partner")
    if partner_id:
        return visit.redirect(_address(partner_id))
    versions = visit.rows("programme/plan_versions")
    return visit.render(
        "programme/rules.html",
        tables=[_versions(versions, visit.as_of)],
        text=to_html(visit.services.programme_rules()),
        partner="",
        partners=visit.rows("programme/partner_names"),
        is_changed=_is_changed(visit),
    )


def partner_rules(visit: Visit) -> Response:
    """The rules that apply to one partner."""
    partner_id = visit.path("partner_id")
    if visit.row("access/partner", partner_id=partner_id) is None:
        raise NotFoundError(f"there is no partner {partner_id!r} in the published snapshot")
    return visit.render(
        "programme/rules.html",
        text=to_html(visit.services.partner_rules(partner_id)),
        partner=partner_id,
        partners=visit.rows("programme/partner_names"),
        is_changed=_is_changed(visit),
    )


def _is_changed(visit: Visit) -> bool:
    """Whether the terms are others than those from which the night computed its numbers."""
    return visit.workspace.terms_hash != visit.pointer.terms_hash


def _address(partner_id: str) -> str:
    from urllib.parse import quote

    return f"/rules/{quote(partner_id, safe='')}"


def _versions(rows: list[dict[str, Any]], as_of: date) -> Table:
    return Table(
        "versions",
        "Versions of the plans",
        [
            Column("plan_id", "Plan"),
            Column("plan_version", "Version"),
            Column("valid_from_date", "From", "date"),
            Column("until", "Until, that day excluded", "date"),
            Column("state", "On the snapshot's day", "badge", words=VERSION_STATES),
            Column("components", "Components"),
        ],
        [
            {
                **row,
                "until": row["valid_to_date"] if row["valid_to_date"] != _OPEN_END else None,
                "state": _state(row, as_of),
            }
            for row in rows
        ],
        empty="The night knew no plan.",
    )


def _state(row: dict[str, Any], day: date) -> str:
    if row["valid_from_date"] and row["valid_from_date"] > day:
        return LATER
    return PAST if row["valid_to_date"] and row["valid_to_date"] <= day else NOW


ENTRIES = [page("/rules", rules, STAFF), page("/rules/{partner_id:path}", partner_rules, STAFF)]
