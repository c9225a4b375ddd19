-- Grain: one row per landed version of a code (source, id, arrival, row_number).
-- Renames and casts only (M5 for instants); the newest version is chosen downstream (F1).
with

received as (

    select * from {{ source('files', 'files__partner_codes') }}

)

select
    _source as source,
    _arrival as arrival,
    _row as row_number,
    code,
    partner_id,
    code_type,
    {{ utc('valid_from') }} as valid_from_at,
    {{ utc('valid_to') }} as valid_to_at
from received
