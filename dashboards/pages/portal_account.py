"""The partner's account: terms, payout details, tax form, steps; and the rules that apply to it.

What does not belong here: what staff record and decide (`payouts.payee_details`, tax forms,
screening). No detail of an account is shown again, neither on a page nor in an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from payouts.errors import DecisionRefusedError, DetailsInvalidError, VaultKeyMissingError
from payouts.hashing import parse_instant, sha256_text
from payouts.notice_choices import ALL, CHOICES, NEEDED, choose_notices, notice_choice
from payouts.onboarding import accept_terms, checklist
from payouts.payee_details import partner_owner, propose_details
from payouts.payee_details_records import PROPOSED, DetailsRecord, load_details
from payouts.payee_state import Payee
from payouts.vault import open_vault

from dashboards.errors import BadInputError, NotFoundError, RefusedError, StaleViewError
from dashboards.markdown import to_html
from dashboards.portal import addresses
from dashboards.portal.payee_form import FIELDS, rail_of, read_details
from dashboards.portal.recorded import is_settled, local_today, payee_of, profile_of
from dashboards.portal.submitting import take_turn
from dashboards.portal.words import STEPS
from dashboards.routing import action, page
from dashboards.users import PARTNER

if TYPE_CHECKING:
    from starlette.responses import Response

    from dashboards.visit import Visit

_TAX_FORMS = {
    "w9": "W-9", "w8ben": "W-8BEN", "w8bene": "W-8BEN-E", "none": "None",
}  # fmt: skip


_NOTICES = [(ALL, "All"), (NEEDED, "Only payouts and requests")]


def account(visit: Visit) -> Response:
    """All steps with what is missing, the terms, the form of payout details."""
    return _account(visit)


def rules(visit: Visit) -> Response:
    """The rules that apply to this partner, in words, with their dates."""
    text = visit.services.partner_rules(visit.partner_id)
    return visit.render("portal/rules.html", text=to_html(text))


def accept(visit: Visit) -> Response:
    """Accept the terms in the version that was shown; another version is refused."""
    version, text = visit.services.shown_terms(visit.partner_id)
    digest = sha256_text(text)
    if visit.required("text_sha256", 64) != digest or visit.required("version", 400) != version:
        raise StaleViewError(
            "the terms have changed since you read them; nothing was recorded. Read them again, "
            "then accept"
        )
    with visit.control() as connection:
        payee = payee_of(connection, visit.partner_id)
    terms_hash = visit.workspace.terms_hash
    if payee.terms_accepted and (payee.terms_version, payee.terms_hash) == (version, terms_hash):
        return visit.redirect(addresses.ACCOUNT, "You had accepted these terms already.")
    take_turn(visit)
    accept_terms(
        visit.store, visit.partner_id, terms_version=version, terms_hash=terms_hash,
        text_sha256=digest, actor=visit.user.subject, recorded_at=visit.now,
        identity_level=visit.user.identity_level,
    )  # fmt: skip
    return visit.redirect(addresses.ACCOUNT, "Thank you: the terms are accepted.")


def set_details(visit: Visit) -> Response:
    """Propose where to be paid; staff confirm and approve it, nobody is paid before."""
    profile = profile_of(visit)
    rail = rail_of(visit, profile.get("payout_currency_code"))
    if rail is None:
        raise RefusedError(
            "payout details are not taken here; nothing was recorded",
            "Send them to the programme's team.",
        )
    with visit.control() as connection:
        if _pending(load_details(connection, partner_owner(visit.partner_id))):
            return visit.redirect(
                addresses.ACCOUNT, "Your details were sent already and wait for a decision."
            )
    take_turn(visit)
    try:
        propose_details(
            visit.store, open_vault(visit.settings.home), partner_owner(visit.partner_id),
            read_details(visit, rail), actor=visit.user.subject, rules=visit.approval_rules,
            recorded_at=visit.now, is_own_proposal=True,
            identity_level=visit.user.identity_level,
        )  # fmt: skip
    except (DecisionRefusedError, DetailsInvalidError) as error:
        return _account(visit, str(error))
    except VaultKeyMissingError as error:
        raise RefusedError(
            "payout details are not taken here for now; nothing was recorded",
            "Send them to the programme's team.",
        ) from error
    return visit.redirect(
        addresses.ACCOUNT,
        "Your details were sent. The programme confirms and approves them before anything is paid.",
    )


def choose(visit: Visit) -> Response:
    """Say which messages are sent by mail. Links to sign in and invitations always are."""
    choice = visit.required("notices", 20)
    if choice not in CHOICES:
        raise BadInputError(f"notices={choice}: one of {', '.join(CHOICES)}")
    take_turn(visit)
    choose_notices(
        visit.store, visit.partner_id, choice, actor=visit.user.subject, recorded_at=visit.now,
        identity_level=visit.user.identity_level,
    )  # fmt: skip
    return visit.redirect(
        addresses.step("messages"), "Saved. A message that was prepared before may still come."
    )


def _account(visit: Visit, fault: str = "") -> Response:
    profile = profile_of(visit)
    today = local_today(visit)
    with visit.control() as connection:
        payee = payee_of(connection, visit.partner_id)
        records = load_details(connection, partner_owner(visit.partner_id))
        chosen = notice_choice(connection, visit.partner_id)
    version, text = _terms(visit)
    rail = rail_of(visit, profile.get("payout_currency_code"))
    return visit.render(
        "portal/account.html",
        status=400 if fault else 200,
        fault=fault,
        profile=profile,
        payee=payee,
        steps=_steps(payee, records, today),
        version=version,
        terms=to_html(text) if text else "",
        text_sha256=sha256_text(text) if text else "",
        is_accepted=payee.terms_accepted and payee.terms_version in (version, None),
        accepted_at=parse_instant(payee.terms_accepted_at) if payee.terms_accepted_at else None,
        rail=rail,
        fields=FIELDS.get(rail or "", ()),
        pending=_pending(records),
        is_change=payee.details_id is not None,
        cooling_off_days=visit.rules.cooling_off_days,
        notices=_NOTICES,
        notices_chosen=chosen,
    )


def _terms(visit: Visit) -> tuple[str, str]:
    """Version and text; empty where no plan is in force for the partner, which a step says."""
    try:
        return visit.services.shown_terms(visit.partner_id)
    except NotFoundError:
        return "", ""


def _pending(records: list[DetailsRecord]) -> DetailsRecord | None:
    return records[-1] if records and records[-1].state == PROPOSED else None


def _steps(payee: Payee, records: list[DetailsRecord], today: Any) -> list[dict[str, Any]]:
    """Each step with whether it is done and a sentence; what screening found is not told."""
    return [
        {
            "step": each.step,
            "word": STEPS.get(each.step, each.step),
            "is_done": is_settled(each, payee),
            "detail": _DETAILS[each.step](payee, records),
        }
        for each in checklist(payee, today)
    ]


def _invitation(payee: Payee, _records: list[DetailsRecord]) -> str:
    if payee.invitation_used_at or payee.terms_accepted:
        return ""
    return "The programme sends you one; signed in here, you do not need it."


def _terms_step(payee: Payee, _records: list[DetailsRecord]) -> str:
    if not payee.terms_accepted:
        return "Read and accept them below."
    return f"Accepted: {payee.terms_version}." if payee.terms_version else "Accepted on paper."


def _details(payee: Payee, records: list[DetailsRecord]) -> str:
    waiting = _pending(records)
    said = ""
    if payee.details_id:
        said = f"{(payee.rail or '').upper()}, ending in {payee.last_four}."
    elif payee.payee_verified:
        said = "The programme's team has them."
    if waiting:
        said += f" New ones ending in {waiting.last_four} wait for the programme."
    return said.strip() or "Say below where to pay you."


def _verification(payee: Payee, _records: list[DetailsRecord]) -> str:
    return "" if payee.payee_verified else "The programme's team does that."


def _tax_form(payee: Payee, _records: list[DetailsRecord]) -> str:
    kind = _TAX_FORMS.get(payee.tax_form_type or "none", payee.tax_form_type or "")
    if payee.tax_form_type in (None, "none"):
        return "On file." if payee.tax_form else "Send yours to the programme's team."
    if not payee.tax_form:
        return f"{kind}: the programme's team looks at it."
    end = payee.tax_form_valid_until
    return f"{kind}, valid until {end}." if end else f"{kind}."


def _screening(payee: Payee, _records: list[DetailsRecord]) -> str:
    return "" if payee.screening else "The programme does that; nothing for you to do."


def _cooling_off(payee: Payee, _records: list[DetailsRecord]) -> str:
    until = payee.cooling_off_until
    return f"Until {until}." if until else ""


_DETAILS = {
    "invitation": _invitation,
    "terms": _terms_step,
    "payout_details": _details,
    "verification": _verification,
    "tax_form": _tax_form,
    "screening": _screening,
    "cooling_off": _cooling_off,
}

ENTRIES = [
    page("/portal/rules", rules, PARTNER),
    page("/portal/account", account, PARTNER),
    action("/portal/account/terms", accept, PARTNER),
    action("/portal/account/details", set_details, PARTNER),
    action("/portal/account/notices", choose, PARTNER),
]
