-- Grain: one row per (customer_id, partner_id) that recurring commissions follow. credits is the whole list, for
-- splits.
with

decided as (

    select * exclude (computed_credits, ruled_at)
    from {{ ref('int_attribution__decided_customers') }}

)

select
    decided.*,
    {{ unnested_credits('decided.credits') }}
from decided
