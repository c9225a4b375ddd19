-- Grain: one row per landed version of a HubSpot contact (source, id, arrival, row_number).
-- Renames, casts and the properties that sources.yml maps.
with

received as (

    select * from {{ source('hubspot', 'hubspot__contacts') }}

),

code_fields as (

    {{ source_fields('contact_code') }}

)

select
    received._source as source,
    received._arrival as arrival,
    received._row as row_number,
    received.object_id as contact_id,
    lower({{ json_text('received.payload', 'properties.email') }}) as email,
    {{ vendor_utc('coalesce(' ~ json_text('received.payload', 'properties.createdate') ~ ', ' ~ json_text('received.payload', 'createdAt') ~ ')') }} as created_at,
    {{ json_text('received.payload', 'properties.associatedcompanyid') }} as company_id,
    {{ mapped_text('code_fields.places', 'received.payload') }} as code,
    {{ json_text('received.payload', 'properties.hubspot_owner_id') }} as owner_id,
    {{ vendor_utc('coalesce(' ~ json_text('received.payload', 'properties.lastmodifieddate') ~ ', ' ~ json_text('received.payload', 'updatedAt') ~ ')') }} as updated_at,
    {{ json_text('received.payload', 'properties.hs_merged_object_ids') }} as merged_ids_text,
    {{ json_text('received.payload', 'properties.hs_calculated_merged_vids') }} as merged_vids_text,
    coalesce(received.is_tombstone, false)
    or coalesce({{ json_text('received.payload', 'archived') }} = 'true', false) as is_deleted
from received
left join code_fields
    on received._source = code_fields.source
