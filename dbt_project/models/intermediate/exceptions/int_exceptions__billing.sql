-- Grain: one row per exception about invoices and what belongs to them (kind, subject, what_to_do).
{{ config(tags=['payouts']) }}

with

duplicate_invoices as (

    select
        'duplicate_invoice' as kind,
        'warning' as severity,
        duplicates.source || ':invoices:' || duplicates.invoice_id as subject,
        invoices.total_amount_minor as amount_minor,
        invoices.currency_code,
        cast(null as varchar) as owner,
        invoices.issued_at as opened_at,
        'the same money as ' || duplicates.kept_source || ':invoices:' || duplicates.kept_invoice_id
        || ', which counts; stop delivering it twice' as what_to_do
    from {{ ref('int_billing__duplicate_invoices') }} as duplicates
    inner join {{ ref('int_billing__landed_invoices') }} as invoices
        on
            duplicates.source = invoices.source
            and duplicates.invoice_id = invoices.invoice_id

),

paid_without_date as (

    select
        'paid_without_date', 'error', invoices.source || ':invoices:' || invoices.invoice_id,
        invoices.total_amount_minor, invoices.currency_code, null, invoices.issued_at,
        'status is paid but neither paid_at nor a payment says when; deliver one of them'
    from {{ ref('int_billing__invoices') }} as invoices
    left join {{ ref('int_billing__payments') }} as payments
        on invoices.invoice_id = payments.invoice_id
    where
        invoices.invoice_status = 'paid'
        and not invoices.is_paid_later
        and payments.invoice_id is null

),

orphans as (

    select
        kind, case kind when 'no_invoice' then 'warning' else 'error' end,
        source || ':' || record_type || 's:' || record_id, amount_minor,
        cast(null as varchar), cast(null as varchar), occurred_at,
        case kind
            when 'amount_not_positive' then 'its amount is not above 0, so it takes nothing back; correct the record'
            when 'no_invoice' then 'the payment that it gives back belongs to no invoice that is known, so it takes nothing back; if it should, deliver the link or the invoice'
            when 'unknown_line' then 'it names line ' || missing_id || ', which is not on its invoice; correct the record'
            else 'it names invoice ' || missing_id || ', which no source has delivered; deliver it or correct the record'
        end
    from {{ ref('int_billing__orphans') }}

)

select * from duplicate_invoices
union all
select * from paid_without_date
union all
select * from orphans
