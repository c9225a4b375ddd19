-- Grain: one row per landed version of a customer payment (source, payment_id, arrival, row_number), of any source.
-- Where Stripe says itself what of an invoice was paid (invoice payments), that counts; else its charges. A
-- payment goes by the id of its charge where it has one of its own, so that it stays the same payment when an
-- account moves to an API version with invoice payments.
with

charges as (

    select * from {{ ref('stg_stripe__charges') }}

),

newest_charges as (

    {{ newest_versions('charges', ['charge_id']) }}

),

invoice_payments as (

    select * from {{ ref('stg_stripe__invoice_payments') }}

),

newest_invoice_payments as (

    {{ newest_versions('invoice_payments', ['invoice_payment_id']) }}

),

paid_invoice_payments as (

    select * from newest_invoice_payments
    where
        payment_status = 'paid'
        and amount_minor > 0
        and paid_at is not null

),

-- One payment intent can have failed charges, and only one that succeeded.
intent_charges as (

    select
        source,
        payment_intent_id,
        min(charge_id) as charge_id
    from newest_charges
    where
        charge_status = 'succeeded'
        and payment_intent_id is not null
    group by source, payment_intent_id

),

named_invoice_payments as (

    select
        payments.* exclude (charge_id),
        case
            when count(*) over (
                partition by payments.source, coalesce(payments.charge_id, charges.charge_id)
            ) = 1
                then coalesce(payments.charge_id, charges.charge_id)
        end as charge_id
    from paid_invoice_payments as payments
    left join intent_charges as charges
        on
            payments.source = charges.source
            and payments.payment_intent_id = charges.payment_intent_id

),

told_invoices as (

    select distinct source, invoice_id
    from paid_invoice_payments

),

linked_charges as (

    select
        charges.source, charges.arrival, charges.row_number, charges.charge_id, links.invoice_id,
        charges.amount_minor, charges.created_at
    from newest_charges as charges
    inner join {{ ref('int_received__stripe_links') }} as links
        on
            charges.source = links.source
            and charges.charge_id = links.link_id
    left join told_invoices
        on
            links.source = told_invoices.source
            and links.invoice_id = told_invoices.invoice_id
    where
        charges.charge_status = 'succeeded'
        and told_invoices.invoice_id is null

)

select source, arrival, row_number, payment_id, invoice_id, amount_minor, paid_at
from {{ ref('stg_files__payments') }}

union all

select
    source, arrival, row_number, coalesce(charge_id, invoice_payment_id), invoice_id, amount_minor, paid_at
from named_invoice_payments

union all

select source, arrival, row_number, charge_id, invoice_id, amount_minor, created_at
from linked_charges
