{# The bands that a line fills, lowest first, each with its rate and its part of the line as a ratio (C5, C8). #}
{% macro band_list(band_number, rate, part, whole) -%}
    {{ return(adapter.dispatch('band_list', 'partnerledger')(band_number, rate, part, whole)) }}
{%- endmacro %}

{% macro default__band_list(band_number, rate, part, whole) -%}
    list(
        {
            'rate': cast({{ rate }} as varchar),
            'share': cast({{ part }} as varchar) || '/' || cast({{ whole }} as varchar)
        } order by {{ band_number }}
    )
{%- endmacro %}

{# The same list of the one band that the whole line lies in. #}
{% macro one_band(rate, part, whole) -%}
    {{ return(adapter.dispatch('one_band', 'partnerledger')(rate, part, whole)) }}
{%- endmacro %}

{% macro default__one_band(rate, part, whole) -%}
    [{
        'rate': cast({{ rate }} as varchar),
        'share': cast({{ part }} as varchar) || '/' || cast({{ whole }} as varchar)
    }]
{%- endmacro %}
