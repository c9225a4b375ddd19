-- Grain: one row per natural key that today's facts, credits and approved adjustments give (kind, component_id,
-- source_type, source_id, partner_id, cause_type, cause_id). Signed from the partner's view; take-backs name what
-- caused them. What a ruling leaves standing comes in int_journal__desired.
with

earnings as (

    select
        kind, component_id, source_type, source_id, partner_id, lead_id, customer_id, plan_id, plan_version,
        invoice_id, decided_by, earned_at, currency_code, payout_currency_code, base_amount_minor, rate,
        fx_rate_date, fx_from_rate, fx_to_rate
    from {{ ref('int_commission__earnings') }}
    where reason is null

    union all

    -- A share names no lead and no customer: they are the referred partner's.
    select
        'earning', component_id, source_type, source_id, partner_id, null, null, plan_id, plan_version,
        null, 'computed', earned_at, currency_code, payout_currency_code, referred_amount_minor, rate,
        fx_rate_date, fx_from_rate, fx_to_rate
    from {{ ref('int_commission__referrals') }}
    where reason is null

),

earning_parts as (

    select
        component_id, source_type, source_id, partner_id, amount_minor, payout_amount_minor, effective_date,
        available_date
    from {{ ref('int_commission__earning_parts') }}

    union all

    select
        component_id, source_type, source_id, partner_id, amount_minor, payout_amount_minor, effective_date,
        available_date
    from {{ ref('int_commission__referral_parts') }}

),

parts as (

    select
        component_id, source_type, source_id, partner_id,
        cast(sum(amount_minor) as bigint) as amount_minor,
        cast(sum(payout_amount_minor) as bigint) as payout_amount_minor,
        max(effective_date) as effective_date,
        -- P1: paid in parts, the line shows the latest.
        max(available_date) as available_date
    from earning_parts
    group by component_id, source_type, source_id, partner_id

),

takebacks as (

    select
        kind, component_id, source_type, source_id, partner_id, cause_type, cause_id, effective_date,
        amount_minor, payout_amount_minor, reversed_available_date
    from {{ ref('int_adjustment__line_takebacks') }}

    union all

    select
        kind, component_id, source_type, source_id, partner_id, cause_type, cause_id, effective_date,
        amount_minor, payout_amount_minor, cast(null as date)
    from {{ ref('int_adjustment__voided') }}

    union all

    select
        kind, component_id, source_type, source_id, partner_id, cause_type, cause_id, effective_date,
        amount_minor, payout_amount_minor, cast(null as date)
    from {{ ref('int_adjustment__churn_takebacks') }}

    union all

    select
        kind, component_id, source_type, source_id, partner_id, cause_type, cause_id, effective_date,
        amount_minor, payout_amount_minor, reversed_available_date
    from {{ ref('int_adjustment__referral_takebacks') }}

),

earned as (

    select
        earnings.kind, earnings.component_id, earnings.source_type, earnings.source_id, earnings.partner_id,
        '' as cause_type, '' as cause_id, parts.effective_date, parts.available_date, parts.amount_minor,
        parts.payout_amount_minor, earnings.* exclude (kind, component_id, source_type, source_id, partner_id)
    from earnings
    inner join parts
        on
            earnings.component_id = parts.component_id
            and earnings.source_type = parts.source_type
            and earnings.source_id = parts.source_id
            and earnings.partner_id = parts.partner_id

),

taken_back as (

    select
        takebacks.kind, takebacks.component_id, takebacks.source_type, takebacks.source_id, takebacks.partner_id,
        takebacks.cause_type, takebacks.cause_id, takebacks.effective_date,
        -- R10: never earlier than what it reverses.
        greatest(
            takebacks.effective_date, coalesce(takebacks.reversed_available_date, earned.available_date)
        ) as available_date,
        takebacks.amount_minor, takebacks.payout_amount_minor,
        earned.* exclude (
            kind, component_id, source_type, source_id, partner_id, cause_type, cause_id, effective_date,
            available_date, amount_minor, payout_amount_minor
        )
    from takebacks
    inner join earned
        on
            takebacks.component_id = earned.component_id
            and takebacks.source_type = earned.source_type
            and takebacks.source_id = earned.source_id
            and takebacks.partner_id = earned.partner_id
    where
        takebacks.amount_minor <> 0
        or takebacks.payout_amount_minor <> 0

),

bonuses as (

    select
        'bonus' as kind, component_id, 'period' as source_type, source_id, partner_id, '' as cause_type,
        '' as cause_id, effective_date, available_date, amount_minor, amount_minor as payout_amount_minor,
        cast(null as varchar) as lead_id, cast(null as varchar) as customer_id, plan_id, plan_version,
        cast(null as varchar) as invoice_id, 'computed' as decided_by, earned_at,
        payout_currency_code as currency_code, payout_currency_code,
        cast(null as bigint) as base_amount_minor, cast(null as decimal(9, 6)) as rate,
        cast(null as date) as fx_rate_date, cast(null as decimal(24, 10)) as fx_from_rate,
        cast(null as decimal(24, 10)) as fx_to_rate
    from {{ ref('int_commission__bonuses') }}
    where
        reason is null
        and amount_minor <> 0

),

-- J1, decision 0042: what people decided, in the partner's payout currency.
adjustments as (

    select
        'adjustment' as kind, '' as component_id, 'adjustment' as source_type, adjustment_id as source_id,
        partner_id, '' as cause_type, '' as cause_id,
        -- As a ruling: effective on the day of the approval, at the latest on as_of (decision 0030).
        least(effective_date, run.as_of) as effective_date,
        case when available_date = effective_date then least(effective_date, run.as_of) else available_date end
            as available_date,
        amount_minor, amount_minor as payout_amount_minor, lead_id, cast(null as varchar) as customer_id,
        cast(null as varchar) as plan_id, cast(null as varchar) as plan_version,
        cast(null as varchar) as invoice_id, 'adjustment:' || adjustment_id as decided_by,
        decided_at as earned_at, currency_code, currency_code as payout_currency_code,
        cast(null as bigint) as base_amount_minor, cast(null as decimal(9, 6)) as rate,
        cast(null as date) as fx_rate_date, cast(null as decimal(24, 10)) as fx_from_rate,
        cast(null as decimal(24, 10)) as fx_to_rate
    from {{ ref('stg_control__adjustments') }}
    cross join {{ ref('stg_program__run') }} as run

),

computed as (

    select * from earned
    union all
    select * from taken_back
    union all
    select * from bonuses
    union all
    select * from adjustments

)

select
    computed.*,
    {{ uuid5(natural_key('computed.')) }} as commission_id
from computed
