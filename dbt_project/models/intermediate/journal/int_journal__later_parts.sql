-- Grain: one row per step of an earning that came after what was posted when an approved ruling moved it
-- (component_id, source_type, source_id, partner_id, part_number): it is earned under the ruling's credits, on its
-- own day, as ever (decision 0032).
with

posted_until as (

    select
        component_id,
        source_type,
        source_id,
        partner_id,
        max(commission_id) as commission_id,
        max(effective_date) as posted_until_date
    from {{ ref('int_journal__kept_parts') }}
    where kind = 'earning'
    group by component_id, source_type, source_id, partner_id

)

select
    parts.component_id,
    parts.source_type,
    parts.source_id,
    parts.partner_id,
    parts.part_number,
    posted_until.commission_id,
    parts.effective_date,
    parts.available_date,
    parts.amount_minor,
    parts.payout_amount_minor
from {{ ref('int_commission__earning_parts') }} as parts
inner join posted_until
    on
        parts.component_id = posted_until.component_id
        and parts.source_type = posted_until.source_type
        and parts.source_id = posted_until.source_id
        and parts.partner_id = posted_until.partner_id
        and parts.effective_date > posted_until.posted_until_date
