-- Grain: one row per landed version of an invoice (source, id, arrival, row_number).
-- Renames and casts only (M5 for instants); the newest version is chosen downstream (F1).
with

received as (

    select * from {{ source('files', 'files__invoices') }}

)

select
    _source as source,
    _arrival as arrival,
    _row as row_number,
    invoice_id,
    customer_id,
    status as invoice_status,
    currency_code,
    {{ utc('issued_at') }} as issued_at,
    subscription_id,
    {{ utc('paid_at') }} as paid_at,
    cast(total_minor as bigint) as total_amount_minor,
    external_number,
    code
from received
