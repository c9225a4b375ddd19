{#
  Where sources.yml says that a value can be found (`fields`), per source: places in order, each a
  carrier (path, url, field) and a name. Join it on source; a source without it has no row.
#}
{% macro source_fields(field_name) -%}
    select
        source,
        list({'carrier': carrier, 'field_path': field_path} order by field_order) as places
    from {{ source('program', 'program__source_fields') }}
    where field_name = '{{ field_name }}'
    group by source
{%- endmacro %}

{#
  The first filled place of `places`: a path inside the payload, a parameter of the page's address,
  or a named answer. answers: list of structs (name, value). Staging only.
#}
{% macro mapped_text(places, payload, page_url='cast(null as varchar)', answers='cast([] as struct(name varchar, value varchar)[])') -%}
    list_extract(
        list_filter(
            list_transform(
                {{ places }},
                lambda place: nullif(trim(case place.carrier
                    when 'path' then {{ payload }} ->> place.field_path
                    when 'url' then {{ url_parameter(page_url, 'place.field_path') }}
                    else list_extract(
                        list_transform(
                            list_filter({{ answers }}, lambda answer: answer.name = place.field_path),
                            lambda answer: answer.value
                        ),
                        1
                    )
                end), '')
            ),
            lambda found: found is not null
        ),
        1
    )
{%- endmacro %}

{# A parameter of an address, decoded; absent is empty. #}
{% macro url_parameter(page_url, name) -%}
    url_decode(replace(
        list_extract(
            list_transform(
                list_filter(
                    string_split(split_part(split_part({{ page_url }}, '#', 1), '?', 2), '&'),
                    lambda pair: split_part(pair, '=', 1) = {{ name }}
                ),
                lambda pair: substr(pair, strpos(pair, '=') + 1)
            ),
            1
        ),
        '+', ' '
    ))
{%- endmacro %}

{# The domain of what people write for their website: without scheme, port, path and blanks. #}
{% macro bare_domain(text_expression) -%}
    nullif(regexp_replace(regexp_replace(lower(trim({{ text_expression }})), '^[a-z]+://', ''), '[:/?#].*$', ''), '')
{%- endmacro %}
