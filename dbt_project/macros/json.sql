{# Text at a path of a landed JSON object; absent and JSON null are NULL. Staging only. #}
{% macro json_text(column, path) -%}
    {{ return(adapter.dispatch('json_text', 'partnerledger')(column, path)) }}
{%- endmacro %}

{% macro default__json_text(column, path) -%}
    ({{ column }} ->> '$.{{ path }}')
{%- endmacro %}

{# A vendor's epoch seconds as a naive UTC instant. #}
{% macro epoch_utc(text_expression) -%}
    timezone('UTC', to_timestamp(cast({{ text_expression }} as bigint)))
{%- endmacro %}

{# The elements of a JSON array at a path, one row each, as column `element` of relation `alias`. #}
{% macro json_elements(column, path, alias) -%}
    unnest(cast(json_extract({{ column }}, '$.{{ path }}') as json[])) as {{ alias }}(element)
{%- endmacro %}

{# Sum of an integer member over a JSON array; 0 when absent. #}
{% macro json_sum(column, array_path, member) -%}
    coalesce(list_sum(cast(json_extract({{ column }}, '$.{{ array_path }}[*].{{ member }}') as bigint[])), 0)
{%- endmacro %}
