-- Grain: one row per (source, invoice_id), the newest version known on as_of (F1, M6), drafts left out.
-- A missing total is the sum of the lines with tax (C2).
with

run as (

    select * from {{ ref('stg_program__run') }}

),

landed as (

    select * from {{ ref('int_received__invoices') }}

),

versions as (

    {{ newest_versions('landed', ['invoice_id']) }}

),

-- A comparison with the run in the last select would make its time zone a value per row, which costs much more.
newest as (

    select *
    from versions
    where
        issued_at < (select as_of_end_at from run)
        and invoice_status <> 'draft'

),

line_totals as (

    select
        lines.source,
        lines.invoice_id,
        cast(
            sum(lines.amount_minor - lines.discount_amount_minor + lines.tax_amount_minor) as bigint
        ) as lines_total_amount_minor
    from {{ ref('int_billing__landed_lines') }} as lines
    inner join newest
        on
            lines.source = newest.source
            and lines.invoice_id = newest.invoice_id
            and newest.total_amount_minor is null
    group by lines.source, lines.invoice_id

)

select
    newest.source,
    sources.source_rank,
    newest.invoice_id,
    newest.customer_id,
    newest.invoice_status,
    newest.currency_code,
    newest.issued_at,
    {{ local_date('newest.issued_at') }} as issued_date,
    newest.subscription_id,
    case when newest.paid_at < run.as_of_end_at then newest.paid_at end as paid_at,
    coalesce(newest.paid_at >= run.as_of_end_at, false) as is_paid_later,
    coalesce(newest.total_amount_minor, line_totals.lines_total_amount_minor, 0) as total_amount_minor,
    coalesce(newest.credit_applied_amount_minor, 0) as credit_applied_amount_minor,
    newest.external_number,
    newest.code
from newest
inner join {{ ref('stg_program__sources') }} as sources
    on newest.source = sources.source
left join line_totals
    on
        newest.source = line_totals.source
        and newest.invoice_id = line_totals.invoice_id
cross join run
