-- Grain: one row per customer or event that had earned before its lead joined another (scope_type, scope_id,
-- partner_id): the plan and version of its first earning, which pinned terms keep (T2, decision 0031).
with

earned as (

    select
        scopes.*,
        entries.partner_id,
        entries.plan_id,
        entries.plan_version
    from {{ ref('int_attribution__scopes') }} as scopes
    inner join {{ ref('stg_control__journal_entries') }} as entries
        on scopes.entry_id = entries.entry_id
    where
        scopes.scope_type in ('customer', 'event')
        and scopes.home_lead_id <> scopes.lead_id
        and scopes.after_earning <> 'recompute'

)

select
    scope_type,
    scope_id,
    partner_id,
    min_by(plan_id, age) as plan_id,
    min_by(plan_version, age) as plan_version
from earned
group by scope_type, scope_id, partner_id
