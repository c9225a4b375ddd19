-- Grain: one row per Stripe charge or payment intent that paid an invoice (source, link_id).
-- Up to API version 2025-03-31 charge and invoice name each other; from then on only the invoice payment
-- links them, and a charge is reached through its payment intent.
with

charges as (

    select * from {{ ref('stg_stripe__charges') }}

),

newest_charges as (

    {{ newest_versions('charges', ['charge_id']) }}

),

invoices as (

    select * from {{ ref('stg_stripe__invoices') }}

),

newest_invoices as (

    {{ newest_versions('invoices', ['invoice_id']) }}

),

invoice_payments as (

    select * from {{ ref('stg_stripe__invoice_payments') }}

),

newest_invoice_payments as (

    {{ newest_versions('invoice_payments', ['invoice_payment_id']) }}

),

direct as (

    select source, charge_id as link_id, invoice_id, 1 as preference
    from newest_charges
    union all
    select source, payment_intent_id, invoice_id, 1
    from newest_charges
    union all
    select source, charge_id, invoice_id, 2
    from newest_invoices
    union all
    select source, payment_intent_id, invoice_id, 2
    from newest_invoices
    union all
    select source, charge_id, invoice_id, 3
    from newest_invoice_payments
    union all
    select source, payment_intent_id, invoice_id, 3
    from newest_invoice_payments

),

through_intents as (

    select charges.source, charges.charge_id as link_id, direct.invoice_id, 3 + direct.preference as preference
    from newest_charges as charges
    inner join direct
        on
            charges.source = direct.source
            and charges.payment_intent_id = direct.link_id
            and direct.invoice_id is not null

),

links as (

    select * from direct
    where
        link_id is not null
        and invoice_id is not null
    union all
    select * from through_intents

)

select
    source,
    link_id,
    min_by(invoice_id, {'preference': preference, 'invoice_id': invoice_id}) as invoice_id
from links
group by source, link_id
