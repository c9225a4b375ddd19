{# J1: the kinds of entries that the desired state owns; all others are posted by exports and settlements. #}
{% macro computed_kinds() -%}
    'earning', 'bonus', 'refund', 'chargeback', 'reinstatement', 'credit_note', 'correction', 'churn', 'ruling',
    'adjustment'
{%- endmacro %}

{# J1: kinds that reverse nothing; every other entry of the desired state points at what it reverses (R10). #}
{% macro earning_kinds() -%}
    'earning', 'bonus', 'adjustment'
{%- endmacro %}
