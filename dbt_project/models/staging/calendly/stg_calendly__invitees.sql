-- Grain: one row per landed version of a Calendly invitee (source, id, arrival, row_number).
-- Renames, casts and the fields that sources.yml maps.
with

received as (

    select
        *,
        list_transform(
            cast(coalesce(json_extract(payload, '$.questions_and_answers'), '[]') as json[]),
            lambda answer: {'name': answer ->> '$.question', 'value': answer ->> '$.answer'}
        ) as answers
    from {{ source('calendly', 'calendly__invitees') }}

),

code_fields as (

    {{ source_fields('code') }}

)

select
    received._source as source,
    received._arrival as arrival,
    received._row as row_number,
    received.object_id as invitee_id,
    received.parent_id as event_id,
    {{ vendor_utc(json_text('received.payload', 'created_at')) }} as booked_at,
    {{ vendor_utc(json_text('received.payload', 'updated_at')) }} as updated_at,
    lower({{ json_text('received.payload', 'email') }}) as email,
    {{ json_text('received.payload', 'status') }} as invitee_status,
    {{ json_text('received.payload', 'no_show') }} is not null as is_no_show,
    {{ json_text('received.payload', 'old_invitee') }} as old_invitee_id,
    {{ json_text('received.payload', 'tracking.utm_source') }} as utm_source,
    {{ json_text('received.payload', 'tracking.utm_campaign') }} as utm_campaign,
    {{ mapped_text('code_fields.places', 'received.payload', answers='received.answers') }} as code
from received
left join code_fields
    on received._source = code_fields.source
