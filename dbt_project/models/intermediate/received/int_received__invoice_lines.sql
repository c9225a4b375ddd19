-- Grain: one row per landed version of an invoice line (source, invoice_line_id, arrival, row_number), of any source.
-- A Stripe invoice lands whole: a line that its newest version no longer has is gone (drafts change their
-- lines). Of an invoice that embeds only its first lines, the lines that were paged count instead; the
-- embedded ones where none could be paged.
with

invoices as (

    select * from {{ ref('stg_stripe__invoices') }}

),

newest_invoices as (

    {{ newest_versions('invoices', ['invoice_id']) }}

),

stripe_lines as (

    select * from {{ ref('stg_stripe__invoice_lines') }}

),

newest_pages as (

    select
        source,
        invoice_id,
        max(arrival) as arrival
    from stripe_lines
    where is_paged
    group by source, invoice_id

),

current_lines as (

    select stripe_lines.*
    from stripe_lines
    inner join newest_invoices
        on
            stripe_lines.source = newest_invoices.source
            and stripe_lines.invoice_id = newest_invoices.invoice_id
            and stripe_lines.arrival = newest_invoices.arrival
            and stripe_lines.row_number = newest_invoices.row_number
    left join newest_pages
        on
            newest_invoices.source = newest_pages.source
            and newest_invoices.invoice_id = newest_pages.invoice_id
    where
        not stripe_lines.is_paged
        and (not newest_invoices.has_more_lines or newest_pages.invoice_id is null)

    union all

    select stripe_lines.*
    from stripe_lines
    inner join newest_pages
        on
            stripe_lines.source = newest_pages.source
            and stripe_lines.invoice_id = newest_pages.invoice_id
            and stripe_lines.arrival = newest_pages.arrival
    inner join newest_invoices
        on
            stripe_lines.source = newest_invoices.source
            and stripe_lines.invoice_id = newest_invoices.invoice_id
    where
        stripe_lines.is_paged
        and newest_invoices.has_more_lines

)

select
    source, arrival, row_number, invoice_line_id, invoice_id, amount_minor,
    coalesce(discount_amount_minor, 0) as discount_amount_minor,
    coalesce(tax_amount_minor, 0) as tax_amount_minor,
    product_id, period_start_at, period_end_at, is_proration
from {{ ref('stg_files__invoice_lines') }}

union all

select
    source, arrival, row_number, invoice_line_id, invoice_id, amount_minor, discount_amount_minor,
    tax_amount_minor, product_id, period_start_at, period_end_at,
    coalesce(is_proration, false) as is_proration
from current_lines
