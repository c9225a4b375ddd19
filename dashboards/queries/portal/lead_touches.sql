-- What did the partner itself do for a lead? Grain: one row per touch (touchpoint_id), oldest first.
-- Reads marts.fct_touchpoints.
select
    touchpoint_id,
    touch_type,
    occurred_at
from marts.fct_touchpoints
where
    partner_id = $partner_id
    and lead_id = $lead_id
order by occurred_at, touchpoint_id
