-- Grain: one row per landed version of a Typeform response (source, id, arrival, row_number).
-- Renames, casts and the fields that sources.yml maps. Without a mapped e-mail the first answer of that
-- type counts.
{% set mapped = ['code', 'email', 'company_domain', 'anonymous_id', 'utm_source', 'utm_campaign'] -%}
with

received as (

    select
        *,
        list_transform(
            cast(coalesce(json_extract(payload, '$.answers'), '[]') as json[]),
            lambda answer: {
                'name': answer ->> '$.field.ref',
                'type': answer ->> '$.type',
                'value': coalesce(
                    answer ->> '$.text', answer ->> '$.email', answer ->> '$.url', answer ->> '$.phone_number',
                    answer ->> '$.choice.label', answer ->> '$.number', answer ->> '$.date'
                )
            }
        ) as answers
    from {{ source('typeform', 'typeform__responses') }}

),
{% for column in mapped %}
{{ column }}_fields as (

    {{ source_fields(column) }}

){{ ',' if not loop.last }}
{% endfor %}
select
    received._source as source,
    received._arrival as arrival,
    received._row as row_number,
    received.object_id as submission_id,
    received.parent_id as form_id,
    {{ vendor_utc(json_text('received.payload', 'submitted_at')) }} as submitted_at,
    lower(coalesce(
        {{ mapped_text('email_fields.places', 'received.payload', answers='received.answers') }},
        list_extract(list_transform(
            list_filter(received.answers, lambda answer: answer.type = 'email'),
            lambda answer: answer.value
        ), 1)
    )) as email,
    {{ bare_domain(mapped_text('company_domain_fields.places', 'received.payload', answers='received.answers')) }} as company_domain,
    {{ mapped_text('anonymous_id_fields.places', 'received.payload', answers='received.answers') }} as anonymous_id,
    {{ mapped_text('code_fields.places', 'received.payload', answers='received.answers') }} as code,
    {{ mapped_text('utm_source_fields.places', 'received.payload', answers='received.answers') }} as utm_source,
    {{ mapped_text('utm_campaign_fields.places', 'received.payload', answers='received.answers') }} as utm_campaign
from received
{% for column in mapped -%}
left join {{ column }}_fields
    on received._source = {{ column }}_fields.source
{% endfor -%}
