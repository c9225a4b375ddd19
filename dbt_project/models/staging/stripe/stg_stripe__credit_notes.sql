-- Grain: one row per landed version of a Stripe credit note (source, id, arrival, row_number).
-- Shapes before and after API version 2025-03-31 are both read. The refund of a payment record is money that
-- went back outside of Stripe: no refund object tells of it.
with

received as (

    select
        *,
        coalesce(
            list_sum(
                list_transform(
                    cast(coalesce(json_extract(payload, '$.refunds'), '[]') as json[]),
                    lambda refund: case
                        when (refund ->> '$.type') = 'payment_record_refund'
                            then cast(refund ->> '$.amount_refunded' as bigint)
                        else 0
                    end
                )
            ),
            0
        ) as refunded_outside_amount_minor
    from {{ source('stripe', 'stripe__credit_notes') }}

)

select
    _source as source,
    _arrival as arrival,
    _row as row_number,
    object_id as credit_note_id,
    {{ json_id('payload', 'invoice') }} as invoice_id,
    {{ stripe_minor(json_text('payload', 'amount'), json_text('payload', 'currency')) }} as amount_minor,
    {{ json_text('payload', 'type') }} as vendor_type,
    {{ stripe_minor(json_text('payload', 'pre_payment_amount'), json_text('payload', 'currency')) }} as pre_payment_amount_minor,
    {{ stripe_minor(json_text('payload', 'post_payment_amount'), json_text('payload', 'currency')) }} as post_payment_amount_minor,
    {{ stripe_minor(
        'coalesce(cast(' ~ json_text('payload', 'out_of_band_amount') ~ ' as bigint), 0) + refunded_outside_amount_minor',
        json_text('payload', 'currency')
    ) }} as out_of_band_amount_minor,
    {{ stripe_minor(
        json_sum('payload', 'refunds', 'amount_refunded') ~ ' - refunded_outside_amount_minor',
        json_text('payload', 'currency')
    ) }} as refunded_amount_minor,
    {{ json_text('payload', 'refund') }} is not null as has_unsplit_refund,
    {{ json_text('payload', 'status') }} = 'void' as is_void,
    {{ epoch_utc('coalesce(' ~ json_text('payload', 'effective_at') ~ ', ' ~ json_text('payload', 'created') ~ ')') }} as issued_at,
    {{ epoch_utc(json_text('payload', 'voided_at')) }} as voided_at
from received
