-- Grain: one row per customer payment (payment_id) on an invoice that counts (F1, F2, M6).
with

run as (

    select * from {{ ref('stg_program__run') }}

),

invoices as (

    select * from {{ ref('int_billing__invoices') }}

),

landed as (

    select * from {{ ref('int_received__payments') }}

),

newest as (

    {{ newest_versions('landed', ['payment_id']) }}

),

ranked as (

    {{ counted_once('newest', 'payment_id') }}

)

select
    ranked.payment_id,
    ranked.source,
    ranked.invoice_id,
    ranked.amount_minor,
    ranked.paid_at
from ranked
inner join invoices
    on ranked.invoice_id = invoices.invoice_id
cross join run
where
    ranked.amount_minor <> 0
    and ranked.paid_at < run.as_of_end_at
