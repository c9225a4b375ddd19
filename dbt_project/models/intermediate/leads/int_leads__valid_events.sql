-- Grain: one row per lead that became valid (lead_id): its first event at or above the stage that the
-- lead rules in force on the event's day ask for (L2). A won deal or a first payment always suffices.
with

qualifying as (

    select
        stage_events.*,
        lead_versions.lead_version
    from {{ ref('int_leads__stage_events') }} as stage_events
    left join {{ ref('stg_program__lead_versions') }} as lead_versions
        on
            stage_events.occurred_date >= lead_versions.valid_from_date
            and stage_events.occurred_date < lead_versions.valid_to_date
    where
        stage_events.stage_rank >= case lead_versions.valid_when
            when 'signup' then 1
            when 'demo_booked' then 2
            when 'demo_held' then 3
            -- deal_won, and days before the first version: only a won deal or a payment counts.
            else 5
        end

),

ranked as (

    select
        qualifying.*,
        row_number() over (
            partition by lead_id
            order by occurred_at, stage_rank desc, source_type, source_id
        ) as event_rank
    from qualifying

)

select
    lead_id,
    occurred_at as valid_at,
    occurred_date as valid_date,
    stage as valid_stage,
    source_type as valid_source_type,
    source_id as valid_source_id,
    lead_version
from ranked
where event_rank = 1
