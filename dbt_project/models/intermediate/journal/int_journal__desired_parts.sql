-- Grain: one row per (commission_id, effective_date): the steps in which a desired amount came about.
-- An earning paid in parts has one per day of payment, everything else one.
select
    desired.commission_id,
    parts.effective_date,
    max(parts.available_date) as available_date,
    cast(sum(parts.amount_minor) as bigint) as amount_minor,
    cast(sum(parts.payout_amount_minor) as bigint) as payout_amount_minor
from {{ ref('int_journal__desired') }} as desired
inner join {{ ref('int_commission__earning_parts') }} as parts
    on
        desired.component_id = parts.component_id
        and desired.source_type = parts.source_type
        and desired.source_id = parts.source_id
        and desired.partner_id = parts.partner_id
where desired.kind = 'earning'
group by desired.commission_id, parts.effective_date

union all

select
    commission_id,
    effective_date,
    available_date,
    amount_minor,
    payout_amount_minor
from {{ ref('int_journal__desired') }}
where kind <> 'earning'
