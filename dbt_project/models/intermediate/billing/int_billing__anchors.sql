-- Grain: one row per customer (customer_id) with a paid line of a positive amount.
-- Rule C3: the anchor is the service start of the customer's earliest paid line, by first payment,
-- then start, then id, of any product, with a positive amount. A free invoice is no charge.
with

positive_lines as (

    select * from {{ ref('int_billing__paid_lines') }}
    where
        gross_amount_minor > 0
        and paid_amount_minor > 0

),

ranked as (

    select
        positive_lines.*,
        row_number() over (
            partition by customer_id
            order by first_paid_at, service_start_at, invoice_line_id
        ) as line_rank
    from positive_lines

)

select
    customer_id,
    invoice_line_id as anchor_invoice_line_id,
    invoice_id as anchor_invoice_id,
    service_start_at as anchor_at,
    service_start_date as anchor_date
from ranked
where line_rank = 1
