-- Grain: one row per invoice (source, invoice_id) whose money a higher-ranked source delivers too.
-- Rule F2: same id, same external number, or same customer, currency, total and issue date.
with

invoices as (

    select * from {{ ref('int_billing__landed_invoices') }}

),

same_id as (

    select losing.source, losing.invoice_id, kept.source as kept_source, kept.invoice_id as kept_invoice_id
    from invoices as losing
    inner join invoices as kept
        on
            losing.invoice_id = kept.invoice_id
            and losing.source_rank > kept.source_rank

),

same_number as (

    select losing.source, losing.invoice_id, kept.source as kept_source, kept.invoice_id as kept_invoice_id
    from invoices as losing
    inner join invoices as kept
        on
            losing.external_number = kept.external_number
            and losing.source_rank > kept.source_rank

),

same_facts as (

    select losing.source, losing.invoice_id, kept.source as kept_source, kept.invoice_id as kept_invoice_id
    from invoices as losing
    inner join invoices as kept
        on
            losing.customer_id = kept.customer_id
            and losing.currency_code = kept.currency_code
            and losing.total_amount_minor = kept.total_amount_minor
            and losing.issued_date = kept.issued_date
            and losing.source_rank > kept.source_rank

),

matches as (

    select * from same_id
    union all
    select * from same_number
    union all
    select * from same_facts

)

select
    source,
    invoice_id,
    min(kept_source) as kept_source,
    min_by(kept_invoice_id, kept_source || chr(31) || kept_invoice_id) as kept_invoice_id
from matches
group by source, invoice_id
