-- Grain: one row per stage that a record shows a lead to have reached (lead_id, stage, source_type, source_id).
-- Rules L2, L5: signup → demo booked → demo held → qualified → deal won → first payment; lost beside it.
with

run as (

    select * from {{ ref('stg_program__run') }}

),

signups as (

    select 'product_event' as source_type, event_id as source_id, source, 'signup' as stage, occurred_at
    from {{ ref('int_sources__product_events') }}
    where event_name = 'signup'

),

demos_booked as (

    select 'meeting', meeting_id, source, 'demo_booked', booked_at
    from {{ ref('int_sources__meetings') }}
    where outcome <> 'canceled'

),

demos_held as (

    select 'meeting', meeting_id, source, 'demo_held', starts_at
    from {{ ref('int_sources__meetings') }}
    where outcome = 'held'

),

-- The CRM keeps only the present stage: its first landed version that says qualified dates it.
qualified as (

    select
        'deal',
        deals.deal_id,
        deals.source,
        'qualified',
        min(coalesce(deals.updated_at, deals.created_at))
    from {{ ref('int_received__deals') }} as deals
    cross join run
    where
        lower(deals.stage) = 'qualified'
        and coalesce(deals.updated_at, deals.created_at) < run.as_of_end_at
        and deals.created_at < run.as_of_end_at
    group by deals.deal_id, deals.source

),

deals_won as (

    select 'deal', deal_id, source, 'deal_won', closed_at
    from {{ ref('int_sources__deals') }}
    where is_won

),

deals_lost as (

    select 'deal', deal_id, source, 'lost', closed_at
    from {{ ref('int_sources__deals') }}
    where is_lost

),

-- A payment of nothing (a free invoice) is no first payment.
payments as (

    select
        payments.payment_type,
        payments.payment_id,
        invoices.source,
        'first_payment',
        payments.paid_at,
        invoices.customer_id
    from {{ ref('int_billing__payments') }} as payments
    inner join {{ ref('int_billing__invoices') }} as invoices
        on payments.invoice_id = invoices.invoice_id
    where payments.amount_minor > 0

),

record_events as (

    select * from signups
    union all
    select * from demos_booked
    union all
    select * from demos_held
    union all
    select * from qualified
    union all
    select * from deals_won
    union all
    select * from deals_lost

),

lead_events as (

    select
        lead_records.lead_id,
        record_events.*
    from record_events
    inner join {{ ref('int_identity__lead_records') }} as lead_records
        on
            record_events.source_type = lead_records.record_type
            and record_events.source_id = lead_records.record_id

    union all

    select
        lead_records.lead_id,
        payments.* exclude (customer_id)
    from payments
    inner join {{ ref('int_identity__lead_records') }} as lead_records
        on
            lead_records.record_type = 'customer'
            and payments.customer_id = lead_records.record_id

),

-- A comparison with the run inside the last join would make its time zone a value per row, which costs much more.
known as (

    select *
    from lead_events
    where occurred_at < (select as_of_end_at from run)

)

select
    lead_id,
    stage,
    case stage
        when 'signup' then 1
        when 'demo_booked' then 2
        when 'demo_held' then 3
        when 'qualified' then 4
        when 'deal_won' then 5
        when 'first_payment' then 6
        else 0
    end as stage_rank,
    occurred_at,
    {{ local_date('occurred_at') }} as occurred_date,
    source,
    source_type,
    source_id
from known
cross join run
