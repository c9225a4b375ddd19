{#
  F3: an e-mail address as a person's key: lower case, plus tag stripped everywhere, dots stripped
  for Gmail, www. stripped from the domain, googlemail.com read as gmail.com. Text without exactly one @ is no key.
#}
{% macro email_key(column) -%}
    case
        when {{ column }} is null or length({{ column }}) - length(replace({{ column }}, '@', '')) <> 1
            then null
        when split_part({{ column }}, '@', 2) in ('gmail.com', 'googlemail.com')
            then replace(split_part(split_part({{ column }}, '@', 1), '+', 1), '.', '') || '@gmail.com'
        else split_part(split_part({{ column }}, '@', 1), '+', 1)
            || '@' || regexp_replace(split_part({{ column }}, '@', 2), '^www[.]', '')
    end
{%- endmacro %}

{# F3: the domain of an address or of a company, without a leading www. #}
{% macro domain_key(column) -%}
    nullif(regexp_replace(lower(trim({{ column }})), '^www[.]', ''), '')
{%- endmacro %}

{% macro email_domain(column) -%}
    {{ domain_key("nullif(split_part(" ~ column ~ ", '@', 2), '')") }}
{%- endmacro %}
