-- Grain: one row per meeting (meeting_id), the newest version known on as_of (F1, M6).
-- A meeting that starts after as_of is still scheduled, whatever its outcome says today,
-- unless it was cancelled: a cancellation can precede the start.
with

landed as (

    select * from {{ ref('stg_files__meetings') }}

),

newest as (

    {{ newest_versions('landed', ['meeting_id'], 'updated_at') }}

),

ranked as (

    {{ best_ranked('newest', ['meeting_id']) }}

)

select
    ranked.* exclude (outcome),
    case
        when ranked.outcome in ('held', 'no_show') and ranked.starts_at >= run.as_of_end_at
            then 'scheduled'
        else ranked.outcome
    end as outcome
from ranked
cross join {{ ref('stg_program__run') }} as run
where ranked.booked_at < run.as_of_end_at
