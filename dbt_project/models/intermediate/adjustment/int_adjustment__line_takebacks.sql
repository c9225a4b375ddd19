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

-- R10: the oldest earning entries of the line are reversed first; a reversal is available no earlier
-- than the parts it reverses.
-- A step that goes against the others (M3: a part can shrink by a unit as the whole grows) reverses nothing and
-- is not reversed.
sized_parts as (

    select
        *,
        greatest(amount_minor * sign(sum(amount_minor) over whole_line), 0) as size_minor
    from {{ ref('int_commission__earning_parts') }}
    window whole_line as (partition by component_id, source_type, source_id, partner_id)

),

part_spans as (

    select
        component_id,
        source_type,
        source_id,
        partner_id,
        available_date,
        cast(sum(size_minor) over oldest_first as bigint) - size_minor as opens_at,
        cast(sum(size_minor) over oldest_first as bigint) as closes_at
    from sized_parts
    window oldest_first as (
        partition by component_id, source_type, source_id, partner_id
        order by part_number
        rows between unbounded preceding and current row
    )

),

reversed_dates as (

    select
        taken.component_id,
        taken.source_type,
        taken.source_id,
        taken.partner_id,
        taken.cause_type,
        taken.cause_id,
        max(part_spans.available_date) as reversed_available_date
    from taken
    inner join part_spans
        on
            taken.component_id = part_spans.component_id
            and taken.source_type = part_spans.source_type
            and taken.source_id = part_spans.source_id
            and taken.partner_id = part_spans.partner_id
            and part_spans.opens_at < abs(taken.target_after_minor)
            and part_spans.closes_at > abs(taken.target_before_minor)
    group by
        taken.component_id, taken.source_type, taken.source_id, taken.partner_id,
        taken.cause_type, taken.cause_id

),

rows_of_both_signs as (

    select
        kind, component_id, source_type, source_id, partner_id, cause_type, cause_id, event_at,
        cause_amount_minor, paid_amount_minor, amount_minor, payout_amount_minor
    from taken

    union all

    select
        'reinstatement', component_id, source_type, source_id, partner_id, cause_type, cause_id, restored_at,
        cause_amount_minor, paid_amount_minor, -amount_minor, -payout_amount_minor
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
