-- Grain: one row per stage that a record shows a lead to have reached (lead_id, stage, source_type,
-- source_id), with when, from which source, and who owns it (L5).
with

-- A payment that goes to several invoices is one event.
stage_events as (

    select
        stage_events.*,
        row_number() over (
            partition by lead_id, stage, source_type, source_id
            order by occurred_at
        ) as repetition
    from {{ ref('int_leads__stage_events') }} as stage_events

),

-- The deal itself names its owner, a meeting the owner of the contact it is with.
record_owners as (

    select
        'deal' as record_type,
        deal_id as record_id,
        {{ mailbox_name('owner_email') }} as owner
    from {{ ref('int_sources__deals') }}
    where owner_email is not null

    union all

    select
        'meeting',
        meetings.meeting_id,
        {{ mailbox_name('contacts.owner_email') }}
    from {{ ref('int_sources__meetings') }} as meetings
    inner join {{ ref('int_sources__contacts') }} as contacts
        on meetings.contact_id = contacts.contact_id
    where
        contacts.owner_email is not null
        and not contacts.is_deleted

)

select
    stage_events.lead_id,
    stage_events.stage,
    stage_events.stage_rank,
    stage_events.occurred_at as reached_at,
    stage_events.source,
    stage_events.source_type,
    stage_events.source_id,
    coalesce(record_owners.owner, leads.owner) as owner,
    row_number() over (
        partition by stage_events.lead_id, stage_events.stage
        order by stage_events.occurred_at, stage_events.source_type, stage_events.source_id
    ) = 1 as is_first
from stage_events
left join record_owners
    on
        stage_events.source_type = record_owners.record_type
        and stage_events.source_id = record_owners.record_id
left join {{ ref('int_leads__leads') }} as leads
    on stage_events.lead_id = leads.lead_id
where stage_events.repetition = 1
