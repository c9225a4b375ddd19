-- Grain: one row per landed version of a deal registration (source, id, arrival, row_number).
-- Renames and casts only (M5 for instants); the newest version is chosen downstream (F1).
with

received as (

    select * from {{ source('files', 'files__deal_registrations') }}

)

select
    _source as source,
    _arrival as arrival,
    _row as row_number,
    registration_id,
    partner_id,
    {{ utc('submitted_at') }} as submitted_at,
    status,
    {{ utc('decided_at') }} as decided_at,
    {{ utc('expires_at') }} as expires_at,
    lower(email) as email,
    lower(company_domain) as company_domain,
    deal_id,
    cast(expected_amount_minor as bigint) as expected_amount_minor,
    currency_code
from received
