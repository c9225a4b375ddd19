-- Grain: one row per natural key that today's facts and credits give (kind, component_id, source_type,
-- source_id, partner_id, cause_type, cause_id). Signed from the partner's view, event commissions and lines
-- alike; take-backs name what caused them. What a ruling leaves standing comes in int_journal__desired.
with

earnings as (

    select * from {{ ref('int_commission__earnings') }}
    where reason is null

),

parts as (

    select
        component_id, source_type, source_id, partner_id,
        cast(sum(amount_minor) as bigint) as amount_minor,
        cast(sum(payout_amount_minor) as bigint) as payout_amount_minor,
        max(effective_date) as effective_date,
        max(available_date) as available_date
    from {{ ref('int_commission__earning_parts') }}
    group by component_id, source_type, source_id, partner_id

),

takebacks as (

    select
        kind, component_id, source_type, source_id, partner_id, cause_type, cause_id, effective_date,
        amount_minor, payout_amount_minor, cause_amount_minor, reversed_available_date
    from {{ ref('int_adjustment__line_takebacks') }}

    union all

    select
        kind, component_id, source_type, source_id, partner_id, cause_type, cause_id, effective_date,
        amount_minor, payout_amount_minor, null, cast(null as date)
    from {{ ref('int_adjustment__voided') }}

    union all

    select
        kind, component_id, source_type, source_id, partner_id, cause_type, cause_id, effective_date,
        amount_minor, payout_amount_minor, null, cast(null as date)
    from {{ ref('int_adjustment__churn_takebacks') }}

),

desired as (

    select
        earnings.kind,
        earnings.component_id,
        earnings.source_type,
        earnings.source_id,
        earnings.partner_id,
        '' as cause_type,
        '' as cause_id,
        parts.effective_date,
        -- P1: paid in parts, the line shows the latest.
        parts.available_date,
        parts.amount_minor,
        parts.payout_amount_minor,
        cast(null as bigint) as cause_amount_minor,
        earnings.*  exclude (
            kind, component_id, source_type, source_id, partner_id, amount_minor, reason
        )
    from earnings
    inner join parts
        on
            earnings.component_id = parts.component_id
            and earnings.source_type = parts.source_type
            and earnings.source_id = parts.source_id
            and earnings.partner_id = parts.partner_id

    union all

    select
        takebacks.kind,
        takebacks.component_id,
        takebacks.source_type,
        takebacks.source_id,
        takebacks.partner_id,
        takebacks.cause_type,
        takebacks.cause_id,
        takebacks.effective_date,
        -- R10: never earlier than what it reverses.
        greatest(
            takebacks.effective_date, coalesce(takebacks.reversed_available_date, parts.available_date)
        ) as available_date,
        takebacks.amount_minor,
        takebacks.payout_amount_minor,
        takebacks.cause_amount_minor,
        earnings.*  exclude (
            kind, component_id, source_type, source_id, partner_id, amount_minor, reason
        )
    from takebacks
    inner join earnings
        on
            takebacks.component_id = earnings.component_id
            and takebacks.source_type = earnings.source_type
            and takebacks.source_id = earnings.source_id
            and takebacks.partner_id = earnings.partner_id
    inner join parts
        on
            earnings.component_id = parts.component_id
            and earnings.source_type = parts.source_type
            and earnings.source_id = parts.source_id
            and earnings.partner_id = parts.partner_id
    where
        takebacks.amount_minor <> 0
        or takebacks.payout_amount_minor <> 0

)

select
    desired.*,
    {{ uuid5(natural_key('desired.')) }} as commission_id
from desired
