-- Grain: one row per event that a commission may be paid on (lead_id, stage, source_type, source_id): the first of
-- each stage (C1), with who is credited for it and by what (A6). Where leads that had earned were joined, the events of a
-- stage that had earned stay, all of them, and no other of that stage earns (decision 0031).
with

homes as (

    select * from {{ ref('int_attribution__homes') }}
    where scope_type = 'event'

),

-- A record that two sources tell is one event.
stage_events as (

    select
        lead_id,
        stage,
        source_type,
        source_id,
        stage || ':' || source_type || ':' || source_id as scope_id,
        min(occurred_at) as occurred_at
    from {{ ref('int_leads__stage_events') }}
    group by lead_id, stage, source_type, source_id

),

earned_events as (

    select
        stage_events.*,
        count(*) over (partition by stage_events.lead_id, stage_events.stage) as events_of_stage
    from stage_events
    inner join homes
        on stage_events.scope_id = homes.scope_id
    where homes.after_earning <> 'recompute'

),

joined_leads as (

    select lead_id
    from {{ ref('int_attribution__homes') }}
    where after_earning <> 'recompute'
    group by lead_id
    having count(distinct home_lead_id) > 1

),

joined_stages as (

    select distinct
        earned_events.lead_id,
        earned_events.stage
    from earned_events
    left join joined_leads
        on earned_events.lead_id = joined_leads.lead_id
    where
        earned_events.events_of_stage > 1
        or joined_leads.lead_id is not null

),

first_events as (

    select
        *,
        stage || ':' || source_type || ':' || source_id as scope_id
    from {{ ref('int_leads__first_events') }}

),

events as (

    select
        earned_events.lead_id, earned_events.stage, earned_events.occurred_at, earned_events.source_type,
        earned_events.source_id, earned_events.scope_id,
        coalesce(first_events.scope_id = earned_events.scope_id, false) as is_first_event
    from earned_events
    left join first_events
        on
            earned_events.lead_id = first_events.lead_id
            and earned_events.stage = first_events.stage
    inner join joined_stages
        on
            earned_events.lead_id = joined_stages.lead_id
            and earned_events.stage = joined_stages.stage

    union all

    select
        first_events.lead_id, first_events.stage, first_events.occurred_at, first_events.source_type,
        first_events.source_id, first_events.scope_id, true
    from first_events
    left join joined_stages
        on
            first_events.lead_id = joined_stages.lead_id
            and first_events.stage = joined_stages.stage
    where joined_stages.lead_id is null

),

decided as (

    select
        events.stage,
        events.occurred_at as triggered_at,
        events.source_type,
        events.source_id,
        events.scope_id,
        events.is_first_event,
        decided_leads.*,
        coalesce(homes.has_joined and homes.is_pinned, false) as has_joined,
        homes.scope_id is not null as has_earned,
        pins.credits as pinned_credits,
        scope_rulings.ruling_id as scope_ruling_id,
        scope_rulings.credits as scope_ruling_credits,
        scope_rulings.decided_at as scope_ruled_at
    from {{ ref('int_attribution__decided_leads') }} as decided_leads
    inner join events
        on decided_leads.lead_id = events.lead_id
    left join homes
        on events.scope_id = homes.scope_id
    left join {{ ref('int_attribution__pins') }} as pins
        on
            events.scope_id = pins.scope_id
            and pins.scope_type = 'event'
    left join {{ ref('int_attribution__scope_rulings') }} as scope_rulings
        on
            events.scope_id = scope_rulings.scope_id
            and scope_rulings.scope_type = 'event'

)

select
    lead_id,
    stage,
    triggered_at,
    source_type,
    source_id,
    scope_id,
    is_first_event,
    valid_at,
    is_conversion_late and not has_joined as is_conversion_late,
    computed_credits,
    {{ scope_decision() }}
from decided
