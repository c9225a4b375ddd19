-- Grain: one row per landed version of a HubSpot company (source, id, arrival, row_number).
-- Renames and casts only.
with

received as (

    select * from {{ source('hubspot', 'hubspot__companies') }}

)

select
    received._source as source,
    received._arrival as arrival,
    received._row as row_number,
    received.object_id as company_id,
    lower({{ json_text('received.payload', 'properties.domain') }}) as company_domain,
    {{ json_text('received.payload', 'properties.name') }} as company_name,
    {{ vendor_utc('coalesce(' ~ json_text('received.payload', 'properties.hs_lastmodifieddate') ~ ', ' ~ json_text('received.payload', 'updatedAt') ~ ')') }} as updated_at,
    {{ json_text('received.payload', 'properties.hs_merged_object_ids') }} as merged_ids_text,
    coalesce(received.is_tombstone, false)
    or coalesce({{ json_text('received.payload', 'archived') }} = 'true', false) as is_deleted
from received
