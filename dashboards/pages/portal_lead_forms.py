"""What a partner sends about leads: a lead, a deal, an answer, a message, a withdrawal.

What was sent is shown at once and counts from the next night on. Sending the same twice records
nothing twice. What does not belong here: the pages that show it (`portal_leads`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from payouts.errors import DecisionRefusedError
from payouts.lead_update_records import load_answers
from payouts.lead_updates import answer_update, post_message
from payouts.registrations import (
    WITHDRAWN,
    decide_registration,
    load_decisions,
    submit_registration,
)
from payouts.texts import MESSAGE_CHARACTERS, domain_name, email_address, optional_written, written

from dashboards.errors import BadInputError, NotFoundError
from dashboards.portal import addresses
from dashboards.portal.conversation import LEAD, REGISTRATION, messages, open_requests
from dashboards.portal.leads import Lead, find_lead
from dashboards.portal.recorded import own_registrations, profile_of
from dashboards.portal.submitting import expected_amount, take_turn
from dashboards.registrations import is_registration
from dashboards.routing import action, page
from dashboards.users import PARTNER, PARTNER_ROLE

if TYPE_CHECKING:
    from starlette.responses import Response

    from dashboards.visit import Visit

_DEALS, _LEADS = "deal_registrations", "lead_entries"
_SENT = "Sent. It counts from the next night on."
_SENT_BEFORE = "You had sent that already; nothing was recorded twice."


def form(visit: Visit) -> Response:
    """The two forms: a lead, and a deal that should be protected."""
    profile = profile_of(visit)
    return visit.render(
        "portal/submit.html",
        currency=profile.get("payout_currency_code"),
        currencies=sorted(visit.rules.minimums_minor) or ["EUR", "USD"],
    )


def send_lead(visit: Visit) -> Response:
    """Enter a lead; it is judged as a form is, without an approval (L1)."""
    return _submit(visit, _LEADS)


def send_deal(visit: Visit) -> Response:
    """Register a deal; it protects nothing until somebody of the programme approves it (L3)."""
    return _submit(visit, _DEALS)


def send_message(visit: Visit) -> Response:
    """Write to the programme about one of the partner's leads."""
    lead = find_lead(visit, visit.path("lead_id"))
    text = written(visit.required("text", MESSAGE_CHARACTERS), "the message", MESSAGE_CHARACTERS)
    take_turn(visit)
    keys = [
        row["submission_key"]
        for row in visit.rows(
            "portal/submissions", partner_id=visit.partner_id, lead_id=lead.lead_id
        )
    ]
    subject_type, subject_id = _where(lead, keys)
    back = addresses.lead(lead.lead_id) or addresses.LEADS
    with visit.control() as connection:
        own = [each for each in messages(connection, visit, lead, keys) if each.is_own]
    if own and own[-1].text == text:
        return visit.redirect(back, _SENT_BEFORE)
    try:
        post_message(
            visit.store, subject_type=subject_type, subject_id=subject_id, text=text,
            author_role=PARTNER_ROLE, partner_id=visit.partner_id, actor=visit.user.subject,
            recorded_at=visit.now, identity_level=visit.user.identity_level,
        )  # fmt: skip
    except DecisionRefusedError as error:
        if "already" not in str(error):
            raise
        return visit.redirect(back, _SENT_BEFORE)
    return visit.redirect(back, "Your message was sent.")


def answer_request(visit: Visit) -> Response:
    """Answer a request for an update that is for this partner (L5)."""
    request_id = visit.path("request_id")
    text = visit.required("text", MESSAGE_CHARACTERS)
    with visit.control() as connection:
        found = [
            each
            for each in open_requests(connection, visit, _own_keys(visit))
            if each.request_id == request_id
        ]
        answered = load_answers(connection, request_id)
    if not found:
        # The second press of the button; whoever else answered it is not told.
        if any(each.answered_by == visit.user.subject for each in answered):
            return visit.redirect(addresses.LEADS, _SENT_BEFORE)
        raise NotFoundError("there is no such request for you")
    take_turn(visit)
    request = found[0]
    answer_update(
        visit.store, request_id=request_id, text=text, author_role=PARTNER_ROLE,
        partner_id=visit.partner_id, actor=visit.user.subject, recorded_at=visit.now,
        subject_type=request.subject_type, subject_id=request.subject_id,
        identity_level=visit.user.identity_level,
    )  # fmt: skip
    back = addresses.lead(request.lead_id) or addresses.LEADS
    return visit.redirect(back, "Your answer was sent.")


def withdraw(visit: Visit) -> Response:
    """Take back a registration or lead that the partner itself sent; that is final."""
    key = visit.required("key", 400)
    reason = visit.field("reason") or "taken back by the partner"
    with visit.control() as connection:
        own = [each for each in own_registrations(connection, visit.partner_id) if each.key == key]
        if not own:
            raise NotFoundError("there is no such registration among yours")
        turns = load_decisions(connection, key)
    if turns and turns[-1].decision == WITHDRAWN:
        return visit.redirect(addresses.LEADS, "It was taken back already.")
    take_turn(visit)
    decide_registration(
        visit.store, registration_key=key, decision=WITHDRAWN, reason=reason,
        actor=visit.user.subject, rules=visit.approval_rules, recorded_at=visit.now,
        identity_level=visit.user.identity_level,
    )  # fmt: skip
    return visit.redirect(addresses.LEADS, "It was taken back.")


def _submit(visit: Visit, entity: str) -> Response:
    email = email_address(visit.field("email"))
    company_domain = domain_name(_without_scheme(visit.field("company_domain")))
    amount_minor, currency = expected_amount(
        visit.field("expected_amount", 40), visit.field("currency", 10)
    )
    # Refused before anything is recorded: the note is a record of its own.
    note = optional_written(visit.field("note", MESSAGE_CHARACTERS), "the note", MESSAGE_CHARACTERS)
    if not email and not company_domain:
        raise BadInputError("name the customer: an e-mail address, or the company's domain")
    take_turn(visit)
    try:
        entered = submit_registration(
            visit.store, entity=entity, partner_id=visit.partner_id, submitted_at=visit.now,
            email=email, company_domain=company_domain, expected_amount_minor=amount_minor,
            currency_code=currency, actor=visit.user.subject, recorded_at=visit.now,
            identity_level=visit.user.identity_level,
        )  # fmt: skip
    except DecisionRefusedError as error:
        if "entered already" not in str(error):
            raise
        return visit.redirect(addresses.LEADS, _SENT_BEFORE)
    if note:
        post_message(
            visit.store, subject_type=REGISTRATION, subject_id=entered.key, text=note,
            author_role=PARTNER_ROLE, partner_id=visit.partner_id, actor=visit.user.subject,
            recorded_at=visit.now, identity_level=visit.user.identity_level,
        )  # fmt: skip
    return visit.redirect(addresses.LEADS, _SENT)


def _without_scheme(text: str) -> str:
    """People copy addresses of pages; the domain is what counts."""
    rest = text.partition("://")[2] or text
    return rest.partition("/")[0].removeprefix("www.")


def _where(lead: Lead, keys: list[str]) -> tuple[str, str]:
    """What a message is about: the lead, or with others on it the partner's own registration."""
    own = [key for key in keys if is_registration(key)]
    if not lead.is_alone and own:
        return REGISTRATION, own[0]
    return LEAD, lead.lead_id


def _own_keys(visit: Visit) -> set[str]:
    rows = visit.rows("portal/submissions", partner_id=visit.partner_id, lead_id="")
    with visit.control() as connection:
        registrations = own_registrations(connection, visit.partner_id)
    return {row["submission_key"] for row in rows} | {each.key for each in registrations}


ENTRIES = [
    page("/portal/leads/new", form, PARTNER),
    action("/portal/leads", send_lead, PARTNER),
    action("/portal/deals", send_deal, PARTNER),
    action("/portal/leads/{lead_id}/messages", send_message, PARTNER),
    action("/portal/requests/{request_id}/answer", answer_request, PARTNER),
    action("/portal/registrations/withdraw", withdraw, PARTNER),
]
