-- Grain: one row per deal registration (registration_id), the newest version known on as_of (F1, M6).
-- A decision later than as_of has not been taken yet: the registration counts as pending.
with

landed as (

    select * from {{ ref('stg_files__deal_registrations') }}

),

newest as (

    {{ newest_versions('landed', ['registration_id']) }}

),

ranked as (

    {{ best_ranked('newest', ['registration_id']) }}

)

select
    ranked.* exclude (status, decided_at),
    case
        when ranked.decided_at >= run.as_of_end_at then 'pending'
        else ranked.status
    end as registration_status,
    case when ranked.decided_at < run.as_of_end_at then ranked.decided_at end as decided_at
from ranked
cross join {{ ref('stg_program__run') }} as run
where ranked.submitted_at < run.as_of_end_at
