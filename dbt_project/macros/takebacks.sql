{#
  M4, R1: how much of an earning is reversed once the sums that went back before, plus the given ones,
  have gone back: earned × (invoice-level ÷ paid + line-level ÷ the line's own payment), capped at the
  earning, signed like it. Integers throughout; expects the columns of int_adjustment__line_takebacks.
#}
{% macro reversal_target(invoice_part, line_part, returned_part) -%}
    cast(sign(earned_amount_minor) as bigint) * least(
        abs(earned_amount_minor),
        case
            when returned_before_minor + {{ returned_part }} >= paid_amount_minor
                then abs(earned_amount_minor)
            when line_before_minor + {{ line_part }} = 0
                then {{ round_ratio(
                    wide('abs(earned_amount_minor)') ~ ' * (invoice_before_minor + ' ~ invoice_part ~ ')',
                    wide('paid_amount_minor')
                ) }}
            else {{ round_ratio(
                wide('abs(earned_amount_minor)') ~ ' * ('
                ~ wide('invoice_before_minor + ' ~ invoice_part) ~ ' * line_total_amount_minor * line_share + '
                ~ wide('line_before_minor + ' ~ line_part) ~ ' * line_share_base * paid_amount_minor)',
                wide('paid_amount_minor') ~ ' * greatest(line_total_amount_minor, 1) * line_share'
            ) }}
        end
    )
{%- endmacro %}

{#
  R10: CTEs that end with reversed_dates: the latest available date of the parts that each take-back reverses.
  taken: relation with the earning's key, cause_type, cause_id, target_before_minor and target_after_minor;
  parts: relation of the earnings' parts.
#}
{% macro reversed_dates(taken, parts) -%}
-- R10: the oldest earning entries of the line are reversed first; a reversal is available no earlier
-- than the parts it reverses.
-- A step that goes against the others (M3: a part can shrink by a unit as the whole grows) reverses nothing and
-- is not reversed.
taken_keys as (

    select distinct component_id, source_type, source_id, partner_id
    from {{ taken }}

),

sized_parts as (

    select
        parts.*,
        greatest(amount_minor * sign(sum(amount_minor) over whole_line), 0) as size_minor
    from {{ parts }} as parts
    inner join taken_keys
        on
            parts.component_id = taken_keys.component_id
            and parts.source_type = taken_keys.source_type
            and parts.source_id = taken_keys.source_id
            and parts.partner_id = taken_keys.partner_id
    window whole_line as (
        partition by parts.component_id, parts.source_type, parts.source_id, parts.partner_id
    )

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
    from {{ taken }} as taken
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

)
{%- endmacro %}
