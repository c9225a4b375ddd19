-- Grain: one row per event earning of a lead whose access ended inside the window (R5, R8, R9):
-- all of it, its share by the days that were missing, or by the policy's table.
with

earnings as (

    select * from {{ ref('int_commission__earnings') }}
    where
        reason is null
        and source_type <> 'invoice_line'

),

policies as (

    select * from {{ ref('stg_program__plan_versions') }}
    where churn_mode <> 'none'

),

-- The first end after the earning; what is earned after an end is untouched by it.
first_ends as (

    select
        earnings.component_id,
        earnings.source_type,
        earnings.source_id,
        earnings.partner_id,
        min_by(
            ends.subscription_id,
            {'ended_at': ends.access_ended_at, 'subscription_id': ends.subscription_id}
        ) as subscription_id,
        min(ends.access_ended_at) as access_ended_at,
        min(ends.access_ended_date) as access_ended_date,
        min(ends.days_of_access) as days_of_access
    from earnings
    inner join {{ ref('int_adjustment__access_ends') }} as ends
        on
            earnings.lead_id = ends.lead_id
            and earnings.earned_at <= ends.access_ended_at
    group by earnings.component_id, earnings.source_type, earnings.source_id, earnings.partner_id

),

affected as (

    select
        earnings.*,
        policies.churn_mode,
        policies.churn_window_days,
        first_ends.subscription_id,
        first_ends.access_ended_date,
        first_ends.days_of_access
    from earnings
    inner join policies
        on
            earnings.plan_id = policies.plan_id
            and earnings.plan_version = policies.plan_version
    inner join first_ends
        on
            earnings.component_id = first_ends.component_id
            and earnings.source_type = first_ends.source_type
            and earnings.source_id = first_ends.source_id
            and earnings.partner_id = first_ends.partner_id
            and first_ends.days_of_access < policies.churn_window_days
    where
        policies.max_age_days is null
        or first_ends.access_ended_at <= {{ add_days_24h('earnings.earned_at', 'policies.max_age_days') }}

),

bands as (

    select
        affected.component_id,
        affected.source_type,
        affected.source_id,
        affected.partner_id,
        min_by(churn_table.share, churn_table.under_days) as share
    from affected
    inner join {{ ref('stg_program__churn_table') }} as churn_table
        on
            affected.plan_id = churn_table.plan_id
            and affected.plan_version = churn_table.plan_version
            and affected.days_of_access < churn_table.under_days
    group by affected.component_id, affected.source_type, affected.source_id, affected.partner_id

),

targeted as (

    select
        affected.*,
        bands.share,
        case affected.churn_mode
            when 'full' then affected.amount_minor
            when 'prorated'
                then {{ round_ratio(
                    wide('affected.amount_minor')
                    ~ ' * (affected.churn_window_days - affected.days_of_access)',
                    wide('affected.churn_window_days')
                ) }}
            else {{ round_ratio(
                wide('affected.amount_minor') ~ ' * ' ~ ppm('coalesce(bands.share, 0)'), wide('1000000')
            ) }}
        end as target_amount_minor
    from affected
    left join bands
        on
            affected.component_id = bands.component_id
            and affected.source_type = bands.source_type
            and affected.source_id = bands.source_id
            and affected.partner_id = bands.partner_id

)

select
    'churn' as kind,
    component_id,
    source_type,
    source_id,
    partner_id,
    'subscription' as cause_type,
    subscription_id as cause_id,
    access_ended_date as effective_date,
    amount_minor as earned_amount_minor,
    days_of_access,
    churn_mode,
    churn_window_days,
    share,
    -target_amount_minor as amount_minor,
    -{{ round_ratio(wide('target_amount_minor') ~ ' * minor_numerator', 'minor_denominator') }} as payout_amount_minor
from targeted
