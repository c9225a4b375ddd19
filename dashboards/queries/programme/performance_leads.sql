-- How many credited leads came how far in the period, and how far have those that became valid in it come by now?
-- Grain: one row. Each lead once over all partners. Reads: marts.fct_lead_daily, marts.dim_partners.
-- Metrics: valid_leads, demos_held, deals_won, new_customers, lead_to_deal (cohort_deals_won ÷ valid_leads).
-- usual_days: what leads took to a deal on average, over the whole history; young_leads: without one, and valid for a
-- shorter time than that.
with

days as materialized (

    select
        activity_date,
        activity_date between $start and $end as is_asked,
        activity_date between $compare_start and $compare_end as is_compared,
        sum(valid_leads) as valid_leads,
        sum(signups) as signups,
        sum(demos_booked) as demos_booked,
        sum(demos_held) as demos_held,
        sum(deals_won) as deals_won,
        sum(new_customers) as new_customers,
        sum(cohort_signups) as cohort_signups,
        sum(cohort_demos_booked) as cohort_demos_booked,
        sum(cohort_demos_held) as cohort_demos_held,
        sum(cohort_deals_won) as cohort_deals_won,
        sum(cohort_new_customers) as cohort_new_customers,
        sum(cohort_days_to_deal) as cohort_days_to_deal
    from marts.fct_lead_daily
    where
        activity_date <= $end
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

),

usual as (

    select cast(sum(cohort_days_to_deal) // nullif(sum(cohort_deals_won), 0) as bigint) as usual_days
    from days

),

sums as (

    select
        coalesce(sum(valid_leads) filter (where is_asked), 0) as valid_leads,
        coalesce(sum(valid_leads) filter (where is_compared), 0) as valid_leads_before,
        coalesce(sum(signups) filter (where is_asked), 0) as signups,
        coalesce(sum(signups) filter (where is_compared), 0) as signups_before,
        coalesce(sum(demos_booked) filter (where is_asked), 0) as demos_booked,
        coalesce(sum(demos_booked) filter (where is_compared), 0) as demos_booked_before,
        coalesce(sum(demos_held) filter (where is_asked), 0) as demos_held,
        coalesce(sum(demos_held) filter (where is_compared), 0) as demos_held_before,
        coalesce(sum(deals_won) filter (where is_asked), 0) as deals_won,
        coalesce(sum(deals_won) filter (where is_compared), 0) as deals_won_before,
        coalesce(sum(new_customers) filter (where is_asked), 0) as new_customers,
        coalesce(sum(new_customers) filter (where is_compared), 0) as new_customers_before,
        coalesce(sum(cohort_signups) filter (where is_asked), 0) as cohort_signups,
        coalesce(sum(cohort_demos_booked) filter (where is_asked), 0) as cohort_demos_booked,
        coalesce(sum(cohort_demos_held) filter (where is_asked), 0) as cohort_demos_held,
        coalesce(sum(cohort_deals_won) filter (where is_asked), 0) as cohort_deals_won,
        coalesce(sum(cohort_deals_won) filter (where is_compared), 0) as cohort_deals_won_before,
        coalesce(sum(cohort_new_customers) filter (where is_asked), 0) as cohort_new_customers
    from days

),

young as (

    select sum(days.valid_leads - days.cohort_deals_won) as young_leads
    from days
    cross join usual
    where
        days.is_asked
        and date_diff('day', days.activity_date, $as_of) < usual.usual_days

)

select
    sums.*,
    usual.usual_days,
    coalesce(young.young_leads, 0) as young_leads
from sums
cross join usual
cross join young
