"""Explanations, checks and terms as sentences."""

from decimal import Decimal

import pytest

from orchestration.evidence_terms import terms_sentences, terms_title
from orchestration.evidence_words import check_text, fault_text, steps, summary_text

CHECK = {
    "result": "matches", "reason": None, "amount_minor": 1400, "currency_code": "USD",
    "payout_amount_minor": 1400, "payout_currency_code": "USD", "desired_amount_minor": 1400,
    "sum_amount_minor": 1400, "faults": (),
}  # fmt: skip
TERMS = {
    "plan_id": "standard", "plan_version": "2025-01-01", "component_id": "recurring",
    "kind": "recurring", "valid_to_date": "2200-01-01", "rate": Decimal("0.200000"),
    "duration_months": 12, "is_for_life": False, "duration_basis": "charge_start",
    "base_discounts": "reduce", "base_one_off": "include", "base_usage": "include",
    "base_setup": "include", "base_credits": "include", "base_shipping": "exclude",
    "hold_days": 30, "hold_after": "paid", "terms_follow": "pinned", "refund_mode": "proportional",
    "chargeback_on_open": "hold", "chargeback_on_lost": "reverse", "chargeback_on_won": "release",
    "churn_mode": "prorated", "churn_window_days": 90, "max_age_days": 365,
}  # fmt: skip


def worded(explanation, payout="USD"):
    return dict(steps(explanation, "USD", payout))


def test_a_match_says_the_amount():
    assert check_text(CHECK) == "recomputed from the stored explanation: 14.00 USD, matches"
    abroad = {**CHECK, "payout_amount_minor": 1296, "payout_currency_code": "EUR"}
    assert check_text(abroad).endswith("14.00 USD, 12.96 EUR, matches")


def test_a_difference_says_both_numbers_and_why():
    differs = {**CHECK, "result": "differs", "desired_amount_minor": 1500, "faults": ("amount",)}
    assert check_text(differs) == (
        "recomputed from the stored explanation: 14.00 USD, differs: recorded is 15.00 USD, posted "
        "14.00 USD (the parts give another amount)"
    )
    missing = {**differs, "amount_minor": None, "faults": ("incomplete: days",)}
    assert check_text(missing).endswith("differs: the explanation lacks days")


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("older", "posted before explanations could be recomputed"),
        ("decided", "people decided"),
        ("withdrawn", "taken back to nothing"),
        ("stands_under_ruling", "before a ruling"),
        ("unknown_shape", "a newer release"),
    ],
)
def test_without_a_formula_the_reason_is_said(reason, said):
    check = {**CHECK, "result": "no_formula", "reason": reason, "amount_minor": None}
    assert said in check_text(check)
    assert check_text(check).endswith("its key adds up to 14.00 USD")


def test_every_fault_has_words():
    for fault in ("amount", "payout_amount", "sum", "payout_sum", "base", "tier_shares", "limit",
                  "cap", "whole", "threshold", "entries_hash"):  # fmt: skip
        assert " " in fault_text(fault)


def test_a_summary_counts():
    counts = {"entries": 5, "matches": 2, "differs": 1, "no_formula": 2, "older": 1}
    assert summary_text(counts) == (
        "recomputed 5 entries from the stored explanations: 2 match, 1 differ, 1 without a "
        "formula, of which the sums agree, 1 posted before explanations could be recomputed"
    )
    one = {"entries": 1, "matches": 1, "differs": 0, "no_formula": 0, "older": 0}
    assert summary_text(one).endswith("1 match, 0 differ")


def test_steps_of_a_line_lead_from_the_base_to_the_cents():
    explanation = {
        "shape": "line", "gross_amount_minor": 12_000, "discount_amount_minor": 2_000,
        "line_base_amount_minor": 10_000, "rate_from": "product", "rate": "0.300000",
        "days": "181/365", "limit": "minimum", "limit_amount_minor": 1_500,
        "cap": {"by": "per_customer", "cut_amount_minor": 100, "left_amount_minor": 1_400},
        "paid_share": "1/2", "fx": "9/10", "fx_rate_date": "2026-01-15",
        "credits": [{"partner_id": "a", "credit_ppm": 600_000},
                    {"partner_id": "b", "credit_ppm": 400_000}],
        "desired_amount_minor": 420, "desired_payout_amount_minor": 378,
        "hold": "30 days after paid",
    }  # fmt: skip
    said = worded(explanation, "EUR")
    assert list(said) == [
        "amount of the line, discount", "base", "× rate", "× service days in the window",
        "minimum per line", "cap per customer", "× share of the invoice paid",
        "split by largest remainder", "rounded once, half away from zero",
        "exchange rate of 2026-01-15", "in the payout currency, rounded once more", "on hold",
    ]  # fmt: skip
    assert said["× rate"] == "30 %, for the product"
    assert said["cap per customer"] == "1.00 USD cut, 14.00 USD left"
    assert said["split by largest remainder"] == "a 60 %, b 40 %"
    assert said["exchange rate of 2026-01-15"] == "× 0.9000000000 (9/10)"
    assert said["in the payout currency, rounded once more"] == "3.78 EUR"


def test_steps_of_a_tier_name_each_band():
    explanation = {
        "shape": "line", "line_base_amount_minor": 10_000, "rate_from": "tier",
        "tier": {"metric": "revenue", "period": "2026-03", "mode": "marginal",
                 "position": "10000..20000",
                 "bands": [{"rate": "0.200000", "share": "1/2"},
                           {"rate": "0.250000", "share": "1/2"}]},
        "desired_amount_minor": 2_250,
    }  # fmt: skip
    said = steps(explanation, "USD", "USD")
    assert ("tier", "revenue in 2026-03, marginal, position 10000..20000") in said
    bands = [value for what, value in said if what == "× rate of the band"]
    assert bands == ["20 % on 1/2 of the line", "25 % on 1/2 of the line"]


@pytest.mark.parametrize(
    ("explanation", "said"),
    [
        ({"shape": "event", "whole_amount_minor": 5_000}, ("fixed amount", "50.00 USD")),
        ({"shape": "event", "deal_amount_minor": 90_000, "rate": "0.050000"}, ("× rate", "5 %")),
        ({"shape": "bonus", "metric": "customers", "period": "2026-03", "reached": 3,
          "threshold": 3, "whole_amount_minor": 1},
         ("customers in 2026-03", "3 reached, 3 needed")),
        ({"shape": "referral", "referred_partner_id": "p_9", "referred_amount_minor": 3_335,
          "rate": "0.100000"}, ("earned by p_9", "33.35 USD")),
        ({"shape": "referral", "referred_amount_minor": 3_335, "rate": "0.100000",
          "joined_date": "2026-01-31"}, ("joined on", "2026-01-31")),
        ({"shape": "takeback", "cause_amount_minor": 2_500, "paid_amount_minor": 10_000},
         ("goes back now", "25.00 USD")),
        ({"shape": "churn", "days_of_access": 29, "window_days": 90, "churn_mode": "prorated"},
         ("access lasted", "29 days of 90, prorated")),
        ({"shape": "void", "taken_amount_minor": -500}, ("taken back before", "-5.00 USD")),
        ({"shape": "share_of_takeback", "own_amount_minor": 334}, ("own share", "3.34 USD")),
        ({"shape": "ruling", "decided_by": "ruling:rul_1"}, ("decided by", "ruling:rul_1")),
        ({"rate": "0.2", "line_base_amount_minor": 100}, ("base", "1.00 USD")),
    ],
)  # fmt: skip
def test_each_shape_says_what_it_rests_on(explanation, said):
    assert said in steps(explanation, "USD", "USD")


def test_terms_of_a_recurring_component_are_sentences():
    said = terms_sentences(TERMS)
    assert said[0] == (
        "20 % of each paid invoice line, without tax, for what starts in the first 12 months "
        "(C1, C3)"
    )
    assert "not counted: shipping (C2)" in said
    assert "payable 30 days after the invoice was paid (P1)" in said
    assert "nothing is taken back after 365 days (R8)" in said
    assert terms_title(TERMS) == (
        "plan standard, version in force from 2025-01-01, component recurring (recurring)"
    )
    ended = {**TERMS, "valid_to_date": "2026-01-01"}
    assert "until 2026-01-01 (excluded)" in terms_title(ended)


def test_terms_say_rates_tiers_limits_and_gaps():
    said = terms_sentences(
        {
            **TERMS, "first_payment_rate": Decimal("0.5"), "country_rates": "AT 0.25, DE 0.25",
            "product_rates": "prod_x 0.300000", "tier_metric": "customers", "tier_period": "month",
            "tier_mode": "whole", "tier_bands": "from 0 0.2, from 10 0.25",
            "limits_minor": "maximum USD 5000, per_customer EUR 100, per_customer USD 200",
            "reactivation_mode": "stop", "reactivation_gap_days": 60,
        }
    )  # fmt: skip
    for sentence in (
        "50 % of the customer's first payment (C7)",
        "by the customer's country: AT 25 %, DE 25 % (C7)",
        "by product: prod_x 30 % (C7)",
        "by customers per month, the band that the period reaches counts for all of it: from 0 "
        "20 %, from 10 25 % (C5)",
        "at most 50.00 USD per line (C7)",
        "at most 1.00 EUR per customer (C6)",
        "after a gap of 60 days the time ends for good (C4)",
    ):
        assert sentence in said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"kind": "event", "rate": None, "trigger_stage": "demo_held",
          "amounts_minor": "EUR 4500, USD 5000"},
         "45.00 EUR or 50.00 USD, once per lead when a demo was held (C1)"),
        ({"kind": "event", "rate": Decimal("0.05"), "trigger_stage": "deal_won"},
         "5 % of the first won deal, once per lead when a deal is won (C1)"),
        ({"kind": "bonus", "bonus_metric": "customers", "bonus_period": "month",
          "bonus_threshold": 3, "amounts_minor": "USD 50000"},
         "500.00 USD, once per month, when customers reach 3; never taken back (C1, C7)"),
        ({"kind": "partner_referral", "rate": Decimal("0.1"), "referral_months": 6},
         "10 % of what a referred partner earns for 6 months from the day on which it joined "
         "(C7)"),
        ({"duration_months": 0}, "20 % of each paid invoice line, without tax, for the first "
         "payment only (C1, C3)"),
        ({"is_for_life": True}, "20 % of each paid invoice line, without tax, for as long as the "
         "customer pays (C1, C3)"),
    ],
)  # fmt: skip
def test_every_kind_of_component_has_a_sentence(changes, said):
    assert terms_sentences({**TERMS, **changes})[0] == said


def test_the_open_end_is_that_of_the_terms():
    from orchestration.evidence_terms import _OPEN_END
    from program.schema_base import OPEN_END

    assert OPEN_END.isoformat() == _OPEN_END


def test_columns_that_a_snapshot_lacks_say_nothing():
    old = {
        name: TERMS[name] for name in ("plan_id", "plan_version", "component_id", "kind", "rate")
    }
    assert len(terms_sentences(old)) == 1
