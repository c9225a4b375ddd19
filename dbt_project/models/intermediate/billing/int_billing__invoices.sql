-- Grain: one row per invoice that counts (invoice_id); duplicates of another source are left out (F2).
with

invoices as (

    select * from {{ ref('int_billing__landed_invoices') }}

)

select invoices.*
from invoices
left join {{ ref('int_billing__duplicate_invoices') }} as duplicates
    on
        invoices.source = duplicates.source
        and invoices.invoice_id = duplicates.invoice_id
where duplicates.invoice_id is null
