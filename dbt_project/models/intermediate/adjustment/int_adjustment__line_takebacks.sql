-- Grain: one row per (earning on an invoice line, kind, cause): what that cause takes back of it, or
-- gives back. Rules R1–R3, R6–R9, M4: cumulative targets in event order, capped at the earning; an
-- entry is the target after its cause less the target before, in both currencies. Once the money that
-- went back reaches what was paid, every line is reversed in full: a full reversal leaves exactly 0.
with

run as (

    select * from {{ ref('stg_program__run') }}

),

earnings as (

    select * from {{ ref('int_commission__earnings') }}
    where
        reason is null
        and source_type = 'invoice_line'
        and paid_amount_minor > 0

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
        -- A line's own payment: its total with tax × the share paid.
        earnings.line_total_amount_minor,
        earnings.paid_share as line_share,
        earnings.total_share as line_share_base,
        earnings.minor_numerator,
        earnings.minor_denominator,
        causes.cause_type,
        causes.cause_id,
        causes.kind,
        causes.event_at,
        causes.restored_at,
        causes.amount_minor as cause_amount_minor,
        case when causes.invoice_line_id is null then causes.amount_minor else 0 end as invoice_part_minor,
        case
            when causes.invoice_line_id = earnings.source_id and earnings.line_total_amount_minor > 0
                then causes.amount_minor
            else 0
        end as line_part_minor
    from earnings
    inner join policies
        on
            earnings.plan_id = policies.plan_id
            and earnings.plan_version = policies.plan_version
    inner join {{ ref('int_adjustment__causes') }} as causes
        on earnings.invoice_id = causes.invoice_id
    where
        -- R9: the policy of the version under which it was earned.
        case causes.policy
            when 'refund' then policies.refund_mode = 'proportional'
            when 'chargeback_on_open' then policies.chargeback_on_open = 'reverse'
            else policies.chargeback_on_open <> 'reverse' and policies.chargeback_on_lost = 'reverse'
        end
        -- R8
        and (
            policies.max_age_days is null
            or causes.event_at <= {{ add_days_24h('earnings.earned_at', 'policies.max_age_days') }}
        )

),

-- R2: a dispute that was won is reinstated by the very amount, so what follows counts without it.
running as (

    select
        applicable.*,
        case when restored_at is null then 1 else 0 end as stays,
        coalesce(
            cast(sum(case when restored_at is null then invoice_part_minor else 0 end) over earlier as bigint), 0
        ) as invoice_before_minor,
        coalesce(
            cast(sum(case when restored_at is null then line_part_minor else 0 end) over earlier as bigint), 0
        ) as line_before_minor,
        coalesce(
            cast(sum(case when restored_at is null then cause_amount_minor else 0 end) over earlier as bigint), 0
        ) as returned_before_minor
    from applicable
    window earlier as (
        partition by component_id, source_type, source_id, partner_id
        order by event_at, cause_type, cause_id
        rows between unbounded preceding and 1 preceding
    )

),

targeted as (

    select
        running.*,
        {{ reversal_target('0', '0', '0') }} as target_before_minor,
        {{ reversal_target('invoice_part_minor', 'line_part_minor', 'cause_amount_minor') }} as target_after_minor
    from running

),

taken as (

    select
        targeted.*,
        target_before_minor - target_after_minor as amount_minor,
        {{ round_ratio(wide('target_before_minor') ~ ' * minor_numerator', 'minor_denominator') }}
        - {{ round_ratio(wide('target_after_minor') ~ ' * minor_numerator', 'minor_denominator') }}
            as payout_amount_minor
    from targeted

),

{{ reversed_dates('taken', ref('int_commission__earning_parts')) }},

rows_of_both_signs as (

    select
        kind, component_id, source_type, source_id, partner_id, cause_type, cause_id, event_at,
        cause_amount_minor, paid_amount_minor, amount_minor, payout_amount_minor, restored_at is not null as is_restored,
        earned_amount_minor, invoice_before_minor, invoice_part_minor, line_before_minor, line_part_minor,
        returned_before_minor, line_total_amount_minor, line_share, line_share_base
    from taken

    union all

    select
        'reinstatement', component_id, source_type, source_id, partner_id, cause_type, cause_id, restored_at,
        cause_amount_minor, paid_amount_minor, -amount_minor, -payout_amount_minor, true,
        earned_amount_minor, invoice_before_minor, invoice_part_minor, line_before_minor, line_part_minor,
        returned_before_minor, line_total_amount_minor, line_share, line_share_base
    from taken
    where restored_at is not null

)

select
    rows_of_both_signs.*,
    {{ local_date('rows_of_both_signs.event_at') }} as effective_date,
    reversed_dates.reversed_available_date
from rows_of_both_signs
cross join run
left join reversed_dates
    on
        rows_of_both_signs.component_id = reversed_dates.component_id
        and rows_of_both_signs.source_type = reversed_dates.source_type
        and rows_of_both_signs.source_id = reversed_dates.source_id
        and rows_of_both_signs.partner_id = reversed_dates.partner_id
        and rows_of_both_signs.cause_type = reversed_dates.cause_type
        and rows_of_both_signs.cause_id = reversed_dates.cause_id
