"""Addresses of the portal: one place, so that every record leads to its page."""

from __future__ import annotations

from urllib.parse import quote, urlencode

HOME = "/portal"
LEADS = "/portal/leads"
NEW_LEAD = "/portal/leads/new"
EARNINGS = "/portal/earnings"
PAYOUTS = "/portal/payouts"
DISPUTES = "/portal/disputes"
RULES = "/portal/rules"
ACCOUNT = "/portal/account"


def lead(lead_id: str | None) -> str | None:
    """The page of one of the partner's leads."""
    return _below(LEADS, lead_id)


def earning(commission_id: str | None) -> str | None:
    """The page of an earning or take-back."""
    return _below(EARNINGS, commission_id)


def payout(payout_id: str | None) -> str | None:
    """The page of a payout."""
    return _below(PAYOUTS, payout_id)


def dispute(dispute_id: str | None) -> str | None:
    """The page of a question."""
    return _below(DISPUTES, dispute_id)


def ask(subject_type: str, subject_id: str) -> str:
    """The form of a question about an earning, a lead or a payout."""
    return f"{DISPUTES}/new?{urlencode({'about': subject_type, 'id': subject_id})}"


def step(name: str) -> str:
    """A step of the account page."""
    return f"{ACCOUNT}#{name}" if name else ACCOUNT


def _below(base: str, name: str | None) -> str | None:
    return f"{base}/{quote(name, safe='')}" if name else None
