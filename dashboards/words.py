"""Words for states, verdicts, reasons and kinds: one place, so that all pages say the same.

What is not listed is shown as it is stored, with spaces for underscores.
"""

from __future__ import annotations

LEAD_STAGES = {
    "new": "New", "signup": "Signed up", "demo_booked": "Demo booked", "demo_held": "Demo held",
    "qualified": "Qualified", "deal_won": "Deal won", "first_payment": "First payment",
    "lost": "Lost",
}  # fmt: skip
VERDICTS = {
    "valid": "Valid",
    "pending": "Waiting",
    "declined": "Declined by the programme",
    "withdrawn": "Withdrawn",
    "incomplete": "Incomplete",
    "own_domain": "The programme's own domain",
    "blocked": "Blocked domain",
    "self_referral": "Own company of the partner",
    "existing_customer": "Already a customer",
    "open_opportunity": "A deal was already open",
    "duplicate_same_partner": "Sent in before by the same partner",
    "duplicate_other_partner": "Protected for another partner",
    "expired": "Registration ran out",
    "out_of_window": "Outside the attribution window",
}
BATCH_STATES = {
    "proposed": "Waiting for approval",
    "partnerships_approved": "Waiting for finance",
    "finance_approved": "Approved",
    "exported": "Exported",
    "sent": "Sent to the bank",
    "closed": "Settled",
    "stale": "Out of date",
    "rejected": "Rejected",
    "aborted": "Aborted",
}
PAYOUT_STATES = {
    "proposed": "Planned",
    "exported": "On its way",
    "sent": "On its way",
    "settled": "Paid",
    "failed": "Failed",
    "returned": "Came back",
    "unclaimed": "Not claimed",
    "left_out": "Not in this payout",
}
LEFT_OUT = {
    "below_minimum": "Below the minimum payout: carried to the next one",
    "not_positive": "Nothing to pay",
    "pilot": "Not part of the pilot",
    "status": "Partner is not active",
    "terms_accepted": "Terms not accepted yet",
    "payee_verified": "Payout details missing or not verified",
    "tax_form": "Tax form missing or run out",
    "screening": "Screening not passed",
    "cooling_off": "New payout details: waiting time",
}
ENTRY_KINDS = {
    "earning": "Earned", "bonus": "Bonus", "refund": "Refund", "chargeback": "Chargeback",
    "reinstatement": "Given back", "churn": "Cancelled early", "credit_note": "Credit note",
    "correction": "Correction", "adjustment": "Adjustment", "ruling": "Ruling",
    "payout": "Paid out", "payout_return": "Payout came back", "write_off": "Written off",
    "withholding": "Tax withheld",
}  # fmt: skip
TOUCH_TYPES = {
    "manual_ruling": "Ruling", "deal_registration": "Deal registration",
    "promotion_code": "Promotion code", "crm_field": "CRM field", "form_field": "Form field",
    "referral_link": "Referral link",
}  # fmt: skip
DECISIONS = {"outcomes": "The bank answered", "sent": "Sent to the bank"}
EXCEPTIONS = {
    "new_details": "New payout details",
    "first_payment": "First payment",
    "unusual_amount": "Unusual amount",
    "open_dispute": "Open dispute",
    "negative_carried": "Negative balance carried",
    "one_item_file": "File with one payment",
    "over_cap": "Over a cap",
}
LINE_STATES = {
    "accrued": "Waiting time runs",
    "eligible": "Payable",
    "claimed": "In a batch",
    "paid": "Paid",
    "held": "Held",
    "disputed": "Chargeback open",
}
LIABILITY_STATES = {
    "on_hold": "Waiting time runs", "held": "Held", "available": "Payable",
    "in_batch": "In a batch", "paid": "Paid",
}  # fmt: skip
UNPAID_REASONS = {
    "hold_window": "The waiting time after the payment runs",
    "awaiting_batch": "Waits for the next batch",
    "batch_proposed": "In a batch that waits for partnerships",
    "batch_partnerships_approved": "In a batch that waits for finance",
    "batch_finance_approved": "In a batch that waits for its export",
    "dispute_open": "A chargeback is open",
}
UNEARNED_REASONS = {
    "no_attribution": "Nobody is credited with the lead",
    "no_lead": "The customer belongs to no lead",
    "lead_rejected": "Own or blocked domain",
    "lead_not_valid": "The lead is not valid",
    "no_plan": "No plan governs the lead",
    "no_component": "The plan pays nothing on invoices",
    "product_excluded": "The plan leaves the product out",
    "kind_excluded": "The plan leaves this kind of line out",
    "credit_excluded": "The plan leaves credits out",
    "outside_duration": "Outside the months that the plan pays",
    "stopped_after_gap": "The customer paused, which ended it",
    "conversion_window": "First payment came too late",
    "capped": "A cap was reached",
    "zero_amount": "Rounds to nothing",
}
ATTRIBUTION_MODELS = {
    "last_touch": "Last touch", "first_touch": "First touch", "linear": "Linear",
    "position_based": "Position based", "time_decay": "Time decay",
    "recomputed": "Without pins and rulings",
}  # fmt: skip
DUPLICATE_KINDS = {
    "same_partner_claim": "Sent in again by the same partner",
    "other_partner_claim": "Sent in by another partner",
    "merged_leads": "Leads that became one",
    "possible_duplicate": "Two leads that may be one",
    "shared_mailbox": "Mailbox that too many share",
    "shared_device": "Device that too many share",
}
SUBMISSION_TYPES = {
    "form_submission": "Form", "deal_registration": "Deal registration",
    "lead_entry": "Lead entered here",
}  # fmt: skip
_ALL = (
    LEAD_STAGES, VERDICTS, BATCH_STATES, PAYOUT_STATES, LEFT_OUT, ENTRY_KINDS, TOUCH_TYPES,
    EXCEPTIONS,
)  # fmt: skip
GOOD, WAITING, BAD, NEUTRAL = "good", "waiting", "bad", "neutral"
_TONES = {
    **dict.fromkeys(
        ("valid", "active", "settled", "finance_approved", "first_payment", "deal_won", "paid",
         "exported", "sent", "closed", "answered", "upheld", "available", "matched", "credited",
         "eligible", "approved"),
        GOOD,
    ),
    **dict.fromkeys(
        ("pending", "proposed", "partnerships_approved", "on_hold", "open", "opened", "new",
         "under_review", "overdue", "stale", "in_batch", "applied", "paused", "warning", "held",
         "accrued", "claimed", "disputed", "entered", "expected", "below_minimum"),
        WAITING,
    ),
    **dict.fromkeys(
        ("declined", "self_referral", "blocked", "own_domain", "rejected", "failed", "returned",
         "aborted", "expired", "terminated", "lost", "error", "high", "duplicate_other_partner"),
        BAD,
    ),
}  # fmt: skip


def word(code: str | None, words: dict[str, str] | None = None) -> str:
    """The word for a code; the code itself, readable, when there is none."""
    if not code:
        return ""
    for known in (words,) if words is not None else _ALL:
        if code in known:
            return known[code]
    text = code.replace("_", " ")
    return text[:1].upper() + text[1:]


def tone(code: str | None) -> str:
    """good, waiting, bad or neutral: how a badge looks. Never colour alone: the word is there."""
    return _TONES.get(code or "", NEUTRAL)
