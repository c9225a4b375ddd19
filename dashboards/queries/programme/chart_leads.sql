-- How many leads paid for the first time, and how many became valid and have won a deal until now, step by step?
-- Grain: one row per step of the chart (start_date). Each lead once over all partners.
-- Reads: marts.fct_lead_daily, marts.dim_partners.
with

steps as (

    select
        unnest($starts::date[]) as start_date,
        unnest($ends::date[]) as end_date

),

days as (

    select
        activity_date,
        sum(new_customers) as new_customers,
        sum(valid_leads) as valid_leads,
        sum(cohort_deals_won) as cohort_deals_won
    from marts.fct_lead_daily
    where
        activity_date between list_min($starts::date[]) and list_max($ends::date[])
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
    coalesce(sum(days.new_customers), 0) as new_customers,
    coalesce(sum(days.valid_leads), 0) as valid_leads,
    coalesce(sum(days.cohort_deals_won), 0) as cohort_deals_won
from steps
left join days
    on days.activity_date between steps.start_date and steps.end_date
group by steps.start_date
order by steps.start_date
