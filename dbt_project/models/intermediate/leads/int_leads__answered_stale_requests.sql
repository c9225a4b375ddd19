-- Grain: one row per computed request that was answered (request_id) (L5). Its answer moved the lead, so the
-- night no longer computes it: the instant from which the lead was stale is found again among its movements.
-- It stays empty when the record that was the last movement then has changed since.
with

answers as (

    select
        answers.request_id,
        answers.subject_id,
        subjects.lead_id,
        min(answers.answered_at) as answered_at
    from {{ ref('stg_control__update_answers') }} as answers
    inner join {{ ref('int_leads__subjects') }} as subjects
        on
            answers.subject_type = subjects.subject_type
            and answers.subject_id = subjects.subject_id
    cross join {{ ref('stg_program__run') }} as run
    where
        starts_with(answers.request_id, 'req_stale_')
        and answers.answered_at < run.as_of_end_at
    group by answers.request_id, answers.subject_id, subjects.lead_id

),

answered_leads as (

    select distinct lead_id
    from answers

),

movements as (

    select answered_leads.lead_id, lead_records.seen_at as moved_at
    from answered_leads
    inner join {{ ref('int_identity__lead_records') }} as lead_records
        on answered_leads.lead_id = lead_records.lead_id
    where lead_records.seen_at is not null

    union

    select answered_leads.lead_id, stage_events.occurred_at
    from answered_leads
    inner join {{ ref('int_leads__stage_events') }} as stage_events
        on answered_leads.lead_id = stage_events.lead_id

    union

    select answered_leads.lead_id, notes.noted_at
    from answered_leads
    inner join {{ ref('int_leads__notes') }} as notes
        on answered_leads.lead_id = notes.lead_id

),

-- The rules may have changed since; each version's days are tried.
waits as (

    select distinct stale_days, update_due_days
    from {{ ref('stg_program__lead_versions') }}

),

instants as (

    select
        answers.request_id,
        {{ stale_request_id('answers.subject_id', add_days_24h('movements.moved_at', 'waits.stale_days')) }} as computed_id,
        {{ add_days_24h('movements.moved_at', 'waits.stale_days') }} as stale_at,
        {{ add_days_24h('movements.moved_at', 'waits.stale_days + waits.update_due_days') }} as due_at
    from answers
    inner join movements
        on answers.lead_id = movements.lead_id
    cross join waits

),

found as (

    select
        request_id,
        min(stale_at) as stale_at,
        min(due_at) as due_at
    from instants
    where request_id = computed_id
    group by request_id

)

select
    answers.request_id,
    max(answers.lead_id) as lead_id,
    max(answers.subject_id) as subject_id,
    max(found.stale_at) as stale_at,
    max(found.due_at) as due_at
from answers
left join found
    on answers.request_id = found.request_id
group by answers.request_id
