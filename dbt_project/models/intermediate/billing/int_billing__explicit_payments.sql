-- Grain: one row per customer payment (payment_id) on an invoice that counts (F1, F2, M6).
-- A charge names its invoice, or the invoice names the charge or its payment intent.
with

run as (

    select * from {{ ref('stg_program__run') }}

),

invoices as (

    select * from {{ ref('int_billing__invoices') }}

),

landed_payments as (

    select * from {{ ref('stg_files__payments') }}

),

newest_payments as (

    {{ newest_versions('landed_payments', ['payment_id']) }}

),

landed_charges as (

    select * from {{ ref('stg_stripe__charges') }}

),

newest_charges as (

    {{ newest_versions('landed_charges', ['charge_id']) }}

),

charge_invoices as (

    select
        charges.source,
        charges.charge_id as payment_id,
        charges.amount_minor,
        charges.created_at as paid_at,
        coalesce(charges.invoice_id, by_charge.invoice_id, by_intent.invoice_id) as invoice_id
    from newest_charges as charges
    left join invoices as by_charge
        on
            charges.source = by_charge.source
            and charges.charge_id = by_charge.charge_id
    left join invoices as by_intent
        on
            charges.source = by_intent.source
            and charges.payment_intent_id = by_intent.payment_intent_id
    where charges.charge_status = 'succeeded'

),

payments as (

    select source, payment_id, amount_minor, paid_at, invoice_id
    from newest_payments

    union all

    select source, payment_id, amount_minor, paid_at, invoice_id
    from charge_invoices

),

ranked as (

    {{ counted_once('payments', 'payment_id') }}

)

select
    ranked.payment_id,
    ranked.source,
    ranked.invoice_id,
    ranked.amount_minor,
    ranked.paid_at
from ranked
inner join invoices
    on ranked.invoice_id = invoices.invoice_id
cross join run
where
    ranked.amount_minor <> 0
    and ranked.paid_at < run.as_of_end_at
