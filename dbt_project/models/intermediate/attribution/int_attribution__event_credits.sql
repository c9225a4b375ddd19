-- Grain: one row per (lead_id, stage, source_type, source_id, partner_id) that event commissions follow. credits is
-- the whole list, for splits.
with

decided as (

    select * exclude (computed_credits, ruled_at, scope_id)
    from {{ ref('int_attribution__decided_events') }}

)

select
    decided.*,
    {{ unnested_credits('decided.credits') }}
from decided
