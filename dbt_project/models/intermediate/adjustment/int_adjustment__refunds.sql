-- Grain: one row per refund that went through (refund_id) on an invoice that counts (F1, F2, M6, R7):
-- a pending or failed refund takes nothing back, and one that fails later gives the cents back.
with

run as (

    select * from {{ ref('stg_program__run') }}

),

invoices as (

    select * from {{ ref('int_billing__invoices') }}

),

landed as (

    select * from {{ ref('int_received__refunds') }}

),

newest as (

    {{ newest_versions('landed', ['refund_id']) }}

),

ranked as (

    {{ counted_once('newest', 'refund_id') }}

)

select
    ranked.refund_id,
    ranked.source,
    ranked.invoice_id,
    -- A line that is not on this invoice names nothing: the money still went back on the invoice. It is
    -- an exception beside (unknown_line).
    lines.invoice_line_id,
    ranked.amount_minor,
    ranked.refunded_at
from ranked
inner join invoices
    on ranked.invoice_id = invoices.invoice_id
left join {{ ref('int_billing__landed_lines') }} as lines
    on
        ranked.invoice_line_id = lines.invoice_line_id
        and ranked.invoice_id = lines.invoice_id
        and invoices.source = lines.source
cross join run
where
    ranked.refund_status = 'succeeded'
    and ranked.amount_minor > 0
    and ranked.refunded_at < run.as_of_end_at
