-- Grain: one row per (source, invoice_line_id), the newest version (F1). A Stripe invoice lands whole:
-- a line that its newest version no longer has is gone (drafts change their lines).
with

newest_stripe_invoices as (

    select
        source,
        invoice_id,
        max(arrival) as arrival
    from {{ ref('stg_stripe__invoices') }}
    group by source, invoice_id

),

landed as (

    select
        source, arrival, row_number, invoice_line_id, invoice_id, amount_minor,
        coalesce(discount_amount_minor, 0) as discount_amount_minor,
        coalesce(tax_amount_minor, 0) as tax_amount_minor,
        product_id, period_start_at, period_end_at, is_proration
    from {{ ref('stg_files__invoice_lines') }}

    union all

    select
        lines.source, lines.arrival, lines.row_number, lines.invoice_line_id, lines.invoice_id,
        lines.amount_minor, lines.discount_amount_minor, lines.tax_amount_minor,
        lines.product_id, lines.period_start_at, lines.period_end_at,
        coalesce(lines.is_proration, false) as is_proration
    from {{ ref('stg_stripe__invoice_lines') }} as lines
    inner join newest_stripe_invoices
        on
            lines.source = newest_stripe_invoices.source
            and lines.invoice_id = newest_stripe_invoices.invoice_id
            and lines.arrival = newest_stripe_invoices.arrival

)

{{ newest_versions('landed', ['invoice_line_id']) }}
