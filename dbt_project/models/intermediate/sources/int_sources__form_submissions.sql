-- Grain: one row per form submission (submission_id), the newest version known on as_of (F1, M6).
with

landed as (

    select * from {{ ref('int_received__form_submissions') }}

),

newest as (

    {{ newest_versions('landed', ['submission_id']) }}

),

ranked as (

    {{ best_ranked('newest', ['submission_id']) }}

)

select *
from ranked
where submitted_at < (select as_of_end_at from {{ ref('stg_program__run') }})
