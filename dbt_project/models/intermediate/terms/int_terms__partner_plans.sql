-- Grain: one row per (partner_id, valid_from_date): the plan that governs a partner over time (T2):
-- partner override, else the partner's group, else the programme's default.
with

overrides as (

    select * from {{ ref('stg_program__overrides') }}

),

partners as (

    select partner_id, coalesce(partner_group, 'default') as partner_group
    from {{ ref('int_sources__partners') }}

),

group_plans as (

    select * from {{ ref('stg_program__groups') }}

),

base_plans as (

    select
        partners.partner_id,
        partners.partner_group,
        coalesce(by_group.plan_id, by_default.plan_id) as plan_id
    from partners
    left join group_plans as by_group
        on partners.partner_group = by_group.partner_group
    left join group_plans as by_default
        on by_default.partner_group = 'default'

),

first_overrides as (

    select partner_id, min(valid_from_date) as first_override_date
    from overrides
    group by partner_id

)

select
    base_plans.partner_id,
    base_plans.plan_id,
    cast(null as varchar) as override_plan_id,
    date '1900-01-01' as valid_from_date,
    coalesce(first_overrides.first_override_date, date '2200-01-01') as valid_to_date
from base_plans
left join first_overrides
    on base_plans.partner_id = first_overrides.partner_id

union all

select
    overrides.partner_id,
    overrides.plan_id,
    overrides.plan_id,
    overrides.valid_from_date,
    overrides.valid_to_date
from overrides
inner join partners
    on overrides.partner_id = partners.partner_id
