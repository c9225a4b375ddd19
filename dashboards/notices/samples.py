"""Made-up payloads, one per kind: what previews show and what templates are checked with."""

from __future__ import annotations

from typing import Any

from dashboards.notices.kinds import (
    APPROVAL_WAITING,
    COMMISSION_HELD,
    COMMISSION_TAKEN_BACK,
    DATA_STALE,
    DIGEST,
    INVITATION,
    LEAD_STAGE_CHANGED,
    NEWS_KINDS,
    NIGHT_FAILED,
    PAYOUT_FAILED,
    PAYOUT_SCHEDULED,
    PAYOUT_SENT,
    SIGN_IN_LINK,
    UPDATE_REQUESTED,
    WEEKLY_STATEMENT,
)

Record = dict[str, Any]
_CUSTOMER = "k***@kind-atlas.example"
_ITEMS: dict[str, list[Record]] = {
    LEAD_STAGE_CHANGED: [
        {"customer": _CUSTOMER, "lead_id": "lead_1", "stage": "demo_held",
         "reached_at": "2026-02-27T18:00:00"},
        {"customer": "o***@fresh-canyon.example", "lead_id": "lead_2", "stage": "first_payment",
         "reached_at": "2026-02-28T11:11:45"},
    ],
    UPDATE_REQUESTED: [
        {"customer": _CUSTOMER, "lead_id": "lead_1", "due_at": "2026-03-07T05:00:00",
         "is_overdue": False},
        {"customer": "o***@fresh-canyon.example", "lead_id": "lead_2",
         "due_at": "2026-02-21T05:00:00", "is_overdue": True},
    ],
    COMMISSION_HELD: [
        {"customer": _CUSTOMER, "reason": "dispute_open", "amount_minor": 9980,
         "currency_code": "EUR", "day": "2026-02-20"},
    ],
    COMMISSION_TAKEN_BACK: [
        {"customer": _CUSTOMER, "reason": "refund", "amount_minor": 5860, "currency_code": "EUR",
         "day": "2026-02-22"},
        {"customer": "o***@fresh-canyon.example", "reason": "chargeback", "amount_minor": 1250,
         "currency_code": "USD", "day": "2026-02-24"},
    ],
    PAYOUT_SCHEDULED: [
        {"payout_id": "104a35a2", "amount_minor": 283048, "currency_code": "EUR",
         "state": "exported", "day": "2026-03-16"},
    ],
    PAYOUT_SENT: [
        {"payout_id": "104a35a2", "amount_minor": 283048, "currency_code": "EUR",
         "state": "settled", "day": "2026-03-16"},
    ],
    PAYOUT_FAILED: [
        {"payout_id": "104a35a2", "amount_minor": 283048, "currency_code": "EUR",
         "state": "returned", "day": "2026-03-18"},
    ],
}  # fmt: skip
_STATEMENT: Record = {
    "week_end": "2026-03-01",
    "currencies": [
        {"currency_code": "EUR", "opening_minor": 250000, "earned_minor": 45000,
         "released_minor": 5860, "taken_back_minor": 7110, "paid_minor": 200000, "other_minor": 0,
         "closing_minor": 93750},
        {"currency_code": "USD", "opening_minor": -1250, "earned_minor": 5000, "released_minor": 0,
         "taken_back_minor": 0, "paid_minor": 0, "other_minor": -300, "closing_minor": 3450},
    ],
}  # fmt: skip
_STAFF: dict[str, Record] = {
    APPROVAL_WAITING: {
        "role": "finance",
        "batches": [
            {"role": "finance", "batch_id": "b-20260228-EUR-sepa-1-15b374ed",
             "currency_code": "EUR", "total_minor": 807342, "items": 5, "pay_date": "2026-03-16"},
            {"role": "finance", "batch_id": "b-20260228-JPY-csv-1-9e3cad5b",
             "currency_code": "JPY", "total_minor": 398534, "items": 1, "pay_date": "2026-03-16"},
        ],
        "totals": [
            {"currency_code": "EUR", "amount_minor": 807342},
            {"currency_code": "JPY", "amount_minor": 398534},
        ],
    },
    DATA_STALE: {
        "run_id": "2026-02-28-0001", "as_of": "2026-02-28", "age": "27 hours old", "level": "old",
    },
    NIGHT_FAILED: {
        "as_of": "2026-03-01", "ended_at": "2026-03-02T07:12:00",
        "message": "Source billing, stream invoices: the server answers 503; nothing was posted.",
    },
}  # fmt: skip


def sample(kind: str) -> Record:
    """A payload of this kind, as it would be kept."""
    if kind in _STAFF:
        return _STAFF[kind]
    partner: Record = {
        "partner_id": "p_4", "partner_name": "Kumogaki Digital", "as_of": "2026-02-28",
    }  # fmt: skip
    if kind in (SIGN_IN_LINK, INVITATION):
        return {
            "partner_id": "p_4",
            "partner_name": "Kumogaki Digital",
            "link": "https://partners.acme.example/sign-in/link?token=sample",
            "expires_at": "2026-03-02T09:15:00.000000Z",
        }
    if kind == WEEKLY_STATEMENT:
        return {**partner, **_STATEMENT}
    kinds = NEWS_KINDS if kind == DIGEST else (kind,)
    return {**partner, "sections": [_section(each) for each in kinds]}


def _section(kind: str) -> Record:
    items = _ITEMS[kind]
    sums: dict[str, int] = {}
    for item in items:
        if "amount_minor" in item:
            code = item["currency_code"]
            sums[code] = sums.get(code, 0) + item["amount_minor"]
    totals = [{"currency_code": code, "amount_minor": sums[code]} for code in sorted(sums)]
    return {"kind": kind, "count": len(items), "items": items, "totals": totals}
