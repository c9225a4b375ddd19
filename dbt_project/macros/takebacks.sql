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
