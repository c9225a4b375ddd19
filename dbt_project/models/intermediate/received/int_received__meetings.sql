-- Grain: one row per landed version of a meeting (source, meeting_id, arrival, row_number), of any source.
-- A calendar knows invitees: each is a meeting of its own. is_assumed_held: an ended meeting without a
-- word against it took place (sources.yml, held).
with

hubspot as (

    select * from {{ ref('stg_hubspot__meetings') }}

),

{{ main_records('meeting') }}

select
    source, arrival, row_number, meeting_id, booked_at, starts_at, cast(null as timestamp) as ends_at, outcome,
    false as is_assumed_held, email, contact_id, company_id, updated_at
from {{ ref('stg_files__meetings') }}

union all

select
    hubspot.source, hubspot.arrival, hubspot.row_number, hubspot.meeting_id, hubspot.booked_at,
    hubspot.starts_at, hubspot.ends_at,
    case
        when hubspot.vendor_outcome = 'COMPLETED' then 'held'
        when hubspot.vendor_outcome = 'NO_SHOW' then 'no_show'
        when hubspot.vendor_outcome in ('CANCELED', 'RESCHEDULED') or hubspot.is_deleted then 'canceled'
        else 'scheduled'
    end as outcome,
    false as is_assumed_held,
    cast(null as varchar) as email,
    main_records.contact_id, main_records.company_id, hubspot.updated_at
from hubspot
left join main_records
    on
        hubspot.source = main_records.source
        and hubspot.meeting_id = main_records.from_id

union all

select
    source, arrival, row_number, meeting_id, booked_at, starts_at, ends_at, outcome, is_assumed_held, email,
    cast(null as varchar) as contact_id, cast(null as varchar) as company_id, updated_at
from {{ ref('int_received__bookings') }}
