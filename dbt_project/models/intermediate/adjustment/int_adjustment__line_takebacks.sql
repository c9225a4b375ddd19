-- Grain: one row per (earning on an invoice line, cause, kind): what that cause takes back of it, or
-- gives back. Rules R1–R4, R6–R9, M4: cumulative targets in event order, capped at the earning; each
-- entry is its target less the one before, in the earning's currency and in the payout currency.
with

run as (

    select * from {{ ref('stg_program__run') }}

),

earnings as (

    select * from {{ ref('int_commission__earnings') }}
    where
        reason is null
        and source_type = 'invoice_line'

),

policies as (

    select * from {{ ref('stg_program__plan_versions') }}

),

applicable as (

    select
        earnings.component_id,
        earnings.source_type,
        earnings.source_id,
        earnings.partner_id,
        earnings.amount_minor as earned_amount_minor,
        earnings.paid_amount_minor,
        -- A line's own payment: its total with tax × the share paid, the share reduced to 1 ÷ 1
        -- once the invoice is paid in full.
        earnings.line_total_amount_minor,
        case when earnings.paid_share = earnings.total_share then 1 else earnings.paid_share end as line_share,
        case when earnings.paid_share = earnings.total_share then 1 else earnings.total_share end as line_share_base,
        earnings.minor_numerator,
        earnings.minor_denominator,
        causes.cause_type,
        causes.cause_id,
        causes.kind,
        causes.event_at,
        causes.invoice_line_id,
        causes.amount_minor as cause_amount_minor
    from earnings
    inner join policies
        on
            earnings.plan_id = policies.plan_id
            and earnings.plan_version = policies.plan_version
    inner join {{ ref('int_adjustment__causes') }} as causes
        on
            earnings.invoice_id = causes.invoice_id
            and (causes.invoice_line_id is null or causes.invoice_line_id = earnings.source_id)
    where
        earnings.paid_amount_minor > 0
        and (causes.invoice_line_id is null or earnings.line_total_amount_minor > 0)
        -- R9: the policy of the version under which it was earned.
        and case causes.policy
            when 'refund' then policies.refund_mode = 'proportional'
            when 'chargeback_on_open' then policies.chargeback_on_open = 'reverse'
            when 'chargeback_on_lost'
                then policies.chargeback_on_open <> 'reverse' and policies.chargeback_on_lost = 'reverse'
            when 'reinstate_on_won' then policies.chargeback_on_open = 'reverse'
            when 'reinstate_on_lost'
                then policies.chargeback_on_open = 'reverse' and policies.chargeback_on_lost = 'none'
        end
        -- R8
        and (
            policies.max_age_days is null
            or causes.age_at <= {{ add_days_24h('earnings.earned_at', 'policies.max_age_days') }}
        )

),

running as (

    select
        applicable.*,
        cast(
            sum(case when invoice_line_id is null then cause_amount_minor else 0 end) over event_order as bigint
        ) as invoice_reversed_minor,
        cast(
            sum(case when invoice_line_id is not null then cause_amount_minor else 0 end) over event_order as bigint
        ) as line_reversed_minor
    from applicable
    window event_order as (
        partition by component_id, source_type, source_id, partner_id
        order by event_at, cause_type, cause_id, kind
        rows between unbounded preceding and current row
    )

),

targeted as (

    select
        running.*,
        least(
            abs(earned_amount_minor),
            case
                when line_reversed_minor = 0
                    then {{ round_ratio(
                        wide('abs(earned_amount_minor)') ~ ' * invoice_reversed_minor', wide('paid_amount_minor')
                    ) }}
                else {{ round_ratio(
                    wide('abs(earned_amount_minor)') ~ ' * ('
                    ~ wide('invoice_reversed_minor') ~ ' * line_total_amount_minor * line_share + '
                    ~ wide('line_reversed_minor') ~ ' * line_share_base * paid_amount_minor)',
                    wide('greatest(paid_amount_minor, 1)') ~ ' * greatest(line_total_amount_minor, 1) * line_share'
                ) }}
            end
        ) * cast(sign(earned_amount_minor) as bigint) as target_amount_minor
    from running

),

converted as (

    select
        targeted.*,
        {{ round_ratio(wide('target_amount_minor') ~ ' * minor_numerator', 'minor_denominator') }}
            as target_payout_amount_minor
    from targeted

),

stepped as (

    select
        converted.*,
        coalesce(lag(target_amount_minor) over event_order, 0) as previous_target_minor,
        coalesce(lag(target_payout_amount_minor) over event_order, 0) as previous_target_payout_minor
    from converted
    window event_order as (
        partition by component_id, source_type, source_id, partner_id
        order by event_at, cause_type, cause_id, kind
    )

)

select
    stepped.kind,
    stepped.component_id,
    stepped.source_type,
    stepped.source_id,
    stepped.partner_id,
    stepped.cause_type,
    stepped.cause_id,
    stepped.event_at,
    {{ local_date('stepped.event_at') }} as effective_date,
    stepped.earned_amount_minor,
    stepped.cause_amount_minor,
    stepped.paid_amount_minor,
    stepped.target_amount_minor,
    stepped.target_payout_amount_minor,
    -(stepped.target_amount_minor - stepped.previous_target_minor) as amount_minor,
    -(stepped.target_payout_amount_minor - stepped.previous_target_payout_minor) as payout_amount_minor
from stepped
cross join run
