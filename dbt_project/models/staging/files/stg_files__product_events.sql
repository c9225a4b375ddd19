-- Grain: one row per landed version of a product event (source, id, arrival, row_number).
-- Renames and casts only (M5 for instants); the newest version is chosen downstream (F1).
with

received as (

    select * from {{ source('files', 'files__product_events') }}

)

select
    _source as source,
    _arrival as arrival,
    _row as row_number,
    event_id,
    name as event_name,
    {{ utc('occurred_at') }} as occurred_at,
    lower(email) as email,
    customer_id,
    anonymous_id,
    code
from received
