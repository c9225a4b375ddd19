-- Grain: one row per (lead_id, partner_id) that is credited: what commissions follow (A1–A3, A6). Credits of a
-- lead sum to exactly 1,000,000. touch_id is the newest touch that carries the partner's computed credit; it
-- is empty where a pin or a ruling gives a partner what no touch would.
with

decided as (

    select
        decided_leads.* exclude (credits, computed_credits, unruled_credits),
        {{ unnested_credits('decided_leads.credits') }}
    from {{ ref('int_attribution__decided_leads') }} as decided_leads

)

select
    decided.*,
    computed.touch_id,
    coalesce(computed.credit_ppm, 0) as computed_credit_ppm
from decided
left join {{ ref('int_attribution__model_credits') }} as computed
    on
        decided.lead_id = computed.lead_id
        and decided.partner_id = computed.partner_id
        and computed.is_paying
