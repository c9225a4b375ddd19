-- Grain: one row per customer whose paid lines earn nobody anything, currency and partner whom its lead points
-- to (customer_id, currency_code, partner_id) (L6).
select
    customer_id,
    currency_code,
    partner_id,
    lead_id,
    amount_minor,
    paid_lines,
    first_paid_date,
    reason,
    evidence_type,
    evidence_key,
    evidence_at,
    why_not,
    owner
from {{ ref('int_leads__missed_credits') }}
