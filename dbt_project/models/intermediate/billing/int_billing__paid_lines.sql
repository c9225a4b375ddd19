-- Grain: one row per line (invoice_line_id) of an invoice of which anything is paid.
-- service_start_at falls back to the issue date (C3); the period's end is exclusive.
with

run as (

    select * from {{ ref('stg_program__run') }}

),

paid_invoices as (

    select
        invoice_id,
        min(paid_at) as first_paid_at,
        max(part_number) as parts,
        max_by(paid_amount_minor, part_number) as paid_amount_minor,
        max_by(paid_after, part_number) as paid_share,
        max(total_share) as total_share
    from {{ ref('int_billing__payments') }}
    group by invoice_id

),

products as (

    select * from {{ ref('int_sources__products') }}

)

select
    lines.invoice_line_id,
    lines.invoice_id,
    invoices.source,
    invoices.customer_id,
    invoices.subscription_id,
    invoices.invoice_status,
    invoices.currency_code,
    invoices.issued_at,
    lines.amount_minor as gross_amount_minor,
    lines.discount_amount_minor,
    lines.amount_minor - lines.discount_amount_minor as net_amount_minor,
    lines.tax_amount_minor,
    lines.product_id,
    coalesce(products.product_kind, 'recurring') as product_kind,
    lines.is_proration,
    coalesce(lines.period_start_at, invoices.issued_at) as service_start_at,
    {{ local_date('coalesce(lines.period_start_at, invoices.issued_at)') }} as service_start_date,
    case
        when lines.period_start_at is not null then {{ local_date('lines.period_end_at') }}
    end as service_end_date,
    paid_invoices.first_paid_at,
    {{ local_date('paid_invoices.first_paid_at') }} as first_paid_date,
    paid_invoices.parts,
    paid_invoices.paid_amount_minor,
    -- In lowest terms, so that products of large amounts stay within 38 digits.
    {{ whole_part(
        'paid_invoices.paid_share', common_divisor('paid_invoices.paid_share', 'paid_invoices.total_share')
    ) }} as paid_share,
    {{ whole_part(
        'paid_invoices.total_share', common_divisor('paid_invoices.paid_share', 'paid_invoices.total_share')
    ) }} as total_share
from {{ ref('int_billing__landed_lines') }} as lines
inner join {{ ref('int_billing__invoices') }} as invoices
    on
        lines.source = invoices.source
        and lines.invoice_id = invoices.invoice_id
inner join paid_invoices
    on lines.invoice_id = paid_invoices.invoice_id
left join products
    on lines.product_id = products.product_id
cross join run
