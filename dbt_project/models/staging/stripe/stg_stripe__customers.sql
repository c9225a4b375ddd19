-- Grain: one row per landed version of a Stripe customer (source, id, arrival, row_number).
-- Renames and casts only; shapes before and after API version 2025-03-31 are both read.
with

received as (

    select * from {{ source('stripe', 'stripe__customers') }}

)

select
    received._source as source,
    _arrival as arrival,
    _row as row_number,
    object_id as customer_id,
    {{ epoch_utc(json_text('payload', 'created')) }} as created_at,
    lower({{ json_text('payload', 'email') }}) as email,
    {{ json_text('payload', 'address.country') }} as country_code,
    payload ->> ('$.' || coalesce(fields.field_path, 'metadata.partner_code')) as code,
    coalesce({{ json_text('payload', 'deleted') }} = 'true', false) as is_deleted
from received
left join {{ source('program', 'program__source_fields') }} as fields
    on
        received._source = fields.source
        and fields.field_name = 'code'
