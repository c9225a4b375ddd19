-- Grain: one row per partner in a batch, or left out of it (payout_id). Who was left out is looked at
-- again at the next cut-off, so the pay date of that one is expected (P4).
{{ config(materialized='view') }}

with

next_pay_date as (

    select
        calendar.rail,
        min(calendar.pay_date) as pay_date
    from {{ ref('stg_program__pay_calendar') }} as calendar
    inner join {{ ref('stg_program__run') }} as run
        on calendar.cutoff_date > run.as_of
    group by calendar.rail

)

select
    items.* exclude (expected_pay_date),
    coalesce(
        items.expected_pay_date,
        case when items.left_out_reason is not null then next_pay_date.pay_date end
    ) as expected_pay_date
from {{ ref('stg_control__payout_items') }} as items
left join next_pay_date
    on items.rail = next_pay_date.rail
