-- Grain: one row per landed version of a refund (source, id, arrival, row_number).
-- Renames and casts only (M5 for instants); the newest version is chosen downstream (F1).
with

received as (

    select * from {{ source('files', 'files__refunds') }}

)

select
    _source as source,
    _arrival as arrival,
    _row as row_number,
    refund_id,
    invoice_id,
    cast(amount_minor as bigint) as amount_minor,
    {{ utc('refunded_at') }} as refunded_at,
    status as refund_status,
    invoice_line_id,
    reason as refund_reason
from received
