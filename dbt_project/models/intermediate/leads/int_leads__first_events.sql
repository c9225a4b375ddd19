-- Grain: one row per (lead_id, stage): the first event of that stage (C1: once per lead and trigger).
with

ranked as (

    select
        stage_events.*,
        row_number() over (
            partition by lead_id, stage
            order by occurred_at, source_type, source_id
        ) as event_rank
    from {{ ref('int_leads__stage_events') }} as stage_events

)

select * exclude (event_rank)
from ranked
where event_rank = 1
