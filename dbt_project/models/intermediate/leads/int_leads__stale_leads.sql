-- Grain: one row per lead without movement for lead.stale_days on as_of (lead_id), and since when (L5).
-- Open leads of which a partner has a competing submission; a message or an answer is a movement too.
with

run as (

    select * from {{ ref('stg_program__run') }}

),

last_notes as (

    select
        lead_id,
        max(noted_at) as noted_at
    from {{ ref('int_leads__notes') }}
    group by lead_id

),

submitted as (

    select distinct lead_id
    from {{ ref('int_leads__verdicts') }}
    where is_competing

),

rules as (

    select versions.stale_days, versions.update_due_days
    from {{ ref('stg_program__lead_versions') }} as versions
    cross join run
    where
        versions.valid_from_date <= run.as_of
        and run.as_of < versions.valid_to_date

),

open_leads as (

    select
        leads.lead_id,
        leads.owner,
        greatest(leads.last_moved_at, last_notes.noted_at) as last_moved_at
    from {{ ref('int_leads__leads') }} as leads
    inner join submitted
        on leads.lead_id = submitted.lead_id
    left join last_notes
        on leads.lead_id = last_notes.lead_id
    where
        leads.stage in ('new', 'signup', 'demo_booked', 'demo_held', 'qualified')
        and leads.verdict in ('pending', 'valid')

),

dated as (

    select
        open_leads.*,
        rules.stale_days,
        {{ add_days_24h('open_leads.last_moved_at', 'rules.stale_days') }} as stale_at,
        {{ add_days_24h('open_leads.last_moved_at', 'rules.stale_days + rules.update_due_days') }} as due_at
    from open_leads
    cross join rules

)

select dated.*
from dated
cross join run
where dated.stale_at <= run.as_of_end_at
