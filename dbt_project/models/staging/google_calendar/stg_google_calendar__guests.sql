-- Grain: one row per guest of a landed version of an event (source, event_id, guest_number, arrival, row_number).
-- Guests are attendees from outside: not of the calendar's own domain nor of the domains that sources.yml
-- names as own. A cancelled event keeps no attendees: it has one row without a guest.
with

own_domains as (

    select
        source,
        list(domain) as domains
    from {{ source('program', 'program__source_domains') }}
    group by source

),

received as (

    select
        events.*,
        coalesce(own_domains.domains, cast([] as varchar[])) as own_domains
    from {{ source('google_calendar', 'google_calendar__events') }} as events
    left join own_domains
        on events._source = own_domains.source

),

code_fields as (

    {{ source_fields('code') }}

),

attendees as (

    select
        received._source,
        received._arrival,
        received._row,
        lower(people.element ->> '$.email') as email,
        people.element ->> '$.responseStatus' as response_status
    from received,
        {{ json_elements('received.payload', 'attendees', 'people') }}
    where
        coalesce(people.element ->> '$.resource', 'false') <> 'true'
        and coalesce(people.element ->> '$.self', 'false') <> 'true'
        and lower(people.element ->> '$.email') <> lower(coalesce(received.parent_id, ''))
        and (
            split_part(lower(people.element ->> '$.email'), '@', 2)
            <> split_part(lower(coalesce(received.parent_id, '')), '@', 2)
            -- A calendar of a private address has no domain of its own.
            or split_part(lower(people.element ->> '$.email'), '@', 2) in ('gmail.com', 'googlemail.com')
        )
        and not list_contains(received.own_domains, split_part(lower(people.element ->> '$.email'), '@', 2))

)

select
    received._source as source,
    received._arrival as arrival,
    received._row as row_number,
    received.object_id as event_id,
    attendees.email,
    attendees.response_status,
    {{ json_text('received.payload', 'status') }} = 'cancelled'
    or coalesce(received.is_tombstone, false) as is_canceled,
    {{ vendor_utc(json_text('received.payload', 'created')) }} as booked_at,
    {{ vendor_utc(json_text('received.payload', 'updated')) }} as updated_at,
    {{ utc('coalesce(' ~ json_text('received.payload', 'start.dateTime') ~ ', ' ~ json_text('received.payload', 'start.date') ~ ')') }} as starts_at,
    {{ utc('coalesce(' ~ json_text('received.payload', 'end.dateTime') ~ ', ' ~ json_text('received.payload', 'end.date') ~ ')') }} as ends_at,
    {{ mapped_text('code_fields.places', 'received.payload') }} as code
from received
left join attendees
    on
        received._source = attendees._source
        and received._arrival = attendees._arrival
        and received._row = attendees._row
left join code_fields
    on received._source = code_fields.source
