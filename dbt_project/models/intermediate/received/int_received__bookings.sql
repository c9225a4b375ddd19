-- Grain: one row per invitee of a booked calendar event (source, meeting_id), as known on as_of (F1, M6).
-- A booking that was moved keeps the instant at which it was first made. A guest who is no longer on the
-- event, or declined it, has cancelled.
with recursive

calendly_events as (

    select * from {{ ref('stg_calendly__events') }}

),

newest_events as (

    {{ newest_versions('calendly_events', ['event_id'], 'updated_at') }}

),

calendly_invitees as (

    select * from {{ ref('stg_calendly__invitees') }}

),

newest_invitees as (

    {{ newest_versions('calendly_invitees', ['invitee_id'], 'updated_at') }}

),

-- From each invitee back along "was moved from"; the bound is against circles.
moves as (

    select source, invitee_id, invitee_id as origin_id, old_invitee_id, booked_at, 0 as steps
    from newest_invitees

    union all

    select moves.source, moves.invitee_id, earlier.invitee_id, earlier.old_invitee_id, earlier.booked_at, moves.steps + 1
    from moves
    inner join newest_invitees as earlier
        on
            moves.source = earlier.source
            and moves.old_invitee_id = earlier.invitee_id
    where moves.steps < 100

),

first_bookings as (

    select
        source,
        invitee_id,
        min(booked_at) as booked_at
    from moves
    group by source, invitee_id

),

guests as (

    select * from {{ ref('stg_google_calendar__guests') }}
    where
        updated_at is null
        or updated_at < (select as_of_end_at from {{ ref('stg_program__run') }})

),

guest_versions as (

    select
        guests.*,
        row_number() over (
            partition by source, event_id order by arrival desc, row_number desc, email
        ) = 1 as is_newest_row,
        max(arrival * cast(power(10, 18) as hugeint) + row_number) over (partition by source, event_id)
        = arrival * cast(power(10, 18) as hugeint) + row_number as is_newest_version,
        min(arrival * cast(power(10, 18) as hugeint) + row_number) over (partition by source, event_id)
        = arrival * cast(power(10, 18) as hugeint) + row_number as is_first_version
    from guests

),

newest_calendar_events as (

    select * from guest_versions
    where is_newest_row

),

-- What a cancelled event leaves out is taken from the last version that had it.
known_guests as (

    select
        source,
        event_id,
        email,
        bool_or(is_newest_version) as is_on_event,
        max_by(response_status, {'arrival': arrival, 'row': row_number}) as response_status,
        -- A guest whom the first version does not name was invited when the event was changed.
        case
            when bool_or(is_first_version) then min(booked_at)
            else coalesce(min(updated_at), min(booked_at))
        end as booked_at,
        max_by(starts_at, {'arrival': arrival, 'row': row_number}) filter (where starts_at is not null) as starts_at,
        max_by(ends_at, {'arrival': arrival, 'row': row_number}) filter (where ends_at is not null) as ends_at,
        max_by(code, {'arrival': arrival, 'row': row_number}) filter (where code is not null) as code
    from guest_versions
    where email is not null
    group by source, event_id, email

),

bookings as (

    select
        invitees.source,
        greatest(invitees.arrival, events.arrival) as arrival,
        invitees.row_number,
        invitees.invitee_id as meeting_id,
        events.event_type_id as form_id,
        first_bookings.booked_at,
        events.starts_at,
        events.ends_at,
        case
            when invitees.invitee_status = 'canceled' or events.event_status = 'canceled' then 'canceled'
            when invitees.is_no_show then 'no_show'
            else 'scheduled'
        end as outcome,
        invitees.email,
        invitees.code,
        invitees.utm_source,
        invitees.utm_campaign,
        invitees.updated_at
    from newest_invitees as invitees
    inner join newest_events as events
        on
            invitees.source = events.source
            and invitees.event_id = events.event_id
    inner join first_bookings
        on
            invitees.source = first_bookings.source
            and invitees.invitee_id = first_bookings.invitee_id

    union all

    select
        known_guests.source,
        events.arrival,
        events.row_number,
        known_guests.event_id || ':' || left(md5(known_guests.email), 12) as meeting_id,
        'google_calendar' as form_id,
        known_guests.booked_at,
        coalesce(events.starts_at, known_guests.starts_at) as starts_at,
        coalesce(events.ends_at, known_guests.ends_at) as ends_at,
        case
            when events.is_canceled or not known_guests.is_on_event or known_guests.response_status = 'declined'
                then 'canceled'
            else 'scheduled'
        end as outcome,
        known_guests.email,
        known_guests.code,
        cast(null as varchar) as utm_source,
        cast(null as varchar) as utm_campaign,
        events.updated_at
    from known_guests
    inner join newest_calendar_events as events
        on
            known_guests.source = events.source
            and known_guests.event_id = events.event_id

)

select
    bookings.*,
    coalesce(sources.is_held_when_ended, false) as is_assumed_held
from bookings
left join {{ ref('stg_program__sources') }} as sources
    on bookings.source = sources.source
