{#
  After `as`: a CTE that is cheaper to compute once per reader than to keep. DuckDB keeps every CTE with two
  readers in memory, which for a row per touch costs more than a filter or a join with a few rows.
#}
{% macro recomputed() -%}
    {{ return(adapter.dispatch('recomputed', 'partnerledger')()) }}
{%- endmacro %}

{% macro default__recomputed() -%}
    not materialized
{%- endmacro %}
