-- Grain: one row per customer of a lead that may earn (customer_id): who is credited for it and by what (A6). One
-- that has earned goes by a ruling on the lead it earned under, else by its own pin; every other one by its lead. A
-- customer whose lead has joined another had passed the conversion window before (A5, decision 0031).
with

customers as (

    select
        lead_records.record_id as customer_id,
        decided_leads.*,
        coalesce(homes.has_joined and homes.is_pinned, false) as has_joined,
        homes.scope_id is not null as has_earned,
        pins.credits as pinned_credits,
        scope_rulings.ruling_id as scope_ruling_id,
        scope_rulings.credits as scope_ruling_credits,
        scope_rulings.decided_at as scope_ruled_at
    from {{ ref('int_attribution__decided_leads') }} as decided_leads
    inner join {{ ref('int_identity__lead_records') }} as lead_records
        on
            decided_leads.lead_id = lead_records.lead_id
            and lead_records.record_type = 'customer'
    left join {{ ref('int_attribution__homes') }} as homes
        on
            lead_records.record_id = homes.scope_id
            and homes.scope_type = 'customer'
    left join {{ ref('int_attribution__pins') }} as pins
        on
            lead_records.record_id = pins.scope_id
            and pins.scope_type = 'customer'
    left join {{ ref('int_attribution__scope_rulings') }} as scope_rulings
        on
            lead_records.record_id = scope_rulings.scope_id
            and scope_rulings.scope_type = 'customer'

)

select
    customer_id,
    lead_id,
    valid_at,
    is_conversion_late and not has_joined as is_conversion_late,
    computed_credits,
    {{ scope_decision() }}
from customers
