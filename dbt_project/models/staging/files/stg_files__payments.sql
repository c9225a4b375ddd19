-- Grain: one row per landed version of a payment (source, id, arrival, row_number).
-- Renames and casts only (M5 for instants); the newest version is chosen downstream (F1).
with

received as (

    select * from {{ source('files', 'files__payments') }}

)

select
    _source as source,
    _arrival as arrival,
    _row as row_number,
    payment_id,
    invoice_id,
    cast(amount_minor as bigint) as amount_minor,
    {{ utc('paid_at') }} as paid_at
from received
