-- Grain: one row per landed version of a company (source, id, arrival, row_number).
-- Renames and casts only (M5 for instants); the newest version is chosen downstream (F1).
with

received as (

    select * from {{ source('files', 'files__companies') }}

)

select
    _source as source,
    _arrival as arrival,
    _row as row_number,
    company_id,
    lower(domain) as company_domain,
    name as company_name,
    {{ utc('updated_at') }} as updated_at,
    {{ yes('is_deleted') }} as is_deleted,
    merged_into_id
from received
