-- Grain: one row per partner (partner_id), as known on as_of, with the plan that governs it today (T2).
with

partners as (

    select * from {{ ref('int_sources__partners') }}

),

plans_today as (

    select plans.*
    from {{ ref('int_terms__partner_plans') }} as plans
    inner join {{ ref('int_terms__run') }} as run
        on
            run.as_of >= plans.valid_from_date
            and run.as_of < plans.valid_to_date

)

select
    partners.partner_id,
    partners.partner_name as name,
    coalesce(partners.partner_group, 'default') as "group",
    partners.partner_status as status,
    partners.is_pilot,
    currencies.payout_currency_code,
    plans_today.plan_id,
    partners.joined_at
from partners
inner join {{ ref('int_commission__payout_currencies') }} as currencies
    on partners.partner_id = currencies.partner_id
left join plans_today
    on partners.partner_id = plans_today.partner_id
