"""Words that only messages use: why an amount waits or went back, what a lead has reached."""

from __future__ import annotations

HELD_REASONS = {
    "dispute_open": "the customer disputes the payment; it waits for the outcome",
    "line_hold": "the programme is looking at this commission",
    "lead_hold": "the programme is looking at this lead",
    "partner_hold": "the programme has stopped payouts on your account for now",
    "other": "it waits for the programme",
}
TAKEN_BACK_REASONS = {
    "refund": "the customer was refunded",
    "chargeback": "the customer's bank took the payment back",
    "credit_note": "the customer was given a credit note",
    "churn": "the customer cancelled early",
    "correction": "the record that it was earned on was corrected",
}
STAGES = {
    "signup": "has signed up",
    "demo_booked": "has booked a demo",
    "demo_held": "has seen the demo",
    "qualified": "is qualified",
    "deal_won": "has become a customer",
    "first_payment": "has paid for the first time",
    "lost": "was lost",
}
FAILED_PAYOUTS = {
    "failed": "your bank or provider refused it",
    "returned": "it came back from your bank",
    "aborted": "it was stopped before it left",
}
