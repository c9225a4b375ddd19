-- Grain: one row per landed version of an invoice (source, invoice_id, arrival, row_number), of any source.
-- A Stripe invoice carries the first code among its discounts that is a partner's promotion code or coupon.
with

promotion_codes as (

    select * from {{ ref('stg_stripe__promotion_codes') }}

),

newest_promotion_codes as (

    {{ newest_versions('promotion_codes', ['promotion_code_id']) }}

),

partner_codes as (

    select distinct upper(trim(code)) as code_key
    from {{ ref('int_received__partner_codes') }}
    where code_type = 'promotion_code'

),

discount_codes as (

    select
        discounts.source,
        discounts.arrival,
        discounts.row_number,
        discounts.invoice_id,
        discounts.discount_number,
        coalesce(codes.code, discounts.coupon_id) as code
    from {{ ref('stg_stripe__invoice_discounts') }} as discounts
    left join newest_promotion_codes as codes
        on
            discounts.source = codes.source
            and discounts.promotion_code_id = codes.promotion_code_id

),

invoice_codes as (

    select
        discount_codes.source,
        discount_codes.arrival,
        discount_codes.row_number,
        discount_codes.invoice_id,
        min_by(discount_codes.code, discount_codes.discount_number) as code
    from discount_codes
    inner join partner_codes
        on upper(trim(discount_codes.code)) = partner_codes.code_key
    group by
        discount_codes.source, discount_codes.arrival, discount_codes.row_number, discount_codes.invoice_id

)

select
    source, arrival, row_number, invoice_id, customer_id, invoice_status, currency_code, issued_at,
    subscription_id, paid_at, total_amount_minor, external_number, code,
    cast(0 as bigint) as credit_applied_amount_minor
from {{ ref('stg_files__invoices') }}

union all

select
    invoices.source, invoices.arrival, invoices.row_number, invoices.invoice_id, invoices.customer_id,
    invoices.invoice_status, invoices.currency_code, invoices.issued_at, invoices.subscription_id, invoices.paid_at,
    invoices.total_amount_minor, invoices.external_number, invoice_codes.code, invoices.credit_applied_amount_minor
from {{ ref('stg_stripe__invoices') }} as invoices
left join invoice_codes
    on
        invoices.source = invoice_codes.source
        and invoices.arrival = invoice_codes.arrival
        and invoices.row_number = invoice_codes.row_number
        and invoices.invoice_id = invoice_codes.invoice_id
