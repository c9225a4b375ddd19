-- Grain: one row per (referrer's share of an earning, kind, cause): what a take-back from the referred partner takes
-- back of it, or gives back. Rules C7, M4, R2: cumulative targets in the order of the take-backs, own share × taken so
-- far ÷ earned; what a won dispute gives back is the very amount.
with

-- Of one earning there are take-backs on its line, then a void, or churn.
taken_from_referred as (

    select
        kind, component_id, source_type, source_id, partner_id, cause_type, cause_id, effective_date, event_at,
        is_restored, amount_minor
    from {{ ref('int_adjustment__line_takebacks') }}

    union all

    select
        kind, component_id, source_type, source_id, partner_id, cause_type, cause_id, effective_date,
        timestamp '2200-01-01', false, amount_minor
    from {{ ref('int_adjustment__voided') }}

    union all

    select
        kind, component_id, source_type, source_id, partner_id, cause_type, cause_id, effective_date,
        timestamp '2200-01-01', false, amount_minor
    from {{ ref('int_adjustment__churn_takebacks') }}

),

shares as (

    select * from {{ ref('int_commission__referrals') }}
    where
        reason is null
        and referred_amount_minor <> 0

),

applied as (

    select
        shares.component_id,
        shares.source_type,
        shares.source_id,
        shares.partner_id,
        shares.amount_minor as own_amount_minor,
        shares.referred_amount_minor,
        shares.minor_numerator,
        shares.minor_denominator,
        taken.kind,
        taken.cause_type,
        taken.cause_id,
        taken.effective_date,
        taken.event_at,
        taken.is_restored,
        -- Cents of the referred earning, in its direction.
        -taken.amount_minor * sign(shares.referred_amount_minor) as taken_minor
    from shares
    inner join taken_from_referred as taken
        on
            shares.referred_component_id = taken.component_id
            and shares.referred_source_type = taken.source_type
            and shares.referred_source_id = taken.source_id
            and shares.referred_partner_id = taken.partner_id
    where taken.kind <> 'reinstatement'

),

running as (

    select
        applied.*,
        coalesce(
            cast(sum(case when is_restored then 0 else taken_minor end) over earlier as bigint), 0
        ) as taken_before_minor
    from applied
    window earlier as (
        partition by component_id, source_type, source_id, partner_id
        order by event_at, cause_type, cause_id
        rows between unbounded preceding and 1 preceding
    )

),

targeted as (

    select
        running.*,
        taken_before_minor + taken_minor as taken_after_minor,
        {{ round_ratio(
            wide('own_amount_minor') ~ ' * taken_before_minor', wide('abs(referred_amount_minor)')
        ) }} as target_before_minor,
        {{ round_ratio(
            wide('own_amount_minor') ~ ' * (taken_before_minor + taken_minor)', wide('abs(referred_amount_minor)')
        ) }} as target_after_minor
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

given_back as (

    select
        taken.*,
        reinstated.effective_date as reinstated_date
    from taken
    inner join {{ ref('int_commission__referrals') }} as shares
        on
            taken.component_id = shares.component_id
            and taken.source_id = shares.source_id
            and taken.partner_id = shares.partner_id
    inner join taken_from_referred as reinstated
        on
            shares.referred_component_id = reinstated.component_id
            and shares.referred_source_type = reinstated.source_type
            and shares.referred_source_id = reinstated.source_id
            and shares.referred_partner_id = reinstated.partner_id
            and taken.cause_type = reinstated.cause_type
            and taken.cause_id = reinstated.cause_id
            and reinstated.kind = 'reinstatement'

),

{{ reversed_dates('taken', ref('int_commission__referral_parts')) }},

rows_of_both_signs as (

    select
        kind, component_id, source_type, source_id, partner_id, cause_type, cause_id, effective_date,
        amount_minor, payout_amount_minor, own_amount_minor, referred_amount_minor, taken_before_minor,
        taken_after_minor
    from taken

    union all

    select
        'reinstatement', component_id, source_type, source_id, partner_id, cause_type, cause_id, reinstated_date,
        -amount_minor, -payout_amount_minor, own_amount_minor, referred_amount_minor, taken_before_minor,
        taken_after_minor
    from given_back

)

select
    rows_of_both_signs.*,
    reversed_dates.reversed_available_date
from rows_of_both_signs
left join reversed_dates
    on
        rows_of_both_signs.component_id = reversed_dates.component_id
        and rows_of_both_signs.source_type = reversed_dates.source_type
        and rows_of_both_signs.source_id = reversed_dates.source_id
        and rows_of_both_signs.partner_id = reversed_dates.partner_id
        and rows_of_both_signs.cause_type = reversed_dates.cause_type
        and rows_of_both_signs.cause_id = reversed_dates.cause_id
where
    rows_of_both_signs.amount_minor <> 0
    or rows_of_both_signs.payout_amount_minor <> 0
