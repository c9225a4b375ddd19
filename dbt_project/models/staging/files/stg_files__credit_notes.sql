-- Grain: one row per landed version of a credit note (source, id, arrival, row_number).
-- Renames and casts only (M5 for instants); the newest version is chosen downstream (F1).
with

received as (

    select * from {{ source('files', 'files__credit_notes') }}

)

select
    _source as source,
    _arrival as arrival,
    _row as row_number,
    credit_note_id,
    invoice_id,
    cast(amount_minor as bigint) as amount_minor,
    {{ utc('issued_at') }} as issued_at,
    kind as credit_note_kind,
    {{ yes('to_balance') }} as is_to_balance,
    {{ utc('voided_at') }} as voided_at
from received
