-- Grain: one row per exception about payouts (kind, subject, what_to_do): what banks said that was not applied, accounts
-- that need a look, disputes past their day, messages that did not arrive, payouts of which no bank has said
-- anything for ten days.
{{ config(tags=['payouts']) }}

with

run as (

    select * from {{ ref('stg_program__run') }}

),

findings as (

    select * from {{ ref('stg_control__payout_findings') }}

),

disputes as (

    select * from {{ ref('int_payouts__disputes') }}

),

items as (

    select * from {{ ref('int_payouts__items') }}

),

recorded as (

    select
        kind,
        case kind when 'payout_details_waiting' then 'info' else 'warning' end as severity,
        subject,
        cast(null as bigint) as amount_minor,
        cast(null as varchar) as currency_code,
        case kind when 'notice_not_delivered' then 'partnerships' else 'finance' end as owner,
        opened_at,
        detail || case kind
            when 'settlement_line_not_applied'
                then '; compare it with the bank, then `partnerledger batches match`'
            when 'payout_details_outdated'
                then '; ask the partner, then `partnerledger payee details set`'
            when 'payout_details_waiting'
                then '; `partnerledger payee details approve` or reject'
            when 'notice_not_delivered'
                then '; correct the address or ask the mail server, then `partnerledger notices retry` or drop'
            else '; check that it is one company, else hold the partners'
        end as what_to_do
    from findings

),

overdue_disputes as (

    select
        'dispute_overdue', 'warning', 'dispute:' || dispute_id,
        cast(null as bigint), cast(null as varchar), 'partnerships',
        due_at,
        'the partner was promised an answer by then; `partnerledger dispute decide`'
    from disputes
    where is_overdue

),

-- The clearing account must come to zero.
silent_payouts as (

    select
        'payout_not_confirmed', 'warning', 'batch:' || items.batch_id,
        cast(sum(items.amount_minor) as bigint), items.currency_code, 'finance',
        cast(min(items.expected_pay_date) as timestamp),
        'no bank has confirmed these payouts since; read its file with `partnerledger batches settle`'
    from items
    cross join run
    where
        items.left_out_reason is null
        and items.state in ('exported', 'sent', 'unclaimed')
        and {{ days_between('items.expected_pay_date', 'run.as_of') }} > 10
    group by items.batch_id, items.currency_code

)

select * from recorded
union all
select * from overdue_disputes
union all
select * from silent_payouts
