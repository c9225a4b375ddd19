-- Grain: one row per landed version of a deal (source, id, arrival, row_number).
-- Renames and casts only (M5 for instants); the newest version is chosen downstream (F1).
with

received as (

    select * from {{ source('files', 'files__deals') }}

)

select
    _source as source,
    _arrival as arrival,
    _row as row_number,
    deal_id,
    stage,
    {{ utc('created_at') }} as created_at,
    contact_id,
    company_id,
    cast(amount_minor as bigint) as amount_minor,
    currency_code,
    {{ utc('closed_at') }} as closed_at,
    {{ yes('is_won') }} as is_won,
    {{ yes('is_lost') }} as is_lost,
    code,
    lower(owner_email) as owner_email,
    {{ utc('updated_at') }} as updated_at
from received
