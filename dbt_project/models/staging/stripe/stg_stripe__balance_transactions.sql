-- Grain: one row per landed version of a Stripe balance transaction (source, id, arrival, row_number).
-- Renames and casts only; shapes before and after API version 2025-03-31 are both read.
with

received as (

    select * from {{ source('stripe', 'stripe__balance_transactions') }}

)

select
    _source as source,
    _arrival as arrival,
    _row as row_number,
    object_id as balance_transaction_id,
    {{ json_id('payload', 'source') }} as charge_or_refund_id,
    {{ json_text('payload', 'type') }} as transaction_type,
    upper({{ json_text('payload', 'currency') }}) as currency_code,
    {{ stripe_minor(json_text('payload', 'amount'), json_text('payload', 'currency')) }} as amount_minor,
    {{ stripe_minor(json_text('payload', 'fee'), json_text('payload', 'currency')) }} as fee_amount_minor,
    {{ epoch_utc(json_text('payload', 'created')) }} as created_at
from received
