-- Grain: one row per landed version of a Stripe event (source, id, arrival, row_number).
-- An event says which object changed; the object itself is retrieved.
with

received as (

    select * from {{ source('stripe', 'stripe__events') }}

)

select
    _source as source,
    _arrival as arrival,
    _row as row_number,
    object_id as event_id,
    {{ json_text('payload', 'type') }} as event_type,
    {{ json_text('payload', 'data.object.object') }} as object_type,
    {{ json_text('payload', 'data.object.id') }} as object_id,
    {{ epoch_utc(json_text('payload', 'created')) }} as created_at
from received
