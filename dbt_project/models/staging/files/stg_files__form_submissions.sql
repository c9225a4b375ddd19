-- Grain: one row per landed version of a form submission (source, id, arrival, row_number).
-- Renames and casts only (M5 for instants); the newest version is chosen downstream (F1).
with

received as (

    select * from {{ source('files', 'files__form_submissions') }}

)

select
    _source as source,
    _arrival as arrival,
    _row as row_number,
    submission_id,
    form_id,
    {{ utc('submitted_at') }} as submitted_at,
    lower(email) as email,
    lower(company_domain) as company_domain,
    anonymous_id,
    code,
    utm_source,
    utm_campaign
from received
