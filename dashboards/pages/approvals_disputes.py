"""Disputes for the company's people: what waits, what was attached, taking up, deciding."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from payouts.adjustment_checks import adjustment_minor
from payouts.dispute_checks import Remedy
from payouts.dispute_records import dispute_events, load_dispute, load_disputes, load_texts
from payouts.disputes import decide_dispute, review_dispute
from payouts.texts import shown_actor

from dashboards.errors import BadInputError
from dashboards.routing import action, page
from dashboards.tables import Column, Table
from dashboards.users import DECIDERS, STAFF

if TYPE_CHECKING:
    from payouts.dispute_records import Dispute
    from starlette.responses import Response

    from dashboards.visit import Visit

_REASON = 500
_OUTCOMES = ("upheld", "partly_upheld", "rejected")
_REMEDIES = ("adjustment", "source")


def disputes(visit: Visit) -> Response:
    """Open ones first, those that are overdue before the others."""
    with visit.control() as connection:
        found = load_disputes(connection)
    rows = [_row(each, visit) for each in found]
    rows.sort(key=lambda row: (not row["is_open"], not row["is_overdue"], row["due_at"]))
    return visit.render(
        "approvals/disputes.html",
        tables=[
            Table(
                "disputes",
                "Disputes",
                [
                    Column("dispute_id", "Dispute", "id",
                           href=lambda row: f"/disputes/{row['dispute_id']}"),
                    Column("partner_id", "Partner", "id",
                           href=lambda row: f"/partners/{row['partner_id']}"),
                    Column("subject_type", "About"),
                    Column("subject_id", "Which", "id", href=_subject_address),
                    Column("state", "State", "badge"),
                    Column("opened_at", "Opened", "instant"),
                    Column("due_at", "Answer by", "instant"),
                    Column("is_overdue", "Overdue", "yes_no"),
                    Column("decided_at", "Ended", "instant"),
                ],
                rows,
                total=len(rows),
                empty="Nobody disputes anything.",
            )
        ],
    )  # fmt: skip


def dispute(visit: Visit) -> Response:
    """One dispute with what was written and attached."""
    with visit.control() as connection:
        found = load_dispute(connection, visit.path("dispute_id"))
        texts = load_texts(connection, found)
        events = dispute_events(connection, found)
    history = Table(
        "history",
        "What happened",
        [
            Column("recorded_at", "When", "instant"),
            Column("what", "What"),
            Column("actor", "Who"),
            Column("reason", "Reason"),
        ],
        [
            {
                "recorded_at": event.recorded_at,
                "what": event.kind.removeprefix("dispute_"),
                "actor": shown_actor(event.actor),
                "reason": event.reason,
            }
            for event in events
        ],
    )
    return visit.render(
        "approvals/dispute.html",
        tables=[history],
        dispute=found,
        row=_row(found, visit),
        address=_subject_address(vars(found)),
        text=texts.text,
        evidence=json.dumps(json.loads(texts.evidence), indent=2, ensure_ascii=False),
        currency=_payout_currency(visit, found.partner_id),
    )


def take_up(visit: Visit) -> Response:
    """Somebody with a role looks into it from now on."""
    dispute_id = visit.path("dispute_id")
    review_dispute(
        visit.store,
        dispute_id=dispute_id,
        reason=visit.required("reason", _REASON),
        actor=visit.user.subject,
        rules=visit.approval_rules,
        recorded_at=visit.now,
        identity_level=visit.user.identity_level,
    )
    return visit.redirect(f"/disputes/{dispute_id}", "You have taken this dispute up.")


def decide(visit: Visit) -> Response:
    """Decide; an upheld one proposes an adjustment, or a fact was corrected at its source."""
    dispute_id, outcome = visit.path("dispute_id"), visit.required("outcome", 20)
    if outcome not in _OUTCOMES:
        raise BadInputError(f"outcome={outcome}: one of {', '.join(_OUTCOMES)}")
    with visit.control() as connection:
        found = load_dispute(connection, dispute_id)
    subject = visit.services.dispute_subject(
        visit.snapshot, found.subject_type, found.subject_id, found.partner_id
    )
    decided = decide_dispute(
        visit.store,
        visit.settings.home,
        dispute_id=dispute_id,
        outcome=outcome,
        governing=visit.services.dispute_governing(visit.snapshot, subject),
        reason=visit.required("reason", _REASON),
        actor=visit.user.subject,
        rules=visit.approval_rules,
        recorded_at=visit.now,
        remedy=None if outcome == "rejected" else _remedy(visit, subject),
        identity_level=visit.user.identity_level,
    )
    after = (
        f" Somebody else approves adjustment {decided.adjustment_id}."
        if decided.adjustment_id
        else ""
    )
    return visit.redirect(
        f"/disputes/{dispute_id}", f"Decided: {outcome.replace('_', ' ')}.{after}"
    )


def _remedy(visit: Visit, subject: Any) -> Remedy:
    kind = visit.required("remedy", 20)
    if kind not in _REMEDIES:
        raise BadInputError(f"remedy={kind}: one of {', '.join(_REMEDIES)}")
    if kind == "source":
        return Remedy(is_at_source=True)
    code = _payout_currency(visit, subject.partner_id)
    if code is None:
        raise BadInputError(f"partner {subject.partner_id} is not in the published night")
    try:
        amount = Decimal(visit.required("amount", 30).replace(",", ""))
    except InvalidOperation:
        raise BadInputError("amount: a number such as 25.00") from None
    return Remedy(
        amount_minor=adjustment_minor(amount, code),
        currency_code=code,
        payout_currency_code=code,
        corrects_entry_id=subject.entry_id,
    )


def _payout_currency(visit: Visit, partner_id: str) -> str | None:
    row = visit.row("approvals/payout_currency", partner_id=partner_id)
    return row["payout_currency_code"] if row else None


def _row(each: Dispute, visit: Visit) -> dict[str, Any]:
    return {
        **vars(each),
        "is_open": each.is_open,
        "is_overdue": each.is_overdue(visit.now),
    }


def _subject_address(row: Any) -> str | None:
    kind, subject_id = row["subject_type"], row["subject_id"]
    return {
        "line": f"/commissions/{subject_id}",
        "lead": f"/leads/{subject_id}",
        "payout": f"/explain?ref={subject_id}",
    }.get(kind)


ENTRIES = [
    page("/disputes", disputes, STAFF),
    page("/disputes/{dispute_id}", dispute, STAFF),
    action("/disputes/{dispute_id}/review", take_up, DECIDERS),
    action("/disputes/{dispute_id}/decide", decide, DECIDERS),
]
