-- Grain: one row per lead (lead_id): where it stands on as_of, masked for readers (F4, L2, L5).
with

run as (

    select * from {{ ref('stg_program__run') }}

),

records as (

    select
        lead_records.lead_id,
        records.record_type,
        records.record_id,
        records.seen_at,
        records.email_key
    from {{ ref('int_identity__lead_records') }} as lead_records
    inner join {{ ref('int_identity__records') }} as records
        on
            lead_records.record_type = records.record_type
            and lead_records.record_id = records.record_id

),

emails as (

    select
        lead_id,
        min_by(
            email_key,
            {'seen_at': coalesce(seen_at, timestamp '2200-01-01'), 'email_key': email_key}
        ) as email_key
    from records
    where email_key is not null
    group by lead_id

),

owner_records as (

    select 'deal' as record_type, deal_id as record_id, owner_email, 1 as owner_rank, created_at
    from {{ ref('int_sources__deals') }}
    where owner_email is not null

    union all

    select 'contact', contact_id, owner_email, 2, created_at
    from {{ ref('int_sources__contacts') }}
    where
        owner_email is not null
        and not is_deleted

),

-- L5: who owns it: the newest deal's owner, else the newest contact's. Only the mailbox name is kept.
owners as (

    select
        lead_records.lead_id,
        min_by(
            split_part(owner_records.owner_email, '@', 1),
            {
                'owner_rank': owner_records.owner_rank,
                'age': epoch(timestamp '2200-01-01') - epoch(owner_records.created_at),
                'record_id': owner_records.record_id
            }
        ) as owner
    from owner_records
    inner join {{ ref('int_identity__lead_records') }} as lead_records
        on
            owner_records.record_type = lead_records.record_type
            and owner_records.record_id = lead_records.record_id
    group by lead_records.lead_id

),

stages as (

    select
        lead_id,
        max(stage_rank) as highest_rank,
        max_by(stage, {'stage_rank': stage_rank, 'stage': stage}) as highest_stage,
        bool_or(stage = 'lost') as is_lost,
        min(case when stage = 'first_payment' then occurred_at end) as first_payment_at,
        max(occurred_at) as last_event_at
    from {{ ref('int_leads__stage_events') }}
    group by lead_id

),

last_records as (

    select lead_id, max(seen_at) as last_seen_at
    from records
    group by lead_id

)

select
    leads.lead_id,
    leads.company_domain,
    leads.first_seen_at,
    case
        when emails.email_key is not null
            then substr(emails.email_key, 1, 1) || '***@' || split_part(emails.email_key, '@', 2)
    end as email_masked,
    lead_customers.customer_id,
    case
        when stages.highest_rank >= 5 then stages.highest_stage
        when stages.is_lost then 'lost'
        else coalesce(stages.highest_stage, 'new')
    end as stage,
    valid_events.valid_at,
    valid_events.valid_source_type,
    valid_events.valid_source_id,
    case
        when rejected.lead_id is not null then rejected.verdict
        when valid_events.lead_id is not null then 'valid'
        else 'pending'
    end as verdict,
    case
        when rejected.lead_id is not null then 'L1:' || rejected.verdict
        when valid_events.lead_id is not null then 'L2:' || valid_events.valid_stage
        else 'L2:no_event_yet'
    end as rule,
    owners.owner,
    stages.first_payment_at,
    greatest(last_records.last_seen_at, stages.last_event_at) as last_moved_at
from {{ ref('int_identity__leads') }} as leads
left join emails
    on leads.lead_id = emails.lead_id
left join owners
    on leads.lead_id = owners.lead_id
left join stages
    on leads.lead_id = stages.lead_id
left join last_records
    on leads.lead_id = last_records.lead_id
left join {{ ref('int_leads__customers') }} as lead_customers
    on leads.lead_id = lead_customers.lead_id
left join {{ ref('int_leads__valid_events') }} as valid_events
    on leads.lead_id = valid_events.lead_id
left join {{ ref('int_leads__rejected_leads') }} as rejected
    on leads.lead_id = rejected.lead_id
