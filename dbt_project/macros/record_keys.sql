{# The name of a source object, `source:entity:id`, from the singular type that the models use. #}
{% macro record_key(source, record_type, record_id) -%}
    ({{ source }} || ':' || case {{ record_type }}
        when 'company' then 'companies'
        when 'lead_entry' then 'lead_entries'
        else {{ record_type }} || 's'
    end || ':' || {{ record_id }})
{%- endmacro %}

{# Only the mailbox name of a member of staff: what stands before the @ (L5). #}
{% macro mailbox_name(email_column) -%}
    nullif(split_part({{ email_column }}, '@', 1), '')
{%- endmacro %}

{# An instant for people to read. #}
{% macro shown_instant(instant_column) -%}
    (strftime({{ instant_column }}, '%Y-%m-%d %H:%M') || ' UTC')
{%- endmacro %}

{#
  A company's name as a key for comparing: lower case, letters and digits only, without words that name the
  legal form. Null when fewer than 5 characters are left: short names say too little.
#}
{% macro company_name_key(name_column) -%}
    {{ return(adapter.dispatch('company_name_key', 'partnerledger')(name_column)) }}
{%- endmacro %}

{% macro default__company_name_key(name_column) -%}
    {%- set forms = 'inc|incorporated|corp|corporation|co|company|llc|llp|ltd|limited|plc|gmbh|mbh|ag|kg|ug|sa|sas|sarl|srl|spa|bv|nv|oy|ab|aps|pty|pte' -%}
    {#- Dots vanish first, so that L.L.C. is one word; two blanks between words, since each word takes its own. -#}
    {%- set words = "'  ' || regexp_replace(replace(lower(" ~ name_column ~ "), '.', ''), '[^\\p{L}\\p{N}]+', '  ', 'g') || '  '" -%}
    {%- set kept = "replace(regexp_replace(" ~ words ~ ", ' (" ~ forms ~ ") ', '', 'g'), ' ', '')" -%}
    case when length({{ kept }}) >= 5 then {{ kept }} end
{%- endmacro %}

{#
  The first label of a domain (acme-tools of acme-tools.co.uk), where the rest is one label or two of at most
  three letters: anything longer is a host below the company's domain. Null with fewer than 5 letters.
#}
{% macro domain_first_label(domain_column) -%}
    case
        when
            regexp_matches({{ domain_column }}, '^[^.]+[.]([^.]+|[^.]{1,3}[.][^.]{1,3})$')
            and length(regexp_replace(split_part({{ domain_column }}, '.', 1), '[0-9-]', '', 'g')) >= 5
            then split_part({{ domain_column }}, '.', 1)
    end
{%- endmacro %}

{# The id of the request that a night computes for a lead at the instant from which it is stale (L5). #}
{% macro stale_request_id(lead_id, stale_at) -%}
    'req_stale_' || substr(md5({{ lead_id }} || strftime({{ stale_at }}, '%Y-%m-%d %H:%M:%S.%f')), 1, 12)
{%- endmacro %}
