-- Grain: one row per (partner_id, activity_date) with any lead that got anywhere: each lead counts once, for the partner
-- with the most of its credit, so that every column adds up over partners and days (L5, A3). The columns that begin with
-- cohort count leads on the day on which they became valid, by how far they have come since.
with

journeys as (

    select * from {{ ref('fct_lead_journeys') }}
    where is_main

),

reached as (

    select partner_id, 'valid' as stage, valid_date as activity_date from journeys
    union all
    select partner_id, 'signup', signup_date from journeys
    union all
    select partner_id, 'demo_booked', demo_booked_date from journeys
    union all
    select partner_id, 'demo_held', demo_held_date from journeys
    union all
    select partner_id, 'deal_won', deal_won_date from journeys
    union all
    select partner_id, 'first_payment', first_payment_date from journeys

),

counts as (

    select
        partner_id,
        activity_date,
        count(*) filter (where stage = 'valid') as valid_leads,
        count(*) filter (where stage = 'signup') as signups,
        count(*) filter (where stage = 'demo_booked') as demos_booked,
        count(*) filter (where stage = 'demo_held') as demos_held,
        count(*) filter (where stage = 'deal_won') as deals_won,
        count(*) filter (where stage = 'first_payment') as new_customers
    from reached
    where activity_date is not null
    group by partner_id, activity_date

),

cohorts as (

    select
        partner_id,
        valid_date as activity_date,
        count(signup_date) as cohort_signups,
        count(demo_booked_date) as cohort_demos_booked,
        count(demo_held_date) as cohort_demos_held,
        count(deal_won_date) as cohort_deals_won,
        count(first_payment_date) as cohort_new_customers,
        sum(greatest({{ days_between('valid_date', 'deal_won_date') }}, 0)) as cohort_days_to_deal
    from journeys
    group by partner_id, valid_date

)

select
    counts.partner_id,
    counts.activity_date,
    counts.valid_leads,
    counts.signups,
    counts.demos_booked,
    counts.demos_held,
    counts.deals_won,
    counts.new_customers,
    coalesce(cohorts.cohort_signups, 0) as cohort_signups,
    coalesce(cohorts.cohort_demos_booked, 0) as cohort_demos_booked,
    coalesce(cohorts.cohort_demos_held, 0) as cohort_demos_held,
    coalesce(cohorts.cohort_deals_won, 0) as cohort_deals_won,
    coalesce(cohorts.cohort_new_customers, 0) as cohort_new_customers,
    cast(coalesce(cohorts.cohort_days_to_deal, 0) as bigint) as cohort_days_to_deal
from counts
left join cohorts
    on
        counts.partner_id = cohorts.partner_id
        and counts.activity_date = cohorts.activity_date
