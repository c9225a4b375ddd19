-- Grain: one row per landed version of a contact (source, id, arrival, row_number).
-- Renames and casts only (M5 for instants); the newest version is chosen downstream (F1).
with

received as (

    select * from {{ source('files', 'files__contacts') }}

)

select
    _source as source,
    _arrival as arrival,
    _row as row_number,
    contact_id,
    lower(email) as email,
    {{ utc('created_at') }} as created_at,
    company_id,
    code,
    lower(owner_email) as owner_email,
    {{ utc('updated_at') }} as updated_at,
    {{ yes('is_deleted') }} as is_deleted,
    merged_into_id
from received
