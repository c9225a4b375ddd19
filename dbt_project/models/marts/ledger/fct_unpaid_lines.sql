-- Grain: one row per paid invoice line that earns nothing (invoice_line_id), with the one reason (B6).
select
    invoice_line_id,
    reason,
    invoice_id,
    customer_id,
    lead_id,
    amount_minor,
    currency_code,
    first_paid_date
from {{ ref('int_commission__unpaid_lines') }}
