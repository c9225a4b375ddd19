"""One lead: who brought it and why, what came of it, and what staff may ask, write and hold.

What does not belong here: decisions on registrations (`programme_registrations`) and the rules of
recording (`payouts.lead_updates`, `payouts.holds`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from payouts.lead_updates import answer_update, post_message, request_update
from payouts.texts import MESSAGE_CHARACTERS

from dashboards import addresses
from dashboards.holding import hold_from_form, may_hold, release_from_form
from dashboards.instants import asked_day
from dashboards.lead_readers import (
    asked_ones,
    chosen_asked,
    chosen_reader,
    readers,
)
from dashboards.lead_view import exact_percent, lead_tables, share
from dashboards.routing import action, page
from dashboards.tables import Column, Table
from dashboards.users import APPROVERS, DECIDERS, STAFF

if TYPE_CHECKING:
    from starlette.responses import Response

    from dashboards.visit import Visit

_STAFF_AUTHOR = "staff"


def lead(visit: Visit) -> Response:
    """The page; another id of the lead leads to its present one."""
    evidence = visit.services.lead(visit.snapshot, visit.path("lead_id"))
    found = evidence["lead"]
    if found["lead_id"] != visit.path("lead_id"):
        return visit.redirect(_address(found["lead_id"]))
    commissions = visit.rows("programme/lead_commissions", lead_id=found["lead_id"])
    return visit.render(
        "programme/lead.html",
        tables=[*lead_tables(evidence, commissions), _totals(visit, found["lead_id"])],
        lead=found,
        evidence=evidence,
        former_ids=[row["alias_lead_id"] for row in evidence["aliases"] or []],
        credited=[
            (row["partner_id"], exact_percent(share(row["credit_ppm"])))
            for row in evidence["attributions"] or []
            if row["is_paying"] and row["credit_ppm"]
        ],
        waiting=[row for row in evidence["requests"] or [] if row["answered_at"] is None],
        readers=readers(visit, evidence["partners"]),
        asked_ones=asked_ones(visit, evidence["partners"]),
        holds=evidence.get("holds") or [],
        may_write=bool(visit.user.roles & DECIDERS),
        may_hold=may_hold(visit),
        message_characters=MESSAGE_CHARACTERS,
    )


def ask_for_update(visit: Visit) -> Response:
    """Ask the owner or one partner; the question is kept as a message."""
    lead_id, partners = _present(visit)
    asked_of, partner_id = chosen_asked(visit, partners)
    question = visit.field("text", MESSAGE_CHARACTERS)
    asked = request_update(
        visit.store, subject_type="lead", subject_id=lead_id, asked_of=asked_of,
        partner_id=partner_id, due_at=asked_day(visit, "due"), actor=visit.user.subject,
        recorded_at=visit.now, identity_level=visit.user.identity_level,
    )  # fmt: skip
    if question:
        _post(visit, lead_id, question, partner_id)
    return visit.redirect(
        _address(lead_id), f"Asked {partner_id or 'the owner'}: {asked.request_id}."
    )


def answer(visit: Visit) -> Response:
    """Answer a request, also one that a night raised."""
    lead_id, partners = _present(visit)
    request_id = visit.required("request_id", 100)
    with visit.control() as connection:
        subject = visit.services.update_subject(visit.snapshot, connection, request_id)
    answer_update(
        visit.store, request_id=request_id, subject_type=subject.subject_type,
        subject_id=subject.subject_id, text=visit.required("text", MESSAGE_CHARACTERS),
        author_role=_STAFF_AUTHOR, partner_id=chosen_reader(visit, partners),
        actor=visit.user.subject, recorded_at=visit.now,
        identity_level=visit.user.identity_level,
    )  # fmt: skip
    return visit.redirect(_address(lead_id), f"Answered {request_id}.")


def write_message(visit: Visit) -> Response:
    """Keep a message with the lead; for staff alone, unless it is for one partner."""
    lead_id, partners = _present(visit)
    text = visit.required("text", MESSAGE_CHARACTERS)
    _post(visit, lead_id, text, chosen_reader(visit, partners))
    return visit.redirect(_address(lead_id), "The message is kept with the lead.")


def hold(visit: Visit) -> Response:
    """Hold the lead."""
    lead_id, _ = _present(visit)
    notice = hold_from_form(visit, {"lead": lead_id})
    return visit.redirect(_address(lead_id), notice)


def release(visit: Visit) -> Response:
    """Release a hold."""
    lead_id, _ = _present(visit)
    notice = release_from_form(visit)
    return visit.redirect(_address(lead_id), notice)


def _present(visit: Visit) -> tuple[str, list[str]]:
    """The lead's id as it is now, because what is recorded under a mistyped one would be lost; and
    the partners that have to do with it.
    """
    evidence = visit.services.lead(visit.snapshot, visit.path("lead_id"))
    return evidence["lead"]["lead_id"], evidence["partners"]


def _post(visit: Visit, lead_id: str, text: str, partner_id: str | None) -> None:
    post_message(
        visit.store, subject_type="lead", subject_id=lead_id, text=text,
        author_role=_STAFF_AUTHOR, partner_id=partner_id, actor=visit.user.subject,
        recorded_at=visit.now, identity_level=visit.user.identity_level,
    )  # fmt: skip


def _address(lead_id: str) -> str:
    return addresses.lead(lead_id) or "/leads"


def _totals(visit: Visit, lead_id: str) -> Table:
    rows: list[dict[str, Any]] = visit.rows("programme/lead_totals", lead_id=lead_id)
    return Table(
        "totals",
        "What the lead comes to",
        [
            Column(
                "partner_id", "Partner", "id",
                href=lambda row: addresses.partner(row["partner_id"]),
            ),
            Column("lines", "Lines", "number"),
            Column("earned_amount_minor", "Earned", "money"),
            Column("taken_back_amount_minor", "Taken back", "money"),
            Column("amount_minor", "Together", "money"),
        ],
        rows,
        empty="Nothing was earned on this lead.",
    )  # fmt: skip


ENTRIES = [
    page("/leads/{lead_id:path}", lead, STAFF),
    action("/leads/{lead_id:path}/update-requests", ask_for_update, DECIDERS),
    action("/leads/{lead_id:path}/answers", answer, DECIDERS),
    action("/leads/{lead_id:path}/messages", write_message, DECIDERS),
    action("/leads/{lead_id:path}/hold", hold, APPROVERS),
    action("/leads/{lead_id:path}/release", release, APPROVERS),
]
