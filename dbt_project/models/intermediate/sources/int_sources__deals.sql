-- Grain: one row per CRM deal (deal_id), the newest version known on as_of (F1, M6).
-- A deal closed after as_of is still open; a closed deal without closed_at closed when last updated.
with

landed as (

    select
        *,
        case
            when is_won or is_lost then coalesce(closed_at, updated_at, created_at)
        end as decided_at
    from {{ ref('int_received__deals') }}

),

newest as (

    {{ newest_versions('landed', ['deal_id'], 'updated_at') }}

),

ranked as (

    {{ best_ranked('newest', ['deal_id']) }}

)

select
    ranked.* exclude (decided_at, closed_at, is_won, is_lost),
    coalesce(ranked.is_won and ranked.decided_at < run.as_of_end_at, false) as is_won,
    coalesce(ranked.is_lost and ranked.decided_at < run.as_of_end_at, false) as is_lost,
    case when ranked.decided_at < run.as_of_end_at then ranked.decided_at end as closed_at
from ranked
cross join {{ ref('stg_program__run') }} as run
where ranked.created_at < run.as_of_end_at
