-- Grain: one row per dispute (dispute_id) on an invoice that counts, in its state on as_of (F1, F2, M6).
-- A dispute decided after as_of is still open.
with

run as (

    select * from {{ ref('stg_program__run') }}

),

landed as (

    select * from {{ ref('int_received__disputes') }}

),

newest as (

    {{ newest_versions('landed', ['dispute_id']) }}

),

ranked as (

    {{ counted_once('newest', 'dispute_id') }}

)

select
    ranked.dispute_id,
    ranked.source,
    ranked.invoice_id,
    ranked.amount_minor,
    ranked.opened_at,
    case
        when coalesce(ranked.closed_at, ranked.opened_at) >= run.as_of_end_at then 'open'
        else ranked.dispute_status
    end as dispute_status,
    case
        when ranked.dispute_status <> 'open' and coalesce(ranked.closed_at, ranked.opened_at) < run.as_of_end_at
            then coalesce(ranked.closed_at, ranked.opened_at)
    end as closed_at
from ranked
inner join {{ ref('int_billing__invoices') }} as invoices
    on ranked.invoice_id = invoices.invoice_id
cross join run
where
    ranked.amount_minor > 0
    and ranked.opened_at < run.as_of_end_at
