{#
  C6: amounts that are clamped by a cap in event order. relation has columns earned_at, invoice_line_id, partner_id,
  currency_code and those named; amount: the column that is clamped; cap: the cap's amount, null where there is none;
  scope: the columns within which the cap counts. Gives one more column, cut: by how much the cap cuts the row.
  What is used after row i is sum_i less the furthest that the sums up to i went above the cap: the walk is reflected
  at the cap, so negative rows lower what is used and are never cut. Of several caps in a scope, the highest so far.
#}
{% macro clamped(relation, amount, cap, scope, cut) -%}
    select
        pushed.* exclude (running_amount, highest_cap, pushed_amount),
        cast(
            case
                when {{ cap }} is null then 0
                else pushed_amount - coalesce(lag(pushed_amount) over in_scope, 0)
            end as bigint
        ) as {{ cut }}
    from (
        select
            summed.*,
            max(greatest(running_amount - highest_cap, 0)) over in_scope_so_far as pushed_amount
        from (
            select
                {{ relation }}.*,
                sum({{ amount }}) over in_scope_so_far as running_amount,
                max({{ cap }}) over in_scope_so_far as highest_cap
            from {{ relation }}
            window in_scope_so_far as (
                partition by {{ scope | join(', ') }}, currency_code, {{ cap }} is null
                order by earned_at, invoice_line_id, partner_id
                rows between unbounded preceding and current row
            )
        ) as summed
        window in_scope_so_far as (
            partition by {{ scope | join(', ') }}, currency_code, {{ cap }} is null
            order by earned_at, invoice_line_id, partner_id
            rows between unbounded preceding and current row
        )
    ) as pushed
    window in_scope as (
        partition by {{ scope | join(', ') }}, currency_code, {{ cap }} is null
        order by earned_at, invoice_line_id, partner_id
    )
{%- endmacro %}
