-- Grain: one row per landed version of a meeting (source, id, arrival, row_number).
-- Renames and casts only (M5 for instants); the newest version is chosen downstream (F1).
with

received as (

    select * from {{ source('files', 'files__meetings') }}

)

select
    _source as source,
    _arrival as arrival,
    _row as row_number,
    meeting_id,
    {{ utc('booked_at') }} as booked_at,
    {{ utc('starts_at') }} as starts_at,
    outcome,
    lower(email) as email,
    contact_id,
    company_id,
    {{ utc('updated_at') }} as updated_at
from received
