-- Grain: one row per landed version of a dispute (source, dispute_id, arrival, row_number), of any source; of a
-- Stripe dispute the newest one. An inquiry (warning_*) counts as open until it is closed without a loss.
-- Stripe keeps no closing instant: the event that closed it has it, else the first pull that saw it closed
-- after one that saw it open; else the dispute's own date.
with

disputes as (

    select * from {{ ref('stg_stripe__disputes') }}

),

newest_disputes as (

    {{ newest_versions('disputes', ['dispute_id']) }}

),

seen as (

    select
        source,
        dispute_id,
        min(retrieved_at) filter (where vendor_status in ('won', 'lost', 'warning_closed', 'prevented')) as closed_at,
        min(retrieved_at) filter (where vendor_status not in ('won', 'lost', 'warning_closed', 'prevented')) as open_at
    from disputes
    group by source, dispute_id

),

closing_events as (

    select
        source,
        object_id as dispute_id,
        max(created_at) as closed_at
    from {{ ref('stg_stripe__events') }}
    where event_type = 'charge.dispute.closed'
    group by source, object_id

)

select source, arrival, row_number, dispute_id, invoice_id, amount_minor, opened_at, dispute_status, closed_at
from {{ ref('stg_files__disputes') }}

union all

select
    disputes.source, disputes.arrival, disputes.row_number, disputes.dispute_id,
    coalesce(by_charge.invoice_id, by_intent.invoice_id) as invoice_id,
    disputes.amount_minor, disputes.opened_at,
    case
        when disputes.vendor_status = 'lost' then 'lost'
        when disputes.vendor_status in ('won', 'warning_closed', 'prevented') then 'won'
        else 'open'
    end as dispute_status,
    case
        when disputes.vendor_status in ('won', 'lost', 'warning_closed', 'prevented')
            then coalesce(closing_events.closed_at, case when seen.open_at < seen.closed_at then seen.closed_at end)
    end as closed_at
from newest_disputes as disputes
inner join seen
    on
        disputes.source = seen.source
        and disputes.dispute_id = seen.dispute_id
left join closing_events
    on
        disputes.source = closing_events.source
        and disputes.dispute_id = closing_events.dispute_id
left join {{ ref('int_received__stripe_links') }} as by_charge
    on
        disputes.source = by_charge.source
        and disputes.charge_id = by_charge.link_id
left join {{ ref('int_received__stripe_links') }} as by_intent
    on
        disputes.source = by_intent.source
        and disputes.payment_intent_id = by_intent.link_id
