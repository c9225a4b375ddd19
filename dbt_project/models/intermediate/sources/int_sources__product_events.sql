-- Grain: one row per product event (event_id), the newest version known on as_of (F1, M6).
with

landed as (

    select * from {{ ref('stg_files__product_events') }}

),

newest as (

    {{ newest_versions('landed', ['event_id']) }}

),

ranked as (

    {{ best_ranked('newest', ['event_id']) }}

)

select *
from ranked
where occurred_at < (select as_of_end_at from {{ ref('stg_program__run') }})
