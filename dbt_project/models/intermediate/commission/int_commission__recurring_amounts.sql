-- Grain: one row per (invoice_line_id, partner_id, component_id) on which a recurring component pays.
-- Rules C2, C6, M2, M3: the whole line after caps × its paid share, rounded once (whole_amount_minor), then split
-- over the credited partners (amount_minor: this partner's part; 0 where only a compared model credits it). A part
-- that the programme's month cut is not split again (is_part_cut). A line that comes to nothing is kept with amount
-- 0 so that it can be accounted for.
with

whole_lines as (

    select
        lines.*,
        'earning' as kind,
        lines.first_paid_at as earned_at,
        coalesce(posted_earnings.payout_currency_code, currencies.payout_currency_code) as payout_currency_code,
        capped.cut_by,
        capped.line_cut_minor + capped.part_cut_minor as cut_amount_minor,
        capped.left_amount_minor as cap_left_minor,
        capped.part_left_minor,
        coalesce(capped.part_cut_minor > 0, false) as is_part_cut,
        coalesce(capped.line_cut_minor > 0, false) as is_line_cut
    from {{ ref('int_commission__whole_lines') }} as lines
    inner join {{ ref('int_commission__payout_currencies') }} as currencies
        on lines.partner_id = currencies.partner_id
    left join {{ ref('int_terms__posted_earnings') }} as posted_earnings
        on
            lines.source_type = posted_earnings.source_type
            and lines.source_id = posted_earnings.source_id
            and lines.partner_id = posted_earnings.partner_id
    left join {{ ref('int_commission__capped_lines') }} as capped
        on
            lines.invoice_line_id = capped.invoice_line_id
            and lines.partner_id = capped.partner_id
            and lines.component_id = capped.component_id

),

-- What was not cut keeps its exact ratio.
ratios as (

    select
        whole_lines.*,
        case
            when is_waiting_for_rate then 0
            when is_part_cut then {{ wide('part_left_minor') }}
            when is_line_cut then {{ wide('cap_left_minor') }}
            else whole_numerator
        end as rate_numerator,
        case
            when is_waiting_for_rate or is_part_cut or is_line_cut then 1
            else whole_denominator
        end as rate_denominator
    from whole_lines

),

amounts as (

    select
        ratios.*,
        {{ round_ratio(
            wide('line_base_amount_minor') ~ ' * paid_share',
            wide('total_share')
        ) }} as base_amount_minor,
        {{ round_ratio('rate_numerator * paid_share', 'rate_denominator * total_share') }} as whole_amount_minor,
        -- Before the programme's month cut the part: what a compared model would split (A7).
        case
            when is_part_cut and is_line_cut
                then {{ round_ratio(wide('cap_left_minor') ~ ' * paid_share', wide('total_share')) }}
            when is_part_cut
                then {{ round_ratio('whole_numerator * paid_share', 'whole_denominator * total_share') }}
        end as uncut_amount_minor
    from ratios

)

select
    amounts.* exclude (first_paid_at, first_paid_date, whole_numerator, whole_denominator),
    case
        when not is_paying then 0
        when is_part_cut then whole_amount_minor
        else {{ split_share('whole_amount_minor', 'credits', 'partner_id', 'credit_ppm') }}
    end as amount_minor
from amounts
