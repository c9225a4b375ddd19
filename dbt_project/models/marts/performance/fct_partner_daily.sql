-- Grain: one row per (partner_id, activity_date) with any activity; every column is additive.
-- Amounts are in the partner's payout currency, by effective date.
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
        cast(sum(case when entry_kind in ('earning', 'bonus', 'adjustment', 'ruling') then payout_amount_minor else 0 end) as bigint) as earned_amount_minor,
        cast(sum(case when entry_kind not in ('earning', 'bonus', 'adjustment', 'ruling', 'payout', 'payout_return') then payout_amount_minor else 0 end) as bigint) as reversed_amount_minor,
        cast(sum(case when entry_kind in ('payout', 'payout_return') then payout_amount_minor else 0 end) as bigint) as paid_amount_minor
    from {{ ref('int_payouts__entry_states') }}
    group by partner_id, effective_date

),

days as (

    select partner_id, activity_date from touches
    union
    select partner_id, activity_date from submissions
    union
    select partner_id, activity_date from stages
    union
    select partner_id, activity_date from valid_leads
    union
    select partner_id, activity_date from amounts

)

select
    days.partner_id,
    days.activity_date,
    coalesce(touches.touches, 0) as touches,
    coalesce(submissions.submissions, 0) as submissions,
    coalesce(valid_leads.valid_leads, 0) as valid_leads,
    coalesce(stages.signups, 0) as signups,
    coalesce(stages.demos_booked, 0) as demos_booked,
    coalesce(stages.demos_held, 0) as demos_held,
    coalesce(stages.deals_won, 0) as deals_won,
    coalesce(stages.new_customers, 0) as new_customers,
    coalesce(amounts.earned_amount_minor, 0) as earned_amount_minor,
    coalesce(amounts.reversed_amount_minor, 0) as reversed_amount_minor,
    coalesce(amounts.paid_amount_minor, 0) as paid_amount_minor,
    currencies.payout_currency_code
from days
inner join {{ ref('int_commission__payout_currencies') }} as currencies
    on days.partner_id = currencies.partner_id
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
