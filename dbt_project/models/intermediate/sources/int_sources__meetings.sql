-- Grain: one row per meeting (meeting_id), the newest version known on as_of (F1, M6).
-- A meeting that starts after as_of is still scheduled, whatever its outcome says today,
-- unless it was cancelled: a cancellation can precede the start. A calendar that never says whether a
-- meeting took place can be trusted to have held what has ended (sources.yml, held).
with

landed as (

    select * from {{ ref('int_received__meetings') }}

),

newest as (

    {{ newest_versions('landed', ['meeting_id'], 'updated_at') }}

),

ranked as (

    {{ best_ranked('newest', ['meeting_id']) }}

)

select
    ranked.* exclude (outcome, is_assumed_held, ends_at),
    case
        when ranked.outcome in ('held', 'no_show') and ranked.starts_at >= run.as_of_end_at
            then 'scheduled'
        when ranked.outcome = 'scheduled' and ranked.is_assumed_held and ranked.ends_at < run.as_of_end_at
            then 'held'
        else ranked.outcome
    end as outcome
from ranked
cross join {{ ref('stg_program__run') }} as run
where ranked.booked_at < run.as_of_end_at
