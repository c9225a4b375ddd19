-- Grain: one row per touch (touchpoint_id), the newest version known on as_of (F1, M6).
with

landed as (

    select * from {{ ref('stg_files__touchpoints') }}

),

newest as (

    {{ newest_versions('landed', ['touchpoint_id']) }}

),

ranked as (

    {{ best_ranked('newest', ['touchpoint_id']) }}

)

select *
from ranked
where occurred_at < (select as_of_end_at from {{ ref('stg_program__run') }})
