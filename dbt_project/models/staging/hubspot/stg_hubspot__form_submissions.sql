-- Grain: one row per landed version of a HubSpot form submission (source, id, arrival, row_number).
-- Renames, casts and the fields that sources.yml maps.
{% set mapped = {'code': 'form_code', 'email': 'form_email', 'company_domain': 'form_company_domain', 'anonymous_id': 'form_anonymous_id'} -%}
with

received as (

    select
        *,
        {{ json_text('payload', 'pageUrl') }} as page_url,
        list_transform(
            cast(coalesce(json_extract(payload, '$.values'), '[]') as json[]),
            lambda answer: {'name': answer ->> '$.name', 'value': answer ->> '$.value'}
        ) as answers
    from {{ source('hubspot', 'hubspot__form_submissions') }}

),
{% for column, field in mapped.items() %}
{{ column }}_fields as (

    {{ source_fields(field) }}

){{ ',' if not loop.last }}
{% endfor %}
select
    received._source as source,
    received._arrival as arrival,
    received._row as row_number,
    received.object_id as submission_id,
    received.parent_id as form_id,
    {{ vendor_utc(json_text('received.payload', 'submittedAt')) }} as submitted_at,
    lower({{ mapped_text('email_fields.places', 'received.payload', 'received.page_url', 'received.answers') }}) as email,
    {{ bare_domain(mapped_text('company_domain_fields.places', 'received.payload', 'received.page_url', 'received.answers')) }} as company_domain,
    {{ mapped_text('anonymous_id_fields.places', 'received.payload', 'received.page_url', 'received.answers') }} as anonymous_id,
    {{ mapped_text('code_fields.places', 'received.payload', 'received.page_url', 'received.answers') }} as code,
    {{ url_parameter('received.page_url', "'utm_source'") }} as utm_source,
    {{ url_parameter('received.page_url', "'utm_campaign'") }} as utm_campaign
from received
{% for column in mapped -%}
left join {{ column }}_fields
    on received._source = {{ column }}_fields.source
{% endfor -%}
