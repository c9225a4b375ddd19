-- Grain: one row per (partner_id, period_type, period_start_date): distinct counts, which daily rows
-- cannot be added up to, beside the period's amounts in the payout currency.
with

lead_activity as (

    select
        partner_id,
        lead_id,
        occurred_date as activity_date
    from {{ ref('int_leads__touches') }}
    where
        partner_id is not null
        and lead_id is not null

),

amounts as (

    select
        partner_id,
        customer_id,
        effective_date as activity_date,
        payout_amount_minor
    from {{ ref('int_journal__entries') }}
    where entry_kind not in ('payout', 'payout_return')

),

activity as (

    select
        partner_id, activity_date, lead_id,
        cast(null as varchar) as customer_id, cast(0 as bigint) as payout_amount_minor
    from lead_activity

    union all

    select partner_id, activity_date, null, customer_id, payout_amount_minor
    from amounts

),

periods as (

    select 'month' as period_type, cast(date_trunc('month', activity_date) as date) as period_start_date, *
    from activity

    union all

    select 'quarter', cast(date_trunc('quarter', activity_date) as date), *
    from activity

    union all

    select 'year', cast(date_trunc('year', activity_date) as date), *
    from activity

)

select
    partner_id,
    period_type,
    period_start_date,
    count(distinct lead_id) as active_leads,
    count(distinct customer_id) as earning_customers,
    cast(sum(payout_amount_minor) as bigint) as net_earned_amount_minor
from periods
group by partner_id, period_type, period_start_date
