-- Grain: one row per landed version of a Stripe dispute (source, id, arrival, row_number).
-- Renames and casts only; shapes before and after API version 2025-03-31 are both read.
with

received as (

    select * from {{ source('stripe', 'stripe__disputes') }}

)

select
    _source as source,
    _arrival as arrival,
    _row as row_number,
    object_id as dispute_id,
    {{ json_id('payload', 'charge') }} as charge_id,
    {{ json_id('payload', 'payment_intent') }} as payment_intent_id,
    {{ stripe_minor(json_text('payload', 'amount'), json_text('payload', 'currency')) }} as amount_minor,
    {{ epoch_utc(json_text('payload', 'created')) }} as opened_at,
    {{ json_text('payload', 'status') }} as vendor_status,
    _retrieved_at as retrieved_at
from received
