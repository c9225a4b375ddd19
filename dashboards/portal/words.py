"""Words that only partners read: whole sentences, without rivals, people or reasons of staff.

What does not belong here: words that the programme's pages use too (`dashboards.words`).
Rules: L1, L4, A1 to A6, P1, R1 to R5 (semantics.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dashboards.words import ENTRY_KINDS, word

CREDITED, NOT_CREDITED, WAITING = "credited", "not_credited", "pending"
LEAD_OUTCOMES = {
    CREDITED: "Credited to you",
    NOT_CREDITED: "Not credited to you",
    WAITING: "Waiting",
}
SUBMISSION_TYPES = {
    "form_submission": "Form with your code",
    "deal_registration": "Deal registration",
    "lead_entry": "Lead sent in",
}
REGISTRATION_STATES = {
    "pending": "Waits for a decision",
    "entered": "Received",
    "approved": "Approved",
    "declined": "Declined",
    "withdrawn": "Withdrawn",
}
VERDICT_REASONS = {
    "valid": "It was accepted, and the lead became valid.",
    "pending": "Accepted; the lead is not valid yet, or the registration waits for a decision.",
    "declined": "The programme declined it.",
    "withdrawn": "It was withdrawn.",
    "incomplete": "It names neither an e-mail address nor a company that leads to anybody.",
    "own_domain": "The address belongs to the programme's own company.",
    "blocked": "The address belongs to a domain from which no leads are taken.",
    "self_referral": "The address or company is your own.",
    "existing_customer": "They had already paid before you brought them.",
    "open_opportunity": "A deal with them was already open before you brought them.",
    "duplicate_same_partner": "You had sent the same lead before; the first one counts.",
    "duplicate_other_partner": "The lead was already protected when yours came in.",
    "expired": "The registration ran out before the lead became valid.",
    "out_of_window": "It came after the lead had become valid, or too long before.",
}
# By the beginning of the rule that decided on a touch (A4).
_CANDIDATE_REASONS = (
    ("A1:after_valid_event", "What you did came after the lead had become valid."),
    ("A1:before_touch_window", "What you did came too long before the lead became valid."),
    ("A2:registration_", "The deal registration is not approved."),
    ("A2:lower_type_than_", "A stronger kind of evidence decided who brought them."),
    ("A2:code_grace", "A link just before the code counted instead."),
    ("A3:", "Another touch decided by the programme's rules of attribution."),
    ("L4:", "Your submission was refused, so that it does not compete."),
    ("A6:", "A decision of the programme says who is credited."),
)
LINE_STATES = {
    "accrued": "On hold",
    "eligible": "Available",
    "claimed": "In a payout",
    "paid": "Paid",
    "held": "Held",
    "disputed": "Payment disputed",
}
_UNPAID_REASONS = {
    "dispute_open": "The customer disputes the charge; it waits for the outcome.",
    "own_question": "Your question about it is open.",
    "line_hold": "The programme is looking at it.",
    "lead_hold": "The programme is looking at the lead.",
    "partner_hold": "The programme has stopped payouts on your account for now.",
    "hold_window": "On hold until {available_date}, while it can still be refunded.",
    "awaiting_batch": "Waits for the next payout.",
    "batch_proposed": "In the next payout, which waits for approval.",
    "batch_partnerships_approved": "In the next payout, which waits for approval.",
    "batch_finance_approved": "In the next payout, which is approved.",
}
_UNPAID_SHORT = {
    "dispute_open": "until the customer's bank decides",
    "own_question": "until your question is answered",
    "line_hold": "the programme looks at it",
    "lead_hold": "the programme looks at the lead",
    "partner_hold": "payouts to you are stopped",
    "hold_window": "refund time",
    "awaiting_batch": "for the next payout",
}
_IN_BATCH = {
    "batch_proposed": "waits for approval",
    "batch_partnerships_approved": "waits for approval",
    "batch_finance_approved": "approved",
}
_TAKEN_BACK = {
    "refund": "The customer was refunded.",
    "dispute": "The customer's bank took the payment back.",
    "credit_note": "The customer was given a credit note.",
    "invoice": "The invoice was voided.",
    "subscription": "The customer cancelled early.",
    "ruling": "The programme decided anew who brought the customer.",
}
_KIND_REASONS = {
    "reinstatement": "What was taken back is given back: the refund or dispute did not stand.",
    "adjustment": "The programme corrected an amount by hand.",
    "ruling": "The programme decided anew who brought the customer.",
    "bonus": "You reached a goal of your plan.",
}
SOURCES = {
    "invoice_line": "Paid invoice",
    "invoice": "First payment",
    "payment": "First payment",
    "meeting": "Demo",
    "deal": "Won deal",
    "product_event": "Sign-up",
    "period": "Goal reached",
    "commission": "Share of a partner whom you brought",
    "adjustment": "Correction",
    "ruling": "Decision on who brought the customer",
}
STEPS = {
    "invitation": "Invitation",
    "terms": "Accept the terms",
    "payout_details": "Say where to pay you",
    "verification": "Your account is verified",
    "tax_form": "Tax form",
    "screening": "Sanctions screening",
    "cooling_off": "Waiting time after a change of account",
}
# Of a gate that shuts (P2): what the partner can do, and the step of the account page that it is.
GATE_STEPS = {
    "terms_accepted": ("terms", "Accept the terms of the programme."),
    "payee_verified": ("payout_details", "Give the account that you are paid to, or wait until it "
                       "is verified."),
    "tax_form": ("tax_form", "Send your tax form: none that is valid is on file."),
    "screening": ("screening", "Nothing for you to do: the programme's screening is not done."),
    "cooling_off": ("cooling_off", "Nothing for you to do: a changed account waits some days."),
    "status": ("invitation", "Your partner account is not active: write to the programme."),
}  # fmt: skip
DISPUTE_STATES = {
    "opened": "Received",
    "under_review": "Being looked at",
    "upheld": "Accepted",
    "partly_upheld": "Accepted in part",
    "rejected": "Not accepted",
    "withdrawn": "Withdrawn by you",
}
DISPUTE_SUBJECTS = {"line": "Earning", "lead": "Lead", "payout": "Payout"}
REMEDIES = {
    "adjustment": "An amount was proposed for you; it is posted once a second person agrees.",
    "ruling": "Who brought the customer is decided anew, once a second person agrees.",
    "source": "What was wrong is corrected where it came from; a later night posts the difference.",
}
PAYOUT_REASONS = {
    "failed": "Your bank or provider refused it.",
    "returned": "It came back from your bank; the amount is yours and is paid again.",
    "unclaimed": "Nobody has claimed it yet at the provider.",
    "aborted": "It was stopped before it left; the amount is yours and is paid again.",
}
MOVEMENTS = {
    "earned": "Earned",
    "bonuses": "Bonuses",
    "adjustments": "Adjustments",
    "rulings": "Decided by rulings",
    "taken_back": "Taken back",
    "withheld": "Tax withheld",
    "written_off": "Written off",
    "paid": "Paid out",
    "returned": "Payouts that came back",
    "other": "Other",
}


def lead_reason(outcome: str, rule: str | None, was_sent: bool) -> str:
    """Why a lead stands as it does for this partner, in one sentence.

    outcome: of LEAD_OUTCOMES or a verdict. rule: of the partner's own last losing touch (A4).
    was_sent: whether the partner sent it in; else it came by its link or code.
    """
    if outcome == CREDITED:
        return ""
    if outcome == WAITING and not was_sent:
        return "The lead is not valid yet."
    if outcome == NOT_CREDITED:
        for beginning, sentence in _CANDIDATE_REASONS:
            if rule and rule.startswith(beginning):
                return sentence
        return "By the rules of the programme it is not credited to you."
    return VERDICT_REASONS.get(outcome, "")


def unpaid_short(line: Mapping[str, Any]) -> str:
    """The same in a few words, beside the state."""
    code = line["unpaid_code"] or ""
    if code.startswith("batch_"):
        return _IN_BATCH.get(code, "on its way")
    return _UNPAID_SHORT.get(code, "")


def unpaid_reason(line: Mapping[str, Any]) -> str:
    """Why a line is not paid yet, in one sentence; empty once it is."""
    code = line["unpaid_code"]
    if not code:
        return ""
    if code.startswith("batch_") and code not in _UNPAID_REASONS:
        return "In a payout that is on its way."
    return _UNPAID_REASONS.get(code, "It waits for the programme.").format(
        available_date=line["available_date"]
    )


def line_label(line: Mapping[str, Any]) -> str:
    """What an earning or a take-back is, in two or three words."""
    if line["kind"] == "earning":
        return SOURCES.get(line["source_type"], ENTRY_KINDS["earning"])
    return word(line["kind"], ENTRY_KINDS)


def line_reason(line: Mapping[str, Any]) -> str:
    """What an earning or a take-back comes from, in one sentence."""
    if line["kind"] in _KIND_REASONS:
        return _KIND_REASONS[line["kind"]]
    if line["cause_type"]:
        return _TAKEN_BACK.get(line["cause_type"], "A record that it was earned on was corrected.")
    return SOURCES.get(line["source_type"], "") or ""


def gate_step(gate: str) -> tuple[str, str]:
    """The step of the account page, and a sentence, for a gate or another reason to be left out."""
    return GATE_STEPS.get(gate, ("", ""))
