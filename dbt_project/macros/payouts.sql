{# States of a batch whose file is out, or was (payouts reference 3.1). #}
{% macro exported_states() -%}
    'exported', 'sent', 'closed', 'aborted'
{%- endmacro %}
