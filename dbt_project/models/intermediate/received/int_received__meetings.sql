-- Grain: one row per landed version of a meeting (source, meeting_id, arrival, row_number), of any source.
-- A calendar knows invitees: each is a meeting of its own. is_assumed_held: an ended meeting without a
-- word against it took place (sources.yml, held).
with

hubspot as (

    select * from {{ ref('stg_hubspot__meetings') }}

),

associations as (

    select * from {{ ref('stg_hubspot__associations') }}
    where from_type = 'meeting'

),

newest_arrivals as (

    select
        source,
        from_id,
        to_type,
        max(arrival) as arrival
    from associations
    group by source, from_id, to_type

),

-- Of several associated records the one labelled as the main one counts, else the smallest id.
main_records as (

    select
        associations.source,
        associations.from_id,
        min_by(
            associations.to_id,
            {'is_other': not associations.is_primary, 'length': length(associations.to_id), 'id': associations.to_id}
        ) filter (where associations.to_type = 'contact') as contact_id,
        min_by(
            associations.to_id,
            {'is_other': not associations.is_primary, 'length': length(associations.to_id), 'id': associations.to_id}
        ) filter (where associations.to_type = 'company') as company_id
    from associations
    inner join newest_arrivals
        on
            associations.source = newest_arrivals.source
            and associations.from_id = newest_arrivals.from_id
            and associations.to_type = newest_arrivals.to_type
            and associations.arrival = newest_arrivals.arrival
    where associations.to_id is not null
    group by associations.source, associations.from_id

)

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
