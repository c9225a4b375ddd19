-- Grain: one row per partner (partner_id), the newest version known on as_of (F1, M6).
with

landed as (

    select * from {{ ref('stg_files__partners') }}

),

newest as (

    {{ newest_versions('landed', ['partner_id']) }}

),

ranked as (

    {{ best_ranked('newest', ['partner_id']) }}

)

select *
from ranked
