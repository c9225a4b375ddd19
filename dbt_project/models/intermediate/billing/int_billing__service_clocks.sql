-- Grain: one row per clock of a customer (customer_id, gap_days, clock_number), for every gap that the terms name.
-- Rule C4, decision 0039: a positive paid line that starts at least gap_days after the latest service end before it
-- starts a new clock; the first clock's anchor is that of C3, and no line that starts before that anchor begins or
-- makes another: an older invoice that is paid late takes nothing back.
with

gaps as (

    select distinct reactivation_gap_days as gap_days
    from {{ ref('stg_program__components') }}
    where
        reactivation_mode in ('restart', 'stop')
        and reactivation_gap_days is not null

),

services as (

    select
        lines.*,
        greatest(coalesce(service_end_date, service_start_date), service_start_date) as served_until_date
    from {{ ref('int_billing__paid_lines') }} as lines
    where
        gross_amount_minor > 0
        and paid_amount_minor > 0
        and exists (select 1 from gaps)

),

ordered as (

    select
        services.*,
        max(served_until_date) over (
            partition by customer_id
            order by service_start_date, invoice_line_id
            rows between unbounded preceding and 1 preceding
        ) as served_before_date
    from services

),

starts as (

    select
        ordered.customer_id,
        gaps.gap_days,
        ordered.service_start_date as starts_date,
        ordered.service_start_date as anchor_date,
        ordered.invoice_id as anchor_invoice_id
    from ordered
    inner join gaps
        on {{ days_between('ordered.served_before_date', 'ordered.service_start_date') }} >= gaps.gap_days
    inner join {{ ref('int_billing__anchors') }} as anchors
        on ordered.customer_id = anchors.customer_id
    where ordered.service_start_date > anchors.anchor_date

    union all

    select
        anchors.customer_id,
        gaps.gap_days,
        date '1900-01-01',
        anchors.anchor_date,
        anchors.anchor_invoice_id
    from {{ ref('int_billing__anchors') }} as anchors
    cross join gaps

)

select
    customer_id,
    gap_days,
    row_number() over clocks as clock_number,
    starts_date,
    coalesce(lead(starts_date) over clocks, date '2200-01-01') as ends_date,
    anchor_date,
    anchor_invoice_id
from starts
window clocks as (partition by customer_id, gap_days order by starts_date)
