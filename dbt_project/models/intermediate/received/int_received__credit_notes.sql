-- Grain: one row per landed version of a credit note, or of a part of one (source, credit_note_id, arrival,
-- row_number), of any source. Rule R3: a Stripe credit note lowers what is due before payment, and after it goes to the customer's
-- balance, back outside of Stripe, or back as a refund; that refund is a record of its own and is not
-- counted here again. Of a note with several parts each further part has an id of its own.
with

stripe as (

    select
        notes.*,
        coalesce(
            pre_payment_amount_minor,
            case when vendor_type = 'post_payment' then 0 else amount_minor end
        ) as before_amount_minor,
        coalesce(
            post_payment_amount_minor,
            case when vendor_type = 'post_payment' then amount_minor else 0 end
        ) as after_amount_minor
    from {{ ref('stg_stripe__credit_notes') }} as notes

),

parts as (

    select
        stripe.*,
        '' as part, before_amount_minor as part_amount_minor, 'pre_payment' as credit_note_kind,
        false as is_to_balance
    from stripe

    union all

    select
        stripe.*,
        ':out_of_band', least(out_of_band_amount_minor, after_amount_minor), 'post_payment', false
    from stripe

    union all

    select
        stripe.*,
        ':balance',
        case
            when has_unsplit_refund and refunded_amount_minor = 0 then 0
            else after_amount_minor - refunded_amount_minor - out_of_band_amount_minor
        end,
        'post_payment', true
    from stripe

)

select
    source, arrival, row_number, credit_note_id, invoice_id, amount_minor, issued_at, credit_note_kind,
    is_to_balance, voided_at
from {{ ref('stg_files__credit_notes') }}

union all

select
    source, arrival, row_number, credit_note_id || part, invoice_id, part_amount_minor, issued_at,
    credit_note_kind, is_to_balance,
    case when is_void then coalesce(voided_at, issued_at) end as voided_at
from parts
where part_amount_minor > 0
