-- Grain: one row per landed version of an invoice (source, invoice_id, arrival, row_number), of any source.
-- A Stripe invoice carries a code when its discount is a partner's promotion code or coupon.
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

stripe as (

    select
        invoices.*,
        coalesce(codes.code, invoices.coupon_id) as discount_code
    from {{ ref('stg_stripe__invoices') }} as invoices
    left join newest_promotion_codes as codes
        on
            invoices.source = codes.source
            and invoices.promotion_code_id = codes.promotion_code_id

)

select
    source, arrival, row_number, invoice_id, customer_id, invoice_status, currency_code, issued_at,
    subscription_id, paid_at, total_amount_minor, external_number, code,
    cast(0 as bigint) as credit_applied_amount_minor
from {{ ref('stg_files__invoices') }}

union all

select
    stripe.source, stripe.arrival, stripe.row_number, stripe.invoice_id, stripe.customer_id,
    stripe.invoice_status, stripe.currency_code, stripe.issued_at, stripe.subscription_id, stripe.paid_at,
    stripe.total_amount_minor, stripe.external_number,
    case when partner_codes.code_key is not null then stripe.discount_code end as code,
    stripe.credit_applied_amount_minor
from stripe
left join partner_codes
    on upper(trim(stripe.discount_code)) = partner_codes.code_key
