-- Grain: one row per stage that a record shows a lead to have reached (lead_id, stage, source_type, source_id) (L5).
select
    lead_id,
    stage,
    source_type,
    source_id,
    stage_rank,
    reached_at,
    source,
    owner,
    is_first
from {{ ref('int_leads__stage_history') }}
