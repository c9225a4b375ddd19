-- Grain: one row per competing touch (lead_id, touch_id) in order of (time, touch id), repeats of one
-- partner collapsed where the rules say so: of a run, the last touch stays (A3).
with

competing as (

    select
        candidates.*,
        lead(partner_id) over touch_order as next_partner_id,
        lead(touch_id) over touch_order as next_touch_id
    from {{ ref('int_attribution__candidates') }} as candidates
    where excluded_by is null
    window touch_order as (partition by lead_id order by occurred_at, touch_id)

),

marked as (

    select
        *,
        coalesce(collapse_repeats and next_partner_id = partner_id, false) as is_collapsed
    from competing

)

select
    lead_id,
    touch_id,
    partner_id,
    touch_type,
    occurred_at,
    valid_at,
    attribution_version,
    model,
    is_collapsed,
    case when is_collapsed then next_touch_id end as collapsed_into,
    row_number() over (
        partition by lead_id, is_collapsed
        order by occurred_at, touch_id
    ) as touch_number,
    count(*) over (partition by lead_id, is_collapsed) as touches
from marked
