-- Grain: one row per natural key of the desired state (commission_id), with the state of its entries.
-- A line is as far as the least advanced of its entries.
{{ config(tags=['payouts']) }}

with

entry_states as (

    select
        commission_id,
        min(case entry_state
            when 'held' then 1 when 'on_hold' then 2 when 'available' then 3 when 'in_batch' then 4 else 5
        end) as state_rank,
        min(hold_reason) as hold_reason,
        max(batch_state) as batch_state,
        max(available_date) as available_date,
        max(coalesce(pay_date, expected_pay_date)) as expected_pay_date
    from {{ ref('int_payouts__entry_states') }}
    group by commission_id

)

select
    desired.*,
    entry_states.state_rank,
    entry_states.hold_reason,
    entry_states.batch_state,
    case when entry_states.state_rank > 1 then entry_states.expected_pay_date end as expected_pay_date
from {{ ref('int_journal__desired') }} as desired
left join entry_states
    on desired.commission_id = entry_states.commission_id
