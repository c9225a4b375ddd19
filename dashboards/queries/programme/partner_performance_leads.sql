-- How many leads that this partner is credited for came how far in the period, and how far have those that became valid
-- in it come by now? Grain: one row. Reads: marts.fct_lead_journeys.
-- Metrics: valid_leads, demos_held, deals_won, new_customers, lead_to_deal (cohort_deals_won ÷ valid_leads), days_to_deal.
with

leads as (

    select
        *,
        valid_date between $start and $end as is_cohort,
        valid_date between $compare_start and $compare_end as is_compared_cohort,
        case when deal_won_date is not null then greatest(date_diff('day', valid_date, deal_won_date), 0) end as days
    from marts.fct_lead_journeys
    where partner_id = $partner_id

)

select
    count(*) filter (where is_cohort) as valid_leads,
    count(*) filter (where is_compared_cohort) as valid_leads_before,
    count(*) filter (where demo_held_date between $start and $end) as demos_held,
    count(*) filter (where demo_held_date between $compare_start and $compare_end) as demos_held_before,
    count(*) filter (where deal_won_date between $start and $end) as deals_won,
    count(*) filter (where deal_won_date between $compare_start and $compare_end) as deals_won_before,
    count(*) filter (where first_payment_date between $start and $end) as new_customers,
    count(*) filter (where first_payment_date between $compare_start and $compare_end) as new_customers_before,
    count(*) filter (where is_cohort and deal_won_date is not null) as cohort_deals_won,
    count(*) filter (where is_compared_cohort and deal_won_date is not null) as cohort_deals_won_before,
    quantile_disc(days, 0.5) filter (where is_cohort) as days_to_deal,
    quantile_disc(days, 0.5) filter (where is_compared_cohort) as days_to_deal_before
from leads
