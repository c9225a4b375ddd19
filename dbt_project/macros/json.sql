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

{# A vendor's instant, ISO 8601 with an offset or epoch milliseconds, as a naive UTC instant. #}
{% macro vendor_utc(text_expression) -%}
    case
        when regexp_full_match({{ text_expression }}, '[0-9]+')
            then timezone('UTC', to_timestamp(cast({{ text_expression }} as bigint) / 1000))
        else timezone('UTC', cast(nullif({{ text_expression }}, '') as timestamptz))
    end
{%- endmacro %}

{# The id of a member that is an id or an expanded object. #}
{% macro json_id(column, path) -%}
    coalesce({{ json_text(column, path ~ '.id') }}, {{ json_text(column, path) }})
{%- endmacro %}

{# A ratio as text, for explanations: 31/365. #}
{% macro ratio_text(numerator, denominator) -%}
    cast({{ numerator }} as varchar) || '/' || cast({{ denominator }} as varchar)
{%- endmacro %}

{# JSON text of an object with further members put in front; members is JSON text of an object too, never empty. #}
{% macro json_joined(members, object_text) -%}
    case
        when {{ object_text }} is null then {{ members }}
        else substr({{ members }}, 1, length({{ members }}) - 1) || ',' || substr({{ object_text }}, 2)
    end
{%- endmacro %}
