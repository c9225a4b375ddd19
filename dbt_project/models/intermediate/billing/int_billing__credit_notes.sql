-- Grain: one row per credit note in force (credit_note_id) on an invoice that counts (F1, F2, M6).
-- Rule R3: before the payment it lowers what is due; after it, it acts as a refund unless it went
-- to the customer's balance. Without a stated kind the instant decides, against paid_at.
with

run as (

    select * from {{ ref('stg_program__run') }}

),

landed as (

    select * from {{ ref('stg_files__credit_notes') }}

),

newest as (

    {{ newest_versions('landed', ['credit_note_id']) }}

),

ranked as (

    {{ best_ranked('newest', ['credit_note_id']) }}

),

explicit_first_payments as (

    select
        invoice_id,
        min(paid_at) as first_paid_at
    from {{ ref('int_billing__explicit_payments') }}
    group by invoice_id

)

select
    ranked.credit_note_id,
    ranked.source,
    ranked.invoice_id,
    ranked.amount_minor,
    ranked.issued_at,
    ranked.is_to_balance,
    coalesce(
        ranked.credit_note_kind,
        case
            when
                ranked.issued_at
                < coalesce(payments.first_paid_at, invoices.paid_at, timestamp '2200-01-01')
                then 'pre_payment'
            else 'post_payment'
        end
    ) as credit_note_kind
from ranked
inner join {{ ref('int_billing__invoices') }} as invoices
    on ranked.invoice_id = invoices.invoice_id
left join explicit_first_payments as payments
    on ranked.invoice_id = payments.invoice_id
cross join run
where
    ranked.amount_minor > 0
    and ranked.issued_at < run.as_of_end_at
    and (ranked.voided_at is null or ranked.voided_at >= run.as_of_end_at)
