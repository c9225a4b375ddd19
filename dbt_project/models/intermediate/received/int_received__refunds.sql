-- Grain: one row per landed version of a refund (source, refund_id, arrival, row_number), of any source.
-- A Stripe refund names a charge or a payment intent; either leads to the invoice. Without one it stands here
-- with no invoice, and is an exception.
select
    source, arrival, row_number, refund_id, invoice_id, amount_minor, refunded_at,
    coalesce(refund_status, 'succeeded') as refund_status, invoice_line_id
from {{ ref('stg_files__refunds') }}

union all

select
    refunds.source, refunds.arrival, refunds.row_number, refunds.refund_id,
    coalesce(by_charge.invoice_id, by_intent.invoice_id) as invoice_id,
    refunds.amount_minor, refunds.refunded_at, refunds.refund_status,
    cast(null as varchar) as invoice_line_id
from {{ ref('stg_stripe__refunds') }} as refunds
left join {{ ref('int_received__stripe_links') }} as by_charge
    on
        refunds.source = by_charge.source
        and refunds.charge_id = by_charge.link_id
left join {{ ref('int_received__stripe_links') }} as by_intent
    on
        refunds.source = by_intent.source
        and refunds.payment_intent_id = by_intent.link_id
