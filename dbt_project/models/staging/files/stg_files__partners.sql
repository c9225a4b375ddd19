-- Grain: one row per landed version of a partner (source, id, arrival, row_number).
-- Renames and casts only (M5 for instants); the newest version is chosen downstream (F1).
with

received as (

    select * from {{ source('files', 'files__partners') }}

)

select
    _source as source,
    _arrival as arrival,
    _row as row_number,
    partner_id,
    name as partner_name,
    lower(email) as email,
    legal_name,
    lower(company_domain) as company_domain,
    country as country_code,
    partner_type,
    "group" as partner_group,
    status as partner_status,
    lower(manager_email) as manager_email,
    payout_currency as payout_currency_code,
    {{ utc('joined_at') }} as joined_at,
    {{ yes('is_pilot') }} as is_pilot,
    referred_by as referred_by_partner_id
from received
