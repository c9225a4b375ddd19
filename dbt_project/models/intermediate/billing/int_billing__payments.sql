-- Grain: one row per step in which an invoice was paid (invoice_id, part_number), oldest first.
-- Rule C2: share paid so far = payments ÷ total with tax, at most 1; a total of 0 or less counts as
-- paid in full once paid. paid_after ÷ total_share is that share, as integers (M2). A payment of a
-- negative amount, money sent back without a refund, is part of the sum.
-- An invoice with paid_at and no payment row was paid in full then, less credit notes before (R3) and less the
-- given part of the customer's credit; the paid part of the credit is a payment (decision 0025).
with

invoices as (

    select * from {{ ref('int_billing__invoices') }}

),

explicit as (

    select * from {{ ref('int_billing__explicit_payments') }}

),

pre_payment_credits as (

    select
        invoice_id,
        cast(sum(amount_minor) as bigint) as credited_amount_minor
    from {{ ref('int_billing__credit_notes') }}
    where credit_note_kind = 'pre_payment'
    group by invoice_id

),

credit_payments as (

    select * from {{ ref('int_billing__credit_payments') }}

),

implied as (

    select
        invoices.invoice_id as payment_id,
        'invoice' as payment_type,
        invoices.invoice_id,
        greatest(
            invoices.total_amount_minor
            - coalesce(credits.credited_amount_minor, 0)
            - coalesce(credit_payments.given_amount_minor, 0),
            0
        ) as amount_minor,
        invoices.paid_at
    from invoices
    left join pre_payment_credits as credits
        on invoices.invoice_id = credits.invoice_id
    left join credit_payments
        on invoices.invoice_id = credit_payments.invoice_id
    left join explicit
        on invoices.invoice_id = explicit.invoice_id
    where
        invoices.paid_at is not null
        and explicit.invoice_id is null

),

paid_by_credit as (

    select
        credit_payments.invoice_id as payment_id,
        'invoice' as payment_type,
        credit_payments.invoice_id,
        credit_payments.paid_amount_minor as amount_minor,
        credit_payments.paid_at
    from credit_payments
    inner join (select distinct invoice_id from explicit) as also_paid
        on credit_payments.invoice_id = also_paid.invoice_id
    where credit_payments.paid_amount_minor > 0

),

payments as (

    select payment_id, 'payment' as payment_type, invoice_id, amount_minor, paid_at
    from explicit

    union all

    select payment_id, payment_type, invoice_id, amount_minor, paid_at
    from implied

    union all

    select payment_id, payment_type, invoice_id, amount_minor, paid_at
    from paid_by_credit

),

running as (

    select
        payments.*,
        row_number() over paid_in_order as part_number,
        cast(sum(payments.amount_minor) over paid_in_order as bigint) as paid_amount_minor
    from payments
    window paid_in_order as (
        partition by payments.invoice_id
        order by payments.paid_at, payments.payment_id
        rows between unbounded preceding and current row
    )

)

select
    running.invoice_id,
    running.part_number,
    running.payment_id,
    running.payment_type,
    running.amount_minor,
    running.paid_at,
    running.paid_amount_minor,
    case
        when invoices.total_amount_minor <= 0 then 1
        else least(greatest(running.paid_amount_minor, 0), invoices.total_amount_minor)
    end as paid_after,
    case
        when invoices.total_amount_minor <= 0 then case when running.part_number = 1 then 0 else 1 end
        else least(
            greatest(running.paid_amount_minor - running.amount_minor, 0), invoices.total_amount_minor
        )
    end as paid_before,
    greatest(invoices.total_amount_minor, 1) as total_share
from running
inner join invoices
    on running.invoice_id = invoices.invoice_id
