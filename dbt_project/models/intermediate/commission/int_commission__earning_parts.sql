-- Grain: one row per step in which an earning came about (component_id, source_type, source_id,
-- partner_id, part_number): one for an event, one per payment for an invoice line paid in parts.
-- Rules C2, M4, P1: each part is the cumulative target less what was earned before, effective on its
-- own day, with its own available date; the parts sum to the earning exactly.
with

run as (

    select * from {{ ref('stg_program__run') }}

),

earnings as (

    select * from {{ ref('int_commission__earnings') }}
    where reason is null

),

-- Shares in lowest terms, so that products of large amounts stay within 38 digits.
payments as (

    select
        invoice_id,
        part_number,
        payment_id,
        {{ local_date('paid_at') }} as paid_date,
        {{ whole_part('paid_after', common_divisor('paid_after', 'total_share')) }} as after_share,
        {{ whole_part('total_share', common_divisor('paid_after', 'total_share')) }} as after_base,
        {{ whole_part('paid_before', common_divisor('paid_before', 'total_share')) }} as before_share,
        {{ whole_part('total_share', common_divisor('paid_before', 'total_share')) }} as before_base
    from {{ ref('int_billing__payments') }}
    cross join run

),

cumulative_lines as (

    select
        earnings.component_id,
        earnings.source_type,
        earnings.source_id,
        earnings.partner_id,
        earnings.credit_ppm,
        earnings.credits,
        earnings.is_part_cut,
        earnings.minor_numerator,
        earnings.minor_denominator,
        payments.part_number,
        payments.payment_id as part_source_id,
        payments.paid_date as effective_date,
        {{ round_ratio(
            'earnings.rate_numerator * payments.after_share', 'earnings.rate_denominator * payments.after_base'
        ) }} as whole_after_minor,
        {{ round_ratio(
            'earnings.rate_numerator * payments.before_share', 'earnings.rate_denominator * payments.before_base'
        ) }} as whole_before_minor
    from earnings
    inner join payments
        on earnings.invoice_id = payments.invoice_id
    where earnings.source_type = 'invoice_line'

),

-- M3: the whole is split after each payment; what a payment brings a partner is the difference.
line_parts as (

    select
        component_id,
        source_type,
        source_id,
        partner_id,
        minor_numerator,
        minor_denominator,
        part_number,
        part_source_id,
        effective_date,
        -- C6: what the programme's month cut is the partner's part already.
        case
            when is_part_cut then whole_after_minor
            else {{ split_share('whole_after_minor', 'credits', 'partner_id', 'credit_ppm') }}
        end as amount_after_minor,
        case
            when is_part_cut then whole_before_minor
            else {{ split_share('whole_before_minor', 'credits', 'partner_id', 'credit_ppm') }}
        end as amount_before_minor
    from cumulative_lines

),

event_parts as (

    select
        component_id,
        source_type,
        source_id,
        partner_id,
        minor_numerator,
        minor_denominator,
        1 as part_number,
        source_id as part_source_id,
        earned_date as effective_date,
        amount_minor as amount_after_minor,
        0 as amount_before_minor
    from earnings
    where source_type <> 'invoice_line'

),

parts as (

    select * from line_parts
    union all
    select * from event_parts

),

converted as (

    select
        parts.*,
        {{ round_ratio(wide('parts.amount_after_minor') ~ ' * parts.minor_numerator', 'parts.minor_denominator') }}
        - {{ round_ratio(wide('parts.amount_before_minor') ~ ' * parts.minor_numerator', 'parts.minor_denominator') }}
            as payout_amount_minor
    from parts

)

select
    converted.component_id,
    converted.source_type,
    converted.source_id,
    converted.partner_id,
    converted.part_number,
    converted.part_source_id,
    converted.effective_date,
    converted.amount_after_minor - converted.amount_before_minor as amount_minor,
    converted.payout_amount_minor,
    {{ available_date('converted.effective_date', 'earnings.hold_after', 'earnings.hold_days') }} as available_date
from converted
inner join earnings
    on
        converted.component_id = earnings.component_id
        and converted.source_type = earnings.source_type
        and converted.source_id = earnings.source_id
        and converted.partner_id = earnings.partner_id
where converted.amount_after_minor <> converted.amount_before_minor
