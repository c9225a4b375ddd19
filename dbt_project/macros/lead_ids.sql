{# F4: the id of a lead that begins with a key. #}
{% macro lead_id(node_key) -%}
    'lead_' || substr(md5({{ node_key }}), 1, 24)
{%- endmacro %}

{# The earliest landing of a group, and the earliest instant that it told. #}
{% macro first_told() -%}
    min({'arrival': arrival, 'told_at': coalesce(told_at, timestamp '2200-01-01')})
{%- endmacro %}
