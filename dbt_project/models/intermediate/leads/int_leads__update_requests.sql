-- Grain: one row per request for an update on a lead (request_id): what people asked, and one per stale lead
-- (L5). It is overdue from due_at on; reminders are due then and every reminder_days after, until the answer.
with

run as (

    select * from {{ ref('stg_program__run') }}

),

-- What is asked before the first version is reminded of by the first.
versions as (

    select
        reminder_days,
        valid_to_date,
        case
            when valid_from_date = min(valid_from_date) over () then date '1900-01-01'
            else valid_from_date
        end as valid_from_date
    from {{ ref('stg_program__lead_versions') }}

),

rules as (

    select versions.reminder_days
    from versions
    cross join run
    where
        versions.valid_from_date <= run.as_of
        and run.as_of < versions.valid_to_date

),

asked as (

    select
        requests.request_id,
        subjects.lead_id,
        requests.subject_id as subject_key,
        'asked' as reason,
        requests.asked_of,
        requests.asked_at,
        requests.due_at
    from {{ ref('stg_control__update_requests') }} as requests
    inner join {{ ref('int_leads__subjects') }} as subjects
        on
            requests.subject_type = subjects.subject_type
            and requests.subject_id = subjects.subject_id
    cross join run
    where requests.asked_at < run.as_of_end_at

),

stale as (

    select
        {{ stale_request_id('lead_id', 'stale_at') }} as request_id,
        lead_id,
        stale_at,
        due_at
    from {{ ref('int_leads__stale_leads') }}

),

answered_stale as (

    select answered.*
    from {{ ref('int_leads__answered_stale_requests') }} as answered
    left join stale
        on answered.request_id = stale.request_id
    where stale.request_id is null

),

requests as (

    select * from asked

    union all

    select request_id, lead_id, lead_id, 'stale', 'owner', stale_at, due_at
    from stale

    union all

    select request_id, lead_id, subject_id, 'stale', 'owner', stale_at, due_at
    from answered_stale

),

answers as (

    select
        answers.request_id,
        min(answers.answered_at) as answered_at
    from {{ ref('stg_control__update_answers') }} as answers
    cross join run
    where answers.answered_at < run.as_of_end_at
    group by answers.request_id

),

reminded as (

    select
        requests.*,
        answers.answered_at,
        rules.reminder_days,
        run.as_of_end_at,
        case
            when coalesce(answers.answered_at, run.as_of_end_at) >= requests.due_at
                then 1 + {{ whole_part(
                    microseconds_between('requests.due_at', 'coalesce(answers.answered_at, run.as_of_end_at)'),
                    'rules.reminder_days * 86400000000'
                ) }}
            else 0
        end as reminders_due
    from requests
    left join answers
        on requests.request_id = answers.request_id
    cross join rules
    cross join run

)

select
    reminded.request_id,
    reminded.lead_id,
    reminded.subject_key,
    reminded.reason,
    reminded.asked_of,
    reminded.asked_at,
    reminded.due_at,
    reminded.answered_at,
    case
        when reminded.answered_at is not null then 'answered'
        when reminded.due_at <= reminded.as_of_end_at then 'overdue'
        else 'open'
    end as state,
    reminded.reminders_due,
    case
        when reminded.reminders_due > 0
            then {{ add_days_24h('reminded.due_at', '(reminded.reminders_due - 1) * reminded.reminder_days') }}
    end as last_reminder_at,
    leads.owner
from reminded
left join {{ ref('int_leads__leads') }} as leads
    on reminded.lead_id = leads.lead_id
