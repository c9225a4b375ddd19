-- Grain: one row per step of a referrer's share (component_id, source_type, source_id, partner_id, part_number): one
-- per step of the referred earning, cumulative, on the same day, held by the referrer's own version (C7, M4).
with

shares as (

    select * from {{ ref('int_commission__referrals') }}
    where reason is null

),

referred_parts as (

    select
        parts.*,
        cast(sum(amount_minor) over in_order as bigint) as referred_after_minor
    from {{ ref('int_commission__earning_parts') }} as parts
    window in_order as (
        partition by component_id, source_type, source_id, partner_id
        order by part_number
        rows between unbounded preceding and current row
    )

),

cumulative as (

    select
        shares.component_id,
        shares.source_type,
        shares.source_id,
        shares.partner_id,
        shares.minor_numerator,
        shares.minor_denominator,
        shares.hold_after,
        shares.hold_days,
        parts.part_number,
        parts.effective_date,
        {{ round_ratio(wide('parts.referred_after_minor') ~ ' * ' ~ ppm('shares.rate'), wide('1000000')) }}
            as amount_after_minor,
        {{ round_ratio(
            wide('parts.referred_after_minor - parts.amount_minor') ~ ' * ' ~ ppm('shares.rate'), wide('1000000')
        ) }} as amount_before_minor
    from shares
    inner join referred_parts as parts
        on
            shares.referred_component_id = parts.component_id
            and shares.referred_source_type = parts.source_type
            and shares.referred_source_id = parts.source_id
            and shares.referred_partner_id = parts.partner_id

)

select
    component_id,
    source_type,
    source_id,
    partner_id,
    part_number,
    effective_date,
    amount_after_minor - amount_before_minor as amount_minor,
    {{ round_ratio(wide('amount_after_minor') ~ ' * minor_numerator', 'minor_denominator') }}
    - {{ round_ratio(wide('amount_before_minor') ~ ' * minor_numerator', 'minor_denominator') }}
        as payout_amount_minor,
    {{ available_date('effective_date', 'hold_after', 'hold_days') }} as available_date
from cumulative
where amount_after_minor <> amount_before_minor
