"""Three partners, written down by hand, for the pages on how the programme does.

The night is that of 28 February 2026; the last 90 days begin on 1 December, the 90 days before on
2 September. p_1 (default) and p_2 (agency, pilot) are paid in USD, p_3 (default) in EUR.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

Row = dict[str, Any]
DEC, JAN, FEB = date(2025, 12, 10), date(2026, 1, 10), date(2026, 2, 20)
BEFORE, LONG_AGO = date(2025, 11, 30), date(2025, 9, 1)


def partner(partner_id: str, group: str, currency: str, **more: Any) -> Row:
    return {
        "partner_id": partner_id, "name": f"Partner {partner_id}", "group": group,
        "status": "active", "is_pilot": False, "payout_currency_code": currency,
        "plan_id": "standard", "joined_at": datetime(2025, 1, 1), **more,
    }  # fmt: skip


def day(partner_id: str, on: date, currency: str, **more: Any) -> Row:
    return {
        "partner_id": partner_id, "activity_date": on, "payout_currency_code": currency, **more,
    }  # fmt: skip


def revenue(partner_id: str, on: date, currency: str, *amounts: int) -> Row:
    collected, first, returned, commission = amounts
    return {
        "partner_id": partner_id, "activity_date": on, "currency_code": currency,
        "collected_amount_minor": collected, "first_invoice_amount_minor": first,
        "returned_amount_minor": returned, "revenue_amount_minor": collected + returned,
        "commission_amount_minor": commission,
    }  # fmt: skip


def journey(lead_id: str, partner_id: str, valid: date, won: date | None, **more: Any) -> Row:
    return {
        "lead_id": lead_id, "partner_id": partner_id, "is_main": True, "credit_ppm": 1_000_000,
        "valid_date": valid, "deal_won_date": won, **more,
    }  # fmt: skip


def balance(partner_id: str, currency: str, available: int, total: int) -> Row:
    return {
        "partner_id": partner_id, "payout_currency_code": currency,
        "earned_amount_minor": total, "available_amount_minor": available,
        "on_hold_amount_minor": total - available, "balance_amount_minor": total,
    }  # fmt: skip


ROWS: dict[str, list[Row]] = {
    "marts.dim_partners": [
        partner("p_1", "default", "USD"),
        partner("p_2", "agency", "USD", is_pilot=True),
        partner("p_3", "default", "EUR"),
        partner("p_9", "default", "USD", status="paused", name="=cmd"),
    ],
    "marts.fct_partner_daily": [
        day("p_1", DEC, "USD", earned_amount_minor=10_000, valid_leads=2, new_customers=1),
        day("p_1", JAN, "USD", earned_amount_minor=5_000, reversed_amount_minor=-3_000),
        # Paid out, and nothing else: no activity.
        day("p_1", FEB, "USD", paid_amount_minor=-8_000),
        day("p_2", FEB, "USD", earned_amount_minor=1_000, deals_won=1, demos_held=1),
        day("p_3", FEB, "EUR", earned_amount_minor=7_000, valid_leads=1),
        day("p_1", BEFORE, "USD", earned_amount_minor=12_000, reversed_amount_minor=-600),
        # One day before the period compared with.
        day("p_2", LONG_AGO, "USD", earned_amount_minor=99_000, valid_leads=5),
        # Touches alone make no partner active.
        day("p_9", FEB, "USD", touches=4),
    ],
    "marts.fct_partner_revenue_daily": [
        revenue("p_1", DEC, "USD", 80_000, 30_000, 0, 8_000),
        revenue("p_1", JAN, "USD", 20_000, 0, -10_000, 2_000),
        revenue("p_2", FEB, "USD", 10_000, 0, 0, 1_000),
        revenue("p_3", FEB, "EUR", 35_000, 35_000, 0, 7_000),
        revenue("p_1", BEFORE, "USD", 60_000, 60_000, 0, 11_400),
    ],
    "marts.fct_lead_daily": [
        {"partner_id": "p_1", "activity_date": DEC, "valid_leads": 3, "signups": 1,
         "demos_booked": 3, "cohort_demos_booked": 3, "cohort_demos_held": 2,
         "cohort_deals_won": 1, "cohort_new_customers": 1, "cohort_days_to_deal": 20,
         "cohort_signups": 1},
        {"partner_id": "p_1", "activity_date": JAN, "deals_won": 1, "new_customers": 1,
         "demos_held": 2},
        {"partner_id": "p_2", "activity_date": FEB, "valid_leads": 1},
        {"partner_id": "p_3", "activity_date": BEFORE, "valid_leads": 2, "new_customers": 1,
         "deals_won": 2, "cohort_deals_won": 2, "cohort_days_to_deal": 10},
    ],
    "marts.fct_lead_journeys": [
        journey("l_1", "p_1", DEC, date(2026, 1, 10), first_payment_date=date(2026, 1, 10)),
        journey("l_2", "p_1", DEC, date(2025, 12, 14)),
        journey("l_3", "p_1", DEC, None),
        # Shared: half of the credit each, p_1 is the first by id.
        journey("l_4", "p_1", FEB, date(2026, 2, 21), credit_ppm=500_000),
        journey("l_4", "p_2", FEB, date(2026, 2, 21), credit_ppm=500_000, is_main=False),
    ],
    "marts.fct_partner_balances": [
        balance("p_1", "USD", 9_000, 9_000),
        balance("p_2", "USD", 5_000, 6_000),
        balance("p_3", "EUR", 7_000, 7_000),
    ],
    "marts.fct_lead_update_requests": [
        {"request_id": "r_1", "lead_id": "l_3", "subject_key": "l_3", "reason": "stale",
         "asked_of": "owner", "state": "overdue"},
        {"request_id": "r_2", "lead_id": "l_2", "subject_key": "l_2", "reason": "asked",
         "asked_of": "partner", "state": "open"},
        {"request_id": "r_3", "lead_id": "l_1", "subject_key": "l_1", "reason": "asked",
         "asked_of": "partner", "state": "answered"},
    ],
    "marts.fct_missed_credits": [
        # One customer that points to two partners: counted once.
        {"customer_id": "c_1", "currency_code": "USD", "partner_id": each, "lead_id": "l_7",
         "amount_minor": 4_200, "paid_lines": 1}
        for each in ("p_1", "p_2")
    ],
    "marts.fct_exceptions": [
        {"exception_id": f"x_{number}", "kind": "k", "severity": severity, "owner": owner,
         "opened_at": datetime(2026, 2, number), "what_to_do": "look"}
        for number, severity, owner in (
            (1, "info", "vic"), (2, "error", "ben"), (3, "warning", "ana"), (4, "warning", "ana"),
        )
    ],
}  # fmt: skip
