{#
  C6: amounts that are clamped by a cap in event order. relation has columns earned_at, invoice_line_id, partner_id,
  component_id, currency_code and those named, none of them null but the cap; amount: the column that is clamped;
  cap: the cap's amount, null where there is none; scope: the columns within which the cap counts. Gives one more
  column, cut: by how much the cap cuts the row.
  What is used after row i is sum_i less the furthest that the sums up to i went above the cap: the walk is reflected
  at the cap, so negative rows lower what is used and are never cut. Of several caps in a scope, the highest so far.
  A scope whose positive amounts together stay within its lowest cap is never cut: only the others are put in order.
  relation is read three times: materialize it.
#}
{% macro clamped(relation, amount, cap, scope, cut) -%}
    {%- set scope_columns = scope + ['currency_code'] -%}
    {%- set keys = ['invoice_line_id', 'partner_id', 'component_id', 'earned_at'] -%}
    {%- set columns = keys + (scope_columns | reject('in', keys) | list) -%}
    select
        {{ relation }}.*,
        cast(coalesce(cuts.cut_minor, 0) as bigint) as {{ cut }}
    from {{ relation }}
    left join (
        select
            invoice_line_id,
            partner_id,
            component_id,
            pushed_amount - coalesce(lag(pushed_amount) over in_scope, 0) as cut_minor
        from (
            select
                summed.*,
                max(greatest(running_amount - highest_cap, 0)) over in_scope_so_far as pushed_amount
            from (
                select
                    {% for column in columns -%}
                    rows_of_scope.{{ column }},
                    {% endfor -%}
                    sum(rows_of_scope.{{ amount }}) over in_scope_so_far as running_amount,
                    max(rows_of_scope.{{ cap }}) over in_scope_so_far as highest_cap
                from {{ relation }} as rows_of_scope
                inner join (
                    select {{ scope_columns | join(', ') }}
                    from {{ relation }}
                    where {{ cap }} is not null
                    group by {{ scope_columns | join(', ') }}
                    having sum(greatest({{ amount }}, 0)) > min({{ cap }})
                ) as tight_scopes
                    on
                        {% for column in scope_columns -%}
                        {{ 'and ' if not loop.first }}rows_of_scope.{{ column }} = tight_scopes.{{ column }}
                        {% endfor %}
                where rows_of_scope.{{ cap }} is not null
                window in_scope_so_far as (
                    partition by rows_of_scope.{{ scope_columns | join(', rows_of_scope.') }}
                    order by rows_of_scope.earned_at, rows_of_scope.invoice_line_id, rows_of_scope.partner_id
                    rows between unbounded preceding and current row
                )
            ) as summed
            window in_scope_so_far as (
                partition by {{ scope_columns | join(', ') }}
                order by earned_at, invoice_line_id, partner_id
                rows between unbounded preceding and current row
            )
        ) as pushed
        window in_scope as (
            partition by {{ scope_columns | join(', ') }}
            order by earned_at, invoice_line_id, partner_id
        )
    ) as cuts
        on
            {{ relation }}.invoice_line_id = cuts.invoice_line_id
            and {{ relation }}.partner_id = cuts.partner_id
            and {{ relation }}.component_id = cuts.component_id
{%- endmacro %}
