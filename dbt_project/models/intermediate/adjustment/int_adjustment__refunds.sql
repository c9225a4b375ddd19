-- Grain: one row per refund that went through (refund_id) on an invoice that counts (F1, F2, M6, R7):
-- a pending or failed refund takes nothing back, and one that fails later gives the cents back.
with

run as (

    select * from {{ ref('stg_program__run') }}

),

invoices as (

    select * from {{ ref('int_billing__invoices') }}

),

landed_refunds as (

    select * from {{ ref('stg_files__refunds') }}

),

newest_refunds as (

    {{ newest_versions('landed_refunds', ['refund_id']) }}

),

landed_stripe_refunds as (

    select * from {{ ref('stg_stripe__refunds') }}

),

newest_stripe_refunds as (

    {{ newest_versions('landed_stripe_refunds', ['refund_id']) }}

),

landed_charges as (

    select * from {{ ref('stg_stripe__charges') }}

),

newest_charges as (

    {{ newest_versions('landed_charges', ['charge_id']) }}

),

-- A Stripe refund names a charge or a payment intent; either leads to the invoice.
stripe_refund_invoices as (

    select
        refunds.source,
        refunds.refund_id,
        refunds.amount_minor,
        refunds.refunded_at,
        refunds.refund_status,
        cast(null as varchar) as invoice_line_id,
        coalesce(
            charges.invoice_id, by_charge.invoice_id, by_intent.invoice_id, by_charge_intent.invoice_id
        ) as invoice_id
    from newest_stripe_refunds as refunds
    left join newest_charges as charges
        on
            refunds.source = charges.source
            and refunds.charge_id = charges.charge_id
    left join invoices as by_charge
        on
            refunds.source = by_charge.source
            and refunds.charge_id = by_charge.charge_id
    left join invoices as by_intent
        on
            refunds.source = by_intent.source
            and refunds.payment_intent_id = by_intent.payment_intent_id
    left join invoices as by_charge_intent
        on
            charges.source = by_charge_intent.source
            and charges.payment_intent_id = by_charge_intent.payment_intent_id

),

refunds as (

    select
        source, refund_id, amount_minor, refunded_at,
        coalesce(refund_status, 'succeeded') as refund_status,
        invoice_line_id, invoice_id
    from newest_refunds

    union all

    select source, refund_id, amount_minor, refunded_at, refund_status, invoice_line_id, invoice_id
    from stripe_refund_invoices

),

ranked as (

    {{ counted_once('refunds', 'refund_id') }}

)

select
    ranked.refund_id,
    ranked.source,
    ranked.invoice_id,
    -- A line that is not on this invoice names nothing: the money still went back on the invoice. It is
    -- an exception beside (unknown_line).
    lines.invoice_line_id,
    ranked.amount_minor,
    ranked.refunded_at
from ranked
inner join invoices
    on ranked.invoice_id = invoices.invoice_id
left join {{ ref('int_billing__landed_lines') }} as lines
    on
        ranked.invoice_line_id = lines.invoice_line_id
        and ranked.invoice_id = lines.invoice_id
        and invoices.source = lines.source
cross join run
where
    ranked.refund_status = 'succeeded'
    and ranked.amount_minor > 0
    and ranked.refunded_at < run.as_of_end_at
