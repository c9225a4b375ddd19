-- Grain: one row per landed version of a Stripe customer (source, id, arrival, row_number).
-- Renames, casts and the fields that sources.yml maps.
with

received as (

    select * from {{ source('stripe', 'stripe__customers') }}

),

code_fields as (

    {{ source_fields('code') }}

),

domain_fields as (

    {{ source_fields('company_domain') }}

),

contact_fields as (

    {{ source_fields('contact_id') }}

)

select
    received._source as source,
    received._arrival as arrival,
    received._row as row_number,
    received.object_id as customer_id,
    {{ epoch_utc(json_text('received.payload', 'created')) }} as created_at,
    lower({{ json_text('received.payload', 'email') }}) as email,
    {{ bare_domain(mapped_text('domain_fields.places', 'received.payload')) }} as company_domain,
    {{ mapped_text('contact_fields.places', 'received.payload') }} as contact_id,
    {{ json_text('received.payload', 'address.country') }} as country_code,
    {{ mapped_text('code_fields.places', 'received.payload') }} as code,
    coalesce({{ json_text('received.payload', 'deleted') }} = 'true', false)
    or coalesce(received.is_tombstone, false) as is_deleted
from received
left join code_fields
    on received._source = code_fields.source
left join domain_fields
    on received._source = domain_fields.source
left join contact_fields
    on received._source = contact_fields.source
