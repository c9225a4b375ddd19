-- Grain: one row per landed version of a customer (source, id, arrival, row_number).
-- Renames and casts only (M5 for instants); the newest version is chosen downstream (F1).
with

received as (

    select * from {{ source('files', 'files__customers') }}

)

select
    _source as source,
    _arrival as arrival,
    _row as row_number,
    customer_id,
    {{ utc('created_at') }} as created_at,
    lower(email) as email,
    lower(company_domain) as company_domain,
    contact_id,
    country as country_code,
    code
from received
