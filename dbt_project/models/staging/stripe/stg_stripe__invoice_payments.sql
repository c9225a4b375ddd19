-- Grain: one row per landed version of a Stripe invoice payment (source, id, arrival, row_number).
-- Renames and casts only; API version 2025-03-31 and later: the only link from a payment to its invoice.
with

received as (

    select * from {{ source('stripe', 'stripe__invoice_payments') }}

)

select
    _source as source,
    _arrival as arrival,
    _row as row_number,
    object_id as invoice_payment_id,
    {{ json_id('payload', 'invoice') }} as invoice_id,
    {{ json_id('payload', 'payment.charge') }} as charge_id,
    {{ json_id('payload', 'payment.payment_intent') }} as payment_intent_id,
    {{ stripe_minor(json_text('payload', 'amount_paid'), json_text('payload', 'currency')) }} as amount_minor,
    {{ json_text('payload', 'status') }} as payment_status,
    {{ epoch_utc(json_text('payload', 'status_transitions.paid_at')) }} as paid_at
from received
