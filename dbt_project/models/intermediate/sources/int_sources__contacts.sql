-- Grain: one row per contact (contact_id), the newest version known on as_of (F1, M6), deleted and merged ones included (F3).
with

landed as (

    select * from {{ ref('stg_files__contacts') }}

),

newest as (

    {{ newest_versions('landed', ['contact_id'], 'updated_at') }}

),

ranked as (

    {{ best_ranked('newest', ['contact_id']) }}

)

select *
from ranked
where created_at < (select as_of_end_at from {{ ref('stg_program__run') }})
