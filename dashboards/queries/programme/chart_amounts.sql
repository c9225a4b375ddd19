-- What was earned and taken back in one payout currency, step by step?
-- Grain: one row per step of the chart (start_date). Reads: marts.fct_partner_daily, marts.dim_partners.
with

steps as (

    select
        unnest($starts::date[]) as start_date,
        unnest($ends::date[]) as end_date

),

days as (

    select
        activity_date,
        sum(earned_amount_minor) as earned,
        -sum(reversed_amount_minor) as taken_back
    from marts.fct_partner_daily
    where
        payout_currency_code = $currency
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
    coalesce(sum(days.earned), 0) as earned,
    coalesce(sum(days.taken_back), 0) as taken_back
from steps
left join days
    on days.activity_date between steps.start_date and steps.end_date
group by steps.start_date
order by steps.start_date
