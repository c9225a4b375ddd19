-- Grain: one row per landed version of a HubSpot owner (source, id, arrival, row_number).
-- Renames and casts only.
with

received as (

    select * from {{ source('hubspot', 'hubspot__owners') }}

)

select
    _source as source,
    _arrival as arrival,
    _row as row_number,
    object_id as owner_id,
    lower({{ json_text('payload', 'email') }}) as owner_email
from received
