-- Grain: one row per (partner_id, period_type, period_start_date, payout_currency_code): distinct counts,
-- which daily rows cannot be added up to, beside the period's amount in that currency (M1). Leads count
-- in the row of the currency the partner is paid in today.
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
        payout_currency_code,
        payout_amount_minor
    from {{ ref('int_journal__entries') }}
    where entry_kind not in ('payout', 'payout_return')

),

activity as (

    select
        lead_activity.partner_id, lead_activity.activity_date, lead_activity.lead_id,
        cast(null as varchar) as customer_id, currencies.payout_currency_code,
        cast(0 as bigint) as payout_amount_minor
    from lead_activity
    inner join {{ ref('int_commission__payout_currencies') }} as currencies
        on lead_activity.partner_id = currencies.partner_id

    union all

    select partner_id, activity_date, null, customer_id, payout_currency_code, payout_amount_minor
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
    payout_currency_code,
    count(distinct lead_id) as active_leads,
    count(distinct customer_id) as earning_customers,
    cast(sum(payout_amount_minor) as bigint) as net_earned_amount_minor
from periods
group by partner_id, period_type, period_start_date, payout_currency_code
