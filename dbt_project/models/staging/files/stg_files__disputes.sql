-- Grain: one row per landed version of a dispute (source, id, arrival, row_number).
-- Renames and casts only (M5 for instants); the newest version is chosen downstream (F1).
with

received as (

    select * from {{ source('files', 'files__disputes') }}

)

select
    _source as source,
    _arrival as arrival,
    _row as row_number,
    dispute_id,
    invoice_id,
    cast(amount_minor as bigint) as amount_minor,
    {{ utc('opened_at') }} as opened_at,
    status as dispute_status,
    {{ utc('closed_at') }} as closed_at
from received
