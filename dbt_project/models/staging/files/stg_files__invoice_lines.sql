-- Grain: one row per landed version of an invoice line (source, id, arrival, row_number).
-- Renames and casts only (M5 for instants); the newest version is chosen downstream (F1).
with

received as (

    select * from {{ source('files', 'files__invoice_lines') }}

)

select
    _source as source,
    _arrival as arrival,
    _row as row_number,
    invoice_line_id,
    invoice_id,
    cast(amount_minor as bigint) as amount_minor,
    cast(discount_minor as bigint) as discount_amount_minor,
    cast(tax_minor as bigint) as tax_amount_minor,
    product_id,
    {{ utc('period_start') }} as period_start_at,
    {{ utc('period_end') }} as period_end_at,
    {{ yes('is_proration') }} as is_proration,
    quantity as quantity_text
from received
