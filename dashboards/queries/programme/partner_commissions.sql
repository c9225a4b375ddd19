-- What did this partner earn or give back last? Grain: one row per commission (commission_id), newest first.
-- Reads: marts.fct_commission_lines.
select
    commission_id,
    kind,
    effective_date,
    component_id,
    customer_id,
    lead_id,
    source_type,
    source_id,
    payout_amount_minor,
    payout_currency_code,
    status,
    unpaid_reason,
    expected_pay_date
from marts.fct_commission_lines
where partner_id = $partner_id
order by effective_date desc, commission_id
limit $limit
