-- Grain: one row per landed version of a Stripe charge (source, id, arrival, row_number).
-- Renames and casts only; shapes before and after API version 2025-03-31 are both read.
with

received as (

    select * from {{ source('stripe', 'stripe__charges') }}

)

select
    _source as source,
    _arrival as arrival,
    _row as row_number,
    object_id as charge_id,
    {{ json_id('payload', 'invoice') }} as invoice_id,
    {{ json_id('payload', 'payment_intent') }} as payment_intent_id,
    {{ stripe_minor(
        'coalesce(' ~ json_text('payload', 'amount_captured') ~ ', ' ~ json_text('payload', 'amount') ~ ')',
        json_text('payload', 'currency')
    ) }} as amount_minor,
    {{ json_text('payload', 'status') }} as charge_status,
    {{ epoch_utc(json_text('payload', 'created')) }} as created_at
from received
