"""Columns and types of the raw tables `program__*`, one place for all of them.

Types: text, boolean, integer (32 bit), bigint, rate (DECIMAL(9,6), rule M2), date, timestamp
(UTC, naive). Spans of dates are half-open; the open end is 2200-01-01.
"""

from __future__ import annotations

Columns = tuple[tuple[str, str], ...]

PLAN_VERSION: Columns = (("plan_id", "text"), ("plan_version", "text"))
COMPONENT: Columns = (*PLAN_VERSION, ("component_id", "text"))
SPAN: Columns = (("valid_from_date", "date"), ("valid_to_date", "date"))
LEAD_VERSION: Columns = (("lead_version", "text"),)
ATTRIBUTION_VERSION: Columns = (("attribution_version", "text"),)
AMOUNT: Columns = (("currency_code", "text"), ("amount_minor", "bigint"))

TABLE_COLUMNS: dict[str, Columns] = {
    "program__run": (
        ("run_id", "text"),
        ("as_of", "date"),
        ("as_of_end_at", "timestamp"),
        ("timezone", "text"),
        ("reporting_currency_code", "text"),
        ("programme_id", "text"),
        ("programme_name", "text"),
        ("legal_entity", "text"),
        ("terms_hash", "text"),
        ("next_pay_date", "date"),
    ),
    "program__sources": (
        ("source", "text"),
        ("kind", "text"),
        ("source_rank", "integer"),
        ("is_held_when_ended", "boolean"),
    ),
    "program__source_fields": (
        ("source", "text"),
        ("field_name", "text"),
        ("field_order", "integer"),
        ("carrier", "text"),
        ("field_path", "text"),
    ),
    "program__source_domains": (("source", "text"), ("domain", "text")),
    "program__currencies": (("currency_code", "text"), ("exponent", "integer")),
    "program__shared_mail_domains": (("domain", "text"), ("kind", "text")),
    "program__lead_versions": (
        *LEAD_VERSION,
        *SPAN,
        ("valid_when", "text"),
        ("scope", "text"),
        ("protection_days", "integer"),
        ("stale_days", "integer"),
        ("update_due_days", "integer"),
        ("reminder_days", "integer"),
        ("max_people_per_device", "integer"),
        ("max_customers_per_mailbox", "integer"),
        ("existing_customer", "text"),
        ("open_opportunity", "text"),
        ("self_referral", "text"),
    ),
    "program__lead_domains": (*LEAD_VERSION, ("list_name", "text"), ("domain", "text")),
    "program__self_referral_allowed": (*LEAD_VERSION, ("partner_id", "text")),
    "program__attribution_versions": (
        *ATTRIBUTION_VERSION,
        *SPAN,
        ("model", "text"),
        ("touch_window_days", "integer"),
        ("conversion_window_days", "integer"),
        ("collapse_repeats", "boolean"),
        ("code_grace_hours", "integer"),
        ("after_earning", "text"),
        ("position_first_rate", "rate"),
        ("position_last_rate", "rate"),
        ("half_life_days", "integer"),
    ),
    "program__attribution_priority": (
        *ATTRIBUTION_VERSION,
        ("touch_type", "text"),
        ("priority_rank", "integer"),
    ),
    "program__attribution_models": (
        *ATTRIBUTION_VERSION,
        ("model", "text"),
        ("is_paying", "boolean"),
    ),
    "program__decay_weights": (("level", "integer"), ("step", "integer"), ("weight", "bigint")),
    "program__risk": (
        ("hold_from", "text"),
        ("fast_signup_seconds", "integer"),
        ("burst_leads", "integer"),
        ("burst_hours", "integer"),
        ("refund_times", "integer"),
        ("refund_min_lines", "integer"),
    ),
    "program__plan_versions": (
        *PLAN_VERSION,
        *SPAN,
        ("terms_follow", "text"),
        ("hold_days", "integer"),
        ("hold_after", "text"),
        ("refund_mode", "text"),
        ("chargeback_on_open", "text"),
        ("chargeback_on_lost", "text"),
        ("chargeback_on_won", "text"),
        ("churn_mode", "text"),
        ("churn_window_days", "integer"),
        ("max_age_days", "integer"),
    ),
    "program__churn_table": (*PLAN_VERSION, ("under_days", "integer"), ("share", "rate")),
    "program__components": (
        *COMPONENT,
        ("component_order", "integer"),
        ("kind", "text"),
        ("trigger", "text"),
        ("rate", "rate"),
        ("duration_months", "integer"),
        ("duration_is_for_life", "boolean"),
        ("duration_basis", "text"),
        ("base_discounts", "text"),
        ("base_one_off", "text"),
        ("base_usage", "text"),
        ("base_setup", "text"),
        ("base_credits", "text"),
        ("base_shipping", "text"),
        ("first_payment_rate", "rate"),
        ("reactivation_mode", "text"),
        ("reactivation_gap_days", "integer"),
        ("tier_metric", "text"),
        ("tier_period", "text"),
        ("tier_mode", "text"),
        ("bonus_metric", "text"),
        ("bonus_period", "text"),
        ("bonus_threshold", "bigint"),
        ("referral_months", "integer"),
    ),
    "program__component_bands": (
        *COMPONENT,
        ("band_number", "integer"),
        ("from_value", "bigint"),
        ("to_value", "bigint"),
        ("rate", "rate"),
    ),
    "program__component_product_rates": (*COMPONENT, ("product_id", "text"), ("rate", "rate")),
    "program__component_conditions": (
        *COMPONENT,
        ("condition_order", "integer"),
        ("country", "text"),
        ("rate", "rate"),
    ),
    "program__component_amounts": (*COMPONENT, ("amount_role", "text"), *AMOUNT),
    "program__component_products": (*COMPONENT, ("product_id", "text"), ("is_included", "boolean")),
    "program__groups": (("partner_group", "text"), ("plan_id", "text")),
    "program__overrides": (("partner_id", "text"), ("plan_id", "text"), *SPAN),
    "program__pay_calendar": (("rail", "text"), ("pay_date", "date"), ("cutoff_date", "date")),
    "program__rails": (("currency_code", "text"), ("rail", "text")),
    "program__payout_minimums": AMOUNT,
}
