-- Grain: one row per credit note in force (credit_note_id) on an invoice that counts (F1, F2, M6).
-- Rule R3: before the payment it lowers what is due; after it, it acts as a refund unless it went
-- to the customer's balance. Without a stated kind it is before the payment while anything is still due
-- at its instant: total less earlier notes less payments up to and including that instant.
with

run as (

    select * from {{ ref('stg_program__run') }}

),

landed as (

    select * from {{ ref('int_received__credit_notes') }}

),

newest as (

    {{ newest_versions('landed', ['credit_note_id']) }}

),

ranked as (

    {{ counted_once('newest', 'credit_note_id') }}

),

in_force as (

    select
        ranked.*,
        invoices.total_amount_minor,
        invoices.paid_at as invoice_paid_at
    from ranked
    inner join {{ ref('int_billing__invoices') }} as invoices
        on ranked.invoice_id = invoices.invoice_id
    cross join run
    where
        ranked.amount_minor > 0
        and ranked.issued_at < run.as_of_end_at
        and (ranked.voided_at is null or ranked.voided_at >= run.as_of_end_at)

),

payments_by_then as (

    select
        in_force.credit_note_id,
        bool_or(true) as has_payments,
        cast(
            sum(case when payments.paid_at <= in_force.issued_at then payments.amount_minor else 0 end) as bigint
        ) as paid_by_then_minor
    from in_force
    inner join {{ ref('int_billing__explicit_payments') }} as payments
        on in_force.invoice_id = payments.invoice_id
    group by in_force.credit_note_id

),

numbered as (

    select
        in_force.*,
        coalesce(cast(sum(in_force.amount_minor) over earlier_notes as bigint), 0) as noted_before_minor,
        payments_by_then.has_payments,
        payments_by_then.paid_by_then_minor
    from in_force
    left join payments_by_then
        on in_force.credit_note_id = payments_by_then.credit_note_id
    window earlier_notes as (
        partition by in_force.invoice_id
        order by in_force.issued_at, in_force.credit_note_id
        rows between unbounded preceding and 1 preceding
    )

)

select
    credit_note_id,
    source,
    invoice_id,
    amount_minor,
    issued_at,
    is_to_balance,
    coalesce(
        credit_note_kind,
        case
            when not coalesce(has_payments, false) and invoice_paid_at <= issued_at then 'post_payment'
            when total_amount_minor - noted_before_minor - coalesce(paid_by_then_minor, 0) > 0 then 'pre_payment'
            else 'post_payment'
        end
    ) as credit_note_kind
from numbered
