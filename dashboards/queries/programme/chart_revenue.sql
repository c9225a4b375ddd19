-- What did customers pay in one currency, and what commission was earned in it before conversion, step by step?
-- Grain: one row per step of the chart (start_date). Reads: marts.fct_partner_revenue_daily, marts.dim_partners.
with

steps as (

    select
        unnest($starts::date[]) as start_date,
        unnest($ends::date[]) as end_date

),

days as (

    select
        activity_date,
        sum(revenue_amount_minor) as revenue,
        sum(commission_amount_minor) as commission
    from marts.fct_partner_revenue_daily
    where
        currency_code = $currency
        and activity_date between list_min($starts::date[]) and list_max($ends::date[])
        and ($partner_id = '' or partner_id = $partner_id)
        and (
            ($group_name = '' and not $only_pilot)
            or partner_id in (
                select partner_id from marts.dim_partners
                where
                    ($group_name = '' or "group" = $group_name)
                    and (not $only_pilot or is_pilot)
            )
        )
    group by activity_date

)

select
    steps.start_date,
    coalesce(sum(days.revenue), 0) as revenue,
    coalesce(sum(days.commission), 0) as commission
from steps
left join days
    on days.activity_date between steps.start_date and steps.end_date
group by steps.start_date
order by steps.start_date
