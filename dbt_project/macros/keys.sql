{#
  J2: RFC 9562 name-based identifier (version 5: SHA-1) in the journal's namespace, the uuid5 of
  https://partnerledger.dev/journal under the URL namespace. Equal to Python's uuid.uuid5, which
  the payout room uses for the entries it posts itself; a test compares the two.
#}
{% macro uuid5(name) -%}
    {{ return(adapter.dispatch('uuid5', 'partnerledger')(name)) }}
{%- endmacro %}

{% macro default__uuid5(name) -%}
    {%- set digest = "sha1(unhex('83a9d3e7b6555f2e9bbea811f99f72cf') || encode(" ~ name ~ "))" -%}
    regexp_replace(
        {{ digest }},
        '^(.{8})(.{4}).(.{3})(.)(.{3})(.{12}).*$',
        '\1-\2-5\3-' || substr('89ab', 1 + (('0x' || substr({{ digest }}, 17, 1))::int % 4), 1) || '\5-\6'
    )
{%- endmacro %}

{# J2: the natural key as text. The separator cannot occur in an id: ingest strips control characters. #}
{% macro natural_key(prefix='') -%}
    {%- set p = prefix -%}
    ({{ p }}kind || chr(31) || {{ p }}component_id || chr(31) || {{ p }}source_type || chr(31)
        || {{ p }}source_id || chr(31) || {{ p }}partner_id || chr(31) || {{ p }}cause_type
        || chr(31) || {{ p }}cause_id)
{%- endmacro %}
