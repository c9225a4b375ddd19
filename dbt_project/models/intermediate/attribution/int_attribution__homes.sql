-- Grain: one row per customer or event that has earned (scope_type, scope_id): the lead it first earned under, by
-- the id of that day, whether that lead has joined another since, and whether the earning pins (A6).
select
    scope_type,
    scope_id,
    min_by(home_lead_id, age) as home_lead_id,
    min_by(lead_id, age) as lead_id,
    min_by(home_lead_id <> lead_id, age) as has_joined,
    bool_or(is_pinning) as is_pinned,
    max(after_earning) as after_earning
from {{ ref('int_attribution__scopes') }}
where scope_type in ('customer', 'event')
group by scope_type, scope_id
