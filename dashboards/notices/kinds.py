"""The kinds of messages, whom each is for and how long it is worth sending.

What belongs here: names and lifetimes. What does not: their words (``templates/mail``).
"""

from __future__ import annotations

from datetime import timedelta

LEAD_STAGE_CHANGED = "lead_stage_changed"
UPDATE_REQUESTED = "update_requested"
COMMISSION_HELD = "commission_held"
COMMISSION_TAKEN_BACK = "commission_taken_back"
PAYOUT_SCHEDULED = "payout_scheduled"
PAYOUT_SENT = "payout_sent"
PAYOUT_FAILED = "payout_failed"
WEEKLY_STATEMENT = "weekly_statement"
SIGN_IN_LINK = "sign_in_link"
INVITATION = "invitation"
DIGEST = "digest"
APPROVAL_WAITING = "approval_waiting"
DATA_STALE = "data_stale"
NIGHT_FAILED = "night_failed"

# In the order in which a digest tells them: money first.
NEWS_KINDS = (
    PAYOUT_FAILED,
    PAYOUT_SENT,
    PAYOUT_SCHEDULED,
    COMMISSION_TAKEN_BACK,
    COMMISSION_HELD,
    UPDATE_REQUESTED,
    LEAD_STAGE_CHANGED,
)
# Told also to a partner that wants only what it cannot do without.
NEEDED_KINDS = frozenset({PAYOUT_FAILED, PAYOUT_SENT, PAYOUT_SCHEDULED, UPDATE_REQUESTED})
PARTNER_KINDS = (*NEWS_KINDS, DIGEST, WEEKLY_STATEMENT, SIGN_IN_LINK, INVITATION)
STAFF_KINDS = (APPROVAL_WAITING, DATA_STALE, NIGHT_FAILED)
KINDS = (*PARTNER_KINDS, *STAFF_KINDS)

STAFF_WEBHOOK = "staff"
"""Recipient of messages to the chat; the address itself is in the environment."""

NEWS_LASTS = timedelta(days=14)
"""What a partner was not told for so long, the portal tells better."""
STAFF_LASTS = timedelta(days=1)
