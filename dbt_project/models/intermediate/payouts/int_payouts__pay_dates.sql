-- Grain: one row per day on which something may become available, and rail (available_date, rail), with the pay date
-- on which it is paid if nothing stands in the way (P4): that of the first cut-off still to come.
with

run as (

    select * from {{ ref('stg_program__run') }}

),

days as (

    select distinct available_date from {{ ref('int_journal__entries') }}
    union
    select distinct available_date from {{ ref('int_journal__desired') }}

)

select
    days.available_date,
    calendar.rail,
    min(calendar.pay_date) as expected_pay_date
from days
cross join run
inner join {{ ref('stg_program__pay_calendar') }} as calendar
    on
        calendar.cutoff_date >= days.available_date
        and calendar.cutoff_date > run.as_of
group by days.available_date, calendar.rail
