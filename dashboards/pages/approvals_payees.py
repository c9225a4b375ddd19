"""Payees: changes of payout details that wait, and who cannot be paid yet, and why.

No account is ever shown, only its last four characters and the fingerprint.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from payouts.onboarding import checklist
from payouts.payee_details import approve_details, confirm_details, partner_owner
from payouts.payee_details_records import PROPOSED, load_details, load_duplicate_accounts
from payouts.payees import Payee, load_payees

from dashboards.dates import local_day
from dashboards.errors import BadInputError, NotFoundError
from dashboards.routing import action, page
from dashboards.tables import Column, Table
from dashboards.users import DECIDERS, FINANCE

if TYPE_CHECKING:
    from starlette.responses import Response

    from dashboards.visit import Visit

_REASON = 500
_DECISIONS = ("confirm", "approve")


def payees(visit: Visit) -> Response:
    """What waits first; then every active partner with the steps that are missing."""
    today = local_day(visit)
    partners = visit.rows("approvals/partners_to_pay")
    with visit.control() as connection:
        known = load_payees(connection)
        waiting = [
            vars(record) | {"partner_id": partner["partner_id"], "name": partner["name"],
                            "waits_for": "the old contact's word"
                            if record.waits_for_confirmation else "approval"}
            for partner in partners
            for record in load_details(connection, partner_owner(partner["partner_id"]))
            if record.state == PROPOSED
        ]  # fmt: skip
        shared = load_duplicate_accounts(connection)
    rows = [
        partner
        | {
            "missing": ", ".join(
                step.step.replace("_", " ")
                for step in checklist(
                    known.get(partner["partner_id"]) or Payee(partner["partner_id"]), today
                )
                if not step.is_done
            )
        }
        for partner in partners
    ]
    return visit.render(
        "approvals/payees.html",
        tables=[_waiting(waiting), _steps(rows)],
        shared=shared,
        waiting=waiting,
    )


def decide(visit: Visit) -> Response:
    """Record that the old contact agrees, or put new details in force."""
    decision = visit.path("decision")
    if decision not in _DECISIONS:
        raise NotFoundError("there is no such page")
    partner_id, details_id = visit.path("partner_id"), visit.required("details_id", 100)
    if decision == "approve" and FINANCE not in visit.user.roles:
        raise BadInputError("finance puts payout details in force")
    said: dict[str, Any] = {
        "reason": visit.required("reason", _REASON),
        "actor": visit.user.subject,
        "rules": visit.approval_rules,
        "recorded_at": visit.now,
        "identity_level": visit.user.identity_level,
    }
    owner = partner_owner(partner_id)
    if decision == "confirm":
        confirm_details(visit.store, owner, details_id, **said)
        return visit.redirect("/payees", f"Recorded: the old contact of {partner_id} agrees.")
    approve_details(
        visit.store,
        owner,
        details_id,
        cooling_off_days=visit.rules.cooling_off_days,
        timezone=visit.settings.workspace.program.program.timezone,
        **said,
    )
    return visit.redirect("/payees", f"The new details of {partner_id} are in force.")


def _partner(row: Any) -> str:
    return f"/partners/{row['partner_id']}"


def _waiting(rows: list[dict[str, Any]]) -> Table:
    return Table(
        "waiting",
        "Payout details that wait",
        [
            Column("partner_id", "Partner", "id", href=_partner),
            Column("name", "Name"),
            Column("rail", "Rail"),
            Column("last_four", "Ends with"),
            Column("proposed_at", "Proposed", "instant"),
            Column("waits_for", "Waits for"),
        ],
        rows,
        empty="No change of payout details waits.",
    )


def _steps(rows: list[dict[str, Any]]) -> Table:
    return Table(
        "steps",
        "Who can be paid",
        [
            Column("partner_id", "Partner", "id", href=_partner),
            Column("name", "Name"),
            Column("status", "Status", "badge"),
            Column("missing", "Still missing"),
        ],
        rows,
        total=len(rows),
    )


ENTRIES = [
    page("/payees", payees, DECIDERS),
    action("/payees/{partner_id}/{decision}", decide, DECIDERS),
]
