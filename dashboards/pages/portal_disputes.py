"""Questions of the partner that asks: disputes of an earning, a lead or a payout.

What does not belong here: deciding them (`payouts.disputes`), and who decides.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from payouts.dispute_records import WITHDRAWN, Dispute, load_texts
from payouts.disputes import open_dispute, withdraw_dispute
from payouts.errors import DecisionRefusedError
from payouts.hashing import parse_instant
from payouts.texts import MESSAGE_CHARACTERS

from dashboards.errors import BadInputError, RefusedError
from dashboards.portal import addresses
from dashboards.portal.asking import Question, question_of
from dashboards.portal.masking import masked_addresses
from dashboards.portal.recorded import own_dispute, own_disputes
from dashboards.portal.submitting import take_turn
from dashboards.portal.words import DISPUTE_STATES, DISPUTE_SUBJECTS, REMEDIES
from dashboards.routing import action, page
from dashboards.tables import Column, Table
from dashboards.users import PARTNER, PARTNER_ROLE

if TYPE_CHECKING:
    from starlette.responses import Response

    from dashboards.visit import Visit

_PAGES = {"line": addresses.earning, "lead": addresses.lead, "payout": addresses.payout}


def disputes(visit: Visit) -> Response:
    """All questions with their state, age and answer."""
    with visit.control() as connection:
        found = own_disputes(connection, visit.partner_id)
    return visit.render(
        "portal/disputes.html",
        tables=[_table([_record(visit, each) for each in found])],
        window_days=visit.rules.dispute_window_days,
        answer_days=visit.rules.dispute_answer_days,
    )


def dispute(visit: Visit) -> Response:
    """One question: what was written, where it stands, the answer."""
    with visit.control() as connection:
        found = own_dispute(connection, visit.partner_id, visit.path("dispute_id"))
        text = load_texts(connection, found).text
    return visit.render(
        "portal/dispute.html",
        record=_record(visit, found),
        text=text,
        is_open=found.is_open,
        remedy=REMEDIES.get(found.remedy or "", ""),
        subject_address=_PAGES[found.subject_type](found.subject_id),
        states=DISPUTE_STATES,
    )


def new(visit: Visit) -> Response:
    """The form, with what the question is about."""
    about, subject_id = visit.asked("about"), visit.asked("id")
    if not about or not subject_id:
        raise BadInputError("about and id are missing: follow the link of an earning or a lead")
    question = question_of(visit, about, subject_id)
    if question.open_id:
        return visit.redirect(f"{addresses.DISPUTES}/{question.open_id}")
    return visit.render(
        "portal/ask.html",
        question=question,
        answer_days=visit.rules.dispute_answer_days,
        limit=MESSAGE_CHARACTERS,
    )


def ask(visit: Visit) -> Response:
    """Open a dispute on something of the partner's own; the chain of evidence is attached."""
    question = question_of(visit, visit.field("about", 20), visit.field("id", 200))
    text = visit.required("text", MESSAGE_CHARACTERS)
    if question.open_id:
        return visit.redirect(
            f"{addresses.DISPUTES}/{question.open_id}",
            "You have asked about it already; this is that question.",
        )
    _check_possible(question)
    take_turn(visit)
    subject = visit.services.dispute_subject(
        visit.snapshot, question.subject_type, question.subject_id, visit.partner_id
    )
    opened = _open(visit, question, subject, text)
    return visit.redirect(f"{addresses.DISPUTES}/{opened}", "Your question was sent.")


def withdraw(visit: Visit) -> Response:
    """Withdraw a question that is open; that is final."""
    with visit.control() as connection:
        found = own_dispute(connection, visit.partner_id, visit.path("dispute_id"))
    back = f"{addresses.DISPUTES}/{found.dispute_id}"
    if found.state == WITHDRAWN:
        return visit.redirect(back, "It was withdrawn already.")
    take_turn(visit)
    withdraw_dispute(
        visit.store, dispute_id=found.dispute_id,
        reason=visit.field("reason", 1000) or "withdrawn by the partner",
        actor=visit.user.subject, recorded_at=visit.now,
        identity_level=visit.user.identity_level,
    )  # fmt: skip
    return visit.redirect(back, "Your question was withdrawn.")


def _open(visit: Visit, question: Question, subject: Any, text: str) -> str:
    """Record it and return its id; that of the first one when the button was pressed twice."""
    try:
        opened, _stale = open_dispute(
            visit.store, visit.settings.home,
            subject_type=subject.subject_type, subject_id=subject.subject_id,
            partner_id=visit.partner_id, happened_on=subject.happened_on, text=text,
            evidence=visit.services.dispute_evidence(visit.snapshot, subject),
            opened_by_role=PARTNER_ROLE, actor=visit.user.subject, rules=visit.approval_rules,
            payout_rules=visit.rules, timezone=visit.workspace.program.program.timezone,
            recorded_at=visit.now, identity_level=visit.user.identity_level,
        )  # fmt: skip
    except DecisionRefusedError:
        with visit.control() as connection:
            same = [
                each
                for each in own_disputes(connection, visit.partner_id)
                if each.is_open
                and (each.subject_type, each.subject_id)
                == (question.subject_type, question.subject_id)
            ]
        if not same:
            raise
        return same[0].dispute_id
    return opened.dispute_id


def _check_possible(question: Question) -> None:
    if question.is_possible:
        return
    until = f" It could be asked about until {question.last_day}." if question.last_day else ""
    raise RefusedError(
        f"a question about this is not taken any more; nothing was recorded.{until}",
        "If the programme has made an error, write to it: it can be corrected at any time.",
    )


def _record(visit: Visit, found: Dispute) -> dict[str, Any]:
    opened_at = parse_instant(found.opened_at)
    ended_at = parse_instant(found.decided_at) if found.decided_at else None
    age = (ended_at or visit.now) - opened_at
    return {
        "dispute_id": found.dispute_id,
        "subject": DISPUTE_SUBJECTS[found.subject_type],
        "state": found.state,
        "opened_at": opened_at,
        "age_days": max(age, timedelta(0)).days,
        "due_at": parse_instant(found.due_at) if found.is_open else None,
        "ended_at": ended_at,
        # What staff write as the reason of their decision is the answer to the partner.
        "answer": masked_addresses(found.reason or "") if found.outcome else "",
        "is_overdue": found.is_overdue(visit.now),
    }


def _table(rows: list[dict[str, Any]]) -> Table:
    return Table(
        "questions",
        "My questions",
        [
            Column("subject", "About", href=lambda row: addresses.dispute(row["dispute_id"])),
            Column("state", "State", "badge", words=DISPUTE_STATES),
            Column("opened_at", "Asked", "instant"),
            Column("age_days", "Days", "number"),
            Column("due_at", "Answer due", "instant"),
            Column("answer", "Answer"),
            Column("dispute_id", "Question", "id", is_csv_only=True),
        ],
        rows,
        empty="No questions yet. Every earning, lead and payout has a link to ask about it.",
    )


ENTRIES = [
    page("/portal/disputes", disputes, PARTNER),
    page("/portal/disputes/new", new, PARTNER),
    action("/portal/disputes", ask, PARTNER),
    page("/portal/disputes/{dispute_id}", dispute, PARTNER),
    action("/portal/disputes/{dispute_id}/withdraw", withdraw, PARTNER),
]
