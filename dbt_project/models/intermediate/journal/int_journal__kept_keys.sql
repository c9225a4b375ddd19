-- Grain: one row per posted key that an approved ruling moves (commission_id), with what names it: what was
-- posted under it before the ruling's own entries stays (A6).
select
    commission_id,
    max(kind) as kind,
    max(component_id) as component_id,
    max(source_type) as source_type,
    max(source_id) as source_id,
    max(partner_id) as partner_id,
    max(cause_type) as cause_type,
    max(cause_id) as cause_id,
    max_by(lead_id, effective_date) as lead_id,
    max_by(customer_id, effective_date) as customer_id,
    max_by(plan_id, effective_date) as plan_id,
    max_by(plan_version, effective_date) as plan_version,
    max(currency_code) as currency_code,
    max(payout_currency_code) as payout_currency_code,
    max(ruling_id) as ruling_id,
    max(ruled_date) as ruled_date
from {{ ref('int_journal__kept_parts') }}
group by commission_id
