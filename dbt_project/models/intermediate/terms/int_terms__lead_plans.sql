-- Grain: one row per (lead_id, partner_id) that is credited, or would be by a compared model (is_paying says
-- which), with the plan version in force at the valid event
-- (T2). Without one, plan_version is null and nothing earns: reason no_plan. An override goes by its
-- date; a plan that comes from the partner's group stays the one the lead first earned under.
with

partners as (

    select lead_id, partner_id, is_paying
    from {{ ref('int_attribution__customer_partners') }}

    union all

    select lead_id, partner_id, is_paying
    from {{ ref('int_attribution__event_partners') }}

    union all

    select lead_id, partner_id, true
    from {{ ref('int_attribution__credits') }}

),

credits as (

    select
        partners.lead_id,
        partners.partner_id,
        decided_leads.valid_date,
        bool_or(partners.is_paying) as is_paying
    from partners
    inner join {{ ref('int_attribution__decided_leads') }} as decided_leads
        on partners.lead_id = decided_leads.lead_id
    group by partners.lead_id, partners.partner_id, decided_leads.valid_date

),

planned as (

    select
        credits.lead_id,
        credits.partner_id,
        credits.valid_date,
        credits.is_paying,
        coalesce(
            partner_plans.override_plan_id, earned_plans.plan_id, partner_plans.plan_id
        ) as plan_id
    from credits
    left join {{ ref('int_terms__partner_plans') }} as partner_plans
        on
            credits.partner_id = partner_plans.partner_id
            and credits.valid_date >= partner_plans.valid_from_date
            and credits.valid_date < partner_plans.valid_to_date
    left join {{ ref('int_terms__earned_plans') }} as earned_plans
        on
            credits.lead_id = earned_plans.lead_id
            and credits.partner_id = earned_plans.partner_id

)

select
    planned.lead_id,
    planned.partner_id,
    planned.is_paying,
    planned.plan_id,
    versions.plan_version,
    versions.terms_follow,
    case when versions.terms_follow = 'current' then planned.partner_id end as current_terms_partner_id
from planned
left join {{ ref('stg_program__plan_versions') }} as versions
    on
        planned.plan_id = versions.plan_id
        and planned.valid_date >= versions.valid_from_date
        and planned.valid_date < versions.valid_to_date
