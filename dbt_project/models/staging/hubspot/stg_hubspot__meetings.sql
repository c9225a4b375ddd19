-- Grain: one row per landed version of a HubSpot meeting (source, id, arrival, row_number).
-- Renames and casts only.
with

received as (

    select * from {{ source('hubspot', 'hubspot__meetings') }}

)

select
    received._source as source,
    received._arrival as arrival,
    received._row as row_number,
    received.object_id as meeting_id,
    {{ vendor_utc('coalesce(' ~ json_text('received.payload', 'properties.hs_createdate') ~ ', ' ~ json_text('received.payload', 'createdAt') ~ ')') }} as booked_at,
    {{ vendor_utc('coalesce(' ~ json_text('received.payload', 'properties.hs_meeting_start_time') ~ ', ' ~ json_text('received.payload', 'properties.hs_timestamp') ~ ')') }} as starts_at,
    {{ vendor_utc(json_text('received.payload', 'properties.hs_meeting_end_time')) }} as ends_at,
    upper({{ json_text('received.payload', 'properties.hs_meeting_outcome') }}) as vendor_outcome,
    {{ vendor_utc('coalesce(' ~ json_text('received.payload', 'properties.hs_lastmodifieddate') ~ ', ' ~ json_text('received.payload', 'updatedAt') ~ ')') }} as updated_at,
    coalesce(received.is_tombstone, false)
    or coalesce({{ json_text('received.payload', 'archived') }} = 'true', false) as is_deleted
from received
