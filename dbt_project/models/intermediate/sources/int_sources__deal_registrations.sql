-- Grain: one row per deal registration (registration_id), the newest version known on as_of (F1, M6), from
-- files and from people here, with the decision that counts. A delivered decision later than as_of has not
-- been taken yet: the registration counts as pending. Of a delivered and a recorded decision the later
-- counts; what the partner withdrew stays withdrawn (decision 0030).
with

landed as (

    select * from {{ ref('stg_files__deal_registrations') }}

),

newest as (

    {{ newest_versions('landed', ['registration_id']) }}

),

ranked as (

    {{ best_ranked('newest', ['registration_id']) }}

),

delivered as (

    select
        ranked.source,
        ranked.registration_id,
        ranked.partner_id,
        ranked.submitted_at,
        ranked.expires_at,
        ranked.email,
        ranked.company_domain,
        ranked.deal_id,
        ranked.expected_amount_minor,
        ranked.currency_code,
        case when ranked.decided_at >= run.as_of_end_at then 'pending' else ranked.status end as registration_status,
        case when ranked.decided_at < run.as_of_end_at then ranked.decided_at end as decided_at
    from ranked
    cross join {{ ref('stg_program__run') }} as run

),

recorded as (

    select
        'control' as source,
        registration_id,
        partner_id,
        submitted_at,
        cast(null as timestamp) as expires_at,
        email,
        company_domain,
        deal_id,
        expected_amount_minor,
        currency_code,
        'pending' as registration_status,
        cast(null as timestamp) as decided_at
    from {{ ref('stg_control__registrations') }}
    where entity = 'deal_registrations'

),

registrations as (

    select * from delivered
    union all
    select * from recorded

),

decided as (

    select
        registrations.*,
        decisions.decided_status,
        decisions.decided_at as recorded_decision_at,
        decisions.expires_at as recorded_expires_at,
        decisions.decided_status is not null
        and registrations.registration_status <> 'withdrawn'
        and (
            registrations.decided_at is null
            or decisions.decided_status = 'withdrawn'
            or decisions.decided_at >= registrations.decided_at
        ) as is_decided_here
    from registrations
    left join {{ ref('int_sources__registration_decisions') }} as decisions
        on registrations.source || ':deal_registrations:' || registrations.registration_id = decisions.registration_key

)

select
    decided.source,
    decided.registration_id,
    decided.partner_id,
    decided.submitted_at,
    decided.email,
    decided.company_domain,
    decided.deal_id,
    decided.expected_amount_minor,
    decided.currency_code,
    case when decided.is_decided_here then decided.decided_status else decided.registration_status end
        as registration_status,
    case when decided.is_decided_here then decided.recorded_decision_at else decided.decided_at end as decided_at,
    -- L3: the end belongs to the decision that counts; an extension recorded here goes on from it.
    case
        when decided.is_decided_here or decided.decided_status is null or decided.expires_at is null
            then coalesce(decided.recorded_expires_at, decided.expires_at)
        else decided.expires_at
    end as expires_at
from decided
cross join {{ ref('stg_program__run') }} as run
where decided.submitted_at < run.as_of_end_at
