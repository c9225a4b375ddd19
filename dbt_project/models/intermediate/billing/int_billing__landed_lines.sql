-- Grain: one row per (source, invoice_line_id), the newest version (F1).
with

landed as (

    select
        source, arrival, row_number, invoice_line_id, invoice_id, amount_minor,
        coalesce(discount_amount_minor, 0) as discount_amount_minor,
        coalesce(tax_amount_minor, 0) as tax_amount_minor,
        product_id, period_start_at, period_end_at, is_proration
    from {{ ref('stg_files__invoice_lines') }}

    union all

    select
        source, arrival, row_number, invoice_line_id, invoice_id, amount_minor,
        discount_amount_minor, tax_amount_minor,
        product_id, period_start_at, period_end_at, coalesce(is_proration, false) as is_proration
    from {{ ref('stg_stripe__invoice_lines') }}

)

{{ newest_versions('landed', ['invoice_line_id']) }}
