-- Grain: one row per (scope_type, scope_id) that is pinned: a lead by its first earning, a customer and an event
-- by their own first earning (A6). They differ where two leads that had earned were joined: each customer and
-- each event keeps its own partners, all the rest follows the oldest (decision 0031).
select
    scope_type,
    scope_id,
    min_by(credits, age) as credits
from {{ ref('int_attribution__scopes') }}
where is_pinning
group by scope_type, scope_id
