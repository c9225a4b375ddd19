-- Grain: one row per credited (lead_id, partner_id) with the plan version in force at the valid event
-- (T2). Without one, plan_version is null and nothing earns: reason no_plan.
with

credits as (

    select * from {{ ref('int_attribution__credits') }}

)

select
    credits.lead_id,
    credits.partner_id,
    partner_plans.plan_id,
    versions.plan_version,
    versions.terms_follow,
    case when versions.terms_follow = 'current' then credits.partner_id end as current_terms_partner_id
from credits
left join {{ ref('int_terms__partner_plans') }} as partner_plans
    on
        credits.partner_id = partner_plans.partner_id
        and credits.valid_date >= partner_plans.valid_from_date
        and credits.valid_date < partner_plans.valid_to_date
left join {{ ref('stg_program__plan_versions') }} as versions
    on
        partner_plans.plan_id = versions.plan_id
        and credits.valid_date >= versions.valid_from_date
        and credits.valid_date < versions.valid_to_date
