-- Grain: one row per landed version of a touch (source, id, arrival, row_number).
-- Renames and casts only (M5 for instants); the newest version is chosen downstream (F1).
with

received as (

    select * from {{ source('files', 'files__touchpoints') }}

)

select
    _source as source,
    _arrival as arrival,
    _row as row_number,
    touchpoint_id,
    {{ utc('occurred_at') }} as occurred_at,
    touch_type,
    code,
    partner_id,
    lower(email) as email,
    contact_id,
    customer_id,
    anonymous_id,
    lower(company_domain) as company_domain,
    landing_url,
    campaign
from received
