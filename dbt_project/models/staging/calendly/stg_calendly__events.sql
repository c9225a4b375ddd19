-- Grain: one row per landed version of a Calendly event (source, id, arrival, row_number).
-- Renames and casts only.
with

received as (

    select * from {{ source('calendly', 'calendly__events') }}

)

select
    _source as source,
    _arrival as arrival,
    _row as row_number,
    object_id as event_id,
    {{ json_text('payload', 'status') }} as event_status,
    {{ vendor_utc(json_text('payload', 'start_time')) }} as starts_at,
    {{ vendor_utc(json_text('payload', 'end_time')) }} as ends_at,
    {{ json_text('payload', 'event_type') }} as event_type_id,
    {{ vendor_utc(json_text('payload', 'updated_at')) }} as updated_at
from received
