-- Grain: one row per landed version of a manual commission (source, id, arrival, row_number).
-- Renames and casts only (M5 for instants); the newest version is chosen downstream (F1).
with

received as (

    select * from {{ source('files', 'files__manual_commissions') }}

)

select
    _source as source,
    _arrival as arrival,
    _row as row_number,
    row_id,
    partner_id,
    cast(amount_minor as bigint) as amount_minor,
    currency_code,
    period as period_month,
    customer_id,
    invoice_id,
    note
from received
