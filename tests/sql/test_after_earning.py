"""A6: what a late touch may still change once a lead has earned."""

from datetime import date

import pytest

from tests.workspaces import post_night, write_drop, write_workspace

pytestmark = pytest.mark.sql

PROGRAM = """\
program: {{id: t, name: T, legal_entity: T Inc, timezone: UTC, reporting_currency: USD}}
lead: [{{effective_from: 2025-01-01, valid_when: demo_booked}}]
attribution: [{{effective_from: 2025-01-01, model: last_touch, after_earning: {after_earning}}}]
plans:
  - id: standard
    versions:
      - effective_from: 2025-01-01
        components: [{{id: recurring, kind: recurring, rate: 0.20}}]
groups: {{default: standard}}
payouts: {{rails: {{default: csv}}}}
"""


def _facts() -> dict:
    """Ana's click on 1 May, a demo booked on the 10th, an invoice of 100.00 paid in June."""
    return {
        "partners": [
            {"partner_id": "ana", "name": "Ana", "email": "ana@a.test", "status": "active"},
            {"partner_id": "bob", "name": "Bob", "email": "bob@b.test", "status": "active"},
        ],
        "partner_codes": [
            {"code": "ana", "partner_id": "ana", "code_type": "referral_link"},
            {"code": "bob", "partner_id": "bob", "code_type": "referral_link"},
        ],
        "touchpoints": [_click("t1", "2025-05-01T10:00:00Z", "ana")],
        "meetings": [
            {
                "meeting_id": "m1",
                "booked_at": "2025-05-10T10:00:00Z",
                "starts_at": "2025-05-12T10:00:00Z",
                "outcome": "held",
                "email": "eve@buyer.test",
            }
        ],
        "customers": [{"customer_id": "c1", "created_at": "2025-05-20", "email": "eve@buyer.test"}],
        "invoices": [_invoice("i1", "2025-06-01")],
        "invoice_lines": [{"invoice_line_id": "l1", "invoice_id": "i1", "amount_minor": "10000"}],
    }


def _click(touchpoint_id: str, occurred_at: str, code: str) -> dict[str, str]:
    return {
        "touchpoint_id": touchpoint_id,
        "occurred_at": occurred_at,
        "touch_type": "referral_link",
        "code": code,
        "email": "eve@buyer.test",
    }


def _invoice(invoice_id: str, day: str) -> dict[str, str]:
    return {
        "invoice_id": invoice_id,
        "customer_id": "c1",
        "status": "paid",
        "currency_code": "USD",
        "issued_at": day,
        "paid_at": day,
        "total_minor": "10000",
    }


def _two_nights(tmp_path, after_earning: str):
    """The second night knows a click on Bob's link on 9 May and a second invoice in July."""
    facts = _facts()
    workspace = write_workspace(
        tmp_path / "workspace", PROGRAM.format(after_earning=after_earning), facts
    )
    post_night(workspace, tmp_path / "var", date(2025, 6, 30))
    facts["touchpoints"].append(_click("t2", "2025-05-09T10:00:00Z", "bob"))
    facts["invoices"].append(_invoice("i2", "2025-07-01"))
    facts["invoice_lines"].append(
        {"invoice_line_id": "l2", "invoice_id": "i2", "amount_minor": "10000"}
    )
    write_drop(workspace / "drop", facts)
    return post_night(workspace, tmp_path / "var", date(2025, 7, 31))


def _entries(night) -> list[tuple]:
    return night.rows(
        "SELECT partner_id, source_id, amount_minor, ordinal FROM raw.journal__entries ORDER BY ALL"
    )


def test_pin_lead_that_earned_stays_with_its_partner_and_lists_the_discrepancy(tmp_path) -> None:
    night = _two_nights(tmp_path, "pin")
    assert _entries(night) == [("ana", "l1", 2000, 1), ("ana", "l2", 2000, 1)]
    assert night.rows(
        "SELECT partner_id, computed_partner_id, is_pinned_against_computation "
        "FROM intermediate.int_attribution__credits"
    ) == [("ana", "bob", True)]


def test_recompute_lead_that_earned_moves_and_the_past_is_taken_back_by_an_entry(tmp_path) -> None:
    night = _two_nights(tmp_path, "recompute")
    assert _entries(night) == [
        ("ana", "l1", -2000, 2),
        ("ana", "l1", 2000, 1),
        ("bob", "l1", 2000, 1),
        ("bob", "l2", 2000, 1),
    ]
