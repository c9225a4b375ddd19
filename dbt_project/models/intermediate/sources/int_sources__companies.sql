-- Grain: one row per company (company_id), the newest version known on as_of (F1, M6), deleted and merged ones included (F3).
with

landed as (

    select * from {{ ref('stg_files__companies') }}

),

newest as (

    {{ newest_versions('landed', ['company_id'], 'updated_at') }}

),

ranked as (

    {{ best_ranked('newest', ['company_id']) }}

)

select *
from ranked
where true
