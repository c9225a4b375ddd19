-- Grain: one row per (customer_id, partner_id) for whom lines are computed: the partners who are credited, and
-- those whom a compared model would credit (A7) or a ruling took it from (A6), who earn nothing by it.
with

paying as (

    select
        customer_id, lead_id, partner_id, credit_ppm, credits, decided_by, valid_at, is_conversion_late,
        true as is_paying
    from {{ ref('int_attribution__customer_credits') }}

),

found as (

    select
        lead_records.record_id as customer_id,
        compared_credits.lead_id,
        compared_credits.partner_id,
        decided_leads.valid_at,
        decided_leads.is_conversion_late
    from {{ ref('int_attribution__compared_credits') }} as compared_credits
    inner join {{ ref('int_attribution__decided_leads') }} as decided_leads
        on compared_credits.lead_id = decided_leads.lead_id
    inner join {{ ref('int_identity__lead_records') }} as lead_records
        on
            compared_credits.lead_id = lead_records.lead_id
            and lead_records.record_type = 'customer'

    union all

    -- A6: whom a ruling took the customer from stays explained.
    select
        decided.customer_id,
        decided.lead_id,
        earned.partner_id,
        decided.valid_at,
        decided.is_conversion_late
    from {{ ref('int_attribution__decided_customers') }} as decided
    inner join {{ ref('int_attribution__earned') }} as earned
        on decided.customer_id = earned.customer_id
    where decided.ruled_at is not null

),

compared as (

    select
        customer_id,
        lead_id,
        partner_id,
        min(valid_at) as valid_at,
        bool_and(is_conversion_late) as is_conversion_late
    from found
    group by customer_id, lead_id, partner_id

)

select * from paying

union all

select
    compared.customer_id, compared.lead_id, compared.partner_id, 0, {{ no_credits() }}, 'compared',
    compared.valid_at, compared.is_conversion_late, false
from compared
left join paying
    on
        compared.customer_id = paying.customer_id
        and compared.partner_id = paying.partner_id
where paying.customer_id is null
