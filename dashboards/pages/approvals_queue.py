"""Approvals: what waits for whom, and what was decided."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from payouts.adjustments import load_adjustments
from payouts.approval_checks import required_approvals
from payouts.comparison import compare_with_last
from payouts.hashing import parse_instant
from payouts.pausing import is_paused
from payouts.records import list_batches, load_content, load_state
from payouts.states import LIVE_STATES

from dashboards import words
from dashboards.routing import page
from dashboards.tables import Column, Table
from dashboards.users import STAFF

if TYPE_CHECKING:
    from payouts.records import BatchSummary
    from sqlalchemy import Connection
    from starlette.responses import Response

    from dashboards.visit import Visit

_HISTORY = 50


def queue(visit: Visit) -> Response:
    """Live batches by pay date, then the history."""
    with visit.control() as connection:
        batches = list_batches(connection)
        live = [_waiting(visit, connection, each) for each in batches if each.state in LIVE_STATES]
        paused = is_paused(connection)
        adjustments = [each for each in load_adjustments(connection) if each.state == "proposed"]
    live.sort(key=lambda row: (row["pay_date"], row["currency_code"], row["rail"]))
    done = [
        vars(each) | {"decided": each.state} for each in batches if each.state not in LIVE_STATES
    ]
    number = visit.page_number()
    shown = done if visit.wants_csv else done[(number - 1) * _HISTORY : number * _HISTORY]
    return visit.render(
        "approvals/queue.html",
        tables=[_live_table(live), _history_table(shown, len(done))],
        pay_dates=_pay_dates(live),
        paused=paused,
        adjustments=adjustments,
        history=(number, _HISTORY, len(done)),
    )


def _waiting(visit: Visit, connection: Connection, batch: BatchSummary) -> dict[str, Any]:
    content, state = (
        load_content(connection, batch.batch_id),
        load_state(connection, batch.batch_id),
    )
    needed = required_approvals(content, visit.approval_rules)
    compared = compare_with_last(connection, batch.batch_id)
    roles = [approval.role for approval in state.approvals]
    waits = [role for role in needed if roles.count(role) < needed[role]]
    age = visit.now - parse_instant(batch.proposed_at)
    return {
        **vars(batch),
        "exceptions": len(content.exceptions),
        "difference_minor": None
        if compared.last_batch_id is None
        else compared.total_amount_minor - compared.last_total_amount_minor,
        "approvals": f"{len(roles)} of {sum(needed.values())}",
        "waits_for": " and ".join(waits) if waits else "export",
        "age_days": age.days,
        "days_left": max(visit.approval_rules.expire_days - age.days, 0),
    }


def _pay_dates(live: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Per pay date its totals, for the one click."""
    found: dict[date, dict[str, int]] = {}
    for row in live:
        totals = found.setdefault(row["pay_date"], {})
        code = row["currency_code"]
        totals[code] = totals.get(code, 0) + row["total_amount_minor"]
    return [{"pay_date": day, "totals": sorted(found[day].items())} for day in sorted(found)]


def _address(row: Any) -> str:
    return f"/approvals/{row['batch_id']}"


def _live_table(rows: list[dict[str, Any]]) -> Table:
    return Table(
        "waiting",
        "Waiting for somebody",
        [
            Column("batch_id", "Batch", "id", href=_address),
            Column("pay_date", "Pays on", "date"),
            Column("rail", "Rail"),
            Column("items", "Partners", "number"),
            Column("total_amount_minor", "Total", "money"),
            Column("difference_minor", "Against the last", "money"),
            Column("exceptions", "Exceptions", "number", hint="What needs a look first."),
            Column("state", "State", "badge", words=words.BATCH_STATES),
            Column("approvals", "Approvals"),
            Column("waits_for", "Waits for"),
            Column("age_days", "Days old", "number"),
            Column("days_left", "Days left", "number", hint="Then it is made again."),
        ],
        rows,
        empty="No batch waits. The next ones are proposed on the first night past a cut-off.",
    )


def _history_table(rows: list[dict[str, Any]], total: int) -> Table:
    return Table(
        "history",
        "Earlier batches",
        [
            Column("batch_id", "Batch", "id", href=_address),
            Column("pay_date", "Pays on", "date"),
            Column("rail", "Rail"),
            Column("items", "Partners", "number"),
            Column("total_amount_minor", "Total", "money"),
            Column("state", "State", "badge", words=words.BATCH_STATES),
        ],
        rows,
        total=total,
        empty="None yet.",
    )


ENTRIES = [page("/approvals", queue, STAFF)]
