"""Leads of the partner that asks: the list, what was sent in since the night, and one lead."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from payouts.dispute_records import LEAD

from dashboards import words
from dashboards.lead_view import exact_percent, share
from dashboards.paging import SIZE, asked_code, window
from dashboards.portal import addresses
from dashboards.portal.asking import question_of
from dashboards.portal.conversation import messages, open_requests
from dashboards.portal.earning_tables import earnings_table, with_words
from dashboards.portal.leads import Lead, find_lead, lead_rows
from dashboards.portal.outlook import outlook
from dashboards.portal.recorded import local_day, own_registrations, registration_rows
from dashboards.portal.words import (
    LEAD_OUTCOMES,
    REGISTRATION_STATES,
    SUBMISSION_TYPES,
    VERDICT_REASONS,
)
from dashboards.routing import page
from dashboards.tables import Column, Table
from dashboards.users import PARTNER

if TYPE_CHECKING:
    from starlette.responses import Response

    from dashboards.visit import Visit

OUTCOMES = {**words.VERDICTS, **LEAD_OUTCOMES}
_OFFERED = [("", "Every verdict"), *LEAD_OUTCOMES.items()] + [
    (code, word) for code, word in words.VERDICTS.items() if code not in ("valid", "pending")
]
_EVER = {"start": date(1900, 1, 1), "end": date(2200, 1, 1)}


def leads(visit: Visit) -> Response:
    """The list with verdicts and what each brings; what waits for an answer; what was just sent."""
    outcome = asked_code(visit, "verdict", OUTCOMES)
    stage = asked_code(visit, "stage", words.LEAD_STAGES)
    rows = lead_rows(visit, outcome=outcome, stage=stage, **window(visit, "leads"))
    total = rows[0]["total"] if rows else 0
    submissions = visit.rows("portal/submissions", partner_id=visit.partner_id, lead_id="")
    known = {row["submission_key"] for row in submissions}
    with visit.control() as connection:
        registrations = own_registrations(connection, visit.partner_id)
        sent = registration_rows(
            connection, [each for each in registrations if each.key not in known]
        )
        keys = known | {each.key for each in registrations}
        requests = open_requests(connection, visit, keys)
    return visit.render(
        "portal/leads.html",
        tables=[_sent_table(sent), _leads_table(rows, total)],
        requests=requests,
        outcomes=_OFFERED,
        stages=[("", "Every stage"), *words.LEAD_STAGES.items()],
        outcome=outcome,
        stage=stage,
        number=1 if visit.wants_csv else visit.page_number(),
        size=SIZE,
        total=total,
    )


def lead(visit: Visit) -> Response:
    """One lead: where it stands and why, what happened, what it brought, what was said."""
    found = find_lead(visit, visit.path("lead_id"))
    partner = {"partner_id": visit.partner_id, "lead_id": found.lead_id}
    submissions = visit.rows("portal/submissions", **partner)
    earnings = visit.rows(
        "portal/earnings", **partner, **_EVER, status="", commission_id="", limit=None, offset=0,
    )  # fmt: skip
    keys = [row["submission_key"] for row in submissions]
    with visit.control() as connection:
        own_keys = {*keys, *(r.key for r in own_registrations(connection, visit.partner_id))}
        said = messages(connection, visit, found, keys)
        requests = [
            each
            for each in open_requests(connection, visit, own_keys)
            if each.lead_id == found.lead_id
        ]
    return visit.render(
        "portal/lead.html",
        tables=[
            _submissions_table(submissions),
            earnings_table(with_words(earnings), "Earnings on this lead"),
        ],
        lead=found,
        share=exact_percent(share(found.facts["credit_ppm"])),
        outcomes=OUTCOMES,
        timeline=_timeline(visit, found, submissions),
        said=said,
        outlook=_outlook(visit, found),
        requests=requests,
        question=question_of(visit, LEAD, found.lead_id),
    )


def _outlook(visit: Visit, found: Lead) -> list[str]:
    """What it can still bring; nothing where the partner is out of it, or the lead is lost."""
    facts = found.facts
    if not facts["is_followed"] or facts["stage"] == "lost":
        return []
    partner = {"partner_id": visit.partner_id}
    valid_at = facts["valid_at"]
    terms = visit.rows(
        "portal/lead_outlook",
        **partner,
        day=local_day(visit, valid_at) if valid_at else visit.as_of,
    )
    stages = visit.rows("portal/lead_stages", **partner, lead_id=found.lead_id)
    return outlook(terms, (row["stage"] for row in stages))


def _timeline(
    visit: Visit, found: Lead, submissions: list[dict[str, Any]]
) -> list[tuple[datetime, str]]:
    """What the partner did, and which stages were reached as far as it may know; oldest first."""
    partner = {"partner_id": visit.partner_id, "lead_id": found.lead_id}
    own = {row["submission_key"] for row in submissions}
    events = [
        (row["occurred_at"], f"Your touch: {words.word(row['touch_type'], words.TOUCH_TYPES)}")
        for row in visit.rows("portal/lead_touches", **partner)
        if row["touchpoint_id"] not in own
    ]
    events += [
        (
            row["submitted_at"],
            f"{SUBMISSION_TYPES.get(row['submission_type'], 'Sent in')}: "
            f"{words.word(row['verdict'], words.VERDICTS)}",
        )
        for row in submissions
    ]
    if found.facts["is_followed"]:
        events += [
            (row["reached_at"], words.word(row["stage"], words.LEAD_STAGES))
            for row in visit.rows("portal/lead_stages", **partner)
        ]
        if found.facts["valid_at"]:
            events.append((found.facts["valid_at"], "The lead became valid"))
    return sorted(events, key=lambda event: event[0])


def _leads_table(rows: list[dict[str, Any]], total: int) -> Table:
    money = "payout_currency_code"
    return Table(
        "leads",
        "My leads",
        [
            Column("who", "Customer", href=lambda row: addresses.lead(row["lead_id"])),
            Column("stage", "Stage", "badge", words=words.LEAD_STAGES),
            Column("since_on", "Since", "date"),
            Column("outcome", "Verdict", "badge", words=OUTCOMES),
            Column("why", "Why"),
            Column("earned_amount_minor", "Earned", "money", money),
            Column("expected_amount_minor", "Not paid yet", "money", money,
                   hint="Earned and not paid yet; what it earns later is added to it."),
            Column("expected_pay_date", "Expected pay day", "date", is_csv_only=True),
            Column("lead_id", "Lead", "id", is_csv_only=True),
        ],
        rows,
        empty="No leads yet. Send one in, or share your link.",
        total=total,
    )  # fmt: skip


def _sent_table(rows: list[dict[str, Any]]) -> Table:
    return Table(
        "sent",
        "Sent since the last night",
        [
            Column("who", "Customer"),
            Column("submission_type", "What", words=SUBMISSION_TYPES),
            Column("submitted_at", "Sent", "instant"),
            Column("expected_amount_minor", "Expected", "money"),
            Column("registration_status", "State", "badge", words=REGISTRATION_STATES),
            Column("submission_key", "Key", "id", is_csv_only=True),
        ],
        rows,
        note="It counts from the next night on.",
    )


def _submissions_table(rows: list[dict[str, Any]]) -> Table:
    return Table(
        "submissions",
        "What you sent in",
        [
            Column("submission_type", "What", words=SUBMISSION_TYPES),
            Column("submitted_at", "Sent", "instant"),
            Column("verdict", "Verdict", "badge", words=words.VERDICTS),
            Column("why", "Why"),
            Column("registration_status", "Registration", words=REGISTRATION_STATES),
            Column("protected_until_at", "Protected until", "instant"),
        ],
        [
            {
                **row,
                "why": VERDICT_REASONS.get(row["verdict"], ""),
                "registration_status": (
                    None if row["registration_status"] == "form" else row["registration_status"]
                ),
            }
            for row in rows
        ],
        empty="You sent nothing in for it: it came by your link or code.",
    )


ENTRIES = [
    page("/portal/leads", leads, PARTNER),
    page("/portal/leads/{lead_id}", lead, PARTNER),
]
