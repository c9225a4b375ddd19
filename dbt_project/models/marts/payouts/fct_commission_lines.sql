-- Grain: one row per natural key of the desired state (commission_id) (J2): what is earned and taken
-- back as of the night, before and after posting the same. base_amount_minor includes the paid share.
select
    commission_id,
    kind,
    partner_id,
    lead_id,
    customer_id,
    plan_id,
    plan_version,
    component_id,
    source_type,
    source_id,
    cause_type,
    cause_id,
    invoice_id,
    base_amount_minor,
    cast(rate as decimal(9, 6)) as rate,
    amount_minor,
    currency_code,
    payout_amount_minor,
    payout_currency_code,
    case
        when currency_code = payout_currency_code then cast(1 as decimal(24, 10))
        else {{ display_ratio('fx_to_rate', 'fx_from_rate') }}
    end as fx_rate,
    fx_rate_date,
    earned_at,
    effective_date,
    available_date,
    expected_pay_date,
    case state_rank
        when 1 then case when hold_reason = 'dispute_open' then 'disputed' else 'held' end
        when 2 then 'accrued'
        when 3 then 'eligible'
        when 4 then 'claimed'
        when 5 then 'paid'
        else 'accrued'
    end as status,
    case state_rank
        when 1 then hold_reason
        when 2 then 'hold_window'
        when 3 then 'awaiting_batch'
        when 4 then 'batch_' || batch_state
    end as unpaid_reason
from {{ ref('int_payouts__lines') }}
