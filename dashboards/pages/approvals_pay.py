"""One click: all ready batches of a pay date, after typing the total that stands above."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from dashboards import words
from dashboards.errors import BadInputError, ForbiddenError, NotFoundError
from dashboards.routing import action, page
from dashboards.tables import Column, Table
from dashboards.users import APPROVERS

if TYPE_CHECKING:
    from starlette.responses import Response

    from dashboards.visit import Visit

_ROLES = ("partnerships", "finance")
_ACTS = {
    "approve": "Approved by you",
    "export": "Exported",
    "wait": "Waits",
    "stale": "Out of date",
}


def look(visit: Visit) -> Response:
    """What would be done; nothing is written."""
    day, role = _pay_date(visit), _role(visit, visit.asked("role"))
    with_export = visit.asked("export") == "1"
    payment = visit.services.look_at_pay_date(
        visit.store, day, visit.user.subject, role, (), with_export, visit.now
    )
    plan = payment.plan
    if not plan.batches:
        raise NotFoundError(f"no batch waits for {day}")
    differences = {
        each.batch_id: each.total_amount_minor - each.last_total_amount_minor
        for each in payment.comparisons
        if each.last_batch_id is not None
    }
    return visit.render(
        "approvals/pay.html",
        tables=[_batches(plan.batches, differences), _files(payment.previews)],
        plan=plan,
        role=role,
        roles=[each for each in _ROLES if each in visit.user.roles],
        with_export=with_export,
        totals=sorted(plan.totals_minor.items()),
        failures=sorted(payment.failures.items()),
    )


def pay(visit: Visit) -> Response:
    """Approve, and export what is complete, if every total was typed as it is."""
    day, role = _pay_date(visit), _role(visit, visit.required("role", 20))
    codes = [name.removeprefix("total_") for name in visit.form if name.startswith("total_")]
    typed = [_typed(visit.required(f"total_{code}", 40), code) for code in codes]
    payment = visit.services.pay_pay_date(
        visit.store, day, visit.user.subject, role, typed, visit.field("export") == "1", visit.now,
        visit.user.identity_level,
    )  # fmt: skip
    approved = len(payment.plan.acting("approve"))
    said = [f"{approved} batch{'es' if approved != 1 else ''} approved"] if approved else []
    if payment.exports:
        said.append(f"{len(payment.exports)} exported")
    said += [f"{batch_id} was not exported: {why}" for batch_id, why in payment.failures.items()]
    return visit.redirect("/approvals", "; ".join(said) + ".")


def _typed(text: str, code: str) -> str:
    """A typed total with its currency; a person may have written that too."""
    plain = text.replace("\u202f", "").replace("\u00a0", "").replace(" ", "")
    return plain if plain.upper().endswith(code) else f"{plain} {code}"


def _pay_date(visit: Visit) -> date:
    try:
        return date.fromisoformat(visit.path("pay_date"))
    except ValueError:
        raise NotFoundError(f"{visit.path('pay_date')} is no day") from None


def _role(visit: Visit, asked: str) -> str:
    mine = [role for role in _ROLES if role in visit.user.roles]
    role = asked or (mine[0] if mine else "")
    if role not in _ROLES:
        raise BadInputError(f"role={role[:20]}: one of {', '.join(_ROLES)}")
    if role not in mine:
        raise ForbiddenError(f"you have not the role {role}")
    return role


def _batches(batches: Any, differences: dict[str, int]) -> Table:
    rows = [
        vars(each)
        | {
            "exceptions": len(each.exceptions),
            "difference_minor": differences.get(each.batch_id),
        }
        for each in batches
    ]
    return Table(
        "batches",
        "Batches of this pay date",
        [
            Column("batch_id", "Batch", "id", href=lambda row: f"/approvals/{row['batch_id']}"),
            Column("rail", "Rail"),
            Column("items", "Partners", "number"),
            Column("total_amount_minor", "Total", "money"),
            Column("difference_minor", "Against the last", "money"),
            Column("exceptions", "Exceptions", "number"),
            Column("state", "State", "badge", words=words.BATCH_STATES),
            Column("act", "What you would do", words=_ACTS),
            Column("reason", "Why not"),
        ],
        rows,
    )


def _files(previews: Any) -> Table:
    rows = [
        {"batch_id": preview.batch_id, "name": name, "bytes": size, "sha256": digest}
        for preview in previews
        for name, size, digest in preview.files
    ]
    return Table(
        "files",
        "Files that would be written",
        [
            Column("batch_id", "Batch", "id"),
            Column("name", "File"),
            Column("bytes", "Bytes", "number"),
            Column("sha256", "SHA-256", "id"),
        ],
        rows,
        empty="None yet: a batch is exported once all have agreed.",
    )


ENTRIES = [
    page("/approvals/pay/{pay_date}", look, APPROVERS),
    action("/approvals/pay/{pay_date}", pay, APPROVERS),
]
