-- Grain: one row per landed version of a rate (source, id, arrival, row_number).
-- Renames and casts only (M5 for instants); the newest version is chosen downstream (F1).
with

received as (

    select * from {{ source('files', 'files__fx_rates') }}

)

select
    _source as source,
    _arrival as arrival,
    _row as row_number,
    cast(rate_date as date) as rate_date,
    currency_code,
    cast(rate as decimal(24, 10)) as rate
from received
