"""One deal registration or entered lead: what is known of it, and deciding on it.

What does not belong here: the rules of deciding (`payouts.registrations`): who may, and four eyes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from payouts.hashing import parse_instant
from payouts.lead_update_records import load_messages
from payouts.lead_updates import post_message
from payouts.registrations import (
    APPROVED,
    DECISIONS,
    DECLINED,
    EXTENDED,
    SOURCE,
    WITHDRAWN,
    decide_registration,
    load_decisions,
    load_registrations,
)
from payouts.texts import MESSAGE_CHARACTERS

from dashboards import addresses, words
from dashboards.errors import BadInputError, NotFoundError, RefusedError
from dashboards.holding import may_hold
from dashboards.instants import asked_day, optional_day
from dashboards.registrations import (
    decisions_by_key,
    entered_since,
    is_entered_lead,
    is_registration,
    status_now,
)
from dashboards.routing import action, page
from dashboards.tables import Column, Table
from dashboards.users import APPROVERS, DECIDERS, STAFF

if TYPE_CHECKING:
    from starlette.responses import Response

    from dashboards.visit import Visit

_KEY_CHARACTERS, _EVIDENCE_CHARACTERS = 500, 1000


def registration(visit: Visit) -> Response:
    """The page."""
    key = visit.path("key")
    row = _row(visit, key)
    with visit.control() as connection:
        entered = next((each for each in load_registrations(connection) if each.key == key), None)
        decisions = load_decisions(connection, key)
        messages = load_messages(connection, "registration", key)
    return visit.render(
        "programme/registration.html",
        tables=[_decisions_table(decisions)],
        row=row,
        entered=entered,
        messages=messages,
        kind=words.word(row["submission_type"], words.SUBMISSION_TYPES),
        possible=_possible(key, row["status"]),
        may_decide=may_hold(visit),
        may_write=bool(visit.user.roles & DECIDERS),
        message_characters=MESSAGE_CHARACTERS,
    )


def decide(visit: Visit) -> Response:
    """Approve, decline, withdraw or extend."""
    key, decision = visit.required("key", _KEY_CHARACTERS), visit.required("decision", 20)
    if decision not in DECISIONS:
        raise BadInputError(f"decision={decision}: one of {', '.join(DECISIONS)}")
    with visit.control() as connection:
        found = visit.services.registration(visit.snapshot, connection, key)
    if is_entered_lead(found.key) and decision in (APPROVED, EXTENDED):
        raise RefusedError(
            f"{found.key} is an entered lead: it counts without an approval and has no end",
            "It can be declined or withdrawn.",
        )
    lead_terms = visit.workspace.program.lead
    decide_registration(
        visit.store, registration_key=found.key, decision=decision,
        reason=visit.required("reason"), actor=visit.user.subject, rules=visit.approval_rules,
        recorded_at=visit.now,
        expires_at=asked_day(visit, "until") if decision == EXTENDED
        else optional_day(visit, "until") if decision == APPROVED else None,
        evidence=visit.field("evidence", _EVIDENCE_CHARACTERS) or None,
        delivered=found.delivered,
        # The longest that any version gives: an extension goes beyond it.
        protection_days=max(version.protection_days for version in lead_terms),
        identity_level=visit.user.identity_level,
    )  # fmt: skip
    address = addresses.registration(found.key) or "/leads"
    return visit.redirect(address, f"{found.key} is {decision}. It counts from the next night on.")


def write_message(visit: Visit) -> Response:
    """Keep a message with it; internal unless said otherwise."""
    key = visit.required("key", _KEY_CHARACTERS)
    row = _row(visit, key)
    post_message(
        visit.store, subject_type="registration", subject_id=row["submission_key"],
        text=visit.required("text", MESSAGE_CHARACTERS), author_role="staff",
        is_partner_visible=visit.field("is_visible") == "yes", actor=visit.user.subject,
        recorded_at=visit.now, identity_level=visit.user.identity_level,
    )  # fmt: skip
    return visit.redirect(addresses.registration(key) or "/leads", "The message is kept.")


def _row(visit: Visit, key: str) -> dict[str, Any]:
    """As the night knew it, or as it was entered since, with its status now."""
    if is_registration(key):
        published = visit.row("programme/submission", key=key)
        turns = decisions_by_key(visit)
        if published is not None:
            status = status_now(published["registration_status"], turns[key])
            return {**published, "status": status}
        for row in entered_since(visit, turns) if key.startswith(f"{SOURCE}:") else ():
            if row["submission_key"] == key:
                return row
    raise NotFoundError(f"there is no registration {key!r}; /leads lists those that wait")


def _possible(key: str, status: str | None) -> list[str]:
    """What may be decided from here; `payouts` has the last word."""
    if status == WITHDRAWN:
        return []
    if is_entered_lead(key):
        return [each for each in (DECLINED, WITHDRAWN) if each != status]
    if status == APPROVED:
        return [EXTENDED, DECLINED, WITHDRAWN]
    return [each for each in (APPROVED, DECLINED, WITHDRAWN) if each != status]


def _decisions_table(decisions: list[Any]) -> Table:
    return Table(
        "decisions",
        "Decisions",
        [
            Column("decided_at", "When", "instant"),
            Column("decision", "Decision", "badge"),
            Column("decided_by", "Who"),
            Column("reason", "Reason"),
            Column("evidence", "Evidence"),
            Column("expires_at", "Until", "instant"),
        ],
        [
            {
                **vars(each),
                "decided_at": parse_instant(each.decided_at),
                "expires_at": parse_instant(each.expires_at) if each.expires_at else None,
            }
            for each in decisions
        ],
        empty="Nobody has decided on it here.",
    )


ENTRIES = [
    page("/registrations/{key:path}", registration, STAFF),
    action("/registrations/decide", decide, APPROVERS),
    action("/registrations/message", write_message, DECIDERS),
]
