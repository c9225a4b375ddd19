-- Grain: one row per (lead_id, scope_type, scope_id, partner_id) that a pin or a ruling credits otherwise than
-- today's facts (A6).
select
    lead_id,
    scope_type,
    scope_id,
    partner_id,
    held_by,
    credit_ppm,
    computed_credit_ppm,
    decided_at
from {{ ref('int_attribution__discrepancies') }}
