-- Grain: one row per landed version of a Stripe subscription (source, id, arrival, row_number).
-- Renames and casts only; shapes before and after API version 2025-03-31 are both read.
with

received as (

    select * from {{ source('stripe', 'stripe__subscriptions') }}

)

select
    _source as source,
    _arrival as arrival,
    _row as row_number,
    object_id as subscription_id,
    coalesce(
        {{ json_text('payload', 'customer.id') }}, {{ json_text('payload', 'customer') }}
    ) as customer_id,
    {{ json_text('payload', 'status') }} as subscription_status,
    {{ epoch_utc('coalesce(' ~ json_text('payload', 'start_date') ~ ', ' ~ json_text('payload', 'created') ~ ')') }} as started_at,
    {{ epoch_utc(json_text('payload', 'trial_end')) }} as trial_end_at,
    {{ epoch_utc(json_text('payload', 'canceled_at')) }} as canceled_at,
    {{ epoch_utc(json_text('payload', 'ended_at')) }} as ended_at
from received
