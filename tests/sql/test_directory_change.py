"""T2, J6: a partner who moves to another group or currency keeps what has begun to earn."""

from datetime import date

import pytest

from tests.workspaces import post_night, write_drop, write_workspace

pytestmark = pytest.mark.sql

PROGRAM = """\
program: {{id: t, name: T, legal_entity: T Inc, timezone: UTC, reporting_currency: USD}}
plans:
  - id: standard
    versions:
      - effective_from: 2025-01-01
        terms_follow: {terms_follow}
        components: [{{id: recurring, kind: recurring, rate: 0.20}}]
  - id: gold
    versions:
      - effective_from: 2025-01-01
        terms_follow: {terms_follow}
        components: [{{id: recurring, kind: recurring, rate: 0.30}}]
groups: {{default: standard, gold: gold}}
payouts: {{rails: {{default: csv}}}}
"""


def _two_nights(tmp_path, terms_follow: str, **directory_change: str):
    """A lead that pays 100.00 in June; in July Ana's directory row changes, and it pays again."""
    facts = {
        "partners": [{"partner_id": "ana", "name": "Ana", "email": "a@a.test", "status": "active"}],
        "partner_codes": [{"code": "ana", "partner_id": "ana", "code_type": "referral_link"}],
        "customers": [
            {
                "customer_id": "c1",
                "created_at": "2025-05-20",
                "email": "eve@buyer.test",
                "code": "ana",
            }
        ],
        "invoices": [_invoice("i1", "2025-06-01")],
        "fx_rates": [{"rate_date": "2025-07-01", "currency_code": "USD", "rate": "1.25"}],
        "invoice_lines": [{"invoice_line_id": "l1", "invoice_id": "i1", "amount_minor": "10000"}],
    }
    program = PROGRAM.format(terms_follow=terms_follow)
    workspace = write_workspace(tmp_path / "workspace", program, facts)
    post_night(workspace, tmp_path / "var", date(2025, 6, 30))
    facts["partners"][0] |= directory_change
    facts["invoices"].append(_invoice("i2", "2025-07-01"))
    facts["invoice_lines"].append(
        {"invoice_line_id": "l2", "invoice_id": "i2", "amount_minor": "10000"}
    )
    write_drop(workspace / "drop", facts)
    return post_night(workspace, tmp_path / "var", date(2025, 7, 31))


def _plans(night) -> list[tuple]:
    return night.rows(
        "SELECT source_id, plan_id, amount_minor FROM raw.journal__entries ORDER BY ALL"
    )


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


def test_pinned_terms_group_change_leaves_the_lead_on_its_plan(tmp_path) -> None:
    night = _two_nights(tmp_path, "pinned", group="gold")
    assert _plans(night) == [("l1", "standard", 2000), ("l2", "standard", 2000)]


def test_current_terms_group_change_counts_from_the_next_event(tmp_path) -> None:
    night = _two_nights(tmp_path, "current", group="gold")
    assert _plans(night) == [("l1", "standard", 2000), ("l2", "gold", 3000)]


def test_payout_currency_change_leaves_what_was_earned_in_the_old_currency(tmp_path) -> None:
    night = _two_nights(tmp_path, "pinned", payout_currency="EUR")
    assert night.rows(
        "SELECT source_id, amount_minor, payout_amount_minor, payout_currency_code "
        "FROM raw.journal__entries ORDER BY ALL"
    ) == [("l1", 2000, 2000, "USD"), ("l2", 2000, 1600, "EUR")]
