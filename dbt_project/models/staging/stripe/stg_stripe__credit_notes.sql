-- Grain: one row per landed version of a Stripe credit note (source, id, arrival, row_number).
-- Renames and casts only; shapes before and after API version 2025-03-31 are both read.
with

received as (

    select * from {{ source('stripe', 'stripe__credit_notes') }}

)

select
    _source as source,
    _arrival as arrival,
    _row as row_number,
    object_id as credit_note_id,
    {{ json_id('payload', 'invoice') }} as invoice_id,
    cast({{ json_text('payload', 'amount') }} as bigint) as amount_minor,
    {{ json_text('payload', 'type') }} as vendor_type,
    cast({{ json_text('payload', 'pre_payment_amount') }} as bigint) as pre_payment_amount_minor,
    cast({{ json_text('payload', 'post_payment_amount') }} as bigint) as post_payment_amount_minor,
    coalesce(cast({{ json_text('payload', 'out_of_band_amount') }} as bigint), 0) as out_of_band_amount_minor,
    cast({{ json_sum('payload', 'refunds', 'amount_refunded') }} as bigint) as refunded_amount_minor,
    {{ json_text('payload', 'refund') }} is not null as has_unsplit_refund,
    {{ json_text('payload', 'status') }} = 'void' as is_void,
    {{ epoch_utc('coalesce(' ~ json_text('payload', 'effective_at') ~ ', ' ~ json_text('payload', 'created') ~ ')') }} as issued_at,
    {{ epoch_utc(json_text('payload', 'voided_at')) }} as voided_at
from received
