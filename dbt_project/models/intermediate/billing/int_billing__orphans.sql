-- Grain: one row per money record that cannot count as it stands (source, record_type, record_id), by its
-- newest version (F1): it names no invoice or one nobody delivered, a line that is not on its invoice, or
-- takes back nothing or less.
with

run as (

    select * from {{ ref('stg_program__run') }}

),

known_invoices as (

    select distinct invoice_id from {{ ref('int_received__invoices') }}

),

known_lines as (

    select distinct invoice_line_id, invoice_id from {{ ref('int_received__invoice_lines') }}

),

landed_payments as (

    select * from {{ ref('int_received__payments') }}

),

newest_payments as (

    {{ newest_versions('landed_payments', ['payment_id']) }}

),

landed_refunds as (

    select * from {{ ref('int_received__refunds') }}

),

newest_refunds as (

    {{ newest_versions('landed_refunds', ['refund_id']) }}

),

landed_disputes as (

    select * from {{ ref('int_received__disputes') }}

),

newest_disputes as (

    {{ newest_versions('landed_disputes', ['dispute_id']) }}

),

landed_credit_notes as (

    select * from {{ ref('int_received__credit_notes') }}

),

newest_credit_notes as (

    {{ newest_versions('landed_credit_notes', ['credit_note_id']) }}

),

records as (

    select 'payment' as record_type, payment_id as record_id, source, invoice_id,
        cast(null as varchar) as invoice_line_id, amount_minor, paid_at as occurred_at
    from newest_payments

    union all

    select 'refund', refund_id, source, invoice_id, invoice_line_id, amount_minor, refunded_at
    from newest_refunds

    union all

    select 'dispute', dispute_id, source, invoice_id, null, amount_minor, opened_at
    from newest_disputes

    union all

    select 'credit_note', credit_note_id, source, invoice_id, null, amount_minor, issued_at
    from newest_credit_notes

)

select
    records.record_type,
    records.record_id,
    records.source,
    case
        when records.invoice_id is null then 'no_invoice'
        when known_invoices.invoice_id is null then 'unknown_invoice'
        when records.invoice_line_id is not null and known_lines.invoice_line_id is null then 'unknown_line'
        else 'amount_not_positive'
    end as kind,
    coalesce(
        case when known_invoices.invoice_id is not null then records.invoice_line_id end, records.invoice_id
    ) as missing_id,
    records.amount_minor,
    records.occurred_at
from records
cross join run
left join known_invoices
    on records.invoice_id = known_invoices.invoice_id
left join known_lines
    on
        records.invoice_line_id = known_lines.invoice_line_id
        and records.invoice_id = known_lines.invoice_id
where
    records.occurred_at < run.as_of_end_at
    and (
        known_invoices.invoice_id is null
        or (records.invoice_line_id is not null and known_lines.invoice_line_id is null)
        or (records.amount_minor <= 0 and records.record_type <> 'payment')
    )
