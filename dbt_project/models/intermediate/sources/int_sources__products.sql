-- Grain: one row per product (product_id), the newest version known on as_of (F1, M6).
with

landed as (

    select * from {{ ref('int_received__products') }}

),

newest as (

    {{ newest_versions('landed', ['product_id']) }}

),

ranked as (

    {{ best_ranked('newest', ['product_id']) }}

)

select *
from ranked
