-- Grain: one row per (partner_id, activity_date, payout_currency_code) with any activity; every column
-- is additive. Amounts are by effective date in the currency they are paid out in (M1); the counts
-- stand in the row of the currency the partner is paid in today.
with

touches as (

    select
        partner_id,
        occurred_date as activity_date,
        count(*) as touches
    from {{ ref('int_leads__touches') }}
    where partner_id is not null
    group by partner_id, occurred_date

),

submissions as (

    select
        touches.partner_id,
        touches.occurred_date as activity_date,
        count(*) as submissions
    from {{ ref('int_leads__verdicts') }} as verdicts
    inner join {{ ref('int_leads__touches') }} as touches
        on verdicts.touch_id = touches.touch_id
    where touches.partner_id is not null
    group by touches.partner_id, touches.occurred_date

),

stages as (

    select
        credits.partner_id,
        first_events.occurred_date as activity_date,
        count(*) filter (where first_events.stage = 'signup') as signups,
        count(*) filter (where first_events.stage = 'demo_booked') as demos_booked,
        count(*) filter (where first_events.stage = 'demo_held') as demos_held,
        count(*) filter (where first_events.stage = 'deal_won') as deals_won,
        count(*) filter (where first_events.stage = 'first_payment') as new_customers
    from {{ ref('int_attribution__credits') }} as credits
    inner join {{ ref('int_leads__first_events') }} as first_events
        on credits.lead_id = first_events.lead_id
    group by credits.partner_id, first_events.occurred_date

),

valid_leads as (

    select
        partner_id,
        valid_date as activity_date,
        count(*) as valid_leads
    from {{ ref('int_attribution__credits') }}
    group by partner_id, valid_date

),

amounts as (

    select
        partner_id,
        effective_date as activity_date,
        payout_currency_code,
        cast(sum(case when is_earned_side then payout_amount_minor else 0 end) as bigint)
            as earned_amount_minor,
        cast(sum(case
            when not is_earned_side and entry_kind not in ('payout', 'payout_return') then payout_amount_minor
            else 0
        end) as bigint) as reversed_amount_minor,
        cast(sum(case
            when entry_kind in ('payout', 'payout_return') then payout_amount_minor
            else 0
        end) as bigint) as paid_amount_minor
    from {{ ref('int_payouts__entry_states') }}
    group by partner_id, effective_date, payout_currency_code

),

currencies as (

    select * from {{ ref('int_commission__payout_currencies') }}

),

counted_days as (

    select partner_id, activity_date from touches
    union
    select partner_id, activity_date from submissions
    union
    select partner_id, activity_date from stages
    union
    select partner_id, activity_date from valid_leads

),

days as (

    select counted_days.partner_id, counted_days.activity_date, currencies.payout_currency_code
    from counted_days
    inner join currencies
        on counted_days.partner_id = currencies.partner_id
    union
    select partner_id, activity_date, payout_currency_code from amounts

),

marked as (

    select
        days.*,
        days.payout_currency_code = currencies.payout_currency_code as carries_counts
    from days
    inner join currencies
        on days.partner_id = currencies.partner_id

)

select
    days.partner_id,
    days.activity_date,
    case when days.carries_counts then coalesce(touches.touches, 0) else 0 end as touches,
    case when days.carries_counts then coalesce(submissions.submissions, 0) else 0 end as submissions,
    case when days.carries_counts then coalesce(valid_leads.valid_leads, 0) else 0 end as valid_leads,
    case when days.carries_counts then coalesce(stages.signups, 0) else 0 end as signups,
    case when days.carries_counts then coalesce(stages.demos_booked, 0) else 0 end as demos_booked,
    case when days.carries_counts then coalesce(stages.demos_held, 0) else 0 end as demos_held,
    case when days.carries_counts then coalesce(stages.deals_won, 0) else 0 end as deals_won,
    case when days.carries_counts then coalesce(stages.new_customers, 0) else 0 end as new_customers,
    coalesce(amounts.earned_amount_minor, 0) as earned_amount_minor,
    coalesce(amounts.reversed_amount_minor, 0) as reversed_amount_minor,
    coalesce(amounts.paid_amount_minor, 0) as paid_amount_minor,
    days.payout_currency_code
from marked as days
left join touches
    on
        days.partner_id = touches.partner_id
        and days.activity_date = touches.activity_date
left join submissions
    on
        days.partner_id = submissions.partner_id
        and days.activity_date = submissions.activity_date
left join stages
    on
        days.partner_id = stages.partner_id
        and days.activity_date = stages.activity_date
left join valid_leads
    on
        days.partner_id = valid_leads.partner_id
        and days.activity_date = valid_leads.activity_date
left join amounts
    on
        days.partner_id = amounts.partner_id
        and days.activity_date = amounts.activity_date
        and days.payout_currency_code = amounts.payout_currency_code
