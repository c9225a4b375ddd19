-- Grain: one row per (invoice_line_id, partner_id, component_id) on which a recurring component pays.
-- Rules C2, M2, M3: base × rate × paid share × day share, rounded once (whole_amount_minor), then split over
-- the credited partners (amount_minor: this partner's part; 0 where only a compared model credits it). A
-- line that comes to nothing is kept with amount 0 so that it can be accounted for.
with

paying as (

    select * from {{ ref('int_commission__judged_lines') }}
    where reason is null

),

amounts as (

    select
        paying.*,
        'earning' as kind,
        first_paid_at as earned_at,
        coalesce(posted_earnings.payout_currency_code, currencies.payout_currency_code) as payout_currency_code,
        {{ wide('paying.line_base_amount_minor') }} * {{ ppm('paying.rate') }} * paying.days_in_window as rate_numerator,
        {{ wide('paying.days_in_period') }} * 1000000 as rate_denominator,
        {{ round_ratio(
            wide('paying.line_base_amount_minor') ~ ' * paying.paid_share',
            wide('paying.total_share')
        ) }} as base_amount_minor,
        {{ round_ratio(
            wide('paying.line_base_amount_minor') ~ ' * ' ~ ppm('paying.rate')
            ~ ' * paying.days_in_window * paying.paid_share',
            wide('paying.days_in_period') ~ ' * 1000000 * paying.total_share'
        ) }} as whole_amount_minor
    from paying
    inner join {{ ref('int_commission__payout_currencies') }} as currencies
        on paying.partner_id = currencies.partner_id
    left join {{ ref('int_terms__posted_earnings') }} as posted_earnings
        on
            paying.source_type = posted_earnings.source_type
            and paying.source_id = posted_earnings.source_id
            and paying.partner_id = posted_earnings.partner_id

)

select
    amounts.*,
    case
        when is_paying then {{ split_share('whole_amount_minor', 'credits', 'partner_id', 'credit_ppm') }}
        else 0
    end as amount_minor
from amounts
