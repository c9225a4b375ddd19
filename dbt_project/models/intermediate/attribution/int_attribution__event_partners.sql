-- Grain: one row per (lead_id, stage, source_type, source_id, partner_id) for whom an event is computed: the partners who are credited,
-- and those whom a compared model would credit (A7), who earn nothing by it.
with

paying as (

    select
        lead_id, stage, triggered_at, source_type, source_id, is_first_event, partner_id, credit_ppm, credits,
        decided_by, valid_at, is_conversion_late, true as is_paying
    from {{ ref('int_attribution__event_credits') }}

),

found as (

    select
        first_events.lead_id,
        first_events.stage,
        first_events.occurred_at as triggered_at,
        first_events.source_type,
        first_events.source_id,
        compared_credits.partner_id,
        decided_leads.valid_at,
        decided_leads.is_conversion_late
    from {{ ref('int_attribution__compared_credits') }} as compared_credits
    inner join {{ ref('int_attribution__decided_leads') }} as decided_leads
        on compared_credits.lead_id = decided_leads.lead_id
    inner join {{ ref('int_leads__first_events') }} as first_events
        on compared_credits.lead_id = first_events.lead_id

    union all

    -- A6: whom a ruling took the event from stays explained.
    select
        decided.lead_id,
        decided.stage,
        decided.triggered_at,
        decided.source_type,
        decided.source_id,
        earned.partner_id,
        decided.valid_at,
        decided.is_conversion_late
    from {{ ref('int_attribution__decided_events') }} as decided
    inner join {{ ref('int_attribution__earned') }} as earned
        on
            decided.stage = earned.stage
            and decided.source_type = earned.source_type
            and decided.source_id = earned.source_id
    where decided.ruled_at is not null

),

compared as (

    select
        lead_id,
        stage,
        source_type,
        source_id,
        partner_id,
        min(triggered_at) as triggered_at,
        min(valid_at) as valid_at,
        bool_and(is_conversion_late) as is_conversion_late
    from found
    group by lead_id, stage, source_type, source_id, partner_id

)

select * from paying

union all

select
    compared.lead_id, compared.stage, compared.triggered_at, compared.source_type, compared.source_id, true,
    compared.partner_id, 0, {{ no_credits() }}, 'compared', compared.valid_at, compared.is_conversion_late, false
from compared
left join paying
    on
        compared.lead_id = paying.lead_id
        and compared.stage = paying.stage
        and compared.source_type = paying.source_type
        and compared.source_id = paying.source_id
        and compared.partner_id = paying.partner_id
where paying.lead_id is null
